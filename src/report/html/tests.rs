//! The page as a file: what it holds, what it may not hold, and what it is bounded by. How it looks
//! and behaves is tested in a browser (`tests/browser`).

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    Recording,
    columns::{Columns, FIELDS_MAX, NO_ROOM, TEXT_MAX, TEXTS_MAX},
    page::{COMPARE_SCRIPTS, Escaping, FIRST_SCRIPTS, SCRIPTS, SWEEP_SCRIPTS},
};
use crate::{
    explore::{Options, judge, simulate},
    report::Finished,
    scenario::{Sim, parse},
    world::{Happening, MessageInfo, MessageKind, Payload, Seed, SendVerdict, Sighting, Time},
};

const SIM: &str = "purpose = \"p\"\n[router]\nprimary = \"opus\"\n[[backend]]\nname = \"opus\"\n\
    [[backend]]\nname = \"spare\"\n[[agent]]\nname = \"rust\"\ncount = 2\nrequests = 3\n\
    [[fault]]\nat = \"1s\"\nfor = \"2s\"\npartition = { between = [\"router\", \"opus\"] }\n\
    [[expect]]\nmetric = \"requests.total\"\nequals = 6\n[[expect]]\nevent = \"node_crashed\"\nat_least = 1\n";

/// A report, as `cli` makes one.
fn page(sim: &Sim, wall: Duration) -> String {
    let recording = Recording::begin(sim, Seed(1)).unwrap();
    let run = simulate(sim, Seed(1), &Options::default(), vec![recording.observer()]).unwrap();
    let verdict = judge(sim, &run, None);
    let finished = Finished { run, verdict, wall, replay: "seedbed replay a --seed 1".to_owned() };
    let mut bytes = Vec::new();
    recording.write(sim, &finished, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn sim(purpose: &str) -> Sim {
    let purpose = format!("purpose = {}", serde_json::to_string(purpose).unwrap());
    parse("sims/a.toml", &SIM.replacen("purpose = \"p\"", &purpose, 1)).unwrap()
}

/// What stands between two texts.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from).unwrap().1.split_once(to).unwrap().0
}

fn data(page: &str) -> Value {
    let read = |id: &str| -> Value {
        serde_json::from_str(between(page, &format!("id=\"{id}\">"), "</script>")).unwrap()
    };
    serde_json::json!({"run": read("run-data"), "events": read("events-data")})
}

/// The events of these columns, as a page gets them.
fn written(columns: &Columns) -> Value {
    let mut bytes = Vec::new();
    serde_json::to_writer(Escaping(&mut bytes), columns).unwrap();
    assert!(!bytes.iter().any(|byte| matches!(byte, b'<' | b'>' | b'&')));
    serde_json::from_slice(&bytes).unwrap()
}

fn push(columns: &mut Columns, seq: u64, node: &str, payload: &dyn Payload) {
    let what = Happening::Emitted { name: "said", payload, digest: 0 };
    columns.push(&Sighting { seq, at: Time::from_nanos(seq * 10), node, cause: seq - 1, what });
}

#[test]
fn nothing_that_is_named_gets_out_of_the_data() {
    let hostile =
        ["</script><script>alert(1)</script>", "<!--", "\u{2028}\u{2029}", "\u{202e}txt", "a&lt;b"];
    let mut columns = Columns::new(vec!["</ScRiPt >".to_owned()]);
    for (seq, name) in (1..).zip(hostile) {
        push(&mut columns, seq, name, &serde_json::json!({"<k>": name, "list": [name]}));
    }
    let events = written(&columns);
    let texts: Vec<&str> =
        events["texts"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert!(hostile.iter().all(|name| texts.contains(name)), "{texts:?}");
    // The whole page: the sim may say anything, too.
    let html = page(&sim("</title></script><!--<script>"), Duration::ZERO);
    assert_eq!(html.matches("<script").count(), 3, "two of data, and the script");
    assert_eq!(html.matches("</script>").count(), 3);
    assert!(!between(&html, "id=\"run-data\">", "</script>").contains('<'));
    assert_eq!(data(&html)["run"]["purpose"], "</title></script><!--<script>");
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let html = page(&sim("p"), Duration::ZERO);
    for word in ["src=", "<link", "@import", "innerHTML", "outerHTML", "insertAdjacent", "eval("] {
        assert!(!html.contains(word), "{word}");
    }
    for word in ["fetch(", "XMLHttpRequest", "WebSocket", "import(", "url(\"", "url(http"] {
        assert!(!html.contains(word), "{word}");
    }
    let network = html.replace("http://www.w3.org/2000/svg", "");
    assert!(!network.contains("http://") && !network.contains("https://"));
}

#[test]
fn no_other_script_or_style_may_run() {
    let html = page(&sim("p"), Duration::ZERO);
    let digest = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let policy = between(&html, "Content-Security-Policy\" content=\"", "\"");
    let style = between(&html, "<style>", "</style>");
    let script = between(&html, "<script>", "</script>");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(policy.contains(&format!("style-src {};", digest(style))), "{policy}");
    assert!(policy.contains(&format!("script-src {};", digest(script))), "{policy}");
    for script in FIRST_SCRIPTS.iter().chain(SCRIPTS).chain(SWEEP_SCRIPTS).chain(COMPARE_SCRIPTS) {
        assert!(script.starts_with("// "), "each says what it is");
        assert!(script.lines().count() <= 500);
    }
}

#[test]
fn every_node_fault_and_check_is_in_the_data() {
    let sim = sim("p");
    let data = data(&page(&sim, Duration::ZERO));
    let (run, events) = (&data["run"], &data["events"]);
    let texts = events["texts"].as_array().unwrap();
    let nodes: Vec<&str> = (events["nodes"].as_array().unwrap().iter())
        .map(|id| texts[id.as_u64().unwrap() as usize].as_str().unwrap())
        .collect();
    assert!(sim.node_names().iter().all(|name| nodes.contains(&name.as_str())), "{nodes:?}");
    assert_eq!(run["faults"][0]["fault"], "partition router | opus");
    assert_eq!(run["faults"][0]["healed_ns"], 3_000_000_000_u64);
    assert_eq!(run["verdict"], "fail");
    let checks = run["checks"].as_array().unwrap();
    assert!(checks.len() > 20, "{checks:?}");
    let last = checks.last().unwrap();
    assert_eq!(last["failure"], "it happened 0 times");
    let total = run["events"].as_u64().unwrap() as usize;
    for column in ["at", "node", "shape", "cause"] {
        assert_eq!(events[column].as_array().unwrap().len(), total, "{column}");
    }
    // What a check refers to is an event of the page.
    let reached: Vec<u64> = checks.iter().filter_map(|check| check["reached"].as_u64()).collect();
    assert!(!reached.is_empty() && reached.iter().all(|seq| *seq >= 1 && *seq <= total as u64));
}

#[test]
fn the_same_run_makes_the_same_bytes() {
    let sim = sim("p");
    assert!(page(&sim, Duration::ZERO) == page(&sim, Duration::from_secs(9)));
}

#[test]
fn a_message_comes_back_as_it_was_seen() {
    let mut columns = Columns::new(vec!["b".to_owned()]);
    let message = MessageInfo::new(7, MessageKind::Call, "Ask", "a", "b");
    let what = Happening::MessageSent { message, verdict: SendVerdict::Drop, delay_ns: 5 };
    columns.push(&Sighting { seq: 1, at: Time::from_nanos(10), node: "a", cause: 0, what });
    let what = Happening::MessageDelivered { message };
    columns.push(&Sighting { seq: 2, at: Time::from_nanos(15), node: "b", cause: 1, what });
    let events = written(&columns);
    assert_eq!(events["at"], serde_json::json!([10, 5]));
    assert_eq!(events["node"], serde_json::json!([1, 0]));
    assert_eq!(events["cause"], serde_json::json!([0, 1]));
    let shape = &events["shapes"][0];
    let place = |name: &str| {
        let is = |id: &Value| events["texts"][id.as_u64().unwrap() as usize] == name;
        shape["fields"].as_array().unwrap().iter().position(is).unwrap()
    };
    assert_eq!(shape["columns"][place("message")], serde_json::json!([7]));
    assert_eq!(shape["texts"][place("message")], false);
    assert_eq!(shape["texts"][place("verdict")], true);
}

#[test]
fn a_number_that_javascript_cannot_hold_is_a_text() {
    let mut columns = Columns::default();
    push(&mut columns, 1, "a", &serde_json::json!({"big": u64::MAX, "small": 3, "no": null}));
    let events = written(&columns);
    let texts: Vec<&str> =
        events["texts"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert!(texts.contains(&"18446744073709551615"), "{texts:?}");
    let columns = &events["shapes"][0]["columns"];
    assert!(columns.as_array().unwrap().contains(&serde_json::json!([3])), "{columns}");
    assert!(columns.as_array().unwrap().contains(&serde_json::json!([null])), "{columns}");
}

#[test]
fn what_is_too_long_is_cut_and_counted() {
    let mut columns = Columns::default();
    let long = |end: char| format!("{}{end}", "ä".repeat(10_000));
    push(&mut columns, 1, &long('1'), &"short");
    push(&mut columns, 2, &long('2'), &"short");
    let many: serde_json::Map<String, Value> =
        (0..FIELDS_MAX + 5).map(|n| (format!("f{n}"), n.into())).collect();
    push(&mut columns, 3, "a", &many);
    let events = written(&columns);
    assert_eq!(events["node"], serde_json::json!([0, 1, 2]), "two long names stay two nodes");
    let texts = events["texts"].as_array().unwrap();
    let first = texts[0].as_str().unwrap();
    assert!(first.len() < TEXT_MAX + 60 && first.ends_with("… (cut: 20001 bytes in all)"));
    assert_eq!(events["cut"]["texts_cut"], 2);
    assert_eq!(events["cut"]["fields"], 1);
}

#[test]
fn all_texts_together_are_bounded() {
    let mut columns = Columns::default();
    for seq in 1..=(TEXTS_MAX / TEXT_MAX) as u64 + 50 {
        push(&mut columns, seq, "a", &format!("{seq} {}", "x".repeat(TEXT_MAX - 20)));
    }
    let events = written(&columns);
    let texts = events["texts"].as_array().unwrap();
    let bytes: usize = texts.iter().map(|text| text.as_str().unwrap().len()).sum();
    assert!(bytes <= TEXTS_MAX + 10_000, "{bytes}");
    assert!(events["cut"]["texts_left_out"].as_u64().unwrap() >= 40);
    assert_eq!(texts.iter().filter(|text| **text == NO_ROOM).count(), 1);
}

#[test]
fn events_past_the_bound_are_counted() {
    let mut columns = Columns::with_room(Vec::new(), 3);
    for seq in 1..=5 {
        push(&mut columns, seq, "a", &seq);
    }
    let events = written(&columns);
    assert_eq!(events["at"].as_array().unwrap().len(), 3);
    assert_eq!(events["cut"]["events"], 2);
}
