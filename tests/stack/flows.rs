//! The flows around the stack: what goes wrong when one of their guards is taken away is found by
//! the checks that always run.

use std::time::Duration;

use seedbed::world::Ending;

use crate::common::{Run, play, try_play};

/// A sim of three runners behind a line that is cut for a while.
fn sim(tables: &str) -> String {
    format!(
        "purpose = \"p\"\n[limits]\ntime = \"5m\"\n{tables}\n[[runner]]\nname = \"r\"\ncount = 3\n\
         tasks = 4\ntakes = \"2s\"\n"
    )
}

/// Why a check fails, if it does.
fn failure(run: &Run, check: &str) -> Option<String> {
    let found = run.run.checks.iter().find(|result| result.check == check);
    found.unwrap_or_else(|| panic!("there is no {check}")).failure.clone()
}

#[track_caller]
fn is_found(good: &str, from: &str, to: &str, check: &str, why: &str) {
    play(1, good);
    assert!(good.contains(from), "{from} is not there");
    let bad = try_play(1, &good.replace(from, to));
    let failure = failure(&bad, check).unwrap_or_else(|| panic!("{check} holds"));
    assert!(failure.contains(why), "{failure}");
}

#[test]
fn a_page_that_does_not_say_what_it_has_misses_something() {
    let cut = "[[fault]]\nat = \"4s\"\nfor = \"20s\"\npartition = { isolate = \"dashboard\" }";
    let good = sim(&format!("{cut}\n[dashboard]\nresume = true\n"));
    let check = "progress_shown_in_order";
    is_found(&good, "resume = true", "resume = false", check, "it was never shown");
}

#[test]
fn a_queue_that_is_not_on_disk_forgets_what_was_decided() {
    let good = sim(
        "[[fault]]\nat = \"8s\"\nfor = \"2s\"\ncrash = { node = \"approvals\" }\n[approvals]\n\
         durable = true\n[[reviewer]]\nname = \"lead\"\nthink = \"3s\"\n",
    );
    let good = format!("{good}approval = true\n");
    let check = "approvals_decided_once";
    is_found(&good, "durable = true", "durable = false", check, "was submitted again");
}

#[test]
fn a_store_that_is_not_cleaned_up_loses_the_newest_state() {
    let good =
        sim("[dashboard]\nstore = { quota = \"100KB\", filled = \"99900B\", state = \"8KB\", \
         warn = \"95%\", cleanup = true }\n");
    // Even then it is not lost at once: the least of it is kept as long as that fits.
    let check = "newest_state_is_readable";
    is_found(&good, "cleanup = true", "cleanup = false", check, "is not kept");
}

#[test]
fn the_same_seed_is_the_same_history() {
    let good = sim("[dashboard]\n[network]\nloss = \"5%\"\nreorder = \"5%\"\n");
    assert_eq!(play(7, &good).run.outcome, play(7, &good).run.outcome);
    assert_ne!(play(7, &good).run.outcome.fingerprint, play(8, &good).run.outcome.fingerprint);
}

/// The time at which a run ended by itself.
#[track_caller]
fn ended(run: &Run) -> Duration {
    assert_eq!(run.run.outcome.ending, Ending::Idle, "at {}", run.run.outcome.ended_at);
    Duration::from_nanos(run.run.outcome.ended_at.as_nanos())
}

#[test]
fn a_task_that_is_done_again_is_not_done_twice() {
    // The runner loses its disk with what it has done, and does that again.
    let text = "purpose = \"p\"\n[limits]\ntime = \"20m\"\n[approvals]\n[dashboard]\n[[runner]]\n\
                name = \"r\"\ntasks = 4\ntakes = \"2s\"\napproval = true\n[[reviewer]]\n\
                name = \"lead\"\nthink = \"1s\"\napproves = \"100%\"\n[[fault]]\nat = \"14100ms\"\n\
                disk_lost = { node = \"r\" }\n[[fault]]\nat = \"14100ms\"\nfor = \"1s\"\n\
                crash = { node = \"r\" }\n";
    let text = text.replace("[approvals]", "[approvals]\ndurable = false");
    let run = try_play(1, &text);
    assert!(run.of("task_stopped", "").next().is_none(), "it was not approved");
    assert!(ended(&run) < Duration::from_secs(90));
}

#[test]
fn the_world_ends_when_the_queue_is_gone_for_good() {
    let gone = |at: &str| format!("[[fault]]\nat = \"{at}\"\ncrash = {{ node = \"approvals\" }}\n");
    let page = sim(&format!("[approvals]\n[dashboard]\n{}", gone("1s")));
    assert!(ended(&try_play(1, &page)) < Duration::from_secs(200));
    // It expires while the reviewer thinks about it, and the queue is gone before he has decided.
    let reviewer =
        "[approvals]\nexpires_after = \"3s\"\n[[reviewer]]\nname = \"lead\"\nthink = \"10s\"\n";
    let reviewer = sim(&format!("{reviewer}{}", gone("9s"))) + "approval = true\n";
    let reviewer = reviewer.replace("tasks = 4", "tasks = 1");
    assert!(ended(&try_play(1, &reviewer)) < Duration::from_secs(60));
}

#[test]
fn every_copy_of_a_request_for_an_approval_is_answered() {
    let text =
        sim("[network]\nduplicate = \"100%\"\nlatency = \"5ms\"\n[approvals]\n[[reviewer]]\n\
                    name = \"lead\"\nthink = \"1s\"\n");
    let run = play(1, &format!("{text}approval = true\n"));
    // Once for each of twelve tasks, and not again after a broken connection.
    assert_eq!(run.of("message_sent", "label=Submit carries=call").count(), 12);
}

#[test]
fn what_has_no_dashboard_and_no_reviewer_ends_too() {
    let run = play(1, &sim(""));
    assert_eq!(failure(&run, "progress_shown_in_order"), None);
    let run =
        play(1, &format!("{}approval = true\n", sim("[approvals]\nexpires_after = \"9s\"\n")));
    assert_eq!(run.run.outcome.calls_open, 0);
}
