//! The orchestration sidecar: context in front of a request, the result stored after it.
//!
//! A result is acknowledged once it is on disk, and stored once, however often it is posted.

pub mod auth;
pub mod context;
pub mod events;
mod gateway;
mod gauges;
pub mod message;
pub mod project;
pub mod results;
#[cfg(test)]
mod tests;
pub mod wire;

pub use self::gateway::Gateway;

use std::{collections::BTreeMap, io, rc::Rc};

use actix::{Actor, Context, Handler};
use serde::Serialize;

use super::{
    Event,
    message::{ContextBundle, GetContext, PostResult, StoreError},
    settings,
};
use crate::world::{Env, Later, Promise, Stream};

/// The actor.
pub struct Sidecar {
    env: Env<Sidecar>,
    settings: Rc<settings::Sidecar>,
    contexts: Stream,
    stores: Stream,
    /// How many results of each agent are on disk, by the part of the path that names it.
    results: BTreeMap<String, usize>,
}

impl Sidecar {
    /// A sidecar with these settings.
    pub fn new(env: Env<Sidecar>, settings: Rc<settings::Sidecar>) -> Sidecar {
        let (contexts, stores) = (env.stream("context"), env.stream("store"));
        let mut results = BTreeMap::new();
        // What an earlier life has stored.
        for path in env.disk().list("results/") {
            if let Some(agent) = path.split('/').nth(1) {
                *results.entry(agent.to_owned()).or_default() += 1;
            }
        }
        Sidecar { env, settings, contexts, stores, results }
    }

    fn store(&mut self, result: PostResult, promise: Promise<Result<(), StoreError>>) {
        let disk = self.env.disk();
        let path = format!("results/{}.json", result.request);
        let is_new = disk.read(&path).is_none();
        if is_new {
            let body = serde_json::json!({ "request": result.request, "model": &*result.model });
            if disk.write(&path, body.to_string().as_bytes()).is_err() {
                return promise.keep(Err(StoreError::DiskFull));
            }
        }
        // Also for one that was posted before: it may not be durable yet.
        disk.sync(move |sidecar, _| {
            if is_new {
                let agent = result.request.agent.to_string();
                *sidecar.results.entry(agent).or_default() += 1;
                let stored = Event::ResultStored { request: result.request };
                sidecar.env.emit(stored.name(), stored);
            }
            promise.keep(Ok(()));
        });
    }
}

impl Actor for Sidecar {
    type Context = Context<Self>;
}

impl Handler<GetContext> for Sidecar {
    type Result = Later<ContextBundle>;

    fn handle(
        &mut self,
        GetContext { request }: GetContext,
        _: &mut Context<Self>,
    ) -> Self::Result {
        let (promise, later) = Later::promise();
        let delay = self.contexts.delay(&self.settings.context);
        self.env.after(delay, move |sidecar, _| {
            let earlier_results = sidecar.results.get(&*request.agent).copied().unwrap_or(0);
            promise.keep(ContextBundle { request, earlier_results });
        });
        later
    }
}

impl Handler<PostResult> for Sidecar {
    type Result = Later<Result<(), StoreError>>;

    fn handle(&mut self, result: PostResult, _: &mut Context<Self>) -> Self::Result {
        let (promise, later) = Later::promise();
        let delay = self.stores.delay(&self.settings.store);
        self.env.after(delay, move |sidecar, _| sidecar.store(result, promise));
        later
    }
}

/// How long a value is as JSON.
fn json_len(value: &impl Serialize) -> u64 {
    struct Count(u64);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // What cannot be written fits nowhere.
    serde_json::to_writer(&mut count, value).map_or(u64::MAX, |()| count.0)
}
