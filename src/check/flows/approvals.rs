//! Approvals: each is decided once or expires, and the task waits until then.

use std::{collections::BTreeMap, rc::Rc};

use super::{QUEUE, Setting, Trouble, at, runner};
use crate::{check::watch::Built, stack::FlowEvent};

/// How much later than its time an approval may still be decided, or sooner may expire, in
/// nanoseconds: what a clock may run slow or fast by, and a disk may take.
fn slack(expires_after: u64) -> u64 {
    5_000_000_000 + expires_after / 100
}

#[derive(Default)]
struct Approval {
    submitted: Option<u64>,
    /// `approved`, `rejected` or `expired`, and when.
    end: Option<(&'static str, u64)>,
    /// When the task has said that it waits.
    waits: Option<u64>,
    /// It no longer does.
    went_on: bool,
}

#[derive(Default)]
pub(super) struct Approvals {
    approvals: BTreeMap<Rc<str>, Approval>,
    decided: Built,
    waits: Built,
}

impl Approvals {
    pub(super) fn see(&mut self, now: u64, event: &FlowEvent, setting: &Setting) {
        if !setting.keeps(QUEUE) {
            return;
        }
        match event {
            FlowEvent::ApprovalSubmitted { task } => {
                let again = self.of(task).submitted.replace(now).is_some();
                let again = again.then(|| format!("{task} was submitted again at {}", at(now)));
                self.decided.evaluate(again);
            }
            FlowEvent::ApprovalDecided { task, decision, .. } => {
                self.end(now, task, decision, setting);
            }
            FlowEvent::ApprovalExpired { task } => self.end(now, task, "expired", setting),
            FlowEvent::ProgressReported { task, status: "pending", .. } => {
                self.of(task).waits.get_or_insert(now);
            }
            FlowEvent::ProgressReported { task, status, .. } => {
                let Some(it) =
                    self.approvals.get_mut(task).filter(|it| it.waits.is_some() && !it.went_on)
                else {
                    return;
                };
                it.went_on = true;
                let is_right = match it.end {
                    Some(("approved", _)) => *status == "active",
                    Some(_) => *status == "error",
                    None => false,
                };
                let end = it.end.map_or("not decided", |(end, _)| end);
                let wrong = || format!("{task} is {status} at {}, and {end}", at(now));
                self.waits.evaluate((!is_right).then(wrong));
            }
            _ => {}
        }
    }

    fn of(&mut self, task: &Rc<str>) -> &mut Approval {
        self.approvals.entry(Rc::clone(task)).or_default()
    }

    fn end(&mut self, now: u64, task: &Rc<str>, end: &'static str, setting: &Setting) {
        let it = self.approvals.entry(Rc::clone(task)).or_default();
        let before = it.end.replace((end, now));
        let (expires_after, slack) = (setting.expires_after, slack(setting.expires_after));
        let until = it.submitted.map(|submitted| submitted.saturating_add(expires_after));
        let failure = match (before, until) {
            (Some((before, _)), _) => Some(format!("it had {before} already")),
            (None, None) => Some("nobody had submitted it".to_owned()),
            (None, Some(until)) if end != "expired" && now > until.saturating_add(slack) => {
                Some("it should have expired before".to_owned())
            }
            (None, Some(until)) if end == "expired" && now < until.saturating_sub(slack) => {
                Some(format!("it could be decided until {}", at(until)))
            }
            _ => None,
        };
        let failure = failure.map(|why| format!("{task} {end} at {}: {why}", at(now)));
        self.decided.evaluate(failure);
    }

    /// The checks on decisions, and on who waits for them, as they stand.
    pub(super) fn built(&self) -> [&Built; 2] {
        [&self.decided, &self.waits]
    }

    pub(super) fn finish(mut self, trouble: &Trouble, setting: &Setting) -> [Built; 2] {
        let lasts = setting.expires_after.saturating_add(slack(setting.expires_after));
        for (task, it) in &self.approvals {
            let node = runner(task);
            if let (Some(submitted), None) = (it.submitted, it.end)
                && trouble.is_due(submitted.saturating_add(lasts), &[QUEUE])
            {
                let submitted = at(submitted);
                let failure =
                    format!("{task}, submitted at {submitted}, was neither decided nor expired");
                self.decided.evaluate(Some(failure));
            }
            let Some(waits) = it.waits.filter(|_| !it.went_on && setting.keeps(node)) else {
                continue;
            };
            let (since, what) = match (it.end, it.submitted) {
                (Some((end, since)), _) => (since, format!("{end} at {}", at(since))),
                (None, None) => (waits, "never submitted".to_owned()),
                (None, Some(_)) => continue,
            };
            if trouble.is_due(since, &[node, QUEUE]) {
                self.waits.evaluate(Some(format!("{task} {what}, and its task still waits")));
            }
        }
        [self.decided, self.waits]
    }
}
