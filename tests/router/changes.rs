//! Changes of the configuration while the router runs, and crashes at the worst moments.

use super::common::{agent, backend, play};

/// A router with a configuration and one change, under these faults. The change is written at
/// 10.001 s and durable at 10.003 s.
fn one_change(tables: &str) -> String {
    format!(
        "purpose = \"p\"\n[network]\nlatency = \"1ms\"\n[resilience]\npreset = \"simple\"\n\
         [[change]]\nat = \"10s\"\nby = \"ops\"\nset = {{ retry_attempts = 4 }}\n\
         [router]\nprimary = \"opus\"\n{}{}{tables}",
        backend("opus", ""),
        agent("rust", 2, 20, "sdk = \"openai_2\""),
    )
}

fn crash(at: &str) -> String {
    format!("[[fault]]\nat = \"{at}\"\nfor = \"1s\"\ncrash = {{ node = \"router\" }}\n")
}

#[test]
fn a_change_holds_once_whenever_the_router_crashes() {
    let (mut lost, mut kept) = (0, 0);
    for micros in (0..=8_000).step_by(250) {
        let at = format!("{}us", 9_998_000 + micros);
        let run = play(1, &one_change(&crash(&at)));
        assert_eq!(run.count("change_answered", "change=ops/1"), 1, "{at}");
        assert_eq!(run.count("change_answered", "outcome=applied version=1"), 1, "{at}");
        assert_eq!(run.count("trail_read", "entries=1"), 1, "{at}");
        lost += run.count("config_loaded", "damaged=0 entries=0 version=0") - 1;
        kept += run.count("config_loaded", "damaged=0 entries=1 version=1");
    }
    assert!(lost > 3 && kept > 3, "{lost} lost, {kept} kept");
}

#[test]
fn messages_that_come_twice_change_nothing_twice() {
    let link = "[[link]]\nfrom = \"ops\"\nto = \"router\"\nduplicate = \"100%\"\nboth = true\n";
    let run = play(1, &one_change(link));
    assert_eq!(run.count("config_changed", ""), 1);
    assert!(run.count("message_duplicated", "") >= 2, "the change and the reading, at least");
}

#[test]
fn a_change_that_cannot_be_written_down_does_not_hold() {
    let fault = "[[fault]]\nat = \"9s\"\nfor = \"20s\"\ndisk_full = { node = \"router\" }\n";
    let run = play(1, &one_change(fault));
    let changed = run.times("config_changed", "");
    assert!(changed.len() == 1 && changed.iter().all(|at| *at > 29_000), "{changed:?}");
    let for_good = "[[fault]]\nat = \"9s\"\ndisk_full = { node = \"router\" }\n";
    let run = play(1, &one_change(for_good));
    assert_eq!(run.count("config_changed", ""), 0);
    assert_eq!(run.count("change_abandoned", "by=ops cause=disk_full"), 1);
}

#[test]
fn a_trail_that_is_lost_is_not_made_up() {
    let fault = format!(
        "[[fault]]\nat = \"12s\"\ndisk_lost = {{ node = \"router\" }}\n{}",
        crash("12500ms")
    );
    let run = play(1, &one_change(&fault));
    assert_eq!(run.count("config_loaded", "damaged=0 entries=0 version=0"), 2);
}

#[test]
fn an_operator_that_restarts_goes_on_where_it_stopped() {
    let fault = "[[fault]]\nat = \"10.0005s\"\nfor = \"3s\"\ncrash = { node = \"ops\" }\n";
    let run = play(1, &one_change(fault));
    assert_eq!(run.count("config_changed", ""), 1);
    assert_eq!(run.count("change_answered", ""), 1);
}

#[test]
fn changes_of_two_operators_at_one_instant_hold_one_after_the_other() {
    let second = "[[change]]\nat = \"10s\"\nby = \"night_shift\"\n\
                  operations.qa = { retry_attempts = 2 }\n";
    let run = play(1, &one_change(second));
    assert_eq!(run.count("config_changed", ""), 2);
    assert_eq!(run.count("change_answered", "outcome=applied version=2"), 1);
}
