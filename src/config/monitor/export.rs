//! What a monitor has kept, written down: as JSON, or as CSV for a table.

use std::fmt::Write;

use serde::Serialize;

use super::{MetricType, Monitor, Sample};
use crate::world::Time;

/// The version of the JSON.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    at_ms: u64,
    alerts: Vec<AlertDocument<'a>>,
    events: Vec<EventDocument<'a>>,
}

#[derive(Serialize)]
struct AlertDocument<'a> {
    alert: &'static str,
    of: &'a str,
    level: &'static str,
    value: u64,
    threshold: u64,
    since_ms: u64,
}

#[derive(Serialize)]
struct EventDocument<'a> {
    at_ms: u64,
    metric: &'static str,
    name: &'a str,
    value: u64,
    level: &'static str,
}

fn ms(time: Time) -> u64 {
    time.as_nanos() / 1_000_000
}

impl Monitor {
    /// All that is kept, by time; of one instant, by type.
    fn all(&self) -> Vec<&Sample> {
        let mut all: Vec<&Sample> =
            MetricType::ALL.into_iter().flat_map(|metric| self.samples(metric)).collect();
        all.sort_by_key(|sample| sample.at);
        all
    }

    /// All that is kept, and the alerts that are raised, as JSON.
    #[must_use]
    pub fn to_json(&self, now: Time) -> String {
        let alerts = self.alerts().map(|alert| AlertDocument {
            alert: alert.kind.as_str(),
            of: &alert.of,
            level: alert.level.as_str(),
            value: alert.value,
            threshold: alert.threshold,
            since_ms: ms(alert.since),
        });
        let events = self.all().into_iter().map(|sample| EventDocument {
            at_ms: ms(sample.at),
            metric: sample.metric.as_str(),
            name: &sample.name,
            value: sample.value,
            level: sample.level.as_str(),
        });
        let document = Document {
            version: VERSION,
            at_ms: ms(now),
            alerts: alerts.collect(),
            events: events.collect(),
        };
        // Only maps with keys that are no text fail, and there are none.
        serde_json::to_string(&document).unwrap_or_default()
    }

    /// All that is kept, as CSV (RFC 4180).
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut out = String::from("at_ms,metric,name,value,level\r\n");
        for sample in self.all() {
            let (at, metric, name) = (ms(sample.at), sample.metric.as_str(), cell(&sample.name));
            let (value, level) = (sample.value, sample.level.as_str());
            // Writing to a text cannot fail.
            let _ = write!(out, "{at},{metric},{name},{value},{level}\r\n");
        }
        out
    }
}

/// A name as a cell. What a spreadsheet would take for a formula begins with an apostrophe.
fn cell(name: &str) -> String {
    let guard = if name.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    match name.contains([',', '"', '\r', '\n']) {
        true => format!("\"{guard}{}\"", name.replace('"', "\"\"")),
        false => format!("{guard}{name}"),
    }
}
