//! Progress: what is reported goes from 0 to 100 and ends, and is shown as it was reported.

use std::{collections::BTreeMap, rc::Rc};

use super::{DASHBOARD, Setting, Trouble, at, runner};
use crate::{check::watch::Built, stack::FlowEvent};

/// Percent and status.
type Mark = (u8, &'static str);

/// What may follow what.
const STEPS: [(Option<Mark>, &[Mark]); 5] = [
    (None, &[(0, "pending"), (0, "active")]),
    (Some((0, "pending")), &[(0, "active"), (0, "error")]),
    (Some((0, "active")), &[(50, "active"), (0, "error")]),
    (Some((50, "active")), &[(100, "active"), (50, "error")]),
    (Some((100, "active")), &[(100, "completed")]),
];

#[derive(Default)]
struct Task {
    reported: Vec<(Mark, u64)>,
    /// How many of them were shown.
    shown: usize,
    /// The page was loaded again: it may show again what it has shown.
    is_reloaded: bool,
}

#[derive(Default)]
pub(super) struct Progress {
    tasks: BTreeMap<Rc<str>, Task>,
    told: Built,
}

impl Progress {
    pub(super) fn see(&mut self, now: u64, event: &FlowEvent, setting: &Setting) {
        let (is_report, task, mark) = match event {
            FlowEvent::ProgressReported { task, percent, status } => {
                (true, task, (*percent, *status))
            }
            FlowEvent::ProgressShown { task, percent, status } => {
                (false, task, (*percent, *status))
            }
            _ => return,
        };
        if !setting.keeps(runner(task)) {
            return;
        }
        let it = self.tasks.entry(Rc::clone(task)).or_default();
        let failure = if is_report { it.report(now, mark) } else { it.show(mark) };
        let (percent, status) = mark;
        let told = failure
            .map(|failure| format!("{task} at {percent} % {status}, {}: {failure}", at(now)));
        self.told.evaluate(told);
    }

    /// The dashboard crashed.
    pub(super) fn reloaded(&mut self) {
        self.tasks.values_mut().for_each(|task| task.is_reloaded = true);
    }

    /// The check as it stands.
    pub(super) fn built(&self) -> &Built {
        &self.told
    }

    pub(super) fn finish(mut self, trouble: &Trouble, setting: &Setting) -> Built {
        for (task, it) in &self.tasks {
            let runner = runner(task);
            let missing = it.reported.get(it.shown).filter(|_| setting.has_dashboard);
            if let Some(((percent, status), since)) = missing
                && trouble.is_due(*since, &[runner, DASHBOARD])
            {
                let what = format!("{task} at {percent} % {status}, {}", at(*since));
                self.told.evaluate(Some(format!("{what}: it was never shown")));
            }
            let last = it.reported.last().map(|(mark, _)| *mark);
            let is_over = STEPS.iter().all(|(before, _)| *before != last);
            let since = it.reported.last().map_or(0, |(_, since)| *since);
            // One that waits does so for its approval, which is another check's.
            let works = setting.longest.filter(|_| last != Some((0, "pending")));
            let takes = |longest: u64| longest.saturating_add(longest / 100);
            let is_due = works
                .is_some_and(|longest| trouble.is_due_after(since, takes(longest), &[runner]))
                || (trouble.is_idle && !trouble.down.contains(runner));
            if is_due && !is_over {
                self.told.evaluate(Some(format!("{task} never came to an end")));
            }
        }
        self.told
    }
}

impl Task {
    fn report(&mut self, now: u64, mark: Mark) -> Option<&'static str> {
        let last = self.reported.last().map(|(mark, _)| *mark);
        let follows = STEPS.iter().find(|(before, _)| *before == last);
        let is_next = follows.is_some_and(|(_, marks)| marks.contains(&mark));
        self.reported.push((mark, now));
        (!is_next).then_some("this does not follow what was reported before")
    }

    fn show(&mut self, mark: Mark) -> Option<&'static str> {
        let place = |from: usize| {
            let mut rest = self.reported.iter().skip(from);
            rest.position(|(reported, _)| *reported == mark).map(|place| from + place)
        };
        // What was shown before the page was loaded again may come once more, from any place on.
        let from = if self.is_reloaded { 0 } else { self.shown };
        let found = place(from);
        self.is_reloaded = false;
        match found {
            Some(place) if place <= self.shown => {
                self.shown = place + 1;
                None
            }
            Some(_) => Some("something before it was not shown"),
            None => Some("it was not reported, or shown before"),
        }
    }
}
