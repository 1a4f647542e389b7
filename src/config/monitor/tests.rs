//! The monitor: every threshold from just below to just above, what is kept, what is told, and how
//! sure it has to be before it calls something slower.

use proptest::prelude::*;

use super::{
    alert::{Alert, AlertKind, Notice, RESPONSES, Thresholds},
    baseline::{Doubt, Judge, Judgement, Spread},
    usage::Trend,
    *,
};
use crate::world::Seed;

fn at(seconds: u64) -> Time {
    Time::from_nanos(seconds * 1_000_000_000)
}

fn monitor() -> Monitor {
    Monitor::new(Thresholds::default())
}

/// What began and ended, as `+load_time` and `-load_time`.
fn told(notices: impl IntoIterator<Item = Notice>) -> Vec<String> {
    let one = |notice| match notice {
        Notice::Raised(Alert { kind, .. }) => format!("+{}", kind.as_str()),
        Notice::Cleared(Alert { kind, .. }) => format!("-{}", kind.as_str()),
    };
    notices.into_iter().map(one).collect()
}

fn record(monitor: &mut Monitor, seconds: u64, metric: MetricType, value: u64) -> Vec<String> {
    told(monitor.record(at(seconds), metric, "x", value))
}

#[test]
fn a_load_of_exactly_100_ms_is_no_alert() {
    let mut monitor = monitor();
    let mut load = |us| record(&mut monitor, 0, MetricType::ConfigLoad, us);
    assert_eq!(load(100_000), [""; 0]);
    assert_eq!(load(100_001), ["+load_time"]);
    assert_eq!(load(300_000), [""; 0], "it is raised already");
    assert_eq!(load(100_000), ["-load_time"]);
    let alert = monitor.record(at(1), MetricType::ConfigLoad, "x", 200_001);
    assert!(matches!(&alert[..], [Notice::Raised(Alert { level: Level::Error, .. })]), "{alert:?}");
}

#[test]
fn one_error_in_twenty_is_no_alert_and_one_more_is() {
    let mut monitor = monitor();
    for _ in 0..19 {
        assert_eq!(record(&mut monitor, 0, MetricType::ConfigLoad, 1), [""; 0]);
    }
    assert_eq!(record(&mut monitor, 0, MetricType::ConfigError, 1), [""; 0], "5 % exactly");
    assert_eq!(record(&mut monitor, 0, MetricType::ConfigError, 1), ["+error_rate"], "2 of 21");
    for _ in 0..18 {
        assert_eq!(record(&mut monitor, 0, MetricType::ConfigLoad, 1), [""; 0]);
    }
    assert_eq!(record(&mut monitor, 0, MetricType::ConfigLoad, 1), ["-error_rate"], "2 of 40");
}

#[test]
fn ten_changes_in_an_hour_are_no_alert_and_eleven_are() {
    let mut monitor = monitor();
    for minute in 0..10 {
        assert_eq!(record(&mut monitor, minute * 60, MetricType::ConfigChange, 1), [""; 0]);
    }
    assert_eq!(record(&mut monitor, 3_599, MetricType::ConfigChange, 1), ["+change_rate"]);
    // An hour after the first, ten are left.
    assert_eq!(record(&mut monitor, 3_600, MetricType::ConfigLoad, 1), ["-change_rate"]);
}

#[test]
fn one_check_in_ten_may_fail() {
    let mut monitor = monitor();
    let mut check = |good| record(&mut monitor, 0, MetricType::ValidationEvent, u64::from(good));
    for _ in 0..9 {
        assert_eq!(check(true), [""; 0]);
    }
    assert_eq!(check(false), [""; 0], "10 % exactly");
    assert_eq!(check(false), ["+validation_failures"]);
}

