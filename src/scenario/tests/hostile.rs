//! Texts that nobody means well with: never a panic, never a long wait, always a report.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{MINIMAL, report};
use crate::scenario::parse;

/// Parses, and if refused renders what a user sees.
fn survive(text: &str) {
    if let Err(error) = parse("sims/hostile.toml", text) {
        let mut rendered = String::new();
        miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor())
            .render_report(&mut rendered, &error)
            .expect("a report is rendered to a string");
        assert!(!report(&error).is_empty());
    }
}

#[test]
fn deep_long_and_wide() {
    let n = 100_000;
    for text in [
        "[".repeat(n),
        format!("purpose = {}", "[".repeat(n)),
        format!("purpose = {}", "{a=".repeat(n)),
        format!("{}a = 1", "a.".repeat(n)),
        format!("[{}a]", "a.".repeat(n)),
        "x".repeat(n),
        "\n".repeat(n),
        "x = 1\n".repeat(n / 6),
        (0..n / 12).fold(String::new(), |mut text, i| {
            writeln!(text, "k{i} = 1").expect("writing to a string");
            text
        }),
        format!("purpose = \"{}", "a".repeat(n)),
        format!("seeds = [{}]", "\"q\",".repeat(n / 4)),
        format!("{MINIMAL}{}", "[[backend]]\nname = \"x\"\n".repeat(n / 24)),
        format!("{MINIMAL}{}", "[[fault]]\nat = 3\n".repeat(999)),
        format!("{MINIMAL}[limits]\ntime = \"{}s\"", "9".repeat(n)),
        format!("{MINIMAL}[limits]\ntime = {}", "9".repeat(n)),
    ] {
        let error = parse("sims/hostile.toml", &text).expect_err("refused");
        assert!(report(&error).lines().count() <= 20);
        survive(&text);
    }
}

#[test]
fn ten_megabytes_are_not_read() {
    let error = parse("big", &"[".repeat(10_000_000)).expect_err("too large");
    assert_eq!(error.to_string(), "big is larger than 1024 KiB");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in ".{0,200}") {
        survive(&text);
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survive(&String::from_utf8_lossy(&bytes));
    }

    /// The quickstart with a piece replaced by a piece of something else.
    #[test]
    fn nearly_a_sim(
        start in 0..2400_usize,
        len in 0..40_usize,
        piece in prop_oneof![
            "\\PC{0,12}".boxed(),
            prop::sample::select(vec![
                "\"", "[", "]]", "{", "}", "= ", "\n", "-1", "0", "nan", "1e300", "\"5\"", "\"9%\"",
                "99999999999999999999999999999999999999999", "2026-01-01", "[1]", "{}", "true", "é",
            ]).prop_map(str::to_owned).boxed(),
        ],
    ) {
        let mut text = include_str!("../../../sims/quickstart.toml").to_owned();
        let start = text.floor_char_boundary(start);
        let end = text.floor_char_boundary(start + len);
        text.replace_range(start..end, &piece);
        survive(&text);
    }
}
