//! Which of two layers counts; the rest by file.

mod apply;
mod env;
mod layers;
mod numbers;
mod properties;
mod refused;
mod rules;

use std::time::Duration;

use super::{
    Config, Field, Layer, Origin, Preset, RegisterError, Says, Statement, Strategy, Tuning, Value,
};

fn file(operation: Option<&str>, says: Says) -> Statement {
    let origin = Origin::File { name: "x.toml".into(), line: 1, key: "k".into() };
    Statement { operation: operation.map(Into::into), says, origin }
}

fn env(operation: Option<&str>, says: Says) -> Statement {
    let origin = Origin::Env { variable: "X".into(), key: None };
    Statement { operation: operation.map(Into::into), says, origin }
}

const ATTEMPTS_4: Says = Says::Field(Field::RetryAttempts, Value::Count(4));

#[test]
fn what_is_said_of_an_operation_beats_what_is_said_of_all_in_a_later_layer() {
    let config = Config::new([
        env(None, ATTEMPTS_4),
        file(Some("qa"), Says::Strategy(Strategy::Critical)),
        file(None, Says::Preset(Preset::Production)),
    ]);
    assert_eq!(config.operation("qa").attempts, 7);
    assert_eq!(config.operation("unheard").attempts, 4);
    assert_eq!(config.operation("summarize"), &Strategy::Conservative.tuning());
    let layers: Vec<Layer> =
        config.scope("qa").why(Field::RetryAttempts).map(|said| said.origin.layer()).collect();
    assert_eq!(
        layers,
        [Layer::Default, Layer::Preset, Layer::Env, Layer::Preset, Layer::File],
        "the last holds"
    );
}

#[test]
fn within_a_layer_single_values_come_after_the_strategy_and_a_later_layer_counts() {
    let critical = Says::Strategy(Strategy::Critical);
    let both = Config::new([file(None, ATTEMPTS_4), file(None, critical)]);
    assert_eq!(both.operation("x"), &Tuning { attempts: 4, ..Strategy::Critical.tuning() });
    let later = Config::new([env(None, critical), file(None, ATTEMPTS_4)]);
    assert_eq!(later.operation("x"), &Strategy::Critical.tuning());
}

#[test]
fn jitter_that_is_off_in_one_layer_keeps_its_length_for_another() {
    let off = Says::Field(Field::JitterEnabled, Value::Switch(false));
    let on = Says::Field(Field::JitterEnabled, Value::Switch(true));
    let long = Says::Field(Field::JitterMax, Value::Span(Duration::from_secs(7)));
    let jitter = |statements: Vec<Statement>| Config::new(statements).operation("x").jitter;
    assert_eq!(jitter(vec![file(None, off)]), None);
    assert_eq!(jitter(vec![file(None, off), file(None, long)]), None);
    let seven = Some(Duration::from_secs(7));
    assert_eq!(jitter(vec![file(None, off), file(None, long), env(None, on)]), seven);
}

#[test]
fn operations_are_registered_until_there_are_too_many() {
    let mut config = Config::preset(Preset::Simple);
    let change = Origin::Change { by: "ops".into(), number: 1 };
    for name in ["", "Qa", "a b", &"x".repeat(51)] {
        let refused = config.register(name, None, change.clone());
        assert_eq!(refused, Err(RegisterError::Name), "{name:?}");
    }
    for number in 0..super::OPERATIONS_MAX {
        let name = format!("op-{number}");
        assert_eq!(config.register(&name, Some(Strategy::Critical), change.clone()), Ok(()));
        assert_eq!(config.operation(&name).attempts, 7);
    }
    assert_eq!(config.register("more", None, change.clone()), Err(RegisterError::Full));
    assert_eq!(config.register("op-1", Some(Strategy::Aggressive), change), Ok(()));
    assert_eq!(config.operation("op-1").attempts, 2);
    assert_eq!(config.operation("more"), config.default_scope().tuning());
}
