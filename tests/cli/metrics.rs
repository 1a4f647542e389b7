//! `--metrics` and `--serve-metrics`: what is written and served, and what is refused before anything runs.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::Stdio,
};

use super::Place;

#[test]
fn a_run_and_its_replay_write_the_same_text() {
    let place = Place::with_good();
    place.run(&["run", "a/good", "--seed", "1", "--metrics", "one.prom"]).exits(0);
    place.run(&["replay", "a/good", "--seed", "1", "--metrics", "again.prom"]).exits(0);
    let read = |name: &str| fs::read_to_string(place.path().join(name)).expect("a text");
    let one = read("one.prom");
    assert!(one.contains("\na2a_requests_total{agent=\"rust\",status=\"ok\"} 6\n"), "{one}");
    assert!(one.contains("\nseedbed_run_info{seed=\"1\",sim=\"a/good\"} 1\n"), "{one}");
    assert_eq!(one, read("again.prom"));
}

#[test]
fn several_runs_are_told_apart_whatever_the_number_of_threads() {
    let place = Place::with_good();
    for (jobs, file) in [("1", "one.prom"), ("4", "four.prom")] {
        place.run(&["run", "a/good", "--seeds", "9", "-j", jobs, "--metrics", file]).exits(0);
    }
    let read = |name: &str| fs::read_to_string(place.path().join(name)).expect("a text");
    let text = read("one.prom");
    assert_eq!(text, read("four.prom"));
    assert_eq!(text.matches("\na2a_requests_total{agent=\"rust\",seed=").count(), 9);
}

#[test]
fn what_cannot_be_is_refused_before_anything_runs() {
    let place = Place::with_good();
    let ran = place.run(&["run", "a/good", "--metrics", "sims"]).exits(2);
    assert_eq!(ran.says("cannot write sims").out, "");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let ran = place.run(&["run", "a/good", "--serve-metrics", &address]).exits(2);
    assert_eq!(ran.says("cannot serve metrics").says(&address).out, "");
    let ran = place.run(&["run", "a/good", "--seeds", "1001", "--metrics", "x"]).exits(2);
    assert_eq!(ran.says("at most 1000 runs").out, "");
    for address in ["nonsense", "localhost:9464", "127.0.0.1"] {
        let ran = place.run(&["run", "a/good", "--serve-metrics", address]).exits(2);
        ran.says("as in 127.0.0.1:9464");
    }
    place.run(&["run", "a/good", "--serve-for", "1s"]).exits(2).says("--serve-metrics");
}

#[test]
fn a_run_can_be_scraped_while_it_is_served() {
    let place = Place::with_good();
    let arguments = ["run", "a/good", "--seed", "1", "--serve-metrics", "127.0.0.1:0"];
    let mut command = place.command(&arguments);
    command.args(["--serve-for", "60s"]).stdin(Stdio::null());
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut said = String::new();
    BufReader::new(child.stderr.take().expect("a pipe")).read_line(&mut said).expect("a line");
    let address = said.trim_start_matches("metrics at http://").trim_end();
    let address = address.strip_suffix("/metrics").expect("a place");
    // The results come before the waiting: when they are there, the run is over.
    let mut results = BufReader::new(child.stdout.take().expect("a pipe"));
    results.read_line(&mut String::new()).expect("a line");
    let ask = |request: &str| {
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    };
    let answer = ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\na2a_requests_total{agent=\"rust\",status=\"ok\"} 6\n"), "{answer}");
    assert!(ask("POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
    child.kill().expect("it is there");
    child.wait().expect("it ends");
}
