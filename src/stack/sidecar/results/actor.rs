//! The archive: takes results in, and acknowledges each once it is on the disk.
//!
//! It must never answer before the disk has synced, nor look into another project than it was
//! asked about. Old results go when somebody uses the archive, so that no timer keeps a world
//! alive; they may be found for up to an hour longer than they are kept.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use actix::{Actor, Context, Handler, Message};

use super::{Begun, ContentId, Counts, Refused, Settings, Store, Stored, Write, handover};
use crate::{
    stack::{
        Event, SidecarEvent, settings,
        sidecar::{
            context::{Assembler, Change},
            events::{Broker, Publish},
            gateway::{Ended, Gateway},
            gauges::Gauges,
            wire::{
                self, Code, Fault, NewResult, ProjectId, ResultDeleted, ResultId, ResultQuery,
                ResultView, ResultsPage, Status,
            },
        },
    },
    world::{Env, Later, Peer, Promise, Stream, Time},
};

/// How often the archive looks for what is too old, if it is used at all.
const EXPIRE_EVERY: Duration = Duration::from_secs(3_600);

/// Keep this; answered when it is durable.
#[derive(Message)]
#[rtype(result = "Result<wire::Stored, Fault>")]
pub(in crate::stack::sidecar) struct Put(pub NewResult);

/// What is this result of this project?
#[derive(Message)]
#[rtype(result = "Result<Rc<ResultView>, Fault>")]
pub(in crate::stack::sidecar) struct Get(pub ProjectId, pub ResultId);

/// Delete this result of this project; answered when that is durable.
#[derive(Message)]
#[rtype(result = "Result<ResultDeleted, Fault>")]
pub(in crate::stack::sidecar) struct Delete(pub ProjectId, pub ResultId);

/// Which results does this project have?
#[derive(Message)]
#[rtype(result = "Result<ResultsPage, Fault>")]
pub(in crate::stack::sidecar) struct Find(pub ProjectId, pub ResultQuery);

/// How many results does this project have?
#[derive(Message)]
#[rtype(result = "Counts")]
pub(in crate::stack::sidecar) struct Count(pub ProjectId);

/// Whom the archive tells of results.
pub(in crate::stack::sidecar) struct Told {
    pub gateway: Peer<Gateway>,
    pub contexts: Peer<Assembler>,
    pub events: Peer<Broker>,
}

/// Who is answered when a file is durable.
enum Waiter {
    Put(Promise<Result<wire::Stored, Fault>>),
    Delete(Promise<Result<ResultDeleted, Fault>>),
}

/// The actor.
pub(in crate::stack::sidecar) struct Archive {
    env: Env<Archive>,
    settings: Rc<settings::Sidecar>,
    gauges: Rc<Gauges>,
    told: Told,
    store: Store,
    delays: Stream,
    waiting: BTreeMap<ContentId, Vec<Waiter>>,
    expired_at: Time,
}

impl Archive {
    /// An archive with what an earlier life has left on the disk.
    pub(in crate::stack::sidecar) fn new(
        env: Env<Archive>,
        settings: Rc<settings::Sidecar>,
        gauges: Rc<Gauges>,
        told: Told,
    ) -> Archive {
        let disk = env.disk();
        let paths = disk.list("results/");
        let files = paths.into_iter().filter_map(|path| {
            let bytes = disk.read(&path)?;
            Some((path, bytes))
        });
        let kept = Settings { naming: settings.naming, ..Settings::default() };
        let (store, damaged) = Store::restore(kept, files);
        for it in damaged {
            let cause = it.damage.name();
            let event = SidecarEvent::ResultDamaged { path: it.path.into(), cause };
            env.emit(event.name(), event);
        }
        let known: Vec<Rc<Stored>> = store.all().cloned().collect();
        if env.incarnation() > 0 {
            let event = Event::StateRestored { component: "results".into(), entries: known.len() };
            env.emit(event.name(), event);
        }
        for stored in known {
            env.send(&told.gateway, Ended::of(&stored));
            env.send(&told.contexts, Change::Stored(stored));
        }
        let (delays, expired_at) = (env.stream("results"), env.now());
        let waiting = BTreeMap::new();
        Archive { env, settings, gauges, told, store, delays, waiting, expired_at }
    }

