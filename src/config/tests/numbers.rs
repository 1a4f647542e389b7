//! The tables, written down a second time.

use std::time::Duration;

use crate::config::{Config, Preset, Strategy, Template, Tuning, preset::OPERATIONS};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn strategies_have_the_numbers_of_the_source() {
    for (strategy, attempts, max, permille, min, exp_max, jitter, failures, recovery) in [
        (Strategy::Aggressive, 2, 10, 500, 1, 5, 2, 3, 30),
        (Strategy::Balanced, 3, 30, 1_000, 2, 10, 2, 5, 60),
        (Strategy::Conservative, 5, 120, 2_000, 4, 30, 2, 8, 120),
        (Strategy::Critical, 7, 300, 1_500, 3, 60, 5, 10, 300),
    ] {
        let tuning = Tuning {
            attempts,
            max_delay: secs(max),
            multiplier: permille,
            exp_min: secs(min),
            exp_max: secs(exp_max),
            jitter: Some(secs(jitter)),
            failure_threshold: failures,
            recovery: secs(recovery),
            half_open_calls: 1,
        };
        assert_eq!(strategy.tuning(), tuning, "{strategy}");
        assert_eq!(Strategy::parse(strategy.as_str()), Some(strategy));
    }
    let default = Tuning { max_delay: secs(60), ..Strategy::Balanced.tuning() };
    assert_eq!(Tuning::default(), default);
}

#[test]
fn presets_have_the_numbers_of_the_source_and_not_those_of_their_strategy() {
    for (preset, attempts, max, permille, min, exp_max, failures, recovery) in [
        (Preset::Simple, 3, 60, 1_000, 2, 10, 5, 60),
        (Preset::Development, 2, 40, 500, 1, 5, 3, 30),
        (Preset::Production, 5, 100, 1_500, 2, 30, 10, 120),
    ] {
        let tuning = Tuning {
            attempts,
            max_delay: secs(max),
            multiplier: permille,
            exp_min: secs(min),
            exp_max: secs(exp_max),
            jitter: Some(secs(2)),
            failure_threshold: failures,
            recovery: secs(recovery),
            half_open_calls: 1,
        };
        assert_eq!(preset.tuning(), tuning, "{preset}");
        assert_eq!(Config::preset(preset).operation("other"), &tuning);
        assert_eq!(Preset::parse(preset.as_str()), Some(preset));
    }
}

#[test]
fn presets_override_by_operation() {
    use Strategy::{Aggressive, Balanced, Conservative, Critical};
    let none = [None; 5];
    let development = [None, Some(Aggressive), None, None, Some(Balanced)];
    let production =
        [Some(Conservative), Some(Aggressive), Some(Balanced), Some(Balanced), Some(Critical)];
    for (preset, strategies) in [
        (Preset::Simple, none),
        (Preset::Development, development),
        (Preset::Production, production),
    ] {
        let config = Config::preset(preset);
        for (operation, strategy) in OPERATIONS.into_iter().zip(strategies) {
            let tuning = strategy.map_or(preset.tuning(), Strategy::tuning);
            assert_eq!(config.operation(operation), &tuning, "{preset} {operation}");
        }
    }
}

#[test]
fn templates_are_suggested_by_their_score() {
    let suggest = |attempts, failures, strategy| {
        Template::suggest(Some(attempts), Some(failures), Some(strategy)).map(|it| it.name)
    };
    for template in Template::ALL {
        let same = suggest(template.attempts, template.failure_threshold, template.strategy);
        // Of `fast_development` and `low_latency`, which differ in the recovery only, the first.
        let wanted =
            if template.name == "low_latency" { "fast_development" } else { template.name };
        assert_eq!(same, Some(wanted));
    }
    assert_eq!(suggest(5, 10, Strategy::Conservative), Some("robust_production"));
    // Attempts within 2 are 1 and failures within 2 are 2: not enough.
    assert_eq!(Template::suggest(Some(5), Some(6), None), None);
    assert_eq!(
        Template::suggest(Some(4), Some(8), None).map(|it| it.name),
        Some("high_throughput")
    );
    assert_eq!(Template::suggest(None, None, Some(Strategy::Critical)), None);
}
