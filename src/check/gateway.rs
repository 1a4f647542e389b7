//! What must hold of every request on its way through a router: the bugs that gateways had.
//!
//! These checks know the settings and the events, and nothing of how the router works: what a model
//! is asked, in which order, what was said of it at the end, and when the router lets go.

mod calls;

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

pub(super) use self::calls::Calls;
use super::watch::Built;
use crate::{
    policy::select::Strategy,
    scenario::{FaultKind, Sim},
    stack::{Event, RequestId, RequestOutcome},
    world::{Ending, Outcome, Sighting, Time},
};

/// A request does not come back to a model that it has left for another one.
pub(super) const ROUNDS: &str = "each_model_in_one_round";
/// After a failure a request goes on or ends at once, unless a retry is announced.
pub(super) const IDLE: &str = "no_wait_without_a_retry";
/// A model that answered with an error that stays is not asked the same again.
pub(super) const FINAL: &str = "no_retry_of_a_final_error";
/// Every model that comes before the one that is asked, and every one before all have failed, was
/// asked or passed over for a reason that is told.
pub(super) const LEFT_OUT: &str = "no_model_left_out";
/// What is told of a model at the end is what it said last.
pub(super) const LAST_ERROR: &str = "the_last_error_is_told";
/// The router ends what it does for a request when its agent does.
pub(super) const LET_GO: &str = "requests_are_let_go";
/// An answer that counts as one is as long as the model made it.
pub(super) const WHOLE: &str = "answers_are_whole";
/// What an agent sends along comes back as it was.
pub(super) const BAGGAGE: &str = "baggage_comes_back";

/// Statuses of errors that the same request meets again at the same place.
const FINAL_STATUSES: [u16; 7] = [400, 401, 402, 403, 404, 413, 422];

/// The checks on requests, while a run goes on.
pub(super) struct Gateway {
    /// The models for a task, in their order; those of `None` are for all others.
    chains: BTreeMap<Option<&'static str>, Vec<String>>,
    /// Whether a chain is asked in its order.
    in_order: bool,
    /// Workspaces that prefer a provider, and so have an order of their own.
    choosy: BTreeSet<String>,
    calls: Calls,
    trails: BTreeMap<RequestId, Trail>,
    rounds: Built,
    idle: Built,
    r#final: Built,
    left_out: Built,
    last_error: Built,
    whole: Built,
    baggage: Built,
}

/// What is known of one request.
struct Trail {
    task: &'static str,
    is_choosy: bool,
    /// How often the router began with it and did not end yet: more than once if its agent asks
    /// again.
    open: u32,
    is_over: bool,
    job: Job,
}

