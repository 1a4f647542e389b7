//! How each kind of scalar is read from what a sim writes, and the schema that says so.
//!
//! A reader accepts exactly what its schema allows, ranges that JSON Schema cannot express excepted.

use std::time::Duration;

use jiff::Timestamp;

use super::field::{Scalar, Value};
use super::model::{Connections, FieldValue, HealWorks};
use super::units::{
    self, UnitError, clip, parse_duration, parse_permille, parse_probability, parse_signed_duration,
};
use crate::world::Probability;

/// A schema from JSON, with the name under which others refer to it.
macro_rules! schema {
    ($name:literal, $($json:tt)+) => {
        #[cfg(feature = "cli")]
        const SCHEMA_NAME: &'static str = $name;

        #[cfg(feature = "cli")]
        fn schema() -> schemars::Schema {
            schemars::json_schema!($($json)+)
        }
    };
}

mod sidecar;

pub(super) use sidecar::{ByteSize, Switch};

fn wrong(expected: &str, found: &Scalar, help: &str) -> UnitError {
    UnitError::new(format!("expected {expected}, found {}", found.found()), help)
}

fn duration_of(scalar: &Scalar, example: &str) -> Result<String, UnitError> {
    match scalar {
        Scalar::Text(text) => Ok(text.clone()),
        Scalar::Integer(_) | Scalar::Float(_) => {
            let number = clip(&scalar.digits().unwrap_or_default());
            Err(UnitError::new(
                format!("a duration needs a unit, found {}", scalar.found()),
                format!("write \"{number}ms\", or another unit (ns, us, ms, s, m, h, d)"),
            ))
        }
        other => Err(wrong("a duration", other, &format!("write one as in {example}"))),
    }
}

impl Value for Duration {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        parse_duration(&duration_of(scalar, "\"250ms\"")?)
    }

    schema!("Duration", {
        "description": "A duration: \"250ms\", \"1.5s\", \"1h30m\" (ns, us, ms, s, m, h, d).",
        "type": "string",
        "pattern": r"^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?([0-9]+us)?([0-9]+(\.[0-9]{1,9})?(ns|us|ms|s|m|h|d))?$",
        "minLength": 2
    });
}

/// A duration with a sign, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct SignedNanos(pub(super) i64);

impl Value for SignedNanos {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        parse_signed_duration(&duration_of(scalar, "\"-30s\"")?).map(SignedNanos)
    }

    schema!("SignedDuration", {
        "description": "A duration ahead or, with a minus, behind: \"-30s\".",
        "type": "string",
        "pattern": "^[-+]?[0-9][0-9a-z.]*[a-z]$"
    });
}

const PROBABILITY_HELP: &str = "write a percentage, as in \"3%\", or a number from 0 to 1";

impl Value for Probability {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        match scalar {
            Scalar::Text(text) if !text.ends_with('%') && parse_probability(text).is_ok() => {
                Err(UnitError::new(
                    format!(
                        "a probability in quotes needs a percent sign, found {}",
                        scalar.found()
                    ),
                    PROBABILITY_HELP,
                ))
            }
            _ => match scalar.digits() {
                Some(text) => parse_probability(&text),
                None => Err(wrong("a probability", scalar, PROBABILITY_HELP)),
            },
        }
    }

    schema!("Probability", {
        "description": "A probability: \"3%\", or a number from 0 to 1; at most six decimals.",
        "oneOf": [
            { "type": "string", "pattern": r"^[0-9]+(\.[0-9]{1,4})?%$" },
            { "type": "number", "minimum": 0, "maximum": 1 }
        ]
    });
}

/// Arrivals in 1 000 seconds, at least 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct PerKilosecond(pub(super) u64);

const PER_SECOND_MAX: u64 = 1_000_000;

impl Value for PerKilosecond {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        let help = "write arrivals per second, as in 20 or \"0.5\"";
        match scalar.digits() {
            Some(text) if !text.ends_with('%') => {
                parse_permille(&text, PER_SECOND_MAX * 1000).map(PerKilosecond)
            }
            _ => Err(wrong("a rate", scalar, help)),
        }
    }

    schema!("Rate", {
        "description": "A rate per second, with up to three decimals: 20, \"0.5\".",
        "oneOf": [
            { "type": "string", "pattern": r"^[0-9]+(\.[0-9]{1,3})?$" },
            { "type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000 }
        ]
    });
}

/// The mean time between two of what comes so often in a minute.
#[derive(Clone, Copy, Debug)]
pub(super) struct PerMinute(pub(super) Duration);