    /// Does this after the time that it takes to look at a result.
    fn later(&mut self, act: impl FnOnce(&mut Archive) + 'static) {
        let delay = self.delays.delay(&self.settings.store);
        self.env.after(delay, move |archive, _| {
            archive.expire();
            act(archive);
        });
    }

    fn expire(&mut self) {
        let now = self.env.now();
        if now - self.expired_at < EXPIRE_EVERY {
            return;
        }
        self.expired_at = now;
        for (path, gone) in self.store.expire(self.env.utc()) {
            self.env.disk().remove(&path);
            if let Some(stored) = gone {
                self.env.send(&self.told.contexts, Change::Gone(stored));
            }
        }
    }

    fn put(&mut self, result: NewResult, promise: Promise<Result<wire::Stored, Fault>>) {
        match self.store.begin_put(result, self.env.utc()) {
            Ok(Begun::Write(write)) => {
                let id = write.id;
                if let Err(fault) = self.write(write) {
                    return promise.keep(Err(fault));
                }
                self.waiting.entry(id).or_default().push(Waiter::Put(promise));
            }
            Ok(Begun::Wait(id)) => {
                self.waiting.entry(id).or_default().push(Waiter::Put(promise));
            }
            Ok(Begun::Done(reply)) => self.hand_over(reply.id, vec![promise]),
            Err(refused) => promise.keep(Err(fault_of(refused))),
        }
    }

    fn delete(
        &mut self,
        project: &ProjectId,
        id: ContentId,
        promise: Promise<Result<ResultDeleted, Fault>>,
    ) {
        match self.store.begin_delete(project, id, self.env.utc()) {
            Ok(Begun::Write(write)) => {
                let id = write.id;
                if let Err(fault) = self.write(write) {
                    return promise.keep(Err(fault));
                }
                self.waiting.entry(id).or_default().push(Waiter::Delete(promise));
            }
            Ok(Begun::Wait(id)) => {
                self.waiting.entry(id).or_default().push(Waiter::Delete(promise));
            }
            Ok(Begun::Done(reply)) => {
                promise.keep(Ok(ResultDeleted { id: reply.id.into(), deleted: true }));
            }
            Err(refused) => promise.keep(Err(fault_of(refused))),
        }
    }

    /// Writes a file and goes on when it is durable.
    fn write(&mut self, Write { id, path, contents }: Write) -> Result<(), Fault> {
        let disk = self.env.disk();
        let written = match contents {
            Some(contents) => disk.write(&path, &contents),
            None => {
                disk.remove(&path);
                Ok(())
            }
        };
        self.gauges.is_disk_full.set(written.is_err());
        if let Err(error) = written {
            self.store.failed(id);
            let status = Status::StorageFull;
            return Err(Fault::new(status, Code::Storage, error.to_string()));
        }
        disk.sync(move |archive, _| archive.durable(id));
        Ok(())
    }

    fn durable(&mut self, id: ContentId) {
        let before = self.store.find(id).cloned();
        let Some(reply) = self.store.committed(id) else { return };
        match (before, self.store.find(id).cloned()) {
            (None, Some(stored)) => {
                let path = reply.storage_path.as_str().into();
                let event = SidecarEvent::ResultStored {
                    project: stored.result.project_id.as_str().into(),
                    key: stored.request_id.as_str().into(),
                    result: id.to_string().into(),
                    path,
                };
                self.env.emit(event.name(), event);
                self.env.send(&self.told.gateway, Ended::of(&stored));
                self.env.send(&self.told.contexts, Change::Stored(stored));
            }
            (Some(stored), None) => self.env.send(&self.told.contexts, Change::Gone(stored)),
            _ => {}
        }
        let mut puts = Vec::new();
        for waiter in self.waiting.remove(&id).unwrap_or_default() {
            match waiter {
                Waiter::Put(promise) => puts.push(promise),
                Waiter::Delete(promise) => {
                    promise.keep(Ok(ResultDeleted { id: id.into(), deleted: true }));
                }
            }
        }
        if !puts.is_empty() {
            self.hand_over(id, puts);
        }
    }

