//! Approvals: each is decided once or expires, and the task waits until then.

use std::{collections::BTreeMap, rc::Rc};

use super::{QUEUE, Setting, Trouble, at, runner};
use crate::{check::watch::Built, stack::FlowEvent};

/// How much later than its time an approval may still be decided, in nanoseconds: what a clock may
/// run slow by, and a disk may take.
fn slack(expires_after: u64) -> u64 {
    5_000_000_000 + expires_after / 100
}

#[derive(Default)]
struct Approval {
    submitted: Option<u64>,
    /// `approved`, `rejected` or `expired`, and when.
    end: Option<(&'static str, u64)>,
    /// The task has said that it waits.
    waits: bool,
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
                self.of(task).waits = true;
            }
            FlowEvent::ProgressReported { task, status, .. } => {
                let Some(it) = self.approvals.get_mut(task).filter(|it| it.waits && !it.went_on)
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
        let until = it.submitted.map(|submitted| {
            submitted.saturating_add(setting.expires_after + slack(setting.expires_after))
        });
        let failure = match (before, until) {
            (Some((before, _)), _) => Some(format!("it had {before} already")),
            (None, None) => Some("nobody had submitted it".to_owned()),
            (None, Some(until)) if end != "expired" && now > until => {
                Some("it should have expired before".to_owned())
            }
            _ => None,
        };
        let failure = failure.map(|why| format!("{task} {end} at {}: {why}", at(now)));
        self.decided.evaluate(failure);
    }

    pub(super) fn finish(mut self, trouble: &Trouble, setting: &Setting) -> [Built; 2] {
        for (task, it) in &self.approvals {
            let node = runner(task);
            let Some((end, since)) = it.end.filter(|_| it.waits && !it.went_on) else { continue };
            if setting.keeps(node) && trouble.is_due(since, &[node, QUEUE]) {
                let failure = format!("{task} {end} at {}, and its task still waits", at(since));
                self.waits.evaluate(Some(failure));
            }
        }
        [self.decided, self.waits]
    }
}
