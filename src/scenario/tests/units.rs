//! Durations, probabilities and ratios, exactly.

use std::time::Duration;

use proptest::prelude::*;

use crate::scenario::{
    DURATION_MAX, duration_text, parse_duration, parse_probability, parse_ratio,
    parse_signed_duration,
};

#[test]
fn durations() {
    for (text, nanos) in [
        ("250ms", 250_000_000_u64),
        ("3s", 3_000_000_000),
        ("2m", 120_000_000_000),
        ("1h30m", 5_400_000_000_000),
        ("1d", 86_400_000_000_000),
        ("10us", 10_000),
        ("5ns", 5),
        ("1.5s", 1_500_000_000),
        ("0.000000001s", 1),
        ("1.000000001s", 1_000_000_001),
        ("1m0.5s", 60_500_000_000),
        ("1.500000000000s", 1_500_000_000),
        ("0s", 0),
        ("365d", 31_536_000_000_000_000),
    ] {
        assert_eq!(parse_duration(text), Ok(Duration::from_nanos(nanos)), "{text}");
    }
    assert_eq!(parse_signed_duration("-30s"), Ok(-30_000_000_000));
    assert_eq!(parse_signed_duration("+1ns"), Ok(1));
}

#[test]
fn not_durations() {
    for (text, message) in [
        ("", "\"\" is not a duration"),
        ("s", "\"s\" is not a duration"),
        ("5", "\"5\" has no unit"),
        ("1h30", "\"1h30\" has no unit"),
        ("5 ms", "\"5 ms\" is not a duration"),
        (" 5ms", "\" 5ms\" is not a duration"),
        ("5ms ", "\"5ms \" is not a duration"),
        ("5MS", "\"5MS\" is not a duration"),
        ("5µs", "\"5µs\" is not a duration"),
        ("5sec", "\"5sec\" is not a duration"),
        ("30m1h", "\"30m1h\" is not a duration"),
        ("1s1s", "\"1s1s\" is not a duration"),
        ("1.5h30m", "\"1.5h30m\" is not a duration"),
        (".5s", "\".5s\" is not a duration"),
        ("1.s", "\"1.s\" is not a duration"),
        ("1..5s", "\"1..5s\" is not a duration"),
        ("1e3s", "\"1e3s\" is not a duration"),
        ("-3s", "a duration cannot be negative: \"-3s\""),
        ("0.5ns", "\"0.5ns\" is finer than a nanosecond"),
        ("0.0000000001s", "\"0.0000000001s\" is finer than a nanosecond"),
        ("366d", "a duration can be at most 365 days"),
        ("365d1ns", "a duration can be at most 365 days"),
        ("99999999999999999999999999999999999999999s", "a duration can be at most 365 days"),
        ("99999999999999999999999999d", "a duration can be at most 365 days"),
    ] {
        assert_eq!(parse_duration(text).expect_err(text).message, message);
    }
    assert!(parse_signed_duration("--3s").is_err());
    assert_eq!(
        parse_duration("250").expect_err("no unit").help,
        "write \"250ms\", or another unit (ns, us, ms, s, m, h, d)"
    );
}

#[test]
fn probabilities() {
    for (text, ppm) in [
        ("3%", 30_000),
        ("0.5%", 5_000),
        ("100%", 1_000_000),
        ("0.03", 30_000),
        ("1", 1_000_000),
        ("0", 0),
        ("0.0001%", 1),
        ("0.000001", 1),
    ] {
        assert_eq!(parse_probability(text).map(|p| p.as_ppm()), Ok(ppm), "{text}");
    }
    for text in [
        "",
        "%",
        "101%",
        "1.000001",
        "-1%",
        "3 %",
        "3%%",
        "NaN",
        "inf",
        "1e-3",
        "0.00001%",
        "999999999999999999999999999999999999999999%",
    ] {
        assert!(parse_probability(text).is_err(), "{text}");
    }
    assert_eq!(parse_ratio("250%"), Ok(2_500_000));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn durations_are_read_as_they_are_written(nanos in prop_oneof![0..=DURATION_MAX.as_nanos() as u64, 0..2_000_000_u64]) {
        let duration = Duration::from_nanos(nanos);
        prop_assert_eq!(parse_duration(&duration_text(duration)), Ok(duration));
    }

    #[test]
    fn decimals_are_shifted_not_rounded(seconds in 0..10_000_u64, nanos in 0..1_000_000_000_u32) {
        let text = format!("{seconds}.{nanos:09}s");
        prop_assert_eq!(parse_duration(&text), Ok(Duration::new(seconds, nanos)));
    }

    #[test]
    fn every_ppm_can_be_written(ppm in 0..=1_000_000_u32) {
        let percent = format!("{}.{:04}%", ppm / 10_000, ppm % 10_000);
        prop_assert_eq!(parse_probability(&percent).map(|p| p.as_ppm()), Ok(ppm));
        let float = format!("{}.{:06}", ppm / 1_000_000, ppm % 1_000_000);
        let written = toml::from_str::<toml::Table>(&format!("p = {float}")).expect("TOML")["p"].as_float().expect("a float");
        prop_assert_eq!(parse_probability(&written.to_string()).map(|p| p.as_ppm()), Ok(ppm));
    }

    #[test]
    fn anything_is_read_or_refused(text in "\\PC{0,30}") {
        let _ = parse_duration(&text);
        let _ = parse_signed_duration(&text);
        let _ = parse_probability(&text);
        let _ = parse_ratio(&text);
    }
}
