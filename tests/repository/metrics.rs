//! Metrics of runs: the dashboard and the alerts ask for nothing that there is not (RES-3.5), and the text
//! says the same numbers as the report, under the names and labels that others rely on (OBS-2).

use std::{collections::BTreeSet, fs, path::Path};

use seedbed::{
    explore::{Options, SimRun, simulate},
    observe::metrics::{self, Board, FAMILIES, Family, Kind},
    scenario::{self, Sim},
    world::Seed,
};
use serde_json::Value;

use crate::samples::{Samples, differences};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Labels that whoever scrapes adds, or that tell runs apart.
const OUTER: [&str; 3] = ["instance", "sim", "seed"];
/// Words of PromQL that are no metric, though no bracket need follow them as it follows a function.
const WORDS: [&str; 7] = ["sum", "by", "without", "on", "unless", "and", "or"];

/// The words of a query outside of quotes, each with what follows it, and whether it stands where
/// labels do.
fn tokens(query: &str) -> Vec<(String, char, bool)> {
    let mut tokens = Vec::new();
    let (mut braces, mut list) = (false, false);
    let mut rest = query.chars().peekable();
    let mut after_by = false;
    while let Some(next) = rest.next() {
        match next {
            '"' => {
                while rest.next_if(|c| *c != '"').is_some() {}
                rest.next();
            }
            '{' => braces = true,
            '}' => braces = false,
            '(' => list = std::mem::take(&mut after_by),
            ')' => list = false,
            c if c.is_ascii_alphabetic() || c == '_' => {
                let mut word = String::from(c);
                while let Some(c) = rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    word.push(c);
                }
                while rest.next_if(|c| c.is_whitespace()).is_some() {}
                let follows = rest.peek().copied().unwrap_or(' ');
                after_by = word == "by" || word == "without" || word == "on";
                tokens.push((word, follows, braces || list));
            }
            // A number may have an exponent, which is no word.
            c if c.is_ascii_digit() => {
                while rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '.').is_some() {}
            }
            _ => {}
        }
    }
    tokens
}

fn family(name: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| match family.kind {
        Kind::Histogram(_) => ["_bucket", "_sum", "_count"]
            .iter()
            .any(|suffix| name.strip_suffix(suffix) == Some(family.name)),
        Kind::Counter | Kind::Gauge => family.name == name,
    })
}

/// What a query asks for that there is not.
fn unknown(query: &str) -> Vec<String> {
    let tokens = tokens(query);
    let is_name = |(word, follows, is_label): &&(String, char, bool)| {
        !is_label && *follows != '(' && !WORDS.contains(&word.as_str())
    };
    let names: BTreeSet<&str> = tokens.iter().filter(is_name).map(|it| it.0.as_str()).collect();
    let known: Vec<&Family> = names.iter().filter_map(|name| family(name)).collect();
    let mut complaints: Vec<String> = names
        .iter()
        .filter(|name| family(name).is_none())
        .map(|name| format!("no metric is called {name}"))
        .collect();
    if names.is_empty() {
        complaints.push("it names no metric".to_owned());
    }
    let has = |label: &str| {
        OUTER.contains(&label)
            || known.iter().any(|family| {
                let is_bucket = label == "le" && matches!(family.kind, Kind::Histogram(_));
                is_bucket || family.labels.contains(&label)
            })
    };
    for (label, ..) in tokens.iter().filter(|token| token.2) {
        if !has(label) {
            complaints.push(format!("none of its metrics has a label {label}"));
        }
    }
    complaints
}

#[test]
fn a_query_for_what_there_is_not_is_complained_of() {
    let good = "sum by (le, agent) (a2a_request_duration_seconds_bucket{sim=~\"$sim\"}) > 5e1";
    assert_eq!(unknown(good), Vec::<String>::new());
    assert_eq!(
        unknown("rate(a2a_requests_totals[5m])"),
        ["no metric is called a2a_requests_totals"]
    );
    assert_eq!(unknown("a2a_request_duration_seconds").len(), 1, "a histogram has no such series");
    assert_eq!(
        unknown("a2a_requests_total{operation=\"x\"}"),
        ["none of its metrics has a label operation"]
    );
    assert_eq!(unknown("sum by (le) (a2a_active_tasks)"), ["none of its metrics has a label le"]);
    assert_eq!(unknown("1 + 1"), ["it names no metric"]);
}

fn collect(value: &Value, key: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get(key).and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| collect(value, key, found));
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, key, found)),
        _ => {}
    }
}

#[test]
fn every_query_of_the_dashboard_names_what_there_is_and_all_of_that_is_shown() {
    let text = fs::read_to_string(root().join("deploy/grafana/seedbed.json")).expect("a dashboard");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let mut queries = Vec::new();
    collect(&dashboard, "expr", &mut queries);
    assert!(queries.len() > 20, "{} queries", queries.len());
    for query in &queries {
        assert_eq!(unknown(query), Vec::<String>::new(), "{query}");
    }
    let words: Vec<_> = queries.iter().flat_map(|query| tokens(query)).collect();
    let shown: BTreeSet<&str> =
        words.iter().filter_map(|word| family(&word.0)).map(|family| family.name).collect();
    for family in FAMILIES {
        assert!(shown.contains(family.name), "{} is on no panel", family.name);
    }
}

