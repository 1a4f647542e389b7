//! What stands behind the `?` of a path, and percent-encoding.

use std::fmt;

use serde_json::Value;

use super::{Code, EventType, EventView, Fault};

/// At most so many conditions in a filter.
const MAX_CONDITIONS: usize = 16;
/// The longest value of a condition, in bytes.
const MAX_VALUE: usize = 256;

/// Undoes percent-encoding, once: what is encoded twice keeps a `%`. None if an escape is broken
/// or the text is not UTF-8.
pub(super) fn decode(text: &str, plus_is_space: bool) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex(bytes.next()?)? * 16 + hex(bytes.next()?)?,
            b'+' if plus_is_space => b' ',
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// The parameters of a query. Those that a route does not know are ignored.
pub(super) struct Query {
    code: Code,
    parameters: Vec<(String, String)>,
}

impl Query {
    /// Reads `a=b&c=d`.
    pub(super) fn read(text: &str, code: Code) -> Result<Query, Fault> {
        let parameter = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name, true)?, decode(value, true)?))
        };
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let parameters = pairs.map(parameter).collect::<Option<Vec<_>>>();
        let broken = || Fault::field(code, "query", "is not percent-encoded UTF-8");
        Ok(Query { code, parameters: parameters.ok_or_else(broken)? })
    }

    /// What `parse` makes of the parameter of this name, if it is there.
    pub(super) fn get<T, E: fmt::Display>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Fault> {
        let fault =
            |reason: &dyn fmt::Display| Fault::field(self.code, format!("query.{name}"), reason);
        let mut values = self.parameters.iter().filter(|(known, _)| known == name);
        let Some((_, value)) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(fault(&"is there twice"));
        }
        parse(value).map(Some).map_err(|error| fault(&error))
    }

    /// A whole number from `least` to `most`.
    pub(super) fn number(&self, name: &str, least: u64, most: u64) -> Result<Option<u64>, Fault> {
        self.get(name, |text| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = if digits { text.parse::<u64>().ok() } else { None };
            number
                .filter(|number| (least..=most).contains(number))
                .ok_or_else(|| format!("must be a whole number from {least} to {most}"))
        })
    }
}

/// Fields of an event that must all have these values, `field:value,field:value`. Without any, every
/// event matches.
///
/// A field is one of the event (`event_type`, `publisher`, `topic`, `correlation_id`), or else of
/// its `data`, with dots between the levels (`data.` in front may be left out). Values are compared
/// as text; a field that is not there, or is a list or an object, matches nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter(Vec<(String, String)>);

impl Filter {
    /// Reads one. A field is a name or names with dots between; a value is what follows the first
    /// colon, and has no comma.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Filter, String> {
        let conditions = text.split(',').map(condition).collect::<Result<Vec<_>, _>>()?;
        if conditions.len() > MAX_CONDITIONS {
            return Err(format!("has more than {MAX_CONDITIONS} conditions"));
        }
        Ok(Filter(conditions))
    }

    /// Only events of this type.
    #[must_use]
    pub fn of_type(mut self, event_type: &EventType) -> Filter {
        self.0.push(("event_type".to_owned(), event_type.as_str().to_owned()));
        self
    }

    /// Is it such an event?
    pub fn matches(&self, event: &EventView) -> bool {
        self.0.iter().all(|(field, value)| match field.as_str() {
            "event_type" => event.event_type.as_str() == value,
            "publisher" => event.publisher.as_str() == value,
            "topic" => event.topic.is_some_and(|topic| topic.as_str() == value),
            "correlation_id" => {
                event.correlation_id.as_ref().is_some_and(|it| it.as_str() == value)
            }
            field => {
                let path = field.strip_prefix("data.").unwrap_or(field);
                let found = path.split('.').try_fold(&event.data, |data, key| data.get(key));
                match found {
                    Some(Value::String(text)) => text == value,
                    Some(Value::Number(number)) => number.to_string() == *value,
                    Some(Value::Bool(it)) => it.to_string() == *value,
                    _ => false,
                }
            }
        })
    }

    /// Fields and the values they must have.
    pub fn conditions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(field, value)| (field.as_str(), value.as_str()))
    }
}

fn condition(text: &str) -> Result<(String, String), String> {
    let (field, value) = text.split_once(':').ok_or("must be `field:value,field:value`")?;
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let name = |name: &str| !name.is_empty() && name.bytes().all(letter);
    if !field.split('.').all(name) {
        return Err("has a field that is no name".to_owned());
    }
    if value.is_empty() || value.len() > MAX_VALUE || value.chars().any(char::is_control) {
        return Err(format!(
            "has a value that is empty, longer than {MAX_VALUE} bytes or not printable"
        ));
    }
    Ok((field.to_owned(), value.to_owned()))
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (field, value)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{field}:{value}")?;
        }
        Ok(())
    }
}
