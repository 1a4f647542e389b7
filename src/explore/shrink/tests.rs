//! Planted failures of known size, in sims where much else goes on.

use super::*;
use crate::scenario::parse;

/// A sim in which much goes on and nothing fails.
const ROUTED: &str = r#"
purpose = "Much goes on here, so that there is much to take away."
covers = ["X"]
seeds = [4, 5]
schedule = "random"
[limits]
time = "5m"
[network]
latency = { uniform = ["1ms", "4ms"] }
[sidecar]
[router]
primary = "opus"
fallback = ["sonnet", "gemini"]
timeout = "3s"
retry = { attempts = 2, base = "100ms", jitter = "full" }
routes = { reasoning = ["gemini", "opus"] }
[[workspace]]
name = "acme"
[[workspace]]
name = "beta"
[[backend]]
name = "opus"
provider = "anthropic"
tier = 3
first_token = { uniform = ["100ms", "300ms"] }
tokens_per_second = 900
[[backend]]
name = "sonnet"
tier = 2
first_token = { lognormal = { p50 = "100ms", p99 = "300ms" } }
[[backend]]
name = "gemini"
first_token = "80ms"
[[agent]]
name = "rust"
count = 6
workspace = "acme"
requests = 8
think = { uniform = ["0s", "1s"] }
input_tokens = { uniform = [100, 900] }
output_tokens = { uniform = [10, 90] }
[[agent]]
name = "writer"
count = 5
workspace = "beta"
task = "reasoning"
requests = 7
[[service]]
name = "search"
[[service]]
name = "store"
kind = "database"
[[caller]]
name = "indexer"
count = 3
service = "search"
requests = 9
every = "1s"
[[caller]]
name = "saver"
service = "store"
operations = ["get", "put"]
requests = 5
[[link]]
from = "rust"
to = "router"
latency = "7ms"
[[fault]]
at = "1s"
for = "2s"
partition = { between = ["router", "gemini"] }
[[fault]]
at = "2s"
for = "500ms"
pause = { node = "sonnet" }
[[fault]]
at = "3s"
for = "1s"
clock = { node = "rust-2", skew = "5s" }
[[fault]]
at = "4s"
for = "1s"
link = { from = "indexer", to = "search", latency = "50ms" }
[[fault]]
at = "4s"
for = "2s"
backend = { name = "opus", errors = { overloaded = "20%" } }
[[expect]]
metric = "requests.total"
at_least = 1
[[expect]]
event = "fault_fired"
at_least = 1
[[expect]]
event = "request_ended"
at_least = 1
"#;

/// What the smallest sim of most failures of requests consists of.
const SMALL: &str = "purpose = \"p\"\nseeds = [1]\n[router]\nprimary = \"opus\"\n[[backend]]\n\
                     name = \"opus\"\n[[agent]]\nname = \"rust\"\n";

fn subject(text: String) -> Subject {
    Subject {
        name: "sims/regressions/a.toml".into(),
        origin: "planted".into(),
        text,
        seed: Seed(1),
        reruns_max: RERUNS_MAX,
    }
}

fn one_by_one(
    count: usize,
    work: &(dyn Fn(usize) -> Tried + Sync),
    take: &mut dyn FnMut(usize, Tried) -> ControlFlow<()>,
) {
    let _ = (0..count).try_for_each(|index| take(index, work(index)));
}

/// All at once, the last one first.
fn all_at_once(
    count: usize,
    work: &(dyn Fn(usize) -> Tried + Sync),
    take: &mut dyn FnMut(usize, Tried) -> ControlFlow<()>,
) {
    let all: Vec<Tried> = (0..count).rev().map(work).collect();
    let _ = all.into_iter().rev().enumerate().try_for_each(|(index, tried)| take(index, tried));
}

fn shrunk(subject: &Subject, try_all: &mut TryAll<'_>) -> Shrunk {
    let tools = Tools { try_all, is_over: &|| false, on_smaller: &mut |_| {} };
    shrink(subject, tools).unwrap()
}