#[test]
fn every_alert_names_what_there_is() {
    let path = root().join("deploy/prometheus/alerts.yml");
    let text = fs::read_to_string(path).expect("the alerts");
    let mut rules = 0;
    for rule in text.split("- alert:").skip(1) {
        let (_, query) = rule.split_once("expr:").expect("a query");
        let (query, _) = query.split_once("labels:").expect("labels");
        assert_eq!(unknown(query.trim_start().trim_start_matches(">-")), Vec::<String>::new());
        rules += 1;
    }
    assert!(rules >= 9, "{rules} rules");
}

fn measured(sim: &Sim, seed: u64) -> (SimRun, String) {
    let (board, observer) = Board::begin(sim, Seed(seed)).expect("metrics");
    let run = simulate(sim, Seed(seed), &Options::default(), vec![observer]).expect("it runs");
    (run, board.text().expect("a text"))
}

#[test]
fn a_text_that_says_something_else_is_noticed() {
    let sim = scenario::load(&root().join("sims/quickstart.toml")).expect("a valid sim");
    let (mut run, text) = measured(&sim, 1);
    assert_eq!(differences(&run, &text), Vec::<String>::new());
    for name in ["requests.ok", "requests.attempts", "messages.dropped"] {
        *run.metrics.values.get_mut(name).expect("a metric") += 1;
        assert_eq!(differences(&run, &text).len(), 1, "{name}");
        *run.metrics.values.get_mut(name).expect("a metric") -= 1;
    }
    *run.metrics.values.get_mut("latency.p95").expect("a metric") *= 1_000;
    assert!(!differences(&run, &text).is_empty());
}

#[test]
fn one_seed_has_one_text_and_several_runs_are_told_apart() {
    let sim = scenario::load(&root().join("sims/quickstart.toml")).expect("a valid sim");
    let (one, again) = (measured(&sim, 1).1, measured(&sim, 1).1);
    assert!(one == again, "the text of one seed differs");
    assert!(one != measured(&sim, 2).1);
    let boards: Vec<Board> = [1, 2]
        .map(|seed| {
            let (board, observer) = Board::begin(&sim, Seed(seed)).expect("metrics");
            simulate(&sim, Seed(seed), &Options::default(), vec![observer]).expect("it runs");
            board
        })
        .into();
    let both = metrics::text(&boards).expect("a text");
    let samples = Samples::read(&both);
    assert_eq!(samples.sum("seedbed_run_info", &[("seed", "2"), ("sim", "quickstart")]), 1);
    let of = |seed| samples.sum("a2a_requests_total", &[("seed", seed)]);
    assert_eq!((of("1"), of("2"), of("3")), (240, 240, 0));
    // A family stands in one piece.
    assert_eq!(both.matches("# TYPE a2a_requests_total counter").count(), 1);
}

/// OBS-2: the three names, their labels and their kinds.
#[test]
fn what_others_rely_on_is_in_the_text() {
    let sim = scenario::load(&root().join("sims/observability/metrics.toml")).expect("a sim");
    let (_, text) = measured(&sim, 1);
    for line in [
        "# TYPE a2a_request_duration_seconds histogram",
        "# TYPE a2a_requests_total counter",
        "# TYPE a2a_active_tasks gauge",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} is not in\n{text}");
    }
    let samples = Samples::read(&text);
    let has = |name: &str, labels: &[&str]| {
        let mut found = samples.0.iter().filter(|(found, ..)| found == name).peekable();
        found.peek().is_some()
            && found.all(|(_, has, _)| labels.iter().all(|label| has.contains_key(*label)))
    };
    assert!(has("a2a_request_duration_seconds_bucket", &["agent", "operation", "le"]));
    assert!(has("a2a_requests_total", &["agent", "status"]));
    assert!(has("a2a_active_tasks", &["agent"]));
    assert!(!has("a2a_active_tasks", &["agent", "operation"]), "this can fail");
    // Two groups of agents: ten answers for the patient, none for the hasty.
    let of =
        |agent, status| samples.sum("a2a_requests_total", &[("agent", agent), ("status", status)]);
    assert_eq!([of("patient", "ok"), of("hasty", "ok"), of("hasty", "timed_out")], [10, 0, 5]);
}

/// What fails in one operation is seen in that operation alone.
#[test]
fn operations_have_metrics_of_their_own() {
    let sim = scenario::load(&root().join("sims/healing/per_operation.toml")).expect("a sim");
    let (_, text) = measured(&sim, 1);
    let samples = Samples::read(&text);
    let calls = |operation, outcome| {
        let labels = [("operation", operation), ("outcome", outcome)];
        samples.sum("service_calls_total", &labels)
    };
    assert!(calls("write", "timed_out") + calls("write", "failed") > 0);
    assert_eq!(calls("read", "timed_out") + calls("read", "failed"), 0);
    assert!(calls("read", "ok") > 0);
}
