//! What is stored, what is being written, and which request brought it.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    super::wire::{AgentId, NewResult, ProjectId, RequestId},
    ContentId, Damage, Damaged, Stored,
    file::{Deleted, File, id_of, request_of},
};

/// Where results are put.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Naming {
    /// `results/{project}/{issue}/{agent_type}/{id}.json`: no two share a file.
    #[default]
    ById,
    /// `results/{project}/{issue}/{agent_type}.json`, the scheme of the document that describes the
    /// sidecar. A second result of the same type of agent for the same issue overwrites the first,
    /// which was acknowledged. Nothing is left of a deleted one, either.
    PerAgentType,
}

impl Naming {
    pub(super) fn path(self, result: &NewResult, id: ContentId) -> String {
        let NewResult { project_id, issue_id, agent_type, .. } = result;
        match self {
            Naming::ById => format!("results/{project_id}/{issue_id}/{agent_type}/{id}.json"),
            Naming::PerAgentType => format!("results/{project_id}/{issue_id}/{agent_type}.json"),
        }
    }
}

/// How results are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where.
    pub naming: Naming,
    /// For how long. One that is exactly so old is over.
    pub retention: SignedDuration,
}

impl Default for Settings {
    /// By id, for the sidecar's 30 days.
    fn default() -> Settings {
        Settings { naming: Naming::ById, retention: SignedDuration::from_hours(30 * 24) }
    }
}

/// What has to become durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Of which result; [`Store::committed`] and [`Store::failed`] want it back.
    pub id: ContentId,
    /// Which file.
    pub path: String,
    /// What will be in it; none if it is to be removed.
    pub contents: Option<Vec<u8>>,
}

/// What is answered once it is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The result.
    pub id: ContentId,
    /// Its file.
    pub storage_path: String,
    /// When it was accepted, or deleted.
    pub at: Timestamp,
}

/// What to do about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Write this, and answer when it is durable.
    Write(Write),
    /// The same is being written: answer when that is durable.
    Wait(ContentId),
    /// It is durable since an earlier time: answer at once.
    Done(Reply),
}

/// Why a request is not carried out. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The agent used this request id before, for something else.
    #[error("the request id was used for other contents, which are result {0}")]
    Conflict(ContentId),
    /// The result of this request was deleted since.
    #[error("result {0} was deleted")]
    Deleted(ContentId),
    /// There is no such result in this project.
    #[error("there is no such result")]
    Unknown,
}

/// A file that is durable.
struct Kept {
    path: String,
    /// A later write to the same path has a higher number.
    number: u64,
    bytes: u64,
    contents: Contents,
}

enum Contents {
    Result(Rc<Stored>),
    Deleted(Deleted),
}

/// A file that may become durable: `None` is its removal.
struct Writing {
    path: String,
    number: u64,
    bytes: u64,
    file: Option<File>,
    at: Timestamp,
}

/// Whose request it was, and its name.
pub(super) type RequestKey = (ProjectId, AgentId, RequestId);

/// The results of all projects.
#[derive(Default)]
pub struct Store {
    settings: Settings,
    kept: BTreeMap<ContentId, Kept>,
    writing: BTreeMap<ContentId, Writing>,
    writes: u64,
    /// Whose file it is that lies at a path.
    paths: BTreeMap<String, ContentId>,
    /// Which result a request brought; also while it is being written.
    requests: BTreeMap<RequestKey, ContentId>,
    /// The results of a project that can be read, by their time.
    pub(super) by_time: BTreeMap<ProjectId, BTreeSet<(Timestamp, ContentId)>>,
}

impl Store {
    /// An empty one.
    pub fn new(settings: Settings) -> Store {
        Store { settings, ..Store::default() }
    }

