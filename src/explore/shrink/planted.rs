//! Planted failures of known size, in sims where much else goes on: for the tests of shrinking, and for
//! the bench that prints how far each comes down. Only data: nothing here runs anything.

/// A failure, and the smallest sim known to fail so.
pub(super) struct Planted {
    /// What has to stay.
    pub(super) name: &'static str,
    /// The large sim.
    pub(super) text: String,
    /// The small one.
    pub(super) smallest: String,
}

/// A sim in which much goes on and nothing fails.
pub(super) const ROUTED: &str = r#"
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
pub(super) const SMALL: &str = "purpose = \"p\"\nseeds = [1]\n[router]\nprimary = \"opus\"\n[[backend]]\n\
                     name = \"opus\"\n[[agent]]\nname = \"rust\"\n";

const SERVICE: &str = "purpose = \"p\"\nseeds = [1]\n[[service]]\nname = \"search\"\n[[caller]]\n\
                       name = \"indexer\"\nservice = \"search\"\n";

fn in_much(name: &'static str, planted: &str, smallest: String) -> Planted {
    Planted { name, text: format!("{ROUTED}{planted}"), smallest }
}

fn crash(node: &str) -> String {
    format!("[[fault]]\nat = \"1s\"\nfor = \"1s\"\ncrash = {{ node = \"{node}\" }}\n")
}

pub(super) fn one_fault() -> Planted {
    let planted = "[[fault]]\nat = \"2s\"\nfor = \"1h\"\npause = { node = \"router\" }\n";
    let fault = "[limits]\ntime = \"1s\"\n[[fault]]\nat = \"0s\"\nfor = \"1s\"\n\
                 pause = { node = \"router\" }\n";
    in_much("1 fault of 6", planted, format!("{SMALL}{fault}"))
}

pub(super) fn two_faults() -> Planted {
    let expect = "[[expect]]\nevent = \"node_crashed\"\nat_most = 1\n";
    let planted = format!("{}{}{expect}", crash("sonnet"), crash("store"));
    let both = "[[service]]\nname = \"store\"\n";
    let smallest = format!("{SMALL}{both}{}{}{expect}", crash("opus"), crash("store"));
    in_much("2 faults of 7", &planted, smallest)
}

pub(super) fn three_faults() -> Planted {
    let expect = "[[expect]]\nevent = \"node_crashed\"\nat_most = 2\n";
    let nodes = ["opus", "sonnet", "gemini", "rust-1", "writer-2", "store", "search"];
    let planted: String = nodes.iter().map(|node| crash(node)).collect();
    let smallest: String = ["opus", "router", "rust"].map(crash).concat();
    in_much("3 faults of 12", &format!("{planted}{expect}"), format!("{SMALL}{smallest}{expect}"))
}

pub(super) fn agents() -> Planted {
    // There is a fourth one only if there are four.
    let expect = "[[expect]]\nevent = \"request_ended\"\nnode = \"rust-4\"\nat_most = 0\n";
    let small = SMALL.replace("\"rust\"\n", "\"rust\"\ncount = 4\n");
    in_much("4 agents of 11", expect, format!("{small}{expect}"))
}

pub(super) fn requests() -> Planted {
    let expect = "[[expect]]\nmetric = \"requests.total\"\nat_most = 11\n";
    let small = SMALL.replace("name = \"rust\"", "name = \"rust\"\nrequests = 12");
    in_much("12 requests of 83", expect, format!("{small}{expect}"))
}

pub(super) fn errors() -> Planted {
    let expect = "[[expect]]\nevent = \"attempt_failed\"\n\
                  where = { model = \"opus\", cause = \"server_error\" }\nat_most = 0\n";
    let fault = |lasts: &str, rate: &str| {
        format!(
            "[[fault]]\nat = \"0s\"\nfor = \"{lasts}\"\n\
             backend = {{ name = \"opus\", errors = {{ server_error = \"{rate}\" }} }}\n{expect}"
        )
    };
    let smallest = format!("{SMALL}{}", fault("1s", "100%"));
    in_much("errors of one backend", &fault("9s", "30%"), smallest)
}

pub(super) fn part_of_a_fault() -> Planted {
    let expect = "[[expect]]\nevent = \"service_called\"\nwhere = { outcome = \"failed\" }\n\
                  node = \"indexer\"\nat_most = 0\nfrom = \"7500ms\"\n";
    let down = |at: &str, lasts: &str| {
        format!(
            "[[fault]]\nat = \"{at}\"\nfor = \"{lasts}\"\n\
             service = {{ name = \"search\", down = true }}\n{expect}"
        )
    };
    let small = SERVICE.replace("\"indexer\"\n", "\"indexer\"\nrequests = 9\nevery = \"1s\"\n");
    let smallest = format!("{small}{}", down("7s", "2s"));
    in_much("a moment of a long fault", &down("1s", "30s"), smallest)
}

pub(super) fn loss() -> Planted {
    let expect =
        "[[expect]]\nevent = \"message_dropped\"\nwhere = { cause = \"lost\" }\nat_most = 0\n";
    let link = |loss: &str| {
        format!("[[link]]\nfrom = \"indexer\"\nto = \"search\"\nloss = \"{loss}\"\n{expect}")
    };
    in_much("loss on one link", &link("20%"), format!("{SERVICE}{}", link("100%")))
}

pub(super) fn quota() -> Planted {
    let quota = "name = \"acme\"\nquota = { requests_per_day = 9 }\n";
    let expect = "[[expect]]\nevent = \"quota_exceeded\"\nat_most = 0\n";
    let text = format!("{}{expect}", ROUTED.replace("name = \"acme\"\n", quota));
    let small = SMALL.replace("\"rust\"\n", "\"rust\"\nworkspace = \"acme\"\nrequests = 2\n");
    let quota = "[[workspace]]\nname = \"acme\"\nquota = { requests_per_day = 1 }\n";
    Planted { name: "a quota", text, smallest: format!("{small}{quota}{expect}") }
}
