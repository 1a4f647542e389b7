//! The disk of a node: what was synced survives a crash, the rest is lost.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    rc::Rc,
    time::Duration,
};

use super::{Delay, Seed, Stream, hash};

/// The properties of a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskRule {
    /// How long a sync takes.
    pub sync: Delay,
    /// How many bytes fit, names of files not counted.
    pub capacity: u64,
}

impl Default for DiskRule {
    /// Two milliseconds for a sync, 1 GiB.
    fn default() -> DiskRule {
        DiskRule { sync: Delay::Fixed(Duration::from_millis(2)), capacity: 1 << 30 }
    }
}

/// Why a write failed. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiskError {
    /// The file does not fit.
    #[error("no space left on the disk")]
    Full,
}

/// Contents of one file, shared between the disk and its readers.
pub(crate) type Bytes = Rc<[u8]>;

/// A change that may not be durable yet: new contents, or `None` for a removal.
struct Change {
    path: Rc<str>,
    contents: Option<Bytes>,
}

/// What a started sync will make durable: all changes up to this one.
#[derive(Clone, Copy)]
pub(crate) struct SyncPoint(u64);

/// The files of one node.
#[derive(Default)]
pub(crate) struct DiskState {
    durable: BTreeMap<Rc<str>, Bytes>,
    /// The changes that are not durable, by their number. Numbers are given once, so a sync that
    /// comes late, or after the disk was lost, finds nothing to do.
    changes: BTreeMap<u64, Change>,
    /// The last of the changes of each file.
    latest: BTreeMap<Rc<str>, u64>,
    last_change: u64,
    /// Up to which change the last sync was started.
    syncing: u64,
    /// Bytes in use, as the node sees its files.
    used: u64,
    /// How many faults say that the disk is full.
    pub held_full: u32,
    sync_times: Option<Stream>,
}

impl DiskState {
    pub(crate) fn read(&self, path: &str) -> Option<Bytes> {
        match self.latest.get(path).and_then(|number| self.changes.get(number)) {
            Some(change) => change.contents.clone(),
            None => self.durable.get(path).cloned(),
        }
    }

    /// The names that start with `prefix`, in order.
    pub(crate) fn list(&self, prefix: &str) -> Vec<String> {
        fn from<'a, T>(files: &'a BTreeMap<Rc<str>, T>, prefix: &'a str) -> Vec<&'a Rc<str>> {
            let files = files.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
            files.map(|(name, _)| name).take_while(|name| name.starts_with(prefix)).collect()
        }
        let names: BTreeSet<&Rc<str>> =
            from(&self.durable, prefix).into_iter().chain(from(&self.latest, prefix)).collect();
        let there = names.into_iter().filter(|name| self.read(name).is_some());
        there.map(|name| name.to_string()).collect()
    }

    pub(crate) fn write(
        &mut self,
        path: &str,
        contents: &[u8],
        rule: &DiskRule,
    ) -> Result<(), DiskError> {
        let freed = self.read(path).map_or(0, |old| old.len() as u64);
        let needed = self.used - freed + contents.len() as u64;
        if self.held_full > 0 || needed > rule.capacity {
            return Err(DiskError::Full);
        }
        self.change(path, Some(contents.into()));
        Ok(())
    }

    pub(crate) fn remove(&mut self, path: &str) -> bool {
        let existed = self.read(path).is_some();
        if existed {
            self.change(path, None);
        }
        existed
    }

    fn change(&mut self, path: &str, contents: Option<Bytes>) {
        let size = |file: Option<&Bytes>| file.map_or(0, |file| file.len() as u64);
        self.used -= size(self.read(path).as_ref());
        self.used += size(contents.as_ref());
        self.last_change += 1;
        let path: Rc<str> = path.into();
        let before = self.latest.insert(Rc::clone(&path), self.last_change);
        // What no sync has begun with, none ever will.
        if let Some(before) = before.filter(|before| *before > self.syncing) {
            self.changes.remove(&before);
        }
        self.changes.insert(self.last_change, Change { path, contents });
    }

    /// How long the next sync takes, on the node whose name has this hash.
    pub(crate) fn sync_time(&mut self, rule: &DiskRule, seed: Seed, of_node: u64) -> Duration {
        let stream = || seed.numbered_stream(hash::mix(hash::name_hash("disk/sync"), of_node));
        self.sync_times.get_or_insert_with(stream).delay(&rule.sync)
    }

    pub(crate) fn start_sync(&mut self) -> SyncPoint {
        self.syncing = self.last_change;
        SyncPoint(self.syncing)
    }

    /// Makes all changes up to this point durable; what was written since stays as it is. Returns how
    /// many files those were of: none if a sync that began later was faster.
    pub(crate) fn finish_sync(&mut self, SyncPoint(point): SyncPoint) -> u64 {
        let mut touched = BTreeSet::new();
        while let Some(first) = self.changes.first_entry().filter(|it| *it.key() <= point) {
            let (number, Change { path, contents }) = first.remove_entry();
            touched.insert(Rc::clone(&path));
            if self.latest.get(&path) == Some(&number) {
                self.latest.remove(&path);
            }
            match contents {
                Some(contents) => self.durable.insert(path, contents),
                None => self.durable.remove(&path),
            };
        }
        touched.len() as u64
    }

