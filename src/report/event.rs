//! One event as one line of text.
//!
//! Columns keep their places from line to line; nothing here chooses which events are shown.

use std::time::Duration;

use serde_json::Value;

use crate::{
    scenario::duration_text,
    world::{Record, Time},
};

/// The width of the column of instants: `12345.123456789s`.
const TIME_WIDTH: usize = 16;
/// The width of the column of kinds.
const KIND_WIDTH: usize = 18;
/// The widest column of nodes.
pub const NODE_WIDTH_MAX: usize = 20;

/// An event in columns: when, where, what, and the details. No newline.
pub fn line(record: &Record, node_width: usize) -> String {
    let at = Time::from_nanos(record.at_ns).to_string();
    let details = if record.fields.contains_key("fault") {
        with_durations(&details(record))
    } else {
        details(record)
    };
    let line = format!(
        "{at:>TIME_WIDTH$}  {:<node_width$}  {:<KIND_WIDTH$}  {}",
        record.node, record.kind, details
    );
    line.trim_end().to_owned()
}

/// A fault as the plan has it, with its nanoseconds written as durations.
fn with_durations(fault: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in fault.split(' ') {
        let number = words.last().filter(|_| word == "ns").and_then(|it| it.parse::<i64>().ok());
        match number {
            Some(nanos) => {
                words.pop();
                let sign = if nanos < 0 { "-" } else { "" };
                let duration = duration_text(Duration::from_nanos(nanos.unsigned_abs()));
                words.push(format!("{sign}{duration}"));
            }
            None => words.push(word.to_owned()),
        }
    }
    words.join(" ")
}

/// The details of an event, in the order in which they are asked for.
pub fn details(record: &Record) -> String {
    let text = |name: &str| record.fields.get(name).and_then(Value::as_str);
    let mut parts = Vec::new();
    let mut said: &[&str] = &[];
    if let (Some(id), Some(label), Some(from), Some(to)) =
        (record.fields.get("message"), text("label"), text("from"), text("to"))
    {
        let answer = if text("carries") == Some("answer") { "answer to " } else { "" };
        parts.push(format!("#{id} {answer}{label} {from} → {to}"));
        said = &["message", "label", "from", "to", "carries"];
    } else if let Some(request) = text("request") {
        parts.push(request.to_owned());
        said = &["request", "agent"];
    } else if let Some(fault) = text("fault") {
        parts.push(fault.to_owned());
        said = &["fault"];
    }
    for (name, value) in &record.fields {
        if !said.contains(&name.as_str()) && !value.is_null() {
            parts.push(detail(name, value));
        }
    }
    parts.join(" ")
}

fn detail(name: &str, value: &Value) -> String {
    match (name.strip_suffix("_ns"), value) {
        (Some(name), Value::Number(nanos)) => match nanos.as_u64() {
            Some(nanos) => format!("{name}={}", duration_text(Duration::from_nanos(nanos))),
            None => format!("{name}={nanos}ns"),
        },
        (_, Value::String(text)) if !text.is_empty() && !text.contains([' ', '"', '\n']) => {
            format!("{name}={text}")
        }
        _ => format!("{name}={value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: &str, fields: Value) -> Record {
        let Value::Object(fields) = fields else { panic!("fields are a map") };
        Record {
            seq: 1,
            at_ns: 1_500_000,
            node: "opus".into(),
            cause: 0,
            kind: kind.into(),
            fields,
        }
    }

    #[test]
    fn a_message_reads_as_a_sentence() {
        let fields = serde_json::json!({"message": 7, "carries": "answer", "label": "Complete",
            "from": "opus", "to": "router", "verdict": "deliver", "delay_ns": 1_500_000});
        assert_eq!(
            line(&record("message_sent", fields), 6),
            "       0.001500s  opus    message_sent        #7 answer to Complete opus → router \
             delay=1ms500us verdict=deliver"
        );
    }

    #[test]
    fn a_fault_has_durations() {
        let fields = serde_json::json!({"fault": "clock router skew -594174000000 ns drift 3 ppm",
            "lasts_ns": 1_000_000_000});
        let line = line(&record("fault_planned", fields), 6);
        assert!(line.ends_with("clock router skew -9m54s174ms drift 3 ppm lasts=1s"), "{line}");
        assert_eq!(with_durations("a ns 5 ms"), "a ns 5 ms");
    }

    #[test]
    fn a_text_with_spaces_is_quoted() {
        let fields =
            serde_json::json!({"request": "rust-1/2", "reason": "all down", "status": null});
        assert_eq!(details(&record("request_failed", fields)), "rust-1/2 reason=\"all down\"");
    }
}
