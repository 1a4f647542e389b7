//! Cards of tasks: what each shows is what was told of its task, as soon as it was told.

use std::{collections::BTreeMap, rc::Rc};

use super::{DASHBOARD, QUEUE, Setting, Trouble, at, runner};
use crate::{check::watch::Built, stack::FlowEvent};

/// The cards of one task.
const STATUS: &str = "TaskCard";
const PROGRESS: &str = "ProgressIndicator";
const APPROVAL: &str = "ApprovalCard";

#[derive(Default)]
struct Task {
    /// What the page has shown of its progress, now or before it was loaded again: percent and status.
    marks: Vec<(u8, &'static str)>,
    /// What this page has shown last.
    now: Option<(u8, &'static str)>,
    /// How its approval ended, and when.
    end: Option<(&'static str, u64)>,
    /// What its cards on this page show.
    cards: BTreeMap<&'static str, &'static str>,
}

#[derive(Default)]
pub(super) struct Cards {
    tasks: BTreeMap<Rc<str>, Task>,
    /// The task that was told of last, and when: by the next instant its cards show it.
    last: Option<(Rc<str>, u64)>,
    told: Built,
}

/// What a card shows at a mark.
fn face(card: &str, (percent, status): (u8, &'static str)) -> &'static str {
    match (card, status, percent) {
        (STATUS, ..) | (_, "error", _) => status,
        (_, _, 0) => "0",
        (_, _, 1..100) => "50",
        _ => "100",
    }
}

impl Cards {
    pub(super) fn see(&mut self, now: u64, event: &FlowEvent, setting: &Setting) {
        self.settle(now);
        match event {
            FlowEvent::ProgressShown { task, percent, status } if setting.keeps(runner(task)) => {
                // Of one that was told of at the same instant, all is told by now.
                self.settle(u64::MAX);
                let mark = (*percent, *status);
                let it = self.tasks.entry(Rc::clone(task)).or_default();
                if !it.marks.contains(&mark) {
                    it.marks.push(mark);
                }
                it.now = Some(mark);
                self.last = Some((Rc::clone(task), now));
            }
            FlowEvent::ApprovalDecided { task, decision, .. } => self.ended(now, task, decision),
            FlowEvent::ApprovalExpired { task } => self.ended(now, task, "expired"),
            FlowEvent::WidgetChanged { widget, of, shows, .. } => {
                self.changed(now, widget, of, shows, setting);
            }
            _ => {}
        }
    }

    fn ended(&mut self, now: u64, task: &Rc<str>, end: &'static str) {
        let it = self.tasks.entry(Rc::clone(task)).or_default();
        it.end.get_or_insert((end, now));
    }

    fn changed(
        &mut self,
        now: u64,
        widget: &'static str,
        of: &Rc<str>,
        shows: &'static str,
        setting: &Setting,
    ) {
        let is_known = match widget {
            STATUS | PROGRESS => setting.keeps(runner(of)),
            APPROVAL => setting.keeps(QUEUE),
            _ => false,
        };
        if !is_known {
            return;
        }
        let it = self.tasks.entry(Rc::clone(of)).or_default();
        it.cards.insert(widget, shows);
        let is_true = match (widget, it.now) {
            // Nothing was heard of it yet, or what was heard may be on its way.
            (APPROVAL, _) if matches!(shows, "" | "pending") => true,
            (APPROVAL, _) => it.end.is_some_and(|(end, _)| end == shows),
            (_, Some(mark)) => face(widget, mark) == shows,
            // It was kept from before the page was loaded again.
            (_, None) => it.marks.iter().any(|mark| face(widget, *mark) == shows),
        };
        let wrong = || format!("{widget} of {of} shows {shows} at {}, which nobody told", at(now));
        self.told.evaluate((!is_true).then(wrong));
    }

    /// What was told at an instant is on the cards when it is over.
    fn settle(&mut self, now: u64) {
        let Some((task, then)) = self.last.take_if(|(_, then)| *then < now) else { return };
        let Some((it, mark)) = self.tasks.get(&task).and_then(|it| Some((it, it.now?))) else {
            return;
        };
        let is_old = |card: &&str| it.cards.get(*card).copied() != Some(face(card, mark));
        if let Some(card) = [STATUS, PROGRESS].into_iter().find(is_old) {
            let shows = it.cards.get(card).copied().unwrap_or("nothing");
            let wrong = face(card, mark);
            let at = at(then);
            let failure =
                format!("{card} of {task} shows {shows} after {at}, when {wrong} was told");
            self.told.evaluate(Some(failure));
        }
    }

    /// The dashboard crashed: the page is loaded anew.
    pub(super) fn reloaded(&mut self) {
        self.last = None;
        for it in self.tasks.values_mut() {
            it.now = None;
            it.cards.clear();
        }
    }

    /// The check as it stands.
    pub(super) fn built(&self) -> &Built {
        &self.told
    }

    pub(super) fn finish(mut self, trouble: &Trouble, setting: &Setting) -> Built {
        self.settle(u64::MAX);
        for (task, it) in &self.tasks {
            let waits = it.cards.get(APPROVAL) == Some(&"pending");
            let Some((end, since)) = it.end.filter(|_| waits && setting.keeps(QUEUE)) else {
                continue;
            };
            let seen = since.saturating_add(setting.looks_every);
            if trouble.is_due(seen, &[DASHBOARD, QUEUE]) {
                let since = at(since);
                let failure = format!("{APPROVAL} of {task} never showed {end}, since {since}");
                self.told.evaluate(Some(failure));
            }
        }
        self.told
    }
}
