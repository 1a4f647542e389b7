//! One value of a sim's text on its way in: read leniently, with its place, judged later.
//!
//! A value with a wrong unit must not stop the parser: it becomes an error that is kept beside its
//! span, so that all of a sim's wrong values are reported at once.

use std::fmt;

use miette::SourceSpan;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::units::UnitError;

/// A value and where it is written.
#[derive(Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: SourceSpan,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = toml::Spanned::<T>::deserialize(deserializer)?;
        let span = spanned.span();
        Ok(At { value: spanned.into_inner(), span: (span.start, span.len()).into() })
    }
}

/// A value that can be read from a scalar.
pub(super) trait Value: Sized {
    /// Reads it, or says what is wrong with it.
    fn read(scalar: &Scalar) -> Result<Self, UnitError>;

    /// The name of its schema.
    #[cfg(feature = "cli")]
    const SCHEMA_NAME: &'static str;

    /// What a sim may write.
    #[cfg(feature = "cli")]
    fn schema() -> schemars::Schema;
}

/// A value, or what is wrong with it.
#[derive(Debug)]
pub(super) struct Read<T>(pub(super) Result<T, UnitError>);

/// What most keys hold.
pub(super) type Field<T> = At<Read<T>>;

impl<'de, T: Value> Deserialize<'de> for Read<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Scalar::deserialize(deserializer).map(|scalar| Read(T::read(&scalar)))
    }
}

/// Any TOML value, as far as a reader of scalars needs to know it.
#[derive(Debug)]
pub(super) enum Scalar {
    Text(String),
    Integer(i128),
    Float(f64),
    Bool(bool),
    Datetime(String),
    List,
    Table,
}

impl Scalar {
    /// What was found in place of what was expected.
    pub(super) fn found(&self) -> String {
        match self {
            Scalar::Text(text) => super::units::quoted(text),
            Scalar::Integer(number) => format!("the number {number}"),
            Scalar::Float(number) => {
                format!("the number {}", super::units::clip(&number.to_string()))
            }
            Scalar::Bool(value) => value.to_string(),
            Scalar::Datetime(_) => "a date".to_owned(),
            Scalar::List => "a list".to_owned(),
            Scalar::Table => "a table".to_owned(),
        }
    }

    /// The digits of a number, or the text of a string, so that one reader serves both.
    pub(super) fn digits(&self) -> Option<String> {
        match self {
            Scalar::Text(text) => Some(text.clone()),
            Scalar::Integer(number) => Some(number.to_string()),
            // The shortest decimal that reads back as the same number: what was written.
            Scalar::Float(number) if number.is_finite() => Some(number.to_string()),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
        Ok(Scalar::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
        Ok(Scalar::Integer(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Scalar, E> {
        Ok(Scalar::Integer(value))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Scalar, E> {
        Ok(Scalar::Integer(i128::try_from(value).unwrap_or(i128::MAX)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        let mut scalar = Scalar::Table;
        while let Some(key) = map.next_key::<String>()? {
            // How the toml crate hands over a date that stands without quotes.
            if key == "$__toml_private_datetime" {
                scalar = Scalar::Datetime(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(scalar)
    }
}

/// A scalar `T`, or a table `U` that says more.
#[derive(Debug)]
pub(super) enum ScalarOr<T, U> {
    Scalar(Read<T>),
    Table(U),
}

impl<'de, T: Value, U: Deserialize<'de>> Deserialize<'de> for ScalarOr<T, U> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarOrVisitor(std::marker::PhantomData))
    }
}

struct ScalarOrVisitor<T, U>(std::marker::PhantomData<(T, U)>);

impl<T: Value, U> ScalarOrVisitor<T, U> {
    fn read<E>(scalar: &Scalar) -> Result<ScalarOr<T, U>, E> {
        Ok(ScalarOr::Scalar(Read(T::read(scalar))))
    }
}

impl<'de, T: Value, U: Deserialize<'de>> Visitor<'de> for ScalarOrVisitor<T, U> {
    type Value = ScalarOr<T, U>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or a table")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Self::read(&Scalar::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Self::read(&Scalar::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Self::read(&Scalar::Integer(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Self::Value, E> {
        Self::read(&Scalar::Integer(value))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Self::Value, E> {
        Self::read(&Scalar::Integer(i128::try_from(value).unwrap_or(i128::MAX)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Self::read(&Scalar::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Self::read(&Scalar::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        Self::read(&ScalarVisitor.visit_seq(seq)?)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        U::deserialize(MapAccessDeserializer::new(map)).map(ScalarOr::Table)
    }
}