#[test]
fn responses_and_memory_are_watched_if_somebody_minds() {
    let minds =
        Thresholds { response_us: Some(2_000), memory_bytes: Some(1_000), ..Thresholds::default() };
    let mut monitor = Monitor::new(minds);
    let mut respond = |us| record(&mut monitor, 0, MetricType::PerformanceEvent, us);
    for n in 0..RESPONSES {
        assert_eq!(respond(2_000), [""; 0], "{n}");
    }
    // int(20 * .95) is 19: the slowest of twenty.
    assert_eq!(respond(2_001), ["+response_time"]);
    for _ in 0..RESPONSES - 1 {
        assert_eq!(respond(1), [""; 0]);
    }
    assert_eq!(respond(1), ["-response_time"]);
    assert_eq!(told(monitor.memory(at(0), 1_000)), [""; 0]);
    assert_eq!(told(monitor.memory(at(0), 1_001)), ["+memory"]);
    assert_eq!(told(monitor.memory(at(0), 999)), ["-memory"]);

    let mut monitor = self::monitor();
    for _ in 0..RESPONSES {
        assert_eq!(record(&mut monitor, 0, MetricType::PerformanceEvent, u64::MAX), [""; 0]);
    }
    assert_eq!(told(monitor.memory(at(0), u64::MAX)), [""; 0]);
}

#[test]
fn what_is_kept_is_bounded_and_ends_after_a_day() {
    let mut monitor = monitor();
    record(&mut monitor, 0, MetricType::ConfigChange, 1);
    for n in 0..EVENTS_MAX as u64 + 5 {
        record(&mut monitor, 0, MetricType::PerformanceEvent, n);
    }
    let responses = |monitor: &Monitor| monitor.samples(MetricType::PerformanceEvent).count();
    assert_eq!(responses(&monitor), EVENTS_MAX);
    let first = monitor.samples(MetricType::PerformanceEvent).next().map(|it| it.value);
    assert_eq!(first, Some(5), "the oldest go");
    let changes = |monitor: &Monitor| monitor.samples(MetricType::ConfigChange).count();
    assert_eq!(changes(&monitor), 1, "responses push no change out");
    record(&mut monitor, 86_399, MetricType::ConfigLoad, 1);
    assert_eq!(changes(&monitor), 1);
    record(&mut monitor, 86_400, MetricType::ConfigLoad, 1);
    assert_eq!((changes(&monitor), responses(&monitor)), (0, 0));
}

#[test]
fn operations_are_told_apart_up_to_a_bound() {
    let mut monitor = monitor();
    for n in 0..OPERATIONS_MAX + 10 {
        monitor.record(at(0), MetricType::PerformanceEvent, &n.to_string(), 1);
    }
    assert_eq!(monitor.operations.len(), OPERATIONS_MAX);
}

#[test]
fn the_past_is_told() {
    let mut monitor = monitor();
    for us in 1..=40 {
        record(&mut monitor, 0, MetricType::ConfigLoad, us);
    }
    for (seconds, preset) in [(10, "simple"), (4_000, "production"), (4_001, "production")] {
        monitor.record(at(seconds), MetricType::PresetUsage, preset, 1);
        record(&mut monitor, seconds, MetricType::ConfigChange, 1);
    }
    record(&mut monitor, 4_002, MetricType::ConfigError, 1);
    record(&mut monitor, 4_002, MetricType::ValidationEvent, 0);
    monitor.record(at(4_002), MetricType::PerformanceEvent, "qa", 7);
    let usage = monitor.usage(at(4_010)).clone();
    assert_eq!((usage.loads.count, usage.loads.median_us), (40, 21));
    assert_eq!((usage.loads.p95_us, usage.loads.max_us), (39, 40), "the one at int(40 * .95) = 38");
    assert_eq!((usage.errors, usage.errors_permille), (1, 24));
    assert_eq!((usage.changes, usage.changes_last_hour), (3, 2));
    assert_eq!(usage.changes_trend, Trend::Rising);
    assert_eq!((usage.validations, usage.validation_failures), (1, 1));
    assert_eq!(usage.usual_preset(), Some("production"));
    assert_eq!(usage.preset_trends["simple"], Trend::Falling);
    assert_eq!(usage.operations["qa"].p95_us, 7);
    // For a minute the same is told again.
    record(&mut monitor, 4_011, MetricType::ConfigChange, 1);
    assert_eq!(monitor.usage(at(4_069)).changes, 3);
    assert_eq!(monitor.usage(at(4_070)).changes, 4);
}