/// Faults in a minute.
const PER_MINUTE_MAX: u64 = 1_000;

impl Value for PerMinute {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        let help = "write how many in a minute, as in 2 or \"0.5\"";
        match scalar.digits() {
            Some(text) if !text.ends_with('%') => {
                let permille = parse_permille(&text, PER_MINUTE_MAX * 1000)?;
                let nanos = 60_000_000_000_000_u64.checked_div(permille).unwrap_or(u64::MAX);
                Ok(PerMinute(Duration::from_nanos(nanos)))
            }
            _ => Err(wrong("a rate", scalar, help)),
        }
    }

    schema!("PerMinute", {
        "description": "A rate per minute, with up to three decimals: 2, \"0.5\".",
        "oneOf": [
            { "type": "string", "pattern": r"^[0-9]+(\.[0-9]{1,3})?$" },
            { "type": "number", "exclusiveMinimum": 0, "maximum": 1000 }
        ]
    });
}

/// The rate at the end of a stage, in arrivals per 1 000 seconds; may be 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct StageRate(pub(super) u64);

impl Value for StageRate {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        match scalar {
            Scalar::Integer(0) => Ok(StageRate(0)),
            _ => PerKilosecond::read(scalar).map(|rate| StageRate(rate.0)),
        }
    }

    schema!("StageRate", {
        "description": "A rate per second at the end of a stage: 0, 50, \"0.5\".",
        "oneOf": [
            { "type": "string", "pattern": r"^[0-9]+(\.[0-9]{1,3})?$" },
            { "type": "number", "minimum": 0, "maximum": 1_000_000 }
        ]
    });
}

/// By how many thousandths times are multiplied, at least 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScalePermille(pub(super) u64);

impl Value for ScalePermille {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        match scalar.digits() {
            Some(text) => parse_permille(&text, 1_000_000).map(ScalePermille),
            None => Err(wrong("a scale", scalar, "write a number or a percentage, as in 0.1")),
        }
    }

    schema!("Scale", {
        "description": "By what times are multiplied, with up to three decimals: 0.1, \"10%\".",
        "oneOf": [
            { "type": "string", "pattern": r"^[0-9]+(\.[0-9]{1,3})?%?$" },
            { "type": "number", "exclusiveMinimum": 0, "maximum": 1000 }
        ]
    });
}

/// A seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seed(pub(super) u64);

impl Value for Seed {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        let seed = match scalar {
            Scalar::Integer(number) => u64::try_from(*number).ok(),
            Scalar::Text(text) => match text.strip_prefix("0x") {
                Some(hex) if !hex.starts_with('+') => u64::from_str_radix(hex, 16).ok(),
                Some(_) => None,
                None if text.starts_with('+') => None,
                None => text.parse().ok(),
            },
            _ => None,
        };
        seed.map(Seed).ok_or_else(|| {
            wrong("a seed", scalar, "write an integer from 0 to 2^64 - 1, as in 42 or \"0x2a\"")
        })
    }

    schema!("Seed", {
        "description": "A seed from 0 to 2^64 - 1; large ones in quotes.",
        "oneOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": "^([0-9]{1,20}|0x[0-9a-fA-F]{1,16})$" }
        ]
    });
}

impl Value for Timestamp {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        let help = "write a UTC instant, as in \"2026-01-01T00:00:00Z\"";
        let (Scalar::Text(text) | Scalar::Datetime(text)) = scalar else {
            return Err(wrong("an instant", scalar, help));
        };
        let Ok(instant) = text.parse::<Timestamp>() else {
            return Err(UnitError::new(format!("{} is not an instant", units::quoted(text)), help));
        };
        // 1970 to 2199: quotas reset on calendar days, and no run may leave the calendar.
        if !(0..7_258_118_400).contains(&instant.as_second()) {
            return Err(UnitError::new(
                format!("{} is not between 1970 and 2199", units::quoted(text)),
                help,
            ));
        }
        Ok(instant)
    }

    schema!("Instant", {
        "description": "A UTC instant: \"2026-01-01T00:00:00Z\".",
        "type": "string",
        "format": "date-time"
    });
}

/// A positive integer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole(pub(super) u64);

impl Value for Whole {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        match scalar {
            // Up to 2^53, so that every reader of the JSON output has the same number.
            Scalar::Integer(number @ 1..=9_007_199_254_740_992) => Ok(Whole(*number as u64)),
            _ => Err(wrong("a positive integer", scalar, "write a whole number, 1 or more")),
        }
    }

    schema!("Whole", {
        "type": "integer",
        "minimum": 1,
        "maximum": 9_007_199_254_740_992_u64
    });
}

