//! The model router: which model to ask, how often, and when to stop.
//!
//! A request goes through `admit` (is there room, is there quota left, which models), then from
//! model to model in `attempt` (breaker, call, hedge), `judge` (what an attempt brought, and whether
//! to try again) and `stream` (answers that come in parts), and ends once, in `finish`. `lane` is
//! what the router knows of one model, `prober` checks them, `account` is the quota of a workspace,
//! `store` keeps breakers and quotas on disk. `rules` are what a request may do, `change` changes
//! them for those to come, `watched` sees what becomes of them. `quirky` is what known bugs need beside their branches.
//!
//! Every attempt is built from the request as it came. Decisions are made in `policy`; here they
//! meet messages and timers.

mod account;
mod admit;
mod attempt;
mod change;
mod finish;
mod job;
mod judge;
mod lane;
mod prober;
mod quirky;
mod rules;
mod spans;
mod store;
mod stream;
#[cfg(test)]
mod tests;
mod watched;

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use actix::{Actor, Context, Handler};
use slotmap::SlotMap;

pub(super) use self::spans::provider;
use self::{
    account::Account,
    change::Configured,
    job::{Job, JobKey},
    lane::Lane,
    prober::Prober,
    rules::Rulebook,
    watched::Watched,
};
use super::{
    Event, Quirk,
    backend::Backend,
    message::{Answer, RouteError, RouteRequest, StreamId},
    settings::{self, Task},
    tracer::Tracer,
};
use crate::{
    config::monitor::Monitor,
    policy::{budget::Budget, bulkhead::Bulkhead, hedge::Latencies},
    world::{Env, Later, Peer, Stream},
};

/// One model that the router may ask.
#[derive(Clone)]
pub struct Model {
    /// Its name.
    pub name: Rc<str>,
    /// What kind of backend it is.
    pub settings: Rc<settings::Backend>,
    /// Where it is.
    pub backend: Peer<Backend>,
}

/// The actor.
pub struct Router {
    env: Env<Router>,
    settings: Rc<settings::Router>,
    rulebook: Rulebook,
    /// The configuration that the rulebook follows, if there is one.
    configured: Option<Configured>,
    /// What watches the configuration, if anything does.
    watched: Option<Watched>,
    lanes: Vec<Lane>,
    /// The models for a task, as places in `lanes`; those of `None` are for all others.
    chains: BTreeMap<Option<Task>, Rc<[usize]>>,
    accounts: BTreeMap<Rc<str>, Account>,
    jobs: SlotMap<JobKey, Job>,
    streams: BTreeMap<StreamId, JobKey>,
    flights: u64,
    retry_budget: Option<Budget>,
    bulkhead: Option<Bulkhead>,
    /// How long answers took, if a hedge goes by it.
    latencies: Option<Latencies>,
    prober: Prober,
    overheads: Stream,
    pauses: Stream,
    draws: Stream,
    tracer: Tracer,
}

impl Router {
    /// A router with these settings over these models, for these workspaces. A model that a chain
    /// names and `models` lacks is left out.
    pub fn new(
        env: Env<Router>,
        settings: Rc<settings::Router>,
        models: &[Model],
        workspaces: &[settings::Workspace],
    ) -> Router {
        let lanes: Vec<Lane> =
            models.iter().map(|model| Lane::new(model.clone(), &settings)).collect();
        let places = |names: &mut dyn Iterator<Item = &String>| -> Rc<[usize]> {
            let place = |name: &String| lanes.iter().position(|lane| *lane.model.name == **name);
            names.filter_map(place).collect()
        };
        let mut usual = std::iter::once(&settings.primary).chain(&settings.fallback);
        let mut chains = BTreeMap::from([(None, places(&mut usual))]);
        for (task, chain) in &settings.routes {
            chains.insert(Some(*task), places(&mut chain.iter()));
        }
        let utc = env.utc();
        let account = |(turn, workspace): (u64, &settings::Workspace)| {
            (workspace.name.as_str().into(), Account::new(turn, workspace, utc, settings.quirks))
        };
        let accounts = (1..).zip(workspaces).map(account).collect();
        let mut router = Router {
            rulebook: Rulebook::of(&settings),
            configured: None,
            watched: settings.watched.map(|thresholds| Watched::new(Monitor::new(thresholds))),
            lanes,
            chains,
            accounts,
            jobs: SlotMap::with_key(),
            streams: BTreeMap::new(),
            // A backend may still be writing to an earlier life.
            flights: u64::from(env.incarnation()) << 32,
            retry_budget: settings.retry_budget.as_ref().map(Budget::new),
            bulkhead: settings.bulkhead.map(Bulkhead::new),
            latencies: settings.hedge.map(|_| Latencies::new(LATENCIES_FOR, env.now())),
            prober: Prober::default(),
            overheads: env.stream("overhead"),
            pauses: env.stream("pauses"),
            draws: env.stream("selection"),
            tracer: Tracer::new(&env, settings.tracing),
            env,
            settings,
        };
        if let Some(layers) = router.settings.resilience.clone() {
            router.load_config(&layers);
        }
        router.restore();
        router
    }

    fn emit(&self, event: Event) {
        self.env.emit(event.name(), event);
    }

    /// Emits what the breakers of a model did, and keeps them if breakers are kept.
    fn emit_changes(&mut self, lane: usize) {
        let mut any = false;
        while let Some(change) = self.lanes.get_mut(lane).and_then(Lane::take_change) {
            self.emit(change);
            any = true;
        }
        if any {
            self.save_breakers();
        }
    }
}

/// For how long at least a latency counts when a hedge is planned; tower rotates its histograms so.
const LATENCIES_FOR: Duration = Duration::from_secs(60);

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Actor for Router {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        if self.settings.health.active {
            let interval = self.settings.health.settings.interval;
            self.env.every(interval, |router, _| router.probe_all());
        }
    }
}

impl Handler<RouteRequest> for Router {
    type Result = Later<Result<Answer, RouteError>>;

    fn handle(&mut self, request: RouteRequest, _: &mut Context<Self>) -> Self::Result {
        let (promise, later) = Later::promise();
        let RouteRequest { prompt, patience, reader, attempt, trace } = request;
        let started = self.env.now();
        // Nobody is there for an answer after this, so nothing is tried after it.
        let patience = if self.settings.quirks.has(Quirk::OutlivesItsAgent) {
            quirky::STUBBORN
        } else {
            patience
        };
        let deadline = started + self.settings.deadline.unwrap_or(patience).min(patience);
        let rules = Rc::clone(self.rulebook.rules(&prompt));
        let span = self.begin_span(&prompt, &trace);
        self.tell_admitted(&prompt, rules.operation.as_ref());
        let job = Job::new(
            prompt,
            rules,
            promise,
            reader.map(|reader| (reader, attempt)),
            started,
            deadline,
            span,
        );
        self.watch_begin(&job);
        let key = self.jobs.insert(job);
        let overhead = self.overheads.delay(&self.settings.overhead);
        self.env.after(overhead, move |router, _| router.admit(key));
        later
    }
}
