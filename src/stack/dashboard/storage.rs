//! The store of the browser: the states of the dashboard, within a quota, on the node's disk.
//!
//! What goes and what fits is decided in `policy::store`. It must never remove the newest state, and
//! never fail: what does not fit is told, kept in memory, and tried again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Dashboard;
use crate::{
    policy::{
        progress::Update,
        store::{Level, plan},
    },
    stack::{FlowEvent, settings::flow},
    world::Env,
};

/// Where the entries lie on the disk.
const FOLDER: &str = "store/";
/// How many entries there are from earlier days, if any.
const OLD_ENTRIES: u64 = 20;

/// What the page is to show again when it is loaded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Saved {
    /// Counts the states.
    pub(super) version: u64,
    /// The last update of each runner that was shown.
    pub(super) feeds: BTreeMap<String, u64>,
    /// The last update of each task, by its runner and its name; left out if there is no room.
    pub(super) tasks: BTreeMap<String, BTreeMap<String, Update>>,
}

/// What became of a state that was to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Yes,
    /// There is no room for it in the quota.
    TooLarge,
    /// The disk takes nothing.
    DiskFull,
}

/// The entries, and what they may take.
pub(super) struct Storage {
    settings: flow::Store,
    /// The path and size of each entry, the oldest first.
    entries: Vec<(String, u64)>,
    /// Counts the entries.
    next: u64,
    version: u64,
}

impl Storage {
    pub(super) fn new(settings: flow::Store) -> Storage {
        Storage { settings, entries: Vec::new(), next: 1, version: 0 }
    }

    fn used(&self) -> u64 {
        self.entries.iter().map(|(_, bytes)| bytes).sum()
    }

    fn emit(env: &Env<Dashboard>, event: FlowEvent) {
        env.emit(event.name(), event);
    }

    /// The newest state that can be read.
    pub(super) fn load(&mut self, env: &Env<Dashboard>) -> Saved {
        let (disk, mut newest) = (env.disk(), Saved::default());
        for path in disk.list(FOLDER) {
            let Some(contents) = disk.read(&path) else { continue };
            let saved = serde_json::from_slice::<Saved>(&contents).ok();
            newest = saved.filter(|saved| saved.version > newest.version).unwrap_or(newest);
            let number = path.strip_prefix(FOLDER).and_then(|number| number.parse::<u64>().ok());
            self.next = self.next.max(number.unwrap_or(0) + 1);
            self.entries.push((path, contents.len() as u64));
        }
        self.version = newest.version;
        let entries = self.entries.len() as u64;
        Storage::emit(env, FlowEvent::StoreLoaded { version: newest.version, entries });
        if entries == 0 && self.settings.filled > 0 && env.incarnation() == 0 {
            self.fill(env);
        }
        newest
    }

    /// What was there before this page was first loaded.
    fn fill(&mut self, env: &Env<Dashboard>) {
        let size = usize::try_from(self.settings.filled / OLD_ENTRIES).unwrap_or(0);
        for _ in 0..OLD_ENTRIES {
            self.write(env, &vec![b' '; size]);
        }
        env.disk().sync(|_, _| {});
    }

    /// One more entry; false if the disk does not take it.
    fn write(&mut self, env: &Env<Dashboard>, contents: &[u8]) -> bool {
        let path = format!("{FOLDER}{:010}", self.next);
        let is_written = env.disk().write(&path, contents).is_ok();
        if is_written {
            self.next += 1;
            self.entries.push((path, contents.len() as u64));
        }
        is_written
    }

    /// Keeps a state, if there is any way to; false if there is none now.
    pub(super) fn save(&mut self, env: &Env<Dashboard>, mut state: Saved) -> bool {
        state.version = self.version + 1;
        let mut contents = text(&state);
        let size = usize::try_from(self.settings.state).unwrap_or(0).max(contents.len());
        // A larger state, as it would be with all that a page has.
        contents.resize(size, b' ');
        let bytes = contents.len() as u64;
        Storage::emit(env, FlowEvent::SaveAsked { version: state.version, bytes });
        let mut kept = self.try_save(env, state.version, &contents, false);
        if kept == Kept::TooLarge {
            state.tasks.clear();
            kept = self.try_save(env, state.version, &text(&state), true);
        }
        kept == Kept::Yes
    }

    fn try_save(
        &mut self,
        env: &Env<Dashboard>,
        version: u64,
        contents: &[u8],
        compact: bool,
    ) -> Kept {
        let (quota, bytes) = (self.settings.limits.quota, contents.len() as u64);
        let sizes: Vec<u64> = self.entries.iter().map(|(_, bytes)| *bytes).collect();
        let plan = plan(&sizes, bytes, &self.settings.limits);
        if !compact && plan.level != Level::Fine {
            let cause = if plan.level == Level::Near { "near_quota" } else { "over_quota" };
            self.warn(env, cause);
        }
        let removed: Vec<(String, u64)> = self.entries.drain(..plan.remove).collect();
        for (path, _) in &removed {
            env.disk().remove(path);
        }
        if !removed.is_empty() {
            let freed = removed.iter().map(|(_, bytes)| bytes).sum();
            let removed = removed.len() as u64;
            Storage::emit(env, FlowEvent::StoreCleaned { removed, freed });
        }
        if !plan.fits {
            return Kept::TooLarge;
        }
        if !self.write(env, contents) {
            self.warn(env, "disk_full");
            return Kept::DiskFull;
        }
        self.version = version;
        let used = self.used();
        env.disk().sync(move |dashboard, _| {
            let saved = FlowEvent::StoreSaved { version, bytes, used, quota, compact };
            Storage::emit(&dashboard.env, saved);
        });
        Kept::Yes
    }

    fn warn(&self, env: &Env<Dashboard>, cause: &'static str) {
        let (used, quota) = (self.used(), self.settings.limits.quota);
        Storage::emit(env, FlowEvent::StoreWarning { cause, used, quota });
    }
}

fn text(state: &Saved) -> Vec<u8> {
    serde_json::to_vec(state).unwrap_or_default()
}
