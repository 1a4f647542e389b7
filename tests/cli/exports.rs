//! `--otlp` and `--perfetto`: what is written, and what is refused. `tests/observe/` reads the files
//! with the message types of others.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    thread,
};

use serde_json::Value;

use super::{GOOD, Place};

/// All spans of an OTLP file.
fn spans(place: &Place, file: &str) -> Vec<Value> {
    let text = fs::read_to_string(place.path().join(file)).expect("a file");
    let request: Value = serde_json::from_str(&text).expect("JSON");
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let scopes = |resource: &Value| list(&resource["scopeSpans"]);
    let resources = list(&request["resourceSpans"]);
    resources.iter().flat_map(scopes).flat_map(|scope| list(&scope["spans"])).collect()
}

#[test]
fn the_same_run_is_the_same_bytes_from_either_verb() {
    let place = Place::with_good();
    let files = |a, b| ["--seed", "1", "--otlp", a, "--perfetto", b];
    let with = |verb, a, b| {
        let arguments: Vec<&str> = [verb, "a/good"].into_iter().chain(files(a, b)).collect();
        place.run(&arguments).exits(0);
    };
    with("run", "one.json", "one.pftrace");
    with("replay", "two.json", "two.pftrace");
    for (one, two) in [("one.json", "two.json"), ("one.pftrace", "two.pftrace")] {
        let read = |file| fs::read(place.path().join(file)).expect("a file");
        assert!(read(one) == read(two), "{one} and {two} differ");
        assert!(read(one).len() > 1_000);
    }
    let spans = spans(&place, "one.json");
    // Six requests: each has a root, the call at both ends, and an attempt at both ends.
    assert_eq!(spans.len(), 6 * 5);
    let root = |span: &&Value| span["parentSpanId"] == "";
    assert_eq!(spans.iter().filter(root).count(), 6);
    let first = &spans[0];
    // 2026-01-01T00:00:00Z, in nanoseconds.
    let began = first["startTimeUnixNano"].as_str().expect("a string");
    assert!(began.starts_with("17672256"), "{began}");
    let id = first["traceId"].as_str().expect("an id");
    let is_hex = |letter: char| letter.is_ascii_digit() || ('a'..='f').contains(&letter);
    assert!(id.len() == 32 && id.chars().all(is_hex), "{id}");
}

#[test]
fn what_is_not_sampled_is_not_written() {
    let none = format!("{GOOD}[tracing]\nsample = \"0%\"\n");
    let none = none.replace(
        "metric = \"requests.success_rate\"\nequals = \"100%\"",
        "metric = \"spans.kept\"\nequals = 0",
    );
    let place = Place::new().file("sims/none.toml", none);
    // Without a span nothing can be wrong with one.
    place.run(&["run", "none", "--seed", "1", "--otlp", "none.json"]).exits(0);
    assert_eq!(spans(&place, "none.json"), Vec::<Value>::new());
}

#[test]
fn spans_are_posted_to_a_collector() {
    let place = Place::with_good();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    // The first connection is the look whether anybody is there.
    let serving = thread::Builder::new().spawn(move || {
        drop(listener.accept().expect("a look"));
        let (mut stream, _) = listener.accept().expect("a post");
        let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a line");
            match line.trim_end().split_once(": ") {
                Some(("Content-Length", value)) => length = value.parse().expect("a number"),
                None if line == "\r\n" => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").expect("an end");
        body
    });
    place.run(&["run", "a/good", "--seed", "1", "--otlp", &url]).exits(0);
    place.run(&["run", "a/good", "--seed", "1", "--otlp", "file.json"]).exits(0);
    let file = fs::read(place.path().join("file.json")).expect("a file");
    let body = serving.expect("a thread").join().expect("it ends");
    assert_eq!(body, file.trim_ascii_end(), "what is posted is what a file has");
    // Now nobody listens: nothing is run.
    let ran = place.run(&["run", "a/good", "--seed", "1", "--otlp", &url]).exits(2);
    assert_eq!(ran.says("cannot post spans to http://127.0.0.1").says("help").out, "");
    let ran = place.run(&["run", "a/good", "--seed", "1", "--otlp", "https://x"]).exits(2);
    ran.says("only http:// is known");
}

#[test]
fn exports_that_cannot_be_are_refused_before_the_run() {
    let place = Place::with_good();
    for flag in ["--otlp", "--perfetto"] {
        let run = |path| place.run(&["run", "a/good", "--seed", "1", flag, path]).exits(2);
        assert_eq!(run("sims").says("cannot write sims").out, "");
        assert_eq!(run("no/such/folder").says("cannot write").out, "");
        let ran = place.run(&["run", "a/good", flag, "x"]).exits(2);
        ran.says(&format!("{flag} needs one run"));
        let ran = place.run(&["replay", "a/good", "--seed", "1", "--step", flag, "x"]).exits(2);
        ran.says("do not go together");
    }
}

#[test]
fn no_output_may_be_a_folder() {
    let place = Place::with_good();
    let outputs =
        ["--otlp", "--perfetto", "--metrics", "--html", "--junit", "--log", "--write-plan"];
    for flag in outputs {
        let ran = place.run(&["run", "a/good", "--seed", "1", flag, "sims"]).exits(2);
        assert_eq!(ran.says("cannot write sims").out, "", "{flag}: nothing ran");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told() {
    let place = Place::with_good();
    for flag in ["--otlp", "--perfetto"] {
        let ran = place.run(&["run", "a/good", "--seed", "1", flag, "/dev/full"]);
        ran.exits(2).says("cannot write /dev/full");
    }
}
