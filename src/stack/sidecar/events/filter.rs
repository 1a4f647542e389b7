//! Which events a reader wants.

use std::str::FromStr;

use serde_json::Value;

use super::Event;

/// Fields that must all have these values. Without any, every event matches.
///
/// A field is one of the event (`event_type`, `publisher`, `topic`, `correlation_id`), or else of
/// its `data`, with dots between the levels (`data.` in front may be left out). Values are compared
/// as text; a field that is not there, or is a list or an object, matches nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter(Vec<(String, String)>);

/// Text that is no filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a filter is `field:value,field:value`, with at most 16 fields")]
pub struct BadFilter;

/// More fields than that nobody needs.
const MOST_FIELDS: usize = 16;

impl FromStr for Filter {
    type Err = BadFilter;

    /// Reads `field:value,field:value`. A value may have colons, but no comma.
    fn from_str(text: &str) -> Result<Filter, BadFilter> {
        if text.is_empty() {
            return Ok(Filter::default());
        }
        let mut fields = Vec::new();
        for part in text.split(',') {
            match part.split_once(':') {
                Some((field, value)) if !field.is_empty() && !value.is_empty() => {
                    fields.push((field.to_owned(), value.to_owned()));
                }
                _ => return Err(BadFilter),
            }
        }
        if fields.len() > MOST_FIELDS { Err(BadFilter) } else { Ok(Filter(fields)) }
    }
}

impl Filter {
    /// Also this field must have this value.
    #[must_use]
    pub fn and(mut self, field: &str, value: &str) -> Filter {
        self.0.push((field.to_owned(), value.to_owned()));
        self
    }

    /// Is it such an event?
    pub fn matches(&self, event: &Event) -> bool {
        self.0.iter().all(|(field, value)| match field.as_str() {
            "event_type" => event.event_type == *value,
            "publisher" => event.publisher == *value,
            "topic" => event.topic.as_str() == value,
            "correlation_id" => event.correlation_id.as_ref() == Some(value),
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
}