#[test]
fn a_trend_is_more_than_a_tenth() {
    assert_eq!(Trend::of(10, 11), Trend::Steady);
    assert_eq!(Trend::of(10, 12), Trend::Rising);
    assert_eq!(Trend::of(10, 9), Trend::Steady);
    assert_eq!(Trend::of(10, 8), Trend::Falling);
    assert_eq!(Trend::of(0, 0), Trend::Steady);
}

#[test]
fn exports_say_what_is_kept_and_are_safe_to_open() {
    let mut monitor = monitor();
    monitor.record(at(1), MetricType::ConfigLoad, "=cmd,\"x\"\n", 150_000);
    let csv = "at_ms,metric,name,value,level\r\n\
               1000,config_load,\"'=cmd,\"\"x\"\"\n\",150000,warning\r\n";
    assert_eq!(monitor.to_csv(), csv);
    let json = r#"{"version":1,"at_ms":2000,"alerts":[{"alert":"load_time","of":"","level":"warning","value":150000,"threshold":100000,"since_ms":1000}],"events":[{"at_ms":1000,"metric":"config_load","name":"=cmd,\"x\"\n","value":150000,"level":"warning"}]}"#;
    assert_eq!(monitor.to_json(at(2)), json);
}

fn compare(before: &[u64], after: &[u64]) -> Judgement {
    Judge::default().compare(before, after)
}

#[test]
fn a_judgement_needs_a_ratio_and_a_spread() {
    let steady = [100, 101, 99, 100, 100];
    let doubt = |judgement| match judgement {
        Judgement::Unsure(_, doubt) => Some(doubt),
        _ => None,
    };
    let slower = compare(&steady, &[150, 151, 149, 150, 150]);
    assert!(matches!(slower, Judgement::Slower(_)), "{slower:?}");
    assert_eq!(
        slower.finding().to_string(),
        "1.500 times: 150 ± 0 of 5 runs, was 100 ± 0 of 5 runs"
    );
    // A fifth exactly is no more than a fifth.
    assert!(matches!(compare(&steady, &[120; 5]), Judgement::NoChange(_)));
    assert!(matches!(compare(&steady, &[121; 5]), Judgement::Slower(_)));
    assert!(matches!(compare(&steady, &[50; 5]), Judgement::NoChange(_)));
    assert_eq!(doubt(compare(&steady, &[150; 4])), Some(Doubt::FewRuns));
    assert_eq!(doubt(compare(&[], &[])), Some(Doubt::FewRuns));
    // One wild run moves nothing.
    assert!(matches!(compare(&steady, &[100, 9_000, 100, 99, 101]), Judgement::NoChange(_)));
    // Half as slow again, but the runs differ by as much.
    let wild = [100, 150, 200, 110, 190];
    assert_eq!(doubt(compare(&steady, &wild)), Some(Doubt::WithinSpread));
    assert_eq!(
        doubt(compare(&[100, 60, 140, 80, 120], &[110, 70, 150, 90, 130])),
        Some(Doubt::WideSpread)
    );
    assert_eq!(Spread::of(&wild).permille(), 266, "the stated spread: 40 of 150");
}

/// Runs that scatter around a middle by so many thousandths, as a busy machine has them: mostly
/// little, and now and then one that takes twice as long.
fn noisy(seed: u64, name: &str, middle: u64, permille: u64) -> Vec<u64> {
    let mut draws = Seed(seed).stream(name);
    let one = |_| {
        let scatter = middle * permille / 1_000;
        let value = middle - scatter + draws.below(2 * scatter + 1);
        if draws.below(10) == 0 { value * 2 } else { value }
    };
    (0..9).map(one).collect()
}

