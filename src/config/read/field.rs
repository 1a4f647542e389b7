//! The value of one field, from a file or from a variable: its type, its range, and what would pass.

use std::time::Duration;

use crate::config::{
    field::{Field, Range, Value},
    number::{Number, number},
    problem::Kind,
    strategy::Tuning,
    tree::NodeKind,
};

/// Why a value cannot be that of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct Bad {
    pub(in crate::config) kind: Kind,
    pub(in crate::config) why: String,
    pub(in crate::config) help: String,
}

/// Words by which people ask for no bound.
const WITHOUT_BOUND: [&str; 8] =
    ["unlimited", "infinite", "infinity", "inf", "forever", "always", "none", "-1"];

/// Reads the value of a field.
pub(in crate::config) fn read_field(field: Field, value: &NodeKind) -> Result<Value, Bad> {
    match (field.range(), value) {
        (Range::Switch, NodeKind::Bool(on)) => Ok(Value::Switch(*on)),
        (Range::Switch, _) => {
            Err(bad(Kind::Type, "it is `true` or `false`", "`true` would do".to_owned()))
        }
        (_, NodeKind::Number(text)) => read_number(field, text),
        (_, NodeKind::Text(text)) if WITHOUT_BOUND.contains(&text.to_lowercase().trim()) => {
            Err(out_of_range(field, None, true))
        }
        (_, NodeKind::Text(text)) => {
            // A number in quotation marks, perhaps with a unit.
            let digits =
                text.trim().trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
            let would_do = match read_number(field, digits) {
                Ok(value) => value.to_string(),
                Err(_) => usual(field).to_string(),
            };
            Err(bad(
                Kind::Type,
                "it is a number, without quotation marks or a unit",
                format!("{would_do} would do"),
            ))
        }
        (_, NodeKind::Null) => Err(out_of_range(field, None, true)),
        _ => Err(bad(Kind::Type, "it is a number", format!("{} would do", usual(field)))),
    }
}

/// Reads the number of a field; `true` and `false` are none.
pub(in crate::config) fn read_number(field: Field, text: &str) -> Result<Value, Bad> {
    let (least, most) = match field.range() {
        Range::Counts(least, most) => (u64::from(least) * 1_000, u64::from(most) * 1_000),
        Range::Millis(least, most) | Range::Permille(least, most) => (least.into(), most.into()),
        Range::Switch => {
            return Err(bad(Kind::Type, "it is `true` or `false`", "`true` would do".to_owned()));
        }
    };
    let thousandths = match number(text) {
        Number::Thousandths(thousandths) => thousandths,
        Number::Negative => return Err(out_of_range(field, Some(least), true)),
        Number::Huge => return Err(out_of_range(field, Some(most), true)),
        Number::NotFinite => return Err(out_of_range(field, None, true)),
        Number::TooFine => {
            return Err(bad(
                Kind::Range,
                "it has thousandths at most",
                format!("{} would do", usual(field)),
            ));
        }
        Number::Other => {
            return Err(bad(Kind::Type, "it is a number", format!("{} would do", usual(field))));
        }
    };
    if !(least..=most).contains(&thousandths) {
        let nearest = if thousandths < least { least } else { most };
        return Err(out_of_range(
            field,
            Some(nearest),
            thousandths == 0 || thousandths >= most.saturating_mul(100),
        ));
    }
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    match field.range() {
        Range::Counts(..) if thousandths % 1_000 != 0 => {
            let whole = thousandths / 1_000;
            Err(bad(
                Kind::Type,
                "it is a whole number",
                format!("{} would do", whole.max(least / 1_000)),
            ))
        }
        Range::Counts(..) => Ok(Value::Count(small(thousandths / 1_000))),
        Range::Permille(..) => Ok(Value::Permille(small(thousandths))),
        _ => Ok(Value::Span(Duration::from_millis(thousandths))),
    }
}

/// What a field usually is.
fn usual(field: Field) -> Value {
    field.of(&Tuning::default())
}

fn bad(kind: Kind, why: &str, help: String) -> Bad {
    Bad { kind, why: why.to_owned(), help }
}

/// A value outside of its range; retries beyond any reason are called what they are.
fn out_of_range(field: Field, nearest: Option<u64>, beyond_reason: bool) -> Bad {
    let (kind, why) = match field {
        Field::RetryAttempts if beyond_reason => (
            Kind::Unbounded,
            format!(
                "retries without a bound keep a model down that is already failing: {}",
                range(field)
            ),
        ),
        _ => (Kind::Range, format!("{}: {}", reason(field), range(field))),
    };
    let would_do = match (nearest, field.range()) {
        // What is beyond reason was not meant as far as it goes.
        (Some(_), _) if beyond_reason && field == Field::RetryAttempts => usual(field).to_string(),
        (Some(nearest), Range::Counts(..)) => (nearest / 1_000).to_string(),
        (Some(nearest), _) => Value::Span(Duration::from_millis(nearest)).to_string(),
        (None, _) => usual(field).to_string(),
    };
    Bad { kind, why, help: format!("{would_do} would do") }
}

/// The range in words.
fn range(field: Field) -> String {
    let decimal = |millis: u32| Value::Permille(millis).to_string();
    match field.range() {
        Range::Counts(least, most) => format!("it is {least} to {most}"),
        Range::Millis(least, most) => {
            format!("it is {} to {} seconds", decimal(least), decimal(most))
        }
        Range::Permille(least, most) => format!("it is {} to {}", decimal(least), decimal(most)),
        Range::Switch => "it is `true` or `false`".to_owned(),
    }
}

/// Why the range is what it is.
const fn reason(field: Field) -> &'static str {
    match field {
        Field::RetryAttempts => "every attempt more is load on a model that is already failing",
        Field::CircuitBreakerThreshold => "a breaker must open, and not at every trifle",
        Field::RecoveryTimeout => "a model needs time to recover, and must be tried again some day",
        Field::HalfOpenMaxCalls => "a few calls show whether a model is back",
        Field::MaxDelaySeconds => "somebody waits for the answer",
        Field::ExponentialMultiplier => "pauses should grow from about a second",
        Field::ExponentialMin => "a retry at once hits the same trouble",
        Field::ExponentialMax => "pauses must be able to grow, and to end",
        Field::JitterEnabled => "it is a switch",
        Field::JitterMax => "callers must be spread, and not by more than the pause itself",
    }
}
