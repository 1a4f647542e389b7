//! The store of the dashboard: what it asks to keep is kept, within the quota, and read again.

use super::{DASHBOARD, Setting, Trouble, at};
use crate::{check::watch::Built, stack::FlowEvent};

/// How long it may take until a state is kept, in nanoseconds: 10 s, many times what a disk takes.
const PATIENCE: u64 = 10_000_000_000;

#[derive(Default)]
pub(super) struct Store {
    /// The newest state that is kept.
    saved: u64,
    /// The state that the dashboard wants to keep, and since when, or since it could
    /// not be kept.
    asked: Option<(u64, u64)>,
    newest: Built,
}

impl Store {
    pub(super) fn see(&mut self, now: u64, event: &FlowEvent, setting: &Setting) {
        match event {
            FlowEvent::SaveAsked { version, .. } => {
                self.overdue(now);
                let since = self.asked.filter(|(asked, _)| asked == version);
                self.asked = Some((*version, since.map_or(now, |(_, since)| since)));
            }
            FlowEvent::StoreSaved { version, used, quota, .. } => {
                self.asked = self.asked.filter(|(asked, _)| asked > version);
                let most = setting.store;
                let failure = if *used > most {
                    Some(format!("{used} bytes of {most} are in use at {}", at(now)))
                } else if *quota != most {
                    Some(format!("the store is said to hold {quota} at {}; it is {most}", at(now)))
                } else if *version <= self.saved {
                    let saved = self.saved;
                    Some(format!("version {version} after version {saved}, {}", at(now)))
                } else {
                    None
                };
                self.saved = self.saved.max(*version);
                self.newest.evaluate(failure);
            }
            FlowEvent::StoreLoaded { version, .. } if setting.keeps(DASHBOARD) => {
                let saved = std::mem::replace(&mut self.saved, *version);
                let lost =
                    || format!("version {saved} was kept, and {version} read at {}", at(now));
                self.newest.evaluate((*version < saved).then(lost));
            }
            FlowEvent::StoreLoaded { version, .. } => self.saved = *version,
            _ => {}
        }
    }

    /// The dashboard crashed: what it wanted to keep it no longer has.
    pub(super) fn reloaded(&mut self) {
        self.asked = None;
    }

    /// Nothing could be written, or nothing done at all, until now.
    pub(super) fn held_up(&mut self, now: u64) {
        self.asked = self.asked.map(|(version, _)| (version, now));
    }

    fn overdue(&mut self, now: u64) {
        let overdue = self.asked.filter(|(_, since)| since.saturating_add(PATIENCE) <= now);
        let failure = overdue.map(|(version, since)| {
            format!("version {version}, asked for at {}, is not kept at {}", at(since), at(now))
        });
        self.newest.evaluate(failure);
    }

    /// The check as it stands.
    pub(super) fn built(&self) -> &Built {
        &self.newest
    }

    pub(super) fn finish(mut self, trouble: &Trouble) -> Built {
        if self.asked.is_some() && !trouble.down.contains(DASHBOARD) {
            self.overdue(if trouble.is_idle { u64::MAX } else { trouble.end });
        }
        self.newest
    }
}
