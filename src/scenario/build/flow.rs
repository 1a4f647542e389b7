//! What goes on around the stack: runners, the queue of approvals, reviewers, the dashboard.

use std::collections::BTreeMap;
use std::time::Duration;

use miette::SourceSpan;

use super::Builder;
use super::stack::{AGENTS_MAX, uniform_ms};
use crate::policy::store;
use crate::scenario::field::{At, Field};
use crate::scenario::model::{Approvals, Dashboard, ReviewerGroup, RunnerGroup, Sim, Store};
use crate::scenario::raw::{RawApprovals, RawDashboard, RawReviewer, RawRunner, RawStore};
use crate::scenario::units::PPM;
use crate::scenario::values::ByteSize;
use crate::world::{Delay, Probability};

/// The most tasks of a runner: each is four or five files on its disk.
const TASKS_MAX: u32 = 10_000;
/// The largest store of a browser, in bytes: what is in it is held in memory.
const STORE_MAX: u64 = 100 << 20;

/// The tables, as written.
pub(super) struct RawFlows {
    pub(super) runners: Vec<RawRunner>,
    pub(super) approvals: Option<At<RawApprovals>>,
    pub(super) reviewers: Vec<RawReviewer>,
    pub(super) dashboard: Option<At<RawDashboard>>,
}

impl Builder {
    /// Fills them in. `seen` are the names that nodes have so far.
    pub(super) fn flows(
        &mut self,
        sim: &mut Sim,
        raw: RawFlows,
        seen: &mut BTreeMap<String, SourceSpan>,
    ) {
        let mut fixed = |builder: &mut Builder, name: &str, span| {
            let name = At { value: name.to_owned(), span };
            builder.node_name(&name, "node", seen);
        };
        sim.approvals = raw.approvals.map(|At { value, span }| {
            fixed(self, "approvals", span);
            Approvals {
                expires_after: self.positive(value.expires_after, Duration::from_secs(300)),
                durable: value.durable.unwrap_or(true),
            }
        });
        if let Some(At { value, span }) = raw.dashboard {
            fixed(self, "dashboard", span);
            if raw.runners.is_empty() {
                let help = "add a [[runner]], or remove the dashboard";
                self.error(span, "shows nothing", "there is no runner to follow", help);
            }
            sim.dashboard = Some(self.dashboard(value));
        }
        for raw in raw.runners {
            self.node_name(&raw.name, "runner", seen);
            let span = raw.name.span;
            if let Some(approval) = raw.approval.as_ref().filter(|it| it.value) {
                self.needs_approvals(sim, approval.span, "these tasks wait for");
            }
            let group = self.runner(raw);
            self.room_for(sim, group.count, span);
            sim.runners.push(group);
        }
        for raw in raw.reviewers {
            self.node_name(&raw.name, "reviewer", seen);
            let span = raw.name.span;
            self.needs_approvals(sim, span, "the reviewer looks into");
            let group = self.reviewer(raw);
            self.room_for(sim, group.count, span);
            sim.reviewers.push(group);
        }
    }

    fn needs_approvals(&mut self, sim: &Sim, span: SourceSpan, who: &str) {
        if sim.approvals.is_none() {
            let message = format!("there is no queue of approvals that {who}");
            self.error(span, "needs a queue", &message, "add an [approvals] table");
        }
    }

    fn runner(&mut self, raw: RawRunner) -> RunnerGroup {
        RunnerGroup {
            name: raw.name.value,
            count: self.whole_up_to(raw.count, 1, AGENTS_MAX as u32, "the count"),
            tasks: self.whole_up_to(raw.tasks, 1, TASKS_MAX, "tasks"),
            takes: self.delay(raw.takes, uniform_ms(1_000, 5_000)),
            pause: self.delay(raw.pause, Delay::Fixed(Duration::from_secs(1))),
            fails: self.read(raw.fails, Probability::NEVER),
            approval: raw.approval.is_some_and(|approval| approval.value),
            heartbeat: self.positive(raw.heartbeat, Duration::from_secs(5)),
            stream_lasts: self.positive(raw.stream_lasts, Duration::from_secs(60)),
        }
    }

    fn reviewer(&mut self, raw: RawReviewer) -> ReviewerGroup {
        ReviewerGroup {
            name: raw.name.value,
            count: self.whole_up_to(raw.count, 1, AGENTS_MAX as u32, "the count"),
            every: self.positive(raw.every, Duration::from_secs(1)),
            think: self.delay(raw.think, uniform_ms(2_000, 10_000)),
            approves: self.read(raw.approves, Probability::percent(90)),
        }
    }

    fn dashboard(&mut self, raw: RawDashboard) -> Dashboard {
        Dashboard {
            resume: raw.resume.unwrap_or(true),
            stale_after: self.positive(raw.stale_after, Duration::from_secs(12)),
            failures: self.whole_up_to(raw.failures, 3, 1_000, "failures"),
            poll: self.positive(raw.poll, Duration::from_secs(2)),
            save_every: self.positive(raw.save_every, Duration::from_secs(1)),
            store: self.store(raw.store.unwrap_or_default()),
        }
    }

    fn store(&mut self, raw: RawStore) -> Store {
        let quota = self.store_size(raw.quota, 5_000_000);
        let warn = u64::from(self.read(raw.warn, Probability::percent(80)).as_ppm());
        Store {
            limits: store::Settings {
                quota,
                warn: quota * warn / u64::from(PPM),
                cleanup: raw.cleanup.unwrap_or(true),
            },
            state: self.store_size(raw.state, 0),
            filled: self.store_size(raw.filled, 0),
        }
    }

    fn store_size(&mut self, raw: Option<Field<ByteSize>>, default: u64) -> u64 {
        let span = raw.as_ref().map(|raw| raw.span);
        let ByteSize(bytes) = self.read(raw, ByteSize(default));
        if let Some(span) = span.filter(|_| bytes > STORE_MAX) {
            let message = "the store of a browser has at most 100 MiB here";
            self.error(span, "too large", message, "write a smaller size");
            return default;
        }
        bytes
    }
}