    /// Tells the others of a durable result, and then those who handed it in. Whoever hands it in
    /// again has it told again, as the bus may have forgotten; as long as it has not, that is the
    /// same event.
    fn hand_over(&self, id: ContentId, promises: Vec<Promise<Result<wire::Stored, Fault>>>) {
        let Some(stored) = self.store.find(id).cloned() else {
            // Another of the same name has overwritten it while it was being written.
            let fault =
                || Fault::new(Status::Conflict, Code::Storage, "the result was overwritten");
            return promises.into_iter().for_each(|promise| promise.keep(Err(fault())));
        };
        let storage_path = self.settings.naming.path(&stored.result, id);
        let publish = Publish {
            project: stored.result.project_id.clone(),
            event: handover::event(&stored, &storage_path),
            at_once: true,
        };
        self.env.call(&self.told.events, publish).then(move |_, published, _| {
            let event_id = published.ok().map(|published| published.event_id);
            for promise in promises {
                promise.keep(Ok(wire::Stored {
                    id: id.into(),
                    stored: true,
                    storage_path: storage_path.clone(),
                    next_agents: handover::next_agents(&stored.result),
                    event_published: event_id.is_some(),
                    event_id: event_id.clone(),
                }));
            }
        });
    }
}

fn unknown() -> Fault {
    Fault::new(Status::NotFound, Code::Result, "there is no such result")
}

fn fault_of(refused: Refused) -> Fault {
    let status = match refused {
        Refused::Unknown => return unknown(),
        Refused::Conflict(_) | Refused::Deleted(_) => Status::Conflict,
    };
    Fault::new(status, Code::Result, refused.to_string())
}

impl Actor for Archive {
    type Context = Context<Self>;
}

impl Handler<Put> for Archive {
    type Result = Later<Result<wire::Stored, Fault>>;

    fn handle(&mut self, Put(result): Put, _: &mut Context<Self>) -> Self::Result {
        let (promise, later) = Later::promise();
        self.later(move |archive| archive.put(result, promise));
        later
    }
}

impl Handler<Get> for Archive {
    type Result = Later<Result<Rc<ResultView>, Fault>>;

    fn handle(&mut self, Get(project, id): Get, _: &mut Context<Self>) -> Self::Result {
        let (promise, later) = Later::promise();
        self.later(move |archive| {
            let stored = id.as_str().parse().ok().and_then(|id| archive.store.get(&project, id));
            let view = stored.map(|stored| stored.view(archive.settings.naming));
            promise.keep(view.ok_or_else(unknown));
        });
        later
    }
}

impl Handler<Delete> for Archive {
    type Result = Later<Result<ResultDeleted, Fault>>;

    fn handle(&mut self, Delete(project, id): Delete, _: &mut Context<Self>) -> Self::Result {
        let (promise, later) = Later::promise();
        self.later(move |archive| match id.as_str().parse() {
            Ok(id) => archive.delete(&project, id, promise),
            Err(_) => promise.keep(Err(unknown())),
        });
        later
    }
}

impl Handler<Find> for Archive {
    type Result = Later<Result<ResultsPage, Fault>>;

    fn handle(&mut self, Find(project, query): Find, _: &mut Context<Self>) -> Self::Result {
        let (promise, later) = Later::promise();
        self.later(move |archive| {
            let page = archive.store.query(&project, &query).map(|page| ResultsPage {
                results: page.results.iter().map(|it| it.view(archive.settings.naming)).collect(),
                more_available: page.next.is_some(),
                next_cursor: page.next.map(Into::into),
            });
            promise.keep(page.map_err(|bad| Fault::field(Code::Result, "query.cursor", bad)));
        });
        later
    }
}

impl Handler<Count> for Archive {
    type Result = actix::MessageResult<Count>;

    fn handle(&mut self, Count(project): Count, _: &mut Context<Self>) -> Self::Result {
        self.expire();
        actix::MessageResult(self.store.counts(&project))
    }
}