/// Plants a failure and takes everything else away: no more may be left than half as much again as
/// the smallest sim that fails in this way.
#[track_caller]
fn comes_down(planted: &str, smallest: &str) -> Shrunk {
    comes_down_from(format!("{ROUTED}{planted}"), smallest)
}

#[track_caller]
fn comes_down_from(text: String, smallest: &str) -> Shrunk {
    let subject = subject(text);
    let shrunk = shrunk(&subject, &mut one_by_one);
    let document = Document::parse(smallest).unwrap();
    let sim = parse("sims/a.toml", smallest).unwrap();
    assert!(
        signature_of("sims/a.toml", smallest, Seed(1)).unwrap().is_some(),
        "the smallest sim does not fail"
    );
    let smallest = Size::of(&document, &sim);
    let Shrunk { text, after, reruns, .. } = &shrunk;
    assert!(2 * after.total() <= 3 * smallest.total(), "{after:?} {smallest:?} {reruns}\n{text}");
    assert!(*reruns <= RERUNS_MAX && shrunk.is_minimal, "{reruns} runs\n{text}");
    let again = signature_of("sims/a.toml", text, Seed(1)).unwrap();
    assert_eq!(again.as_ref(), Some(&shrunk.signature));
    shrunk
}

#[test]
fn a_sim_that_does_not_fail_cannot_be_shrunk() {
    let tools = Tools { try_all: &mut one_by_one, is_over: &|| false, on_smaller: &mut |_| {} };
    assert_eq!(shrink(&subject(ROUTED.to_owned()), tools), Err(ShrinkError::DoesNotFail));
}

#[test]
fn one_fault_among_many() {
    let planted = "[[fault]]\nat = \"2s\"\nfor = \"1h\"\npause = { node = \"router\" }\n";
    let fault = "[limits]\ntime = \"1s\"\n[[fault]]\nat = \"0s\"\nfor = \"1s\"\n\
                 pause = { node = \"router\" }\n";
    let shrunk = comes_down(planted, &format!("{SMALL}{fault}"));
    assert_eq!(shrunk.signature.check, "every_request_ends_once");
}

#[test]
fn two_faults_that_only_fail_together() {
    let expect = "[[expect]]\nevent = \"node_crashed\"\nat_most = 1\n";
    let crash = |node: &str| {
        format!("[[fault]]\nat = \"1s\"\nfor = \"1s\"\ncrash = {{ node = \"{node}\" }}\n")
    };
    let planted = format!("{}{}{expect}", crash("sonnet"), crash("store"));
    let both = "[[service]]\nname = \"store\"\n";
    let smallest = format!("{SMALL}{both}{}{}{expect}", crash("opus"), crash("store"));
    comes_down(&planted, &smallest);
}

#[test]
fn a_number_of_requests() {
    let expect = "[[expect]]\nmetric = \"requests.total\"\nat_most = 11\n";
    let small = SMALL.replace("name = \"rust\"", "name = \"rust\"\nrequests = 12");
    comes_down(expect, &format!("{small}{expect}"));
}

#[test]
fn errors_of_one_backend() {
    let expect = "[[expect]]\nevent = \"attempt_failed\"\nwhere = { model = \"opus\", cause = \"server_error\" }\nat_most = 0\n";
    let planted = "[[fault]]\nat = \"0s\"\nfor = \"9s\"\nbackend = { name = \"opus\", errors = { server_error = \"30%\" } }\n";
    let smallest = "[[fault]]\nat = \"0s\"\nfor = \"1s\"\nbackend = { name = \"opus\", errors = { server_error = \"100%\" } }\n";
    comes_down(&format!("{planted}{expect}"), &format!("{SMALL}{smallest}{expect}"));
}

const SERVICE: &str = "purpose = \"p\"\nseeds = [1]\n[[service]]\nname = \"search\"\n[[caller]]\n\
                       name = \"indexer\"\nservice = \"search\"\n";

