//! Bodies: read no further than allowed, then field by field.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{AgentType, Code, Fault, Headers, Limits, route::UNKNOWN_AGENT_TYPE};

/// A body while it is read.
#[derive(Clone, Debug, Default)]
pub struct Body(Vec<u8>);

impl Body {
    /// Nothing yet.
    pub const fn new() -> Body {
        Body(Vec::new())
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// `413` if there are more in all than allowed; then none of them are kept.
    pub fn push(&mut self, bytes: &[u8], code: Code, limits: &Limits) -> Result<(), Fault> {
        if self.0.len().saturating_add(bytes.len()) > limits.body {
            self.0 = Vec::new();
            return Err(Fault::too_large(code, limits.body));
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    /// All that was read.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Looks at the sizes of a body, said and true, before anything reads it.
///
/// One that is shorter than its `Content-Length` says was cut off on the way.
pub(super) fn check_size(
    headers: &Headers,
    body: &[u8],
    code: Code,
    limits: &Limits,
) -> Result<(), Fault> {
    if body.len() > limits.body {
        return Err(Fault::too_large(code, limits.body));
    }
    for said in headers.all("Content-Length") {
        let digits = !said.is_empty() && said.bytes().all(|byte| byte.is_ascii_digit());
        let fault = |reason| Fault::field(code, "header.Content-Length", reason);
        if !digits {
            return Err(fault("is not a number"));
        }
        // What does not fit into the number is too large in any case.
        let said = said.parse::<usize>().unwrap_or(usize::MAX);
        if said > limits.body {
            return Err(Fault::too_large(code, limits.body));
        }
        if said != body.len() {
            return Err(fault("is not the length of the body"));
        }
    }
    Ok(())
}

/// The fields of a JSON object.
pub(super) struct Fields {
    code: Code,
    fields: Map<String, Value>,
}

impl Fields {
    /// Reads a body. How deep it may nest is `serde_json`'s limit, 128.
    pub(super) fn read(body: &[u8], code: Code) -> Result<Fields, Fault> {
        let fault = |reason: &dyn fmt::Display| Fault::field(code, "body", reason);
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Fields { code, fields }),
            Ok(_) => Err(fault(&"must be a JSON object")),
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                Err(fault(&format_args!("is not JSON from line {line}, column {column} on")))
            }
        }
    }

    /// That this field is at fault.
    pub(super) fn fault(&self, name: &str, reason: impl fmt::Display) -> Fault {
        Fault::field(self.code, format!("body.{name}"), reason)
    }

    /// A field; `null` is as good as none.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.fields.remove(name).filter(|value| !value.is_null())
    }

    /// A field that must be there.
    pub(super) fn required<T>(&self, name: &str, value: Option<T>) -> Result<T, Fault> {
        value.ok_or_else(|| self.fault(name, "is missing"))
    }

    /// A text, through `parse`.
    pub(super) fn text<T, E: fmt::Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => {
                parse(&text).map(Some).map_err(|error| self.fault(name, error))
            }
            Some(_) => Err(self.fault(name, "must be a string")),
        }
    }

    /// An instant, `2026-01-02T03:04:05Z`.
    pub(super) fn instant(&mut self, name: &str) -> Result<Option<Timestamp>, Fault> {
        self.text(name, instant)
    }

    /// A type of agent.
    pub(super) fn agent_type(&mut self, name: &str) -> Result<Option<AgentType>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match value.as_str().and_then(AgentType::from_word) {
                Some(agent) => Ok(Some(agent)),
                None => Err(Fault { code: Code::Agent, ..self.fault(name, UNKNOWN_AGENT_TYPE) }),
            },
        }
    }

    /// An object.
    pub(super) fn object(&mut self, name: &str) -> Result<Option<Map<String, Value>>, Fault> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(_) => Err(self.fault(name, "must be an object")),
        }
    }

    /// A whole number from `least` to `most`.
    pub(super) fn number(
        &mut self,
        name: &str,
        least: u32,
        most: u32,
    ) -> Result<Option<u32>, Fault> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| (least..=most).contains(number));
        let reason = || format!("must be a whole number from {least} to {most}");
        number.map(Some).ok_or_else(|| self.fault(name, reason()))
    }

    /// Texts, at most `most`, each through `parse`.
    pub(super) fn texts<T, E: fmt::Display>(
        &mut self,
        name: &str,
        most: usize,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<T>, Fault> {
        let values = match self.take(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(values)) => values,
            Some(_) => return Err(self.fault(name, "must be an array of strings")),
        };
        if values.len() > most {
            return Err(self.fault(name, format_args!("has more than {most} entries")));
        }
        let one = |(place, value): (usize, &Value)| {
            let name = format!("{name}[{place}]");
            let text = value.as_str().ok_or_else(|| self.fault(&name, "must be a string"))?;
            parse(text).map_err(|error| self.fault(&name, error))
        };
        values.iter().enumerate().map(one).collect()
    }
}

/// Reads an instant of RFC 3339.
pub(super) fn instant(text: &str) -> Result<Timestamp, &'static str> {
    text.parse().map_err(|_| "must be an instant such as 2026-01-02T03:04:05Z")
}

/// Refuses a body where the route has none, so that nobody believes it was read.
pub(super) fn none_expected(body: &[u8], code: Code) -> Result<(), Fault> {
    if body.is_empty() {
        return Ok(());
    }
    Err(Fault::field(code, "body", "must be empty"))
}
