//! What must hold of every router, whatever a sim is about: attempts, pauses, quotas, half-open
//! breakers, streams.
//!
//! These checks know the settings and the events, and nothing of how the router works.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use super::{
    days::{self, Day, Days},
    gateway::Calls,
    watch::Built,
};
use crate::{
    config::{Field, field::Range},
    policy::profile::Profile,
    scenario::{Router, Sim},
    stack::{Event, RequestId},
    world::Time,
};

/// No request makes more attempts than the settings allow: models, times attempts at each, times
/// what its agent's SDK asks.
pub(super) const ATTEMPTS: &str = "attempts_within_the_settings";
/// A retry comes no sooner than was scheduled, nor than its provider asked.
pub(super) const PAUSES: &str = "no_retry_before_its_time";
/// No model is called for a request that is over.
pub(super) const GIVEN_UP: &str = "no_call_after_the_end";
/// What a workspace is charged for a day is never more than its quota.
pub(super) const QUOTA: &str = "quota_never_overshot";
/// A half-open breaker lets no more calls through at once than it has permits.
pub(super) const PROBES: &str = "half_open_within_its_permits";
/// The parts of an answer are all of one model, and of one answer of it.
pub(super) const STREAM: &str = "one_coherent_stream";

/// The checks on routing, while a run goes on.
pub(super) struct Routing {
    attempts_max: u64,
    permits: Option<u32>,
    honours: bool,
    /// Whether the router's clock runs as the world's: if not, its pauses are its own.
    clock_is_right: bool,
    limits: BTreeMap<String, u64>,
    requests: BTreeMap<RequestId, Request>,
    days: Days,
    /// Tokens that a workspace was charged, by day.
    charges: BTreeMap<Rc<str>, BTreeMap<Day, u64>>,
    /// Calls under way through breakers that are half-open.
    half_open: BTreeMap<Rc<str>, Vec<(RequestId, u32)>>,
    attempts: Built,
    pauses: Built,
    given_up: Built,
    quota: Built,
    probes: Built,
    stream: Built,
}

/// What is known of one request that is not over.
#[derive(Default)]
struct Request {
    /// How often the router has it in hand: more than once if its agent asks again, and then nobody
    /// can tell whose retry is whose.
    jobs: u32,
    is_mixed: bool,
    attempts: u64,
    /// When each model may be asked again.
    earliest: Vec<(Rc<str>, Time)>,
    /// What the model that failed last asked for.
    asked: Option<(Rc<str>, Time)>,
    /// The model that failed last, as long as no retry of it is announced.
    failed: Option<Rc<str>>,
    workspace: Rc<str>,
    /// The day of its workspace when it came in, and when a model was first called for it.
    day: Option<(Day, Day)>,
}

/// How often one model may be asked at most.
fn attempts(router: &Router) -> u64 {
    match (&router.resilience, Field::RetryAttempts.range()) {
        (Some(_), Range::Counts(_, most)) => most.into(),
        _ => router.retry.attempts.into(),
    }
}

impl Routing {
    pub(super) fn new(sim: &Sim) -> Routing {
        let router = &sim.router;
        let chains = router.routes.values().map(Vec::len);
        let models = chains.chain([router.fallback.len() + 1]).max().unwrap_or(1) as u64;
        let asked = |client| u64::from(Profile::new(client).retry.attempts);
        let asked = sim.agents.iter().filter_map(|group| group.sdk).map(asked).max().unwrap_or(1);
        let permits =
            router.breaker.as_ref().and_then(|it| it.settings.half_open.as_ref()?.permits);
        let limit = |quota: &crate::policy::quota::Settings| quota.tokens_per_day;
        Routing {
            // With a configuration of the stack, another check knows how many; here it is the most
            // that one may say.
            attempts_max: models * attempts(router) * asked.max(1),
            // A breaker per task shares its model's events with the others.
            permits: permits.filter(|_| router.breaker.as_ref().is_some_and(|it| !it.per_task)),
            honours: router.honour_retry_after,
            clock_is_right: days::clock_is_right(sim),
            limits: sim
                .workspaces
                .iter()
                .filter_map(|it| Some((it.name.clone(), it.quota.as_ref().map(limit)?)))
                .filter(|(_, limit)| *limit > 0)
                .collect(),
            requests: BTreeMap::new(),
            days: Days::new(sim),
            charges: BTreeMap::new(),
            half_open: BTreeMap::new(),
            attempts: Built::default(),
            pauses: Built::default(),
            given_up: Built::default(),
            quota: Built::default(),
            probes: Built::default(),
            stream: Built::default(),
        }
    }

