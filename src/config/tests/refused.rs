//! Texts that are refused: all that is wrong with them, where, why, and what would pass.

use crate::config::{
    Field, Form, Kind, Problem, Reading, Says, Speaker, Value, read, security::TEXT_BYTES_MAX,
};

fn toml(text: &str) -> Reading {
    read("x.toml", text, Form::Toml, &Speaker::File)
}

fn json(text: &str) -> Reading {
    read("x.json", text, Form::Json, &Speaker::File)
}

/// The one problem of a text.
#[track_caller]
fn only(reading: &Reading) -> &Problem {
    match reading.problems.as_slice() {
        [problem] => problem,
        problems => panic!("{problems:#?}"),
    }
}

/// That the text has one problem, of this kind, at this line and column, with these words in it.
#[track_caller]
fn refused(reading: &Reading, kind: Kind, position: (u32, u32), words: &[&str]) {
    let problem = only(reading);
    let line = problem.one_line();
    assert_eq!((problem.kind, problem.position()), (kind, position), "{line}");
    for word in words {
        assert!(line.contains(word), "without {word:?}: {line}");
    }
    assert!(!problem.why.is_empty() && !problem.help.is_empty(), "{problem:#?}");
}

#[test]
fn every_mistake_is_told_with_its_place_and_what_would_pass() {
    let text = "retry_attempts = 50\nrecovery_timeout = \"60s\"\nexponential_mni = 2\n\
                default_strategy = \"Balnced\"\n[operations.qa]\njitter_max = 0.01\n\
                jitter_enabled = \"yes\"\nmax_delay_seconds = nan\n";
    let reading = toml(text);
    let told: Vec<String> = reading.problems.iter().map(Problem::one_line).collect();
    let wanted = [
        ("x.toml:1:18: `retry_attempts` is 50: ", "1 to 10; 10 would do"),
        ("x.toml:2:20: `recovery_timeout` is \"60s\": ", "; 60 would do"),
        ("x.toml:3:1: the key `exponential_mni` is unknown: ", "did you mean `exponential_min`?"),
        ("x.toml:4:20: `default_strategy` is \"Balnced\": ", "did you mean \"balanced\"?"),
        ("x.toml:6:14: `operations.qa.jitter_max` is 0.01: ", "0.1 to 10 seconds; 0.1 would do"),
        ("x.toml:7:18: `operations.qa.jitter_enabled` is \"yes\": ", "; `true` would do"),
        ("x.toml:8:21: `operations.qa.max_delay_seconds` is nan: ", "; 60 would do"),
    ];
    assert_eq!(told.len(), wanted.len(), "{told:#?}");
    for (told, (start, end)) in told.iter().zip(wanted) {
        assert!(told.starts_with(start) && told.ends_with(end), "{told}\n{start} … {end}");
    }
}

#[test]
fn retries_without_a_bound_are_called_so() {
    for value in [
        "0",
        "-1",
        "-0.5",
        "1e300",
        "99999999999999999999",
        "inf",
        "nan",
        "\"unlimited\"",
        "\"-1\"",
    ] {
        let reading = toml(&format!("retry_attempts = {value}"));
        let mut unbounded = reading.problems.iter().filter(|it| it.kind == Kind::Unbounded);
        let line = unbounded.next().map(Problem::one_line).unwrap_or_default();
        assert!(
            line.contains("without a bound") && line.ends_with("3 would do"),
            "{value}: {line}"
        );
        assert_eq!(reading.statements, [], "{value}");
    }
    refused(&json("{\"retry_attempts\": null}"), Kind::Unbounded, (1, 20), &["is null"]);
    refused(&toml("retry_attempts = 11"), Kind::Range, (1, 18), &["10 would do"]);
    refused(&toml("retry_attempts = 2.5"), Kind::Type, (1, 18), &["whole", "2 would do"]);
}