    /// What an earlier life left on disk. Files that are torn or foreign are reported and left
    /// alone.
    pub fn restore<B: AsRef<[u8]>>(
        settings: Settings,
        files: impl IntoIterator<Item = (String, B)>,
    ) -> (Store, Vec<Damaged>) {
        let mut store = Store::new(settings);
        let mut damaged = Vec::new();
        for (path, bytes) in files {
            let file = File::read(&path, bytes.as_ref(), store.settings.naming);
            match file.and_then(|file| {
                let request = file.request();
                if store.requests.contains_key(&request) {
                    return Err(Damage::Conflict);
                }
                store.requests.insert(request, file.id());
                Ok(file)
            }) {
                Ok(file) => {
                    let number = store.next_number();
                    store.keep(path, number, bytes.as_ref().len() as u64, file);
                }
                Err(damage) => damaged.push(Damaged { path, damage }),
            }
        }
        (store, damaged)
    }

    fn next_number(&mut self) -> u64 {
        self.writes += 1;
        self.writes
    }

    /// A result comes in. It is identified by project, agent and the key of its request; if that
    /// has none, by what it brings.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the key stands for another or a deleted result.
    pub fn begin_put(&mut self, result: NewResult, now: Timestamp) -> Result<Begun, Refused> {
        let request_id = result.key.clone().unwrap_or_else(|| request_of(&result));
        let result = NewResult { key: None, ..result };
        let id = id_of(&result, &request_id);
        let request_key = (result.project_id.clone(), result.agent_id.clone(), request_id.clone());
        if let Some(&known) = self.requests.get(&request_key) {
            return if known != id { Err(Refused::Conflict(known)) } else { self.again(id) };
        }
        self.requests.insert(request_key, id);
        let path = self.settings.naming.path(&result, id);
        let stored = Stored { id, request_id, stored_at: now, result };
        Ok(self.write(id, path, Some(File::Result(stored)), now))
    }

    /// The same request once more.
    fn again(&self, id: ContentId) -> Result<Begun, Refused> {
        let Some(kept) = self.kept.get(&id) else { return Ok(Begun::Wait(id)) };
        match &kept.contents {
            Contents::Result(stored) => {
                Ok(Begun::Done(Reply { id, storage_path: kept.path.clone(), at: stored.stored_at }))
            }
            Contents::Deleted(_) => Err(Refused::Deleted(id)),
        }
    }

    /// A result is to be deleted. It can be read until that is durable.
    ///
    /// # Errors
    ///
    /// [`Refused::Unknown`] if the project has no such result.
    pub fn begin_delete(
        &mut self,
        project: &ProjectId,
        id: ContentId,
        now: Timestamp,
    ) -> Result<Begun, Refused> {
        let stored = self.get(project, id).ok_or(Refused::Unknown)?;
        let deleted = Deleted {
            id,
            project_id: project.clone(),
            agent_id: stored.result.agent_id.clone(),
            request_id: stored.request_id.clone(),
            deleted_at: now,
        };
        let path = self.settings.naming.path(&stored.result, id);
        if self.writing.contains_key(&id) {
            return Ok(Begun::Wait(id));
        }
        let file = match self.settings.naming {
            Naming::ById => Some(File::Deleted(deleted)),
            Naming::PerAgentType => None,
        };
        Ok(self.write(id, path, file, now))
    }

    fn write(&mut self, id: ContentId, path: String, file: Option<File>, at: Timestamp) -> Begun {
        let contents = file.as_ref().map(File::bytes);
        let number = self.next_number();
        let bytes = contents.as_ref().map_or(0, Vec::len) as u64;
        self.writing.insert(id, Writing { path: path.clone(), number, bytes, file, at });
        Begun::Write(Write { id, path, contents })
    }

    /// What was begun for this result is durable: whoever waits for it may be answered. None if
    /// nothing was begun.
    pub fn committed(&mut self, id: ContentId) -> Option<Reply> {
        let Writing { path, number, bytes, file, at } = self.writing.remove(&id)?;
        let reply = Reply { id, storage_path: path.clone(), at };
        match file {
            Some(file) => self.keep(path, number, bytes, file),
            None => self.forget(id),
        }
        Some(reply)
    }

    /// What was begun for this result could not be written, and is not begun any more. What was
    /// stored before is as it was.
    pub fn failed(&mut self, id: ContentId) {
        let Some(Writing { file, .. }) = self.writing.remove(&id) else { return };
        if let Some(file @ File::Result(_)) = file {
            self.requests.remove(&file.request());
        }
    }

