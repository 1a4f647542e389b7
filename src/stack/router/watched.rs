//! The monitor of a router's configuration: what it is shown, and which events its word becomes.
//!
//! It is shown what happens and changes nothing: a router that is watched decides as one that is not.
//! What it has seen is gone with a crash, as the memory of a process is.

use std::{collections::BTreeMap, sync::Arc};

use super::{Router, job::Job};
use crate::{
    config::{
        Config,
        audit::{Change, DEFAULT, Outcome},
        monitor::{
            MetricType, Monitor,
            alert::{Alert, Notice},
        },
    },
    stack::ConfigEvent,
    world::Time,
};

/// Bytes of a token: the usual guess for English.
const TOKEN_BYTES: u64 = 4;
/// The most changes whose way into force is timed at once.
const ASKED_MAX: usize = 1_000;

/// The monitor, and what is on its way to it.
pub(super) struct Watched {
    monitor: Monitor,
    /// Since when a change waits to be in force, by its name.
    asked: BTreeMap<Arc<str>, Time>,
    /// Bytes that the requests in hand hold.
    held: u64,
}

impl Watched {
    pub(super) fn new(monitor: Monitor) -> Watched {
        Watched { monitor, asked: BTreeMap::new(), held: 0 }
    }
}

fn micros(from: Time, to: Time) -> u64 {
    to.as_nanos().saturating_sub(from.as_nanos()) / 1_000
}

fn preset(config: &Config) -> &'static str {
    config.chosen_preset().map_or("none", |(preset, _)| preset.as_str())
}

fn held_by(job: &Job) -> u64 {
    u64::from(job.prompt.input_tokens).saturating_mul(TOKEN_BYTES)
}

impl Router {
    /// The configuration was taken up, and so many entries of its trail were damaged.
    pub(super) fn watch_load(&mut self, config: &Config, damaged: u32) {
        let now = self.env.now();
        let mut all = vec![(MetricType::ConfigLoad, "start", 0)];
        all.extend((0..damaged).map(|_| (MetricType::ConfigError, "trail", 1)));
        all.push((MetricType::PresetUsage, preset(config), 1));
        all.into_iter().for_each(|(metric, name, value)| self.show(now, metric, name, value));
    }

    /// A change was asked for.
    pub(super) fn watch_asked(&mut self, change: &Change) {
        let now = self.env.now();
        if let Some(watched) = self.watched.as_mut().filter(|it| it.asked.len() < ASKED_MAX) {
            watched.asked.entry(Arc::clone(&change.id)).or_insert(now);
        }
    }

    /// It is settled; `before` was in force until now.
    pub(super) fn watch_settled(
        &mut self,
        change: &Change,
        outcome: Outcome,
        (before, after): (&Config, &Config),
    ) {
        let now = self.env.now();
        let Some(watched) = &mut self.watched else { return };
        let took = micros(watched.asked.remove(&change.id).unwrap_or(now), now);
        let is_applied = outcome == Outcome::Applied;
        let source = change.source();
        // What was turned away was never validated.
        if outcome != Outcome::RateLimited {
            self.show(now, MetricType::ValidationEvent, source, u64::from(is_applied));
        }
        if !is_applied {
            return self.show(now, MetricType::ConfigError, source, 1);
        }
        self.show(now, MetricType::ConfigLoad, source, took);
        self.show(now, MetricType::ConfigChange, source, 1);
        if preset(before) != preset(after) {
            self.show(now, MetricType::PresetUsage, preset(after), 1);
        }
    }

    /// A request is in hand from now on.
    pub(super) fn watch_begin(&mut self, job: &Job) {
        self.watch_held(|held| held.saturating_add(held_by(job)));
    }

    /// A request has ended.
    pub(super) fn watch_end(&mut self, job: &Job) {
        self.watch_held(|held| held.saturating_sub(held_by(job)));
        let now = self.env.now();
        let operation = job.rules.operation.as_deref().unwrap_or(DEFAULT);
        self.show(now, MetricType::PerformanceEvent, operation, micros(job.started, now));
    }

    fn watch_held(&mut self, change: impl FnOnce(u64) -> u64) {
        let now = self.env.now();
        let Some(watched) = &mut self.watched else { return };
        watched.held = change(watched.held);
        let notice = watched.monitor.memory(now, watched.held);
        self.tell_notices(now, notice);
    }

    fn show(&mut self, now: Time, metric: MetricType, name: &str, value: u64) {
        let Some(watched) = &mut self.watched else { return };
        let notices = watched.monitor.record(now, metric, name, value);
        self.tell_notices(now, notices);
    }

    fn tell_notices(&self, now: Time, notices: impl IntoIterator<Item = Notice>) {
        for notice in notices {
            self.tell(match notice {
                Notice::Raised(Alert { kind, of, level, value, threshold, .. }) => {
                    ConfigEvent::AlertRaised {
                        what: kind.as_str(),
                        operation: (*of).into(),
                        level: level.as_str(),
                        value,
                        threshold,
                    }
                }
                Notice::Cleared(Alert { kind, of, since, .. }) => ConfigEvent::AlertCleared {
                    what: kind.as_str(),
                    operation: (*of).into(),
                    lasted_ms: micros(since, now) / 1_000,
                },
            });
        }
    }

    /// Tells what was seen, to whoever reads the trail.
    pub(super) fn tell_usage(&mut self) {
        let now = self.env.now();
        let Some(watched) = &mut self.watched else { return };
        let alerts = watched.monitor.alerts().count() as u64;
        let usage = watched.monitor.usage(now).clone();
        self.tell(ConfigEvent::UsageTold {
            loads: usage.loads.count,
            load_p95_us: usage.loads.p95_us,
            errors: usage.errors,
            errors_permille: usage.errors_permille,
            changes: usage.changes,
            changes_last_hour: usage.changes_last_hour,
            trend: usage.changes_trend.as_str(),
            validations: usage.validations,
            validation_failures: usage.validation_failures,
            preset: usage.usual_preset().unwrap_or("none").into(),
            alerts,
        });
        for (operation, took) in usage.operations {
            self.tell(ConfigEvent::OperationTold {
                operation: (*operation).into(),
                responses: took.count,
                median_us: took.median_us,
                p95_us: took.p95_us,
            });
        }
    }
}