#[test]
fn ends_of_every_range_pass_and_what_is_beyond_does_not() {
    for (field, least, most, below, above) in [
        (Field::RetryAttempts, "1", "10", "0", "11"),
        (Field::CircuitBreakerThreshold, "1", "20", "0", "21"),
        (Field::HalfOpenMaxCalls, "1", "20", "0", "21"),
        (Field::RecoveryTimeout, "10", "300", "9.999", "300.001"),
        (Field::MaxDelaySeconds, "5", "600", "4", "601"),
        (Field::ExponentialMultiplier, "0.1", "5", "0.099", "5.001"),
        (Field::ExponentialMin, "0.5", "10", "0.4", "10.1"),
        (Field::ExponentialMax, "5.0", "120", "4.9", "121"),
        (Field::JitterMax, "0.1", "1e1", "0", "10.5"),
    ] {
        for good in [least, most] {
            let reading = toml(&format!("{field} = {good}"));
            assert_eq!(reading.problems, [], "{field} = {good}");
            let said = reading.statements.first().map(|it| it.says);
            let same = matches!(said, Some(Says::Field(other, _)) if other == field);
            assert!(same, "{field} = {good}: {said:?}");
        }
        for bad in [below, above] {
            let reading = json(&format!("{{\"{field}\": {bad}}}"));
            assert!(!only(&reading).is_warning, "{field} = {bad}");
            // What is said to pass does pass.
            let help = only(&reading).help.replace(" would do", "");
            assert_eq!(toml(&format!("{field} = {help}")).problems, [], "{field} = {help}");
        }
    }
    let exact = toml("exponential_multiplier = 1.234").statements;
    let says = Says::Field(Field::ExponentialMultiplier, Value::Permille(1_234));
    assert_eq!(exact.first().map(|it| it.says), Some(says));
    refused(&toml("jitter_max = 0.1001"), Kind::Range, (1, 14), &["thousandths"]);
}

#[test]
fn malformed_texts_name_the_line() {
    let line = toml("retry_attempts = 3\nqa = = 1\n").problems[0].one_line();
    assert!(line.starts_with("x.toml:2:6: ") && line.contains("not TOML"), "{line}");
    refused(&toml("a = 1\na = 2\n"), Kind::Syntax, (2, 1), &["duplicate key"]);
    for (text, position, words) in [
        ("{\"retry_attempts\": 3", (1, 20), "the text ends"),
        ("", (1, 1), "the text ends"),
        ("{\n \"retry_attempts\": 03}", (2, 20), "03 is no JSON"),
        ("{\"retry_attempts\": NaN}", (1, 20), "NaN is no JSON"),
        ("{\"retry_attempts\": 3,}", (1, 22), "a key"),
        ("{\"retry_attempts\" 3}", (1, 19), "a colon"),
        ("{\"retry_attempts\": 3} 4", (1, 23), "follows"),
        ("{retry_attempts: 3}", (1, 2), "a key in quotation marks"),
        ("{\"preset\": \"simple", (1, 12), "does not end"),
        ("{\"preset\": \"\\q\"}", (1, 13), "unknown escape"),
        ("{\"preset\": \"\\ud800x\"}", (1, 13), "stands for no character"),
        ("{\"preset\": \"simple\", \"preset\": \"simple\"}", (1, 22), "comes twice"),
    ] {
        refused(&json(text), Kind::Syntax, position, &[words, "not JSON"]);
    }
    refused(&json("[1]"), Kind::Type, (1, 1), &["a list where an object is due"]);
}

#[test]
fn an_empty_configuration_is_a_mistake() {
    for text in ["", "# nothing\n", "name = \"x\"\n", "[operation_overrides]\n", "[operations]\n"] {
        assert_eq!(only(&toml(text)).kind, Kind::Empty, "{text:?}");
    }
    assert_eq!(only(&json("{}")).kind, Kind::Empty);
    refused(&toml("name = \"\"\npreset = \"simple\""), Kind::Range, (1, 8), &["1 to 50"]);
    let long = format!("description = \"{}\"\npreset = \"simple\"", "ab ".repeat(67));
    assert_eq!(toml(&long).problems.len(), 2, "too long for a text, and for a description");
}

#[test]
fn names_are_compared_with_those_that_are_known() {
    refused(
        &toml("preset = \"prodution\""),
        Kind::Unknown,
        (1, 10),
        &["did you mean \"production\"?"],
    );
    refused(&toml("preset = \"xyz\""), Kind::Unknown, (1, 10), &["one of \"simple\""]);
    refused(&toml("preset = 3"), Kind::Type, (1, 10), &["quotation marks"]);
    refused(
        &toml("[operations.qa]\nstratgy = \"critical\""),
        Kind::Unknown,
        (2, 1),
        &["`operations.qa.stratgy`", "`strategy`"],
    );
    refused(
        &toml("operations.QA.strategy = \"critical\""),
        Kind::Unknown,
        (1, 12),
        &["no name of an operation"],
    );
    refused(&toml("operations.qa = 3"), Kind::Type, (1, 17), &["a table of settings"]);
    let near = toml("[operation_overrides]\nsumarize = \"critical\"");
    refused(&near, Kind::Unknown, (2, 1), &["did you mean `summarize`?"]);
    assert!(only(&near).is_warning, "it may be registered later");
    let new = toml("[operation_overrides]\ntranslate = \"critical\"");
    assert_eq!((new.problems.len(), new.statements.len()), (0, 1));
    let twice = "operation_overrides.qa = \"critical\"\noperations.qa.strategy = \"balanced\"";
    refused(&toml(twice), Kind::Contradiction, (2, 15), &["said twice"]);
}