/// What the router does for a request that its agent asked once.
#[derive(Default)]
struct Job {
    /// The model that was asked last, not counting hedges, and those before it.
    current: Option<Rc<str>>,
    left: Vec<Rc<str>>,
    under_way: u32,
    /// Since when nothing is under way and nothing announced.
    idle: Option<Time>,
    /// The models that were asked or passed over.
    seen: Vec<Rc<str>>,
    /// Those that gave an error that stays.
    finals: Vec<(Rc<str>, u16)>,
    /// The last that each of them said, or that was said of it.
    last: Vec<(Rc<str>, &'static str)>,
    /// Two of one request overlap: nobody can tell which is which.
    is_mixed: bool,
}

/// Sets what a model said last.
fn note(last: &mut Vec<(Rc<str>, &'static str)>, model: &Rc<str>, said: &'static str) {
    match last.iter_mut().find(|(other, _)| other == model) {
        Some(known) => known.1 = said,
        None => last.push((Rc::clone(model), said)),
    }
}

impl Gateway {
    pub(super) fn new(sim: &Sim) -> Gateway {
        let router = &sim.router;
        let usual = std::iter::once(&router.primary).chain(&router.fallback).cloned().collect();
        let mut chains = BTreeMap::from([(None, usual)]);
        let own = router.routes.iter();
        chains.extend(own.map(|(task, chain)| (Some(task.as_str()), chain.clone())));
        let bends = |kind: &FaultKind| matches!(kind, FaultKind::Clock { .. });
        let choosy = sim.workspaces.iter().filter(|it| it.prefer.is_some());
        Gateway {
            chains,
            in_order: router.strategy == Strategy::Chain,
            choosy: choosy.map(|it| it.name.clone()).collect(),
            calls: Calls::new(sim.faults.iter().any(|fault| bends(&fault.kind))),
            trails: BTreeMap::new(),
            rounds: Built::default(),
            idle: Built::default(),
            r#final: Built::default(),
            left_out: Built::default(),
            last_error: Built::default(),
            whole: Built::default(),
            baggage: Built::default(),
        }
    }

    /// Sees any event: the calls of the router are known from messages.
    pub(super) fn hear(&mut self, sighting: &Sighting<'_>) {
        self.calls.hear(sighting);
    }

    /// The calls that the router has not answered.
    pub(super) fn calls(&self) -> &Calls {
        &self.calls
    }

    pub(super) fn see(&mut self, at: Time, event: &Event) {
        match event {
            Event::RequestStarted { request, task, workspace, .. } => {
                let trail = Trail {
                    task,
                    is_choosy: self.choosy.contains(&**workspace),
                    open: 0,
                    is_over: false,
                    job: Job::default(),
                };
                self.trails.insert(request.clone(), trail);
            }
            Event::AttemptStarted { request, model, attempt, hedge } => {
                self.started(at, request, model, *attempt, *hedge);
            }
            Event::AttemptSkipped { request, model, reason } => {
                let Some(trail) = self.trails.get_mut(request) else { return };
                trail.job.seen.push(Rc::clone(model));
                note(&mut trail.job.last, model, reason);
            }
            Event::AttemptFailed { request, model, cause, status, .. } => {
                self.failed(at, request, model, cause, *status);
            }
            Event::RetryScheduled { request, .. } => {
                if let Some(trail) = self.trails.get_mut(request) {
                    trail.job.idle = None;
                }
            }
            Event::RequestRouted { request, .. } => self.job_ends(request, 1),
            Event::RequestFailed { request, code, attempts, causes, .. } => {
                if let Some(trail) = self.trails.get_mut(request).filter(|trail| trail.open > 0)
                    && *attempts == 0
                {
                    // It asked again, and was turned away while the router is still at it.
                    trail.job.is_mixed = true;
                    return;
                }
                self.gave_up(
                    at,
                    request,
                    code,
                    causes.0.iter().map(|it| (&it.model, it.why, it.tried)),
                );
                self.job_ends(request, *attempts);
            }
            Event::AnswerTruncated { request, model, tokens, whole } => {
                self.whole.evaluate(Some(format!(
                    "{request} was given {tokens} of {whole} tokens of {model} as an answer at {at}"
                )));
            }
            Event::RequestEnded { request, outcome, baggage_kept, .. } => {
                if *outcome == RequestOutcome::Ok {
                    self.whole.evaluate(None);
                }
                if let Some(kept) = baggage_kept {
                    let changed = || format!("what {request} sent along was changed, at {at}");
                    self.baggage.evaluate((!kept).then(changed));
                }
                self.request_ends(request);
            }
            _ => {}
        }
    }

    fn started(
        &mut self,
        at: Time,
        request: &RequestId,
        model: &Rc<str>,
        number: u32,
        hedge: bool,
    ) {
        let Some(trail) = self.trails.get_mut(request) else { return };
        let job = &mut trail.job;
        if number == 1 {
            trail.open += 1;
            job.is_mixed |= trail.open > 1;
        }
        if job.is_mixed {
            return;
        }
        let (chains, in_order) = (&self.chains, self.in_order && !trail.is_choosy);
        let chain = chains.get(&Some(trail.task)).or_else(|| chains.get(&None));
        if let Some(chain) = chain.filter(|_| in_order && !job.seen.contains(model)) {
            let mut before = chain.iter().take_while(|other| ***other != **model);
            let unseen = before.find(|other| !job.seen.iter().any(|seen| **seen == ***other));
            let failure = |left: &String| {
                format!("{request} asked {model} at {at}, and nobody said why not {left}")
            };
            self.left_out.evaluate(unseen.map(failure));
        }
        job.seen.push(Rc::clone(model));
        // What is told of a model that is asked again may be how that ended.
        job.last.retain(|(other, _)| other != model);
        if let Some((_, status)) = job.finals.iter().find(|(other, _)| other == model) {
            self.r#final.evaluate(Some(format!(
                "{request} asked {model} again at {at}, which had answered with {status}"
            )));
        }
        if let Some(since) = job.idle.take() {
            let waited = || format!("{request} waited for nothing from {since} to {at}");
            self.idle.evaluate((since < at).then(waited));
        }
        job.under_way += 1;
        if hedge {
            return;
        }
        if job.current.as_ref() != Some(model) {
            let back = || format!("{request} came back to {model} at {at}, after another one");
            self.rounds.evaluate(job.left.contains(model).then(back));
            job.left.extend(job.current.replace(Rc::clone(model)));
        }
    }

    fn failed(
        &mut self,
        at: Time,
        request: &RequestId,
        model: &Rc<str>,
        cause: &'static str,
        status: Option<u16>,
    ) {
        let Some(trail) = self.trails.get_mut(request) else { return };
        let job = &mut trail.job;
        note(&mut job.last, model, cause);
        job.under_way = job.under_way.saturating_sub(1);
        if job.under_way == 0 {
            job.idle = Some(at);
        }
        if let Some(status) = status.filter(|status| FINAL_STATUSES.contains(status)) {
            self.r#final.evaluate(None);
            job.finals.push((Rc::clone(model), status));
        }
    }

    fn gave_up<'a>(
        &mut self,
        at: Time,
        request: &RequestId,
        code: &str,
        causes: impl Iterator<Item = (&'a Rc<str>, &'static str, bool)>,
    ) {
        let Some(trail) = self.trails.get_mut(request) else { return };
        let job = &mut trail.job;
        if job.is_mixed {
            return;
        }
        if let Some(since) = job.idle.take() {
            let waited = || format!("{request} waited for nothing from {since} to its end at {at}");
            self.idle.evaluate((since < at).then(waited));
        }
        for (model, why, _) in causes.filter(|(.., tried)| *tried) {
            let last = job.last.iter().find(|(other, _)| other == model);
            let other = last.filter(|(_, said)| *said != why);
            self.last_error.evaluate(other.map(|(_, said)| {
                format!("{request} was told at {at} that {model} failed of {why}; it was {said}")
            }));
        }
        if code == "all_models_failed" {
            let chain = self.chains.get(&Some(trail.task)).or_else(|| self.chains.get(&None));
            let mut chain = chain.into_iter().flatten();
            let unseen = chain.find(|model| !job.seen.iter().any(|seen| **seen == ***model));
            self.left_out.evaluate(unseen.map(|model| {
                format!("all models failed {request} at {at}, and nobody asked {model}")
            }));
        }
    }

    /// The router has ended what it did for a request, after so many attempts.
    fn job_ends(&mut self, request: &RequestId, attempts: u32) {
        let Some(trail) = self.trails.get_mut(request) else { return };
        if attempts > 0 {
            trail.open = trail.open.saturating_sub(1);
        }
        let is_mixed = trail.job.is_mixed && trail.open > 0;
        trail.job = Job { is_mixed, ..Job::default() };
        if trail.is_over && trail.open == 0 {
            self.trails.remove(request);
        }
    }

    fn request_ends(&mut self, request: &RequestId) {
        let Some(trail) = self.trails.get_mut(request) else { return };
        if trail.open == 0 {
            self.trails.remove(request);
            return;
        }
        trail.is_over = true;
    }

    /// What the router had in hand is gone.
    pub(super) fn router_crashed(&mut self) {
        self.trails.retain(|_, trail| !trail.is_over);
        for trail in self.trails.values_mut() {
            trail.open = 0;
            trail.job = Job::default();
        }
    }

    /// The checks as they stand, always in the same order.
    pub(super) fn built(&self) -> [(&'static str, &Built); 8] {
        [
            (ROUNDS, &self.rounds),
            (IDLE, &self.idle),
            (FINAL, &self.r#final),
            (LEFT_OUT, &self.left_out),
            (LAST_ERROR, &self.last_error),
            (LET_GO, &self.calls.let_go),
            (WHOLE, &self.whole),
            (BAGGAGE, &self.baggage),
        ]
    }

    pub(super) fn finish(&mut self, outcome: &Outcome) -> [(&'static str, Built); 8] {
        // A run that was ended early may have been about to.
        let is_done = outcome.ending != Ending::TimeLimit;
        let let_go = self.calls.finish(|until| is_done || until < outcome.ended_at);
        let take = std::mem::take;
        [
            (ROUNDS, take(&mut self.rounds)),
            (IDLE, take(&mut self.idle)),
            (FINAL, take(&mut self.r#final)),
            (LEFT_OUT, take(&mut self.left_out)),
            (LAST_ERROR, take(&mut self.last_error)),
            (LET_GO, let_go),
            (WHOLE, take(&mut self.whole)),
            (BAGGAGE, take(&mut self.baggage)),
        ]
    }
}