    /// Sees an event. `is_lost` says that the request's agent has crashed, so that nobody could tell
    /// the router that it is over; `calls` are those of the router.
    pub(super) fn see(
        &mut self,
        at: Time,
        event: &Event,
        is_lost: impl Fn(&RequestId) -> bool,
        calls: &Calls,
    ) {
        match event {
            Event::RequestStarted { request, workspace, .. } => {
                let workspace = Rc::clone(workspace);
                let open = Request { workspace, ..Request::default() };
                self.requests.insert(request.clone(), open);
            }
            Event::RequestEnded { request, .. } => {
                self.requests.remove(request);
            }
            Event::AttemptStarted { request, model, attempt, .. } => {
                self.started(at, request, model, *attempt, &is_lost, calls);
            }
            Event::AttemptFailed { request, model, attempt, retry_after_ms, .. } => {
                self.forget_probe(request, Some(*attempt));
                if let Some(open) = self.requests.get_mut(request) {
                    let until = |ms: u64| at + Duration::from_millis(ms);
                    open.asked = retry_after_ms.map(|ms| (Rc::clone(model), until(ms)));
                    open.failed = Some(Rc::clone(model));
                }
            }
            Event::RetryScheduled { request, model, delay_ms, .. } => {
                let honours = self.honours;
                let Some(open) = self.requests.get_mut(request) else { return };
                let scheduled = at + Duration::from_millis(*delay_ms);
                let asked = open.asked.take().filter(|(by, _)| honours && by == model);
                let earliest = asked.map_or(scheduled, |(_, until)| until.max(scheduled));
                open.failed.take_if(|failed| failed == model);
                open.earliest.retain(|(other, _)| other != model);
                open.earliest.push((Rc::clone(model), earliest));
            }
            Event::RequestRouted { request, attempts, .. }
            | Event::RequestFailed { request, attempts, .. } => {
                self.forget_probe(request, None);
                if let Some(open) = self.requests.get_mut(request).filter(|_| *attempts > 0) {
                    open.jobs = open.jobs.saturating_sub(1);
                    open.is_mixed &= open.jobs > 0;
                }
            }
            Event::BreakerChanged { component, to, .. } => {
                self.half_open.remove(component);
                if *to == "half_open" {
                    self.half_open.insert(Rc::clone(component), Vec::new());
                }
            }
            Event::QuotaReset { workspace, .. } => {
                self.days.reset(workspace);
            }
            Event::QuotaSettled { request, workspace, tokens, .. } => {
                self.charged(at, request, workspace, *tokens);
            }
            Event::FirstToken { .. } => self.stream.evaluate(None),
            Event::StreamMixed { request, from, to } => {
                self.stream.evaluate(Some(format!(
                    "{request} got tokens of {to} after tokens of {from} at {at}"
                )));
            }
            _ => {}
        }
    }

