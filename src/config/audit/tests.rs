//! A trail: what becomes of a change, and what is left of it after a restart.

use proptest::prelude::*;

use super::*;

fn settings(id: &str, json: &str) -> Change {
    Change { id: id.into(), by: "ops".into(), what: What::Settings(json.into()) }
}

fn file(id: &str, text: &str) -> Change {
    let (name, text) = ("x.toml".into(), text.into());
    Change { id: id.into(), by: "ops".into(), what: What::File { name, text } }
}

/// A trail after these changes, a second apart.
fn trail(changes: &[Change]) -> Trail {
    let mut trail = Trail::new(Layers::default());
    for (second, change) in (0..).zip(changes) {
        let verdict = trail.judge(change, at(second));
        trail.keep(verdict);
    }
    trail
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

fn files(trail: &Trail) -> Vec<Vec<u8>> {
    trail.entries().iter().map(Entry::bytes).collect()
}

fn restored(files: &[Vec<u8>]) -> (Trail, u32) {
    Trail::restore(Layers::default(), files.iter().map(Vec::as_slice))
}

#[test]
fn a_change_that_holds_says_what_it_changed() {
    let trail = trail(&[
        settings("1", r#"{"preset": "production"}"#),
        settings("2", r#"{"operations": {"qa": {"retry_attempts": 2}}}"#),
    ]);
    assert_eq!(trail.version(), 2);
    assert_eq!(trail.config().operation("qa").attempts, 2);
    let last = trail.entries().last().unwrap();
    assert_eq!((last.number, last.before, last.after), (2, 1, 2));
    assert_eq!(last.differences_text(), "qa.retry_attempts: 7 -> 2");
    assert_eq!((last.outcome, &*last.why, last.at), (Outcome::Applied, "", at(1)));
    assert!(trail.config().origins("qa").ends_with("by ops"), "{}", trail.config().origins("qa"));
}

#[test]
fn a_change_that_is_wrong_changes_nothing_and_is_written_down() {
    let before = trail(&[settings("1", r#"{"preset": "development"}"#)]);
    let cases = [
        (settings("2", r#"{"retry_attempts": 99}"#), Outcome::Refused, "retry_attempts"),
        (settings("2", r#"{"retry_attemts": 3}"#), Outcome::Refused, "retry_attemts"),
        (file("2", "a = \n"), Outcome::Refused, "x.toml:1"),
        (file("2", "# x\nretry_attempts = \"no\"\n"), Outcome::Refused, "x.toml:2"),
        // Five seconds is the longest that aggressive waits.
        (
            settings(
                "2",
                r#"{"operations": {"qa": {"strategy": "aggressive", "exponential_max": 5}, "sentiment": {"exponential_min": 8}}}"#,
            ),
            Outcome::RolledBack,
            "exponential_m",
        ),
    ];
    for (change, outcome, why) in cases {
        let verdict = before.judge(&change, at(5));
        let entry = verdict.entry.clone();
        assert_eq!(entry.outcome, outcome, "{entry:?}");
        assert!(entry.why.contains(why), "{}", entry.why);
        assert_eq!((entry.before, entry.after, entry.differences.len()), (1, 1, 0));
        let mut after = before.clone();
        after.keep(verdict);
        assert_eq!(after.config(), before.config());
        assert_eq!(after.find("2"), Some(&entry));
    }
}

#[test]
fn a_new_file_takes_the_place_of_the_old_one() {
    let trail = trail(&[
        file("1", "retry_attempts = 4\nrecovery_timeout = 90\n"),
        settings("2", r#"{"retry_attempts": 2}"#),
        file("3", "retry_attempts = 5\n"),
    ]);
    let tuning = trail.config().operation("x");
    assert_eq!((tuning.attempts, tuning.recovery.as_secs()), (2, 60), "a change beats a file");
}

#[test]
fn files_that_say_nothing_are_counted_and_change_nothing() {
    let whole = trail(&[
        settings("1", r#"{"retry_attempts": 4}"#),
        settings("2", r#"{"retry_attempts": 5}"#),
    ]);
    let files = files(&whole);
    let (again, damaged) = restored(&files);
    assert_eq!((again.config(), again.entries(), damaged), (whole.config(), whole.entries(), 0));

    let (first, second) = (files[0].clone(), files[1].clone());
    let torn = second[..second.len() / 2].to_vec();
    let text = String::from_utf8(second.clone()).unwrap();
    let other_value = text.replacen("retry_attempts\\\": 5", "retry_attempts\\\": 6", 1);
    assert_ne!(other_value, text);
    let no_change = text.replace("\"applied\"", "\"refused\"");
    for broken in [
        torn,
        vec![],
        other_value.into_bytes(),
        no_change.into_bytes(),
        vec![b' '; ENTRY_BYTES_MAX + 1],
    ] {
        let (trail, damaged) = restored(&[first.clone(), broken]);
        assert_eq!((trail.version(), damaged), (1, 1));
        assert_eq!(trail.config().operation("x").attempts, 4);
    }
    let (trail, damaged) = restored(&[second, first]);
    assert_eq!((trail.version(), damaged), (1, 1), "the second is no first");
}

#[test]
fn what_was_turned_away_is_in_the_trail_and_nothing_else() {
    let mut whole = trail(&[settings("1", r#"{"retry_attempts": 4}"#)]);
    let loose = settings("2", r#"{"retry_attempts": 5}"#);
    let verdict = whole.turn_away(&loose, at(1), "60 in a minute");
    whole.keep(verdict);
    let verdict = whole.judge(&settings("3", r#"{"retry_attempts": 6}"#), at(2));
    whole.keep(verdict);
    assert_eq!((whole.version(), whole.config().operation("x").attempts), (2, 6));
    let entry = &whole.entries()[1];
    assert_eq!((entry.before, entry.after, entry.differences.len()), (1, 1, 0));
    assert_eq!((entry.outcome.as_str(), &*entry.why), ("rate_limited", "60 in a minute"));
    let (again, damaged) = restored(&files(&whole));
    assert_eq!((again.config(), again.entries(), damaged), (whole.config(), whole.entries(), 0));
    // A change that holds is not made one that was turned away by a word in its file.
    let text = String::from_utf8(files(&whole)[0].clone()).unwrap();
    let spoilt = text.replace("\"applied\"", "\"rate_limited\"").into_bytes();
    assert_eq!(restored(&[spoilt]).1, 1);
}

#[test]
fn a_long_reason_is_cut_between_characters() {
    let long = "ä".repeat(WHY_BYTES_MAX);
    assert_eq!(clip(&long).len(), WHY_BYTES_MAX);
    assert_eq!(clip(&format!("x{long}")).len(), WHY_BYTES_MAX - 1);
    assert_eq!(clip("short"), "short");
}

proptest! {
    #[test]
    fn what_is_read_back_is_what_was_in_force(
        steps in prop::collection::vec((0_u32..4, 0_u32..14, any::<bool>()), 0..12),
    ) {
        let change = |(number, (kind, value, is_qa)): (usize, &(u32, u32, bool))| {
            let id = number.to_string();
            match kind {
                0 => file(&id, &format!("retry_attempts = {value}\n")),
                1 => settings(&id, &format!("{{\"operations\": {{\"{}\": {{\"recovery_timeout\": {}}}}}}}", if *is_qa { "qa" } else { "own" }, value * 10)),
                2 => settings(&id, r#"{"preset": "production"}"#),
                _ => settings(&id, &format!("{{\"exponential_min\": {value}}}")),
            }
        };
        let changes: Vec<Change> = steps.iter().enumerate().map(change).collect();
        let whole = trail(&changes);
        let (again, damaged) = restored(&files(&whole));
        prop_assert_eq!(damaged, 0);
        prop_assert_eq!(again.config(), whole.config());
        prop_assert_eq!(again.entries(), whole.entries());
        let applied = whole.entries().iter().filter(|it| it.outcome == Outcome::Applied).count();
        prop_assert_eq!(whole.version() as usize, applied);
    }

    #[test]
    fn bytes_of_somebody_are_an_entry_or_not(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (trail, damaged) = restored(&[bytes]);
        prop_assert_eq!(trail.entries().len() + damaged as usize, 1);
    }
}