#[test]
fn noise_raises_few_alarms_and_what_is_slower_is_found() {
    let (mut false_alarms, mut found, mut unsure) = (0, 0, 0);
    for seed in 0..1_000 {
        let (before, after) = (noisy(seed, "a", 10_000, 100), noisy(seed, "b", 10_000, 100));
        let slower = noisy(seed, "c", 20_000, 100);
        false_alarms += u32::from(matches!(compare(&before, &after), Judgement::Slower(_)));
        match compare(&before, &slower) {
            Judgement::Slower(_) => found += 1,
            Judgement::Unsure(..) => unsure += 1,
            Judgement::NoChange(_) => {}
        }
    }
    assert!(false_alarms <= 5, "{false_alarms} of 1000 comparisons of the same");
    assert!(found > 900, "{found} of 1000 that take twice as long");
    assert_eq!(found + unsure, 1_000, "none is called unchanged");
}

/// The judge that looks at one run each alone is the kind that raises alarms over noise.
#[test]
fn a_judge_that_ignores_the_spread_is_found_out() {
    let hasty = Judge { deviations: 0, runs_min: 1, ..Judge::default() };
    let alarm = |seed| {
        let (before, after) = (noisy(seed, "a", 10_000, 300), noisy(seed, "b", 10_000, 300));
        let is_alarm =
            |judge: Judge| matches!(judge.compare(&before[..1], &after[..1]), Judgement::Slower(_));
        assert!(!is_alarm(Judge::default()), "one run is never sure");
        is_alarm(hasty)
    };
    let alarms = (0..1_000).filter(|seed| alarm(*seed)).count();
    assert!(alarms > 100, "{alarms} of 1000");
}

#[test]
fn a_regression_is_raised_once_it_is_sure_and_ends_with_it() {
    let mut monitor = monitor();
    let mut respond = |times: usize, us: u64| -> Vec<String> {
        (0..times as u64)
            .flat_map(|n| record(&mut monitor, 0, MetricType::PerformanceEvent, us + n % 3))
            .collect()
    };
    assert_eq!(respond(50, 1_000), [""; 0], "the baseline");
    assert_eq!(respond(50, 1_000), [""; 0]);
    assert_eq!(respond(20, 1_500), [""; 0], "two runs of five");
    assert_eq!(respond(30, 1_500), ["+regression"]);
    assert_eq!(respond(50, 1_000), ["-regression"]);
}

proptest! {
    #[test]
    fn no_numbers_overflow(before: Vec<u64>, after: Vec<u64>, ratio: u64, deviations: u64) {
        let judge = Judge { ratio_permille: ratio, deviations, runs_min: 0 };
        let _ = judge.compare(&before, &after).finding().to_string();
        let _ = Spread::of(&before).permille();
    }

    #[test]
    fn alerts_begin_and_end_in_turn(values in prop::collection::vec((0_u64..6, 0_u64..200_000), 0..200)) {
        let mut monitor = Monitor::new(Thresholds { response_us: Some(100_000), ..Thresholds::default() });
        let mut raised = std::collections::BTreeSet::new();
        for (n, (kind, value)) in values.into_iter().enumerate() {
            let metric = MetricType::ALL[kind as usize];
            let value = if metric == MetricType::ValidationEvent { value % 2 } else { value };
            for notice in monitor.record(at(n as u64 * 600), metric, "x", value) {
                match notice {
                    Notice::Raised(alert) => prop_assert!(raised.insert((alert.kind, alert.of))),
                    Notice::Cleared(alert) => prop_assert!(raised.remove(&(alert.kind, alert.of))),
                }
            }
            let now: Vec<AlertKind> = monitor.alerts().map(|alert| alert.kind).collect();
            prop_assert_eq!(now.len(), raised.len());
        }
        prop_assert!(monitor.alerts().count() <= 7);
    }
}