    fn started(
        &mut self,
        at: Time,
        request: &RequestId,
        model: &Rc<str>,
        attempt: u32,
        is_lost: &impl Fn(&RequestId) -> bool,
        calls: &Calls,
    ) {
        let Some(open) = self.requests.get_mut(request) else {
            if calls.until(request).is_none_or(|until| at > until) {
                let called = || format!("{model} was called for {request} at {at}, after its end");
                self.given_up.evaluate((!is_lost(request)).then(called));
            }
            return;
        };
        self.given_up.evaluate(None);
        if attempt == 1 {
            open.jobs += 1;
            open.is_mixed |= open.jobs > 1;
            // What an earlier call of the agent came to is over.
            open.failed = None;
        }
        open.attempts += 1;
        let (attempts, most) = (open.attempts, self.attempts_max);
        let too_many = || format!("{request} made attempt {attempts} of {most} at {at}");
        self.attempts.evaluate((attempts > most).then(too_many));
        let failed = open.failed.take().filter(|failed| failed == model && !open.is_mixed);
        if let Some(place) = open.earliest.iter().position(|(other, _)| other == model) {
            let (_, earliest) = open.earliest.swap_remove(place);
            if self.clock_is_right && !open.is_mixed {
                let early = || format!("{request} asked {model} again at {at}, before {earliest}");
                self.pauses.evaluate((at < earliest).then(early));
            }
        }
        if failed.is_some() {
            let told = format!("{request} asked {model} again at {at}, and no retry was announced");
            self.pauses.evaluate(Some(told));
        }
        if open.day.is_none() && !self.limits.is_empty() {
            let day = |at| self.days.day(&open.workspace, at);
            let came = calls.taken(request).map_or(at, |(came, _)| came);
            open.day = Some((day(came), day(at)));
        }
        if let (Some(permits), Some(probing)) = (self.permits, self.half_open.get_mut(model)) {
            probing.push((request.clone(), attempt));
            let many = probing.len();
            let failure = || format!("{many} calls probed {model} at {at}, which has {permits}");
            self.probes.evaluate((many > permits as usize).then(failure));
        }
    }

    /// Whoever held the permits of a half-open breaker is gone, and the breaker with it, unless it
    /// is kept: then it says so when it changes next. Gone with it is what it was waiting for: if the
    /// agent asks again, the next life of the router knows nothing of it.
    pub(super) fn router_crashed(&mut self) {
        self.half_open.clear();
        for open in self.requests.values_mut() {
            (open.jobs, open.is_mixed, open.asked, open.failed) = (0, false, None, None);
            open.earliest.clear();
        }
    }

    /// A call is over: it probes no more.
    fn forget_probe(&mut self, request: &RequestId, attempt: Option<u32>) {
        for probing in self.half_open.values_mut() {
            probing.retain(|(other, number)| {
                other != request || attempt.is_some_and(|attempt| attempt != *number)
            });
        }
    }

    fn charged(&mut self, at: Time, request: &RequestId, workspace: &Rc<str>, tokens: u64) {
        let Some(limit) = self.limits.get(&**workspace) else { return };
        let now = self.days.day(workspace, at);
        // A request that no model was called for is charged nothing, whatever its day.
        let (came, day) =
            self.requests.get(request).and_then(|open| open.day).unwrap_or((now, now));
        if came != day {
            // It came in just before midnight: which of the two days it is of, nobody outside knows.
            return;
        }
        let used = self.charges.entry(Rc::clone(workspace)).or_default().entry(day).or_default();
        *used += tokens;
        let over = || format!("{workspace} was charged {used} of {limit} tokens for a day at {at}");
        self.quota.evaluate((*used > *limit).then(over));
    }

    /// The checks as they stand, always in the same order.
    pub(super) fn built(&self) -> [(&'static str, &Built); 6] {
        [
            (ATTEMPTS, &self.attempts),
            (PROBES, &self.probes),
            (GIVEN_UP, &self.given_up),
            (PAUSES, &self.pauses),
            (STREAM, &self.stream),
            (QUOTA, &self.quota),
        ]
    }

    pub(super) fn finish(&mut self) -> [(&'static str, Built); 6] {
        let take = std::mem::take;
        [
            (ATTEMPTS, take(&mut self.attempts)),
            (PROBES, take(&mut self.probes)),
            (GIVEN_UP, take(&mut self.given_up)),
            (PAUSES, take(&mut self.pauses)),
            (STREAM, take(&mut self.stream)),
            (QUOTA, take(&mut self.quota)),
        ]
    }
}