#[test]
fn a_service_that_is_down_for_one_moment_of_a_long_fault() {
    let expect = "[[expect]]\nevent = \"service_called\"\nwhere = { outcome = \"failed\" }\n\
                  node = \"indexer\"\nat_most = 0\nfrom = \"7500ms\"\n";
    let down = |at: &str, lasts: &str| {
        format!(
            "[[fault]]\nat = \"{at}\"\nfor = \"{lasts}\"\nservice = {{ name = \"search\", down = true }}\n"
        )
    };
    let small = SERVICE.replace("\"indexer\"\n", "\"indexer\"\nrequests = 9\nevery = \"1s\"\n");
    let smallest = format!("{small}{}{expect}", down("7s", "2s"));
    let shrunk = comes_down(&format!("{}{expect}", down("1s", "30s")), &smallest);
    let sim = parse("sims/a.toml", &shrunk.text).unwrap();
    let fault = sim.faults.first().unwrap();
    assert!(fault.r#for.unwrap() < std::time::Duration::from_secs(1), "{}", shrunk.text);
    assert!(fault.at >= std::time::Duration::from_secs(7), "{}", shrunk.text);
}

#[test]
fn loss_in_the_network() {
    let expect =
        "[[expect]]\nevent = \"message_dropped\"\nwhere = { cause = \"lost\" }\nat_most = 0\n";
    let link =
        |loss: &str| format!("[[link]]\nfrom = \"indexer\"\nto = \"search\"\nloss = \"{loss}\"\n");
    comes_down(&format!("{}{expect}", link("20%")), &format!("{SERVICE}{}{expect}", link("100%")));
}

#[test]
fn a_quota() {
    let quota = "name = \"acme\"\nquota = { requests_per_day = 9 }\n";
    let planted = ROUTED.replace("name = \"acme\"\n", quota);
    let expect = "[[expect]]\nevent = \"quota_exceeded\"\nat_most = 0\n";
    let small = SMALL.replace("\"rust\"\n", "\"rust\"\nworkspace = \"acme\"\nrequests = 2\n");
    let quota = "[[workspace]]\nname = \"acme\"\nquota = { requests_per_day = 1 }\n";
    comes_down_from(format!("{planted}{expect}"), &format!("{small}{quota}{expect}"));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let planted = "[[fault]]\nat = \"2s\"\nfor = \"3s\"\npause = { node = \"router\" }\n[[expect]]\n\
                   event = \"request_ended\"\nwhere = { outcome = \"timed_out\" }\nat_most = 0\n";
    let text = format!("{ROUTED}{planted}")
        .replace("name = \"rust\"", "name = \"rust\"\ndeadline = \"1s\"");
    let subject = subject(text);
    let one = shrunk(&subject, &mut one_by_one);
    let many = shrunk(&subject, &mut all_at_once);
    assert_eq!(one, many);
}

#[test]
fn what_runs_out_leaves_the_smallest_so_far() {
    let mut subject =
        subject(format!("{ROUTED}[[expect]]\nmetric = \"requests.total\"\nat_most = 11\n"));
    subject.reruns_max = 12;
    let came = shrunk(&subject, &mut one_by_one);
    assert!(!came.is_minimal && came.reruns <= 13, "{}", came.reruns);
    assert!(came.after.total() < came.before.total());
    // What is left can be shrunk on.
    subject.text = came.text;
    subject.reruns_max = RERUNS_MAX;
    assert!(shrunk(&subject, &mut one_by_one).is_minimal);
}

#[test]
fn less_to_do_is_no_failure() {
    // Twenty requests are expected and one group crashes: with fewer requests the number would be too
    // low as well, for a reason that has nothing to do with it.
    let text = format!(
        "{SMALL}count = 4\nrequests = 5\nthink = \"1s\"\n[[fault]]\nat = \"2s\"\n\
                        crash = {{ node = \"rust-1\" }}\n[[expect]]\nmetric = \"requests.total\"\nequals = 20\n"
    );
    let came = shrunk(&subject(text), &mut one_by_one);
    let sim = parse("sims/a.toml", &came.text).unwrap();
    assert_eq!(sim.faults.len(), 1, "{}", came.text);
    assert_eq!(came.after.requests, 20, "{}", came.text);
}
