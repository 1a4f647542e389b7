//! That equal configurations are found equal, and that a difference in any field is found.

use super::*;
use crate::config::{Field, Origin, Preset, Says, Statement, Strategy, Value};

fn say(operation: Option<&str>, says: Says) -> Statement {
    let origin = Origin::Sim { key: "k".into() };
    Statement { operation: operation.map(Into::into), says, origin }
}

#[test]
fn a_configuration_decides_as_itself() {
    for preset in Preset::ALL {
        let config = Config::preset(preset);
        let verified = verify(&config, &config, 20);
        assert_eq!(verified.difference, None);
        assert_eq!((verified.seeds, verified.operations), (20, preset.overrides().len() + 1));
        // The errors are such that everything happens that can.
        assert!(verified.retries > 100 && verified.rejected > 100, "{verified}");
        assert!(verified.to_string().starts_with("equal over 20 seeds"), "{verified}");
    }
}

#[test]
fn a_difference_in_any_field_is_found() {
    let second = Duration::from_secs(1);
    for preset in Preset::ALL {
        // So many attempts, so much time for them, and a breaker so patient, that pauses come to their
        // longest.
        let base = || {
            let time = Says::Field(Field::MaxDelaySeconds, Value::Span(600 * second));
            let count = |field, count| say(None, Says::Field(field, Value::Count(count)));
            let patient = count(Field::CircuitBreakerThreshold, 20);
            let attempts = count(Field::RetryAttempts, 8);
            vec![say(None, Says::Preset(preset)), attempts, patient, say(None, time)]
        };
        let plain = Config::new(base());
        let has = *plain.default_scope().tuning();
        for field in Field::ALL {
            let other = match field.of(&has) {
                Value::Count(count) => Value::Count(count + 1),
                // Pauses are rarely as long as the longest: it must be so short that they are.
                Value::Span(_) if field == Field::MaxDelaySeconds => Value::Span(second),
                Value::Span(span) => Value::Span(span + second),
                Value::Permille(permille) => Value::Permille(permille * 3),
                Value::Switch(on) => Value::Switch(!on),
            };
            let said = say(None, Says::Field(field, other));
            let changed = Config::new(base().into_iter().chain([said]));
            let verified = verify(&plain, &changed, 50);
            assert!(verified.difference.is_some(), "{preset} {field}: {verified}");
            assert!(verified.to_string().starts_with("different at seed "), "{verified}");
        }
    }
}

#[test]
fn the_operation_that_differs_is_named() {
    let plain = Config::preset(Preset::Simple);
    let changed = Config::new([
        say(None, Says::Preset(Preset::Simple)),
        say(Some("qa"), Says::Strategy(Strategy::Critical)),
    ]);
    let verified = verify(&plain, &changed, 5);
    let difference = verified.difference.expect("a difference");
    assert_eq!((difference.seed, difference.operation.as_str()), (1, "qa"));
    assert_ne!(difference.first, difference.second);
    // The same, whichever comes first.
    let again = verify(&changed, &plain, 5).difference.expect("a difference");
    assert_eq!((again.first, again.second), (difference.second, difference.first));
}