/// How often something is drawn, relative to others; 0 is never.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weight(pub(super) u32);

impl Value for Weight {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        match scalar {
            Scalar::Integer(number @ 0..=1_000_000) => Ok(Weight(*number as u32)),
            _ => Err(wrong("a weight", scalar, "write a whole number from 0 to 1000000")),
        }
    }

    schema!("Weight", { "type": "integer", "minimum": 0, "maximum": 1_000_000 });
}

/// Millionths of a dollar.
#[derive(Clone, Copy, Debug)]
pub(super) struct MicroDollars(pub(super) u64);

/// A million dollars.
const MICRO_DOLLARS_MAX: u64 = 1_000_000_000_000;

impl Value for MicroDollars {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        let micros = scalar.digits().and_then(|text| units::decimal(&text, 6).ok());
        match micros.and_then(|micros| u64::try_from(micros).ok()) {
            Some(micros) if micros <= MICRO_DOLLARS_MAX => Ok(MicroDollars(micros)),
            _ => {
                let help = "write dollars up to 1000000, with at most six decimals, as in 0.25";
                Err(wrong("a price", scalar, help))
            }
        }
    }

    schema!("Price", {
        "description": "Dollars, with up to six decimals: 15, 0.25, \"0.25\".",
        "oneOf": [
            { "type": "string", "pattern": r"^[0-9]+(\.[0-9]{1,6})?$" },
            { "type": "number", "minimum": 0, "maximum": 1_000_000 }
        ]
    });
}

/// A count of tokens; may be 0.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct TokenCount(pub(super) u32);

impl Value for TokenCount {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        match scalar {
            Scalar::Integer(number @ 0..=100_000_000) => Ok(TokenCount(*number as u32)),
            _ => Err(wrong(
                "a number of tokens",
                scalar,
                "write a whole number up to 100000000, or { uniform = [min, max] }",
            )),
        }
    }

    schema!("TokenCount", { "type": "integer", "minimum": 0, "maximum": 100_000_000 });
}

/// A bound before the metric's unit is known.
#[derive(Debug)]
pub(super) struct BoundValue(pub(super) Scalar);

impl Value for BoundValue {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        match scalar {
            Scalar::Integer(number) => Ok(BoundValue(Scalar::Integer(*number))),
            Scalar::Float(number) => Ok(BoundValue(Scalar::Float(*number))),
            Scalar::Text(text) => Ok(BoundValue(Scalar::Text(text.clone()))),
            _ => Err(wrong("a bound", scalar, "write a number, \"99%\" or \"250ms\"")),
        }
    }

    schema!("Bound", {
        "description": "A count, a ratio (0.99 or \"99%\") or a duration (\"250ms\").",
        "oneOf": [
            { "type": "number", "minimum": 0 },
            { "type": "string", "pattern": "^[0-9][0-9a-z.]*[a-z%]$" }
        ]
    });
}

impl Value for FieldValue {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        match scalar {
            Scalar::Text(text) => Ok(FieldValue::Text(text.clone())),
            Scalar::Bool(value) => Ok(FieldValue::Bool(*value)),
            Scalar::Integer(number) if i64::try_from(*number).is_ok() => {
                Ok(FieldValue::Integer(*number as i64))
            }
            _ => Err(wrong("the value of a field", scalar, "write a string, an integer or a bool")),
        }
    }

    schema!("FieldValue", { "type": ["string", "integer", "boolean"] });
}

impl Value for HealWorks {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        match scalar {
            Scalar::Bool(true) => Ok(HealWorks::Yes),
            Scalar::Bool(false) => Ok(HealWorks::No),
            Scalar::Text(text) if text == "error" => Ok(HealWorks::Error),
            _ => Err(wrong("true, false or \"error\"", scalar, "write one of the three")),
        }
    }

    schema!("HealWorks", { "enum": [true, false, "error"] });
}

impl Value for Connections {
    fn read(scalar: &Scalar) -> Result<Self, UnitError> {
        match scalar {
            Scalar::Bool(true) => Ok(Connections::All),
            Scalar::Integer(number @ 1..=1_000_000) => Ok(Connections::Some(*number as u32)),
            _ => Err(wrong("connections", scalar, "write true for all, or a number, 1 or more")),
        }
    }

    schema!("Connections", {
        "oneOf": [
            { "const": true },
            { "type": "integer", "minimum": 1, "maximum": 1_000_000 }
        ]
    });
}