    /// Takes a durable file in, in the place of what was at its path.
    fn keep(&mut self, path: String, number: u64, bytes: u64, file: File) {
        let id = file.id();
        if let Some(&other) = self.paths.get(&path) {
            if self.kept.get(&other).is_some_and(|other| other.number > number) {
                // Overwritten before it was even acknowledged.
                self.requests.remove(&file.request());
                return;
            }
            self.unlist(other);
            if other != id {
                self.forget(other);
            }
        }
        let contents = match file {
            File::Result(stored) => {
                let times = self.by_time.entry(stored.result.project_id.clone()).or_default();
                times.insert((stored.stored_at, id));
                Contents::Result(Rc::new(stored))
            }
            File::Deleted(deleted) => Contents::Deleted(deleted),
        };
        self.paths.insert(path.clone(), id);
        self.kept.insert(id, Kept { path, number, bytes, contents });
    }

    /// Takes a result out of what queries find.
    fn unlist(&mut self, id: ContentId) {
        if let Some(Kept { contents: Contents::Result(stored), .. }) = self.kept.get(&id)
            && let Some(times) = self.by_time.get_mut(&stored.result.project_id)
        {
            times.remove(&(stored.stored_at, id));
            if times.is_empty() {
                self.by_time.remove(&stored.result.project_id);
            }
        }
    }

    /// Nothing is known of it any more.
    fn forget(&mut self, id: ContentId) {
        self.unlist(id);
        let Some(kept) = self.kept.remove(&id) else { return };
        let request = match &kept.contents {
            Contents::Result(stored) => stored.request(),
            Contents::Deleted(deleted) => deleted.request(),
        };
        self.requests.remove(&request);
        if self.paths.get(&kept.path) == Some(&id) {
            self.paths.remove(&kept.path);
        }
    }

    /// A result of this project that is durable and was not deleted.
    pub fn get(&self, project: &ProjectId, id: ContentId) -> Option<&Rc<Stored>> {
        match &self.kept.get(&id)?.contents {
            Contents::Result(stored) if stored.result.project_id == *project => Some(stored),
            _ => None,
        }
    }

    /// The same of any project, for who has to tell others of it.
    pub fn find(&self, id: ContentId) -> Option<&Rc<Stored>> {
        match &self.kept.get(&id)?.contents {
            Contents::Result(stored) => Some(stored),
            Contents::Deleted(_) => None,
        }
    }

    /// Bytes of a result's file.
    pub(super) fn size(&self, id: ContentId) -> u64 {
        self.kept.get(&id).map_or(0, |kept| kept.bytes)
    }

    /// All that can be read, of all projects, in the order of their ids.
    pub fn all(&self) -> impl Iterator<Item = &Rc<Stored>> {
        self.kept.keys().filter_map(|id| self.find(*id))
    }

    /// Forgets what is older than the retention, and returns the files to remove with what could be
    /// read in them. A crash before they are gone brings them back, to be found too old again.
    pub fn expire(&mut self, now: Timestamp) -> Vec<(String, Option<Rc<Stored>>)> {
        let is_over = |since: Timestamp| now.duration_since(since) >= self.settings.retention;
        let over = |(id, kept): (&ContentId, &Kept)| {
            let since = match &kept.contents {
                Contents::Result(stored) => stored.stored_at,
                Contents::Deleted(deleted) => deleted.deleted_at,
            };
            // One that is being deleted is left to that.
            (is_over(since) && !self.writing.contains_key(id)).then(|| (*id, kept.path.clone()))
        };
        let over: Vec<(ContentId, String)> = self.kept.iter().filter_map(over).collect();
        over.into_iter()
            .map(|(id, path)| {
                let stored = self.find(id).cloned();
                self.forget(id);
                (path, stored)
            })
            .collect()
    }

    /// How results are kept.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How many are being written.
    pub fn writing(&self) -> usize {
        self.writing.len()
    }
}
