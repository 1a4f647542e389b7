//! Planted differences of different kinds, each of which must be named exactly.

use super::*;
use crate::{
    explore::{Options, recorded},
    scenario::parse,
    world::Seed,
};

const SIM: &str = r#"
purpose = "p"
[network]
latency = "2ms"
[router]
primary = "opus"
timeout = "900ms"
retry = { attempts = 2, base = "100ms", jitter = "none" }
[[backend]]
name = "opus"
first_token = "500ms"
tokens_per_second = 1000
[[agent]]
name = "rust"
requests = 6
think = "300ms"
output_tokens = 100
[[service]]
name = "search"
latency = "5ms"
[[caller]]
name = "indexer"
service = "search"
requests = 5
every = "1s"
[[fault]]
at = "1500ms"
for = "500ms"
pause = { node = "opus" }
"#;

fn history(text: &str, seed: u64) -> History {
    let sim = parse("sims/a.toml", text).unwrap();
    recorded(&sim, Seed(seed), &Options::default()).unwrap().1
}

/// Compares the sim with one in which a text is another, both ways round.
#[track_caller]
fn differ(from: &str, to: &str) -> Explanation {
    let other = SIM.replacen(from, to, 1);
    assert_ne!(other, SIM, "{from} is not in the sim");
    let (left, right) = (history(SIM, 1), history(&other, 1));
    let back = explain(&right, &left);
    let there = explain(&left, &right);
    assert_eq!(there.same, back.same);
    assert_eq!(there.led_left, back.led_right);
    there
}

#[track_caller]
fn origin(explanation: &Explanation) -> Origin {
    explanation.origin.clone().unwrap_or_else(|| panic!("{explanation:?}"))
}

#[test]
fn the_same_history_has_no_difference() {
    let same = explain(&history(SIM, 1), &history(SIM, 1));
    assert_eq!((same.difference, same.origin, same.first_other_deed), (None, None, None));
    assert!(same.same > 100);
    let comment = differ("name = \"rust\"", "name = \"rust\" # a comment");
    assert_eq!(comment.difference, None);
}

#[test]
fn planted_1_a_fault_that_only_one_has() {
    let fault =
        "[[fault]]\nat = \"2100ms\"\nfor = \"1s\"\ncrash = { node = \"search\" }\n[[service]]";
    let found = differ("[[service]]", fault);
    assert_eq!(found.only_right_plans, ["crash search at 2s100ms for 1s"]);
    assert_eq!(origin(&found), Origin::Fault { fault: "crash search".into() });
    assert_eq!(found.led_right.last().unwrap().at_ns, 2_100_000_000);
}

#[test]
fn planted_2_a_fault_at_another_time() {
    let found = differ("at = \"1500ms\"", "at = \"1400ms\"");
    assert_eq!(origin(&found), Origin::Fault { fault: "pause opus".into() });
    assert_eq!(found.difference.unwrap().right.unwrap().at_ns, 1_400_000_000);
    assert_eq!(found.only_left_plans, ["pause opus at 1s500ms for 500ms"]);
}

#[test]
fn planted_3_a_fault_that_lasts_longer() {
    let found = differ("for = \"500ms\"", "for = \"600ms\"");
    assert_eq!(origin(&found), Origin::Fault { fault: "pause opus".into() });
    let left = found.difference.unwrap().left.unwrap();
    assert_eq!((left.kind.as_str(), left.at_ns), ("fault_healed", 2_000_000_000));
}

#[test]
fn planted_4_a_link_that_is_slower() {
    let link = "[[link]]\nfrom = \"indexer\"\nto = \"search\"\nlatency = \"3ms\"\n[[service]]";
    let found = differ("[[service]]", link);
    let (from, to) = ("indexer".into(), "search".into());
    assert_eq!(origin(&found), Origin::Link { from, to, differs: vec!["delay_ns".into()] });
    assert_eq!(found.first_other_deed, None, "what is done is the same");
}

#[test]
fn planted_5_a_message_that_is_lost() {
    let link =
        "[[link]]\nfrom = \"router\"\nto = \"opus\"\nboth = false\nloss = \"100%\"\n[[service]]";
    let found = differ("[[service]]", link);
    let Origin::Link { from, to, differs } = origin(&found) else { panic!("{found:?}") };
    assert_eq!((from.as_str(), to.as_str()), ("router", "opus"));
    assert!(differs.contains(&"verdict".to_owned()), "{differs:?}");
}

#[test]
fn planted_6_a_backend_that_takes_longer() {
    let found = differ("first_token = \"500ms\"", "first_token = \"520ms\"");
    let Origin::Pause { node, first_on, by_ns, .. } = origin(&found) else { panic!("{found:?}") };
    assert_eq!((node.as_str(), first_on, by_ns), ("opus", Side::Left, 20_000_000));
}

#[test]
fn planted_7_an_agent_that_thinks_less() {
    let found = differ("think = \"300ms\"", "think = \"250ms\"");
    let Origin::Pause { node, first_on, by_ns, .. } = origin(&found) else { panic!("{found:?}") };
    assert_eq!((node.as_str(), first_on, by_ns), ("rust", Side::Right, 50_000_000));
}

#[test]
fn planted_8_a_request_for_more() {
    let found = differ("output_tokens = 100", "output_tokens = 101");
    // What is asked for is no event; that the answer takes longer is.
    let Origin::Pause { node, first_on, by_ns, .. } = origin(&found) else { panic!("{found:?}") };
    assert_eq!((node.as_str(), first_on, by_ns), ("opus", Side::Left, 1_000_000));
}

#[test]
fn planted_9_a_router_that_gives_up_sooner() {
    let found = differ("timeout = \"900ms\"", "timeout = \"400ms\"");
    let Origin::OneSided { side, node, event } = origin(&found) else { panic!("{found:?}") };
    assert_eq!((side, node.as_str(), event.as_str()), (Side::Right, "router", "call_timed_out"));
    let deed = found.first_other_deed.unwrap();
    assert_eq!(deed.right.unwrap().kind, "attempt_failed");
}

#[test]
fn planted_10_a_log_in_which_one_word_is_another() {
    let left = history(SIM, 1);
    let mut right = left.clone();
    let place = right.records.iter().position(|it| it.kind == "request_routed").unwrap();
    right.records[place].fields.insert("model".into(), "sonnet".into());
    let found = explain(&left, &right);
    let here = &left.records[place];
    assert_eq!(
        origin(&found),
        Origin::Decision {
            node: here.node.clone(),
            event: "request_routed".into(),
            differs: vec!["model".into()],
        }
    );
    assert_eq!(found.difference.unwrap().seq, here.seq);
    assert_eq!(found.led_left.last(), Some(here));
    assert_eq!(found.led_left.first().unwrap().cause, 0);
}

#[test]
fn planted_11_a_history_that_ends_sooner() {
    let left = history(SIM, 1);
    let mut right = left.clone();
    let last = right.records.pop().unwrap();
    let found = explain(&left, &right);
    assert_eq!(found.difference.as_ref().unwrap().differs, ["length"]);
    let one_sided = Origin::OneSided { side: Side::Left, node: last.node, event: last.kind };
    assert_eq!(origin(&found), one_sided);
}

#[test]
fn planted_12_another_seed() {
    let drawn = SIM.replace("latency = \"2ms\"", "latency = { uniform = [\"1ms\", \"9ms\"] }");
    let found = explain(&history(&drawn, 1), &history(&drawn, 2));
    assert!(matches!(origin(&found), Origin::Link { .. }), "{found:?}");
}