#[test]
fn sizes_and_depths_are_bounded_and_refused_at_once() {
    let huge = "x".repeat(10 * 1024 * 1024);
    let reading = toml(&huge);
    assert_eq!(only(&reading).kind, Kind::TooLarge);
    assert!(only(&reading).source.text().is_empty(), "it is not kept");
    let most = format!("retry_attempts = 3\n#{}", " ".repeat(TEXT_BYTES_MAX - 20));
    assert_eq!((most.len(), toml(&most).problems.len()), (TEXT_BYTES_MAX, 0));
    assert_eq!(only(&toml(&(most + " "))).kind, Kind::TooLarge);
    for depth in [11, 100, 1_000] {
        let bomb = format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(only(&json(&bomb)).kind, Kind::TooLarge, "{depth}");
        let bomb = format!("a = {}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(toml(&bomb).problems.iter().any(|it| it.kind == Kind::TooLarge), "{depth}");
        let bomb = format!("{}a = 1", "a.".repeat(depth));
        assert!(toml(&bomb).problems.iter().any(|it| it.kind == Kind::TooLarge), "{depth}");
    }
    let nested = |depth: usize| format!("{{\"a\": {}{}}}", "[".repeat(depth), "]".repeat(depth));
    let kinds = |depth| json(&nested(depth)).problems.iter().map(|it| it.kind).collect::<Vec<_>>();
    assert_eq!(kinds(9), [Kind::Unknown], "ten levels are allowed");
    assert_eq!(kinds(10), [Kind::TooLarge]);
    let list = |len: usize| toml(&format!("x = [{}]", "1,".repeat(len)));
    assert!(list(20).problems.iter().all(|it| it.kind != Kind::TooLarge));
    assert!(list(21).problems.iter().any(|it| it.kind == Kind::TooLarge));
    let overrides = |count: usize| {
        let each = |n: usize| format!("op-{n} = \"critical\"\n");
        toml(&format!("[operation_overrides]\n{}", (0..count).map(each).collect::<String>()))
    };
    assert_eq!(overrides(10).problems, []);
    assert_eq!(only(&overrides(11)).kind, Kind::TooLarge);
    assert!(overrides(51).problems.iter().any(|it| it.what.contains("a table of 51")));
    let many: String = (0..500).map(|n| format!("k{n}=1\n")).collect();
    assert_eq!(toml(&many).problems.len(), crate::config::problem::PROBLEMS_MAX);
}

#[test]
fn what_cannot_be_seen_or_could_be_run_is_refused() {
    for c in ['\u{200b}', '\u{202e}', '\u{feff}', '\u{e000}', '\u{7}', '\u{1f600}', '\u{ad}'] {
        let reading = toml(&format!("preset = \"simple\" # {c}\n"));
        let found = reading.problems.iter().any(|it| {
            matches!(it.kind, Kind::Invisible)
                && it.position() == (1, 21)
                && it.what.contains(&format!("{:04X}", u32::from(c)))
        });
        assert!(found, "{c:?}: {:#?}", reading.problems);
    }
    assert_eq!(toml("preset = \"simple\" # naïve ☃ Ж\n").problems, []);
    let escaped = json("{\"preset\": \"simple\", \"name\": \"a\\u200b\"}");
    let kinds: Vec<Kind> = escaped.problems.iter().map(|it| it.kind).collect();
    assert_eq!(
        kinds,
        [Kind::Invisible, Kind::Forbidden],
        "the character, and that it is an escape"
    );
    for text in ["${HOME}", "javascript:x", "a/../b", "eval(1)", "<script>"] {
        let reading = toml(&format!("preset = \"simple\"\nname = '{text}'"));
        refused(&reading, Kind::Forbidden, (2, 8), &["in plain words"]);
    }
    let repeated =
        |count: usize| toml(&format!("preset = \"simple\"\nname = \"{}\"", "a".repeat(count)));
    assert_eq!(repeated(10).problems, []);
    refused(&repeated(11), Kind::Repeated, (2, 8), &["11 times"]);
    assert!(only(&repeated(11)).is_warning);
    let key = toml("\"eval(x)\" = 1\npreset = \"simple\"");
    assert!(key.problems.iter().any(|it| it.kind == Kind::Forbidden), "{:#?}", key.problems);
}