    /// A crash: what was not synced is gone.
    pub(crate) fn crash(&mut self) {
        self.changes.clear();
        self.latest.clear();
        self.used = self.durable.values().map(|file| file.len() as u64).sum();
    }

    /// The disk is replaced by an empty one.
    pub(crate) fn lose(&mut self) {
        self.changes.clear();
        self.latest.clear();
        self.durable.clear();
        self.used = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(disk: &DiskState, path: &str) -> Option<String> {
        disk.read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    #[test]
    fn a_crash_keeps_what_the_sync_began_with() {
        let (mut disk, rule) = (DiskState::default(), DiskRule::default());
        disk.write("a", b"1", &rule).unwrap();
        disk.write("gone", b"x", &rule).unwrap();
        let batch = disk.start_sync();
        disk.finish_sync(batch);
        disk.write("a", b"2", &rule).unwrap();
        disk.remove("gone");
        let batch = disk.start_sync();
        disk.write("a", b"3", &rule).unwrap();
        disk.write("b", b"4", &rule).unwrap();
        assert_eq!(disk.finish_sync(batch), 2);
        assert_eq!(written(&disk, "a").as_deref(), Some("3"), "the node sees its own writes");
        disk.crash();
        assert_eq!(written(&disk, "a").as_deref(), Some("2"));
        assert_eq!(written(&disk, "b"), None);
        assert_eq!(written(&disk, "gone"), None);
    }

    #[test]
    fn a_slow_sync_does_not_undo_a_later_one() {
        let (mut disk, rule) = (DiskState::default(), DiskRule::default());
        disk.write("a", b"1", &rule).unwrap();
        disk.write("gone", b"1", &rule).unwrap();
        let slow = disk.start_sync();
        disk.write("a", b"2", &rule).unwrap();
        disk.remove("gone");
        let fast = disk.start_sync();
        assert_eq!(disk.finish_sync(fast), 2);
        assert_eq!(disk.finish_sync(slow), 0);
        disk.crash();
        assert_eq!((written(&disk, "a").as_deref(), written(&disk, "gone")), (Some("2"), None));
    }

    #[test]
    fn a_crash_keeps_nothing_of_a_sync_that_had_begun() {
        let (mut disk, rule) = (DiskState::default(), DiskRule::default());
        disk.write("a", b"1", &rule).unwrap();
        let begun = disk.start_sync();
        disk.crash();
        disk.write("a", b"2", &rule).unwrap();
        assert_eq!(disk.finish_sync(begun), 0);
        assert_eq!(disk.start_sync().0, 2);
        disk.crash();
        assert_eq!(written(&disk, "a"), None);
    }

    #[test]
    fn what_is_written_over_before_a_sync_is_not_kept() {
        let (mut disk, rule) = (DiskState::default(), DiskRule::default());
        for round in 0..100_u8 {
            disk.write("state", &[round], &rule).unwrap();
        }
        assert_eq!(disk.changes.len(), 1);
        let begun = disk.start_sync();
        disk.write("state", b"later", &rule).unwrap();
        disk.write("state", b"latest", &rule).unwrap();
        assert_eq!(disk.changes.len(), 2, "what the sync began with, and the latest");
        assert_eq!(disk.finish_sync(begun), 1);
        disk.crash();
        assert_eq!(disk.read("state").as_deref(), Some(&[99][..]));
    }

    #[test]
    fn a_sync_that_began_before_the_disk_was_lost_brings_nothing_back() {
        let (mut disk, rule) = (DiskState::default(), DiskRule::default());
        disk.write("a", b"1", &rule).unwrap();
        let batch = disk.start_sync();
        disk.lose();
        disk.write("b", b"2", &rule).unwrap();
        assert_eq!(disk.finish_sync(batch), 0);
        assert_eq!(disk.list(""), ["b"]);
        disk.write("b", b"", &rule).unwrap();
    }

    #[test]
    fn a_full_disk_refuses_and_keeps_the_earlier_version() {
        let rule = DiskRule { capacity: 4, ..DiskRule::default() };
        let mut disk = DiskState::default();
        disk.write("a", b"123", &rule).unwrap();
        assert_eq!(disk.write("b", b"45", &rule), Err(DiskError::Full));
        assert_eq!(disk.write("a", b"12345", &rule), Err(DiskError::Full));
        assert_eq!(written(&disk, "a").as_deref(), Some("123"));
        disk.write("a", b"1234", &rule).unwrap();
        disk.held_full = 1;
        assert_eq!(disk.write("a", b"", &rule), Err(DiskError::Full));
    }
}
