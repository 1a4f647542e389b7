//! Reading a configuration or a step: what nobody reads is an error.

use std::time::Duration;

use serde_json::{Map, Value};

use super::Unsupported;

/// The fields of a table in a case. Each is taken out by whoever understands it; what is left at
/// the end was not understood.
#[derive(Clone)]
pub(super) struct Fields {
    place: String,
    left: Map<String, Value>,
}

impl Fields {
    pub(super) fn new(place: impl Into<String>, fields: Map<String, Value>) -> Fields {
        Fields { place: place.into(), left: fields }
    }

    /// A value of any type. `null` is as good as absent.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.left.remove(name).filter(|value| !value.is_null())
    }

    /// Reads a name as another one, unless that is there as well.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        if !self.left.contains_key(to)
            && let Some(value) = self.left.remove(from)
        {
            self.put(to, value);
        }
    }

    /// Adds a value.
    pub(super) fn put(&mut self, name: &str, value: Value) {
        self.left.insert(name.to_owned(), value);
    }

    /// A value that is not read yet.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.left.get(name)
    }

    /// A list of what a builder was given, put under the names of its parts; at most that many.
    pub(super) fn spread(&mut self, name: &str, parts: &[&str]) {
        let Some(Value::Array(values)) = self.left.get(name) else { return };
        if values.len() <= parts.len() {
            let values = values.clone();
            self.left.remove(name);
            self.left.extend(parts.iter().map(|part| (*part).to_owned()).zip(values));
        }
    }

    /// Whether a value is there, even `null`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.left.contains_key(name)
    }

    /// The first of these names that has a value, each of which means the same.
    pub(super) fn any<T>(
        &mut self,
        names: &[&str],
        read: impl Fn(&mut Fields, &str) -> Result<Option<T>, Unsupported>,
    ) -> Result<Option<T>, Unsupported> {
        for name in names {
            if let Some(value) = read(self, name)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn typed<T>(
        &mut self,
        name: &str,
        what: &str,
        convert: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, Unsupported> {
        let Some(value) = self.take(name) else { return Ok(None) };
        convert(&value).map(Some).ok_or_else(|| {
            Unsupported(format!("{name:?} of {} is {value}, not {what}", self.place))
        })
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Unsupported> {
        self.typed(name, "a text", |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn whole(&mut self, name: &str) -> Result<Option<u64>, Unsupported> {
        self.typed(name, "a whole number", Value::as_u64)
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<f64>, Unsupported> {
        self.typed(name, "a number", Value::as_f64)
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, Unsupported> {
        self.typed(name, "true or false", Value::as_bool)
    }

    /// A duration under `<name>_ns`, `<name>_us`, `<name>_ms`, `<name>_s` or `<name>_min`.
    pub(super) fn duration(&mut self, name: &str) -> Result<Option<Duration>, Unsupported> {
        let units = [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)];
        for (unit, nanos) in units.into_iter().chain([("min", 60_000_000_000_u64)]) {
            let convert = |value: &Value| in_nanos(value, nanos);
            let name = format!("{name}_{unit}");
            if let Some(duration) = self.typed(&name, "a duration", convert)? {
                return Ok(Some(duration));
            }
        }
        Ok(None)
    }

    /// Fails if anything is left.
    pub(super) fn finish(self) -> Result<(), Unsupported> {
        match self.left.iter().find(|(_, value)| !value.is_null()) {
            None => Ok(()),
            Some((name, _)) => {
                Err(Unsupported(format!("nobody understands {name:?} of {}", self.place)))
            }
        }
    }
}

/// A number of units as a duration, exact for whole numbers.
fn in_nanos(value: &Value, nanos: u64) -> Option<Duration> {
    if let Some(units) = value.as_u64() {
        return units.checked_mul(nanos).map(Duration::from_nanos);
    }
    let seconds = value.as_f64()? * nanos as f64 / 1e9;
    Duration::try_from_secs_f64(seconds).ok()
}
