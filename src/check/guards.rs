//! What must hold of what a router keeps for all requests: breakers, quotas, places, pauses.
//!
//! These checks count by themselves what the events tell, and compare it with what the router says.
//! They look into no policy: a limit is read from the settings, a midnight from the time zone.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use jiff::Timestamp;

use super::{
    days::{self, Day, Days},
    gateway::Calls,
    watch::Built,
};
use crate::{
    policy::{
        Jitter, Retry,
        breaker::{self, Late, Trip},
        bulkhead,
        window::Shape,
    },
    scenario::Sim,
    stack::{Event, RequestId},
    world::Time,
};

/// A breaker opens after as many calls as its settings say: not before, and not later.
pub(super) const BREAKERS: &str = "breakers_open_when_they_should";
/// A refusal for want of quota says when the next day begins.
pub(super) const COME_BACK: &str = "refusals_say_when_to_come_back";
/// Nobody is turned away for want of room while there is some.
pub(super) const ROOM: &str = "no_refusal_while_there_is_room";
/// A quota counts what was charged, and requests that were tried, and nothing else.
pub(super) const ADDS_UP: &str = "quota_adds_up";
/// The day of a quota ends where the date changes in the zone of its workspace.
pub(super) const MIDNIGHT: &str = "days_end_at_midnight";
/// Pauses that should vary do.
pub(super) const SPREAD: &str = "retries_are_spread";

/// Pauses of which not more than half may be alike.
const PAUSES_AT_LEAST: u64 = 20;
/// Pauses that are drawn from fewer milliseconds may well be alike.
const RANGE_AT_LEAST: Duration = Duration::from_millis(20);
/// How far what a refusal says may be from the truth: headers are in whole seconds.
const ROUNDING_MS: i64 = 1_000;

/// The checks on what is shared, while a run goes on.
pub(super) struct Guards {
    start: Timestamp,
    clock_is_right: bool,
    persist: bool,
    has_crashed: bool,
    bulkhead: Option<Bulkhead>,
    days: Days,
    /// How many calls open a breaker at the earliest, and failures in a row at the latest.
    opens: Option<(u64, Option<u64>)>,
    breakers: BTreeMap<Rc<str>, Seen>,
    requests: BTreeMap<RequestId, Held>,
    used: BTreeMap<Rc<str>, Used>,
    /// When the router last told of a new day, and which it was; none if it crashed since.
    reset: BTreeMap<Rc<str>, Option<(Time, Day)>>,
    /// When the quota of a request that was refused begins anew.
    resets: BTreeMap<RequestId, Timestamp>,
    /// How often each pause was chosen, in milliseconds, if they should vary.
    pauses: Option<BTreeMap<u64, u64>>,
    paused: u64,
    /// Requests whose last failure came with a Retry-After.
    told: BTreeMap<RequestId, bool>,
    opened: Built,
    come_back: Built,
    room: Built,
    adds_up: Built,
    midnight: Built,
    spread: Built,
}

/// What was seen of one breaker.
struct Seen {
    /// What it said last; `None` if nobody can know.
    state: Option<&'static str>,
    /// Calls that ended since it was closed.
    calls: u64,
    /// Failures since the last answer.
    failures: u64,
}

impl Default for Seen {
    fn default() -> Seen {
        Seen { state: Some("closed"), calls: 0, failures: 0 }
    }
}

/// How many a router takes at once, and who waits for that.
#[derive(Clone, Copy)]
struct Bulkhead {
    places: u64,
    /// Places for those that wait.
    queue: u64,
    /// The longest that anybody waits.
    wait: Duration,
}

impl Bulkhead {
    fn new(settings: &bulkhead::Settings, deadline: Option<Duration>) -> Bulkhead {
        let wait = settings.max_wait;
        let queue = if wait.is_zero() { 0 } else { settings.max_queued };
        Bulkhead {
            places: settings.max_concurrent.into(),
            queue: queue.into(),
            wait: deadline.map_or(wait, |deadline| wait.min(deadline)),
        }
    }
}

/// Who holds a request.
struct Held {
    workspace: Rc<str>,
    by_agent: bool,
    /// What the router has in hand of it, more than once if its agent asked again.
    by_router: u32,
}

/// What a workspace has used on one day.
struct Used {
    day: Day,
    tokens: u64,
    requests: u64,
}

/// After how many calls a breaker may open, and after how many failures in a row it must.
fn opens(settings: &breaker::Settings) -> (u64, Option<u64>) {
    let in_window = match settings.window {
        Shape::Calls(calls) => Some(calls),
        Shape::Unbounded | Shape::Interval(_) | Shape::Buckets { .. } => None,
    };
    let minimum = in_window.map_or(settings.minimum_calls, |most| settings.minimum_calls.min(most));
    let counts_all = settings.late == Late::Counts;
    let (fewest, most) = match settings.trip {
        Trip::Consecutive(failures) => {
            let known = matches!(settings.window, Shape::Unbounded | Shape::Calls(_));
            (minimum.max(failures), known.then(|| failures.max(settings.minimum_calls)))
        }
        Trip::Failures(failures) => (minimum.max(failures), None),
        Trip::Rates { failures: Some(_), .. } => (minimum, in_window.map(|most| most.max(minimum))),
        Trip::Rates { .. } | Trip::When(_) => (minimum, None),
    };
    (u64::from(fewest), most.filter(|_| counts_all).map(u64::from))
}

/// Whether so many of its pauses would be alike only by a mistake.
fn varies(retry: &Retry) -> bool {
    let (shortest, longest) = retry.bounds(1, retry.base);
    // Those that are varied and then cut are alike once they have outgrown the longest.
    let is_cut = matches!(retry.jitter, Jitter::Scaled { .. } | Jitter::Shifted { .. });
    !(is_cut && retry.hard_max)
        && retry.jitter != Jitter::None
        && longest.saturating_sub(shortest) >= RANGE_AT_LEAST
}

impl Guards {
    pub(super) fn new(sim: &Sim) -> Guards {
        let router = &sim.router;
        // A breaker per task shares its model's events with the others.
        let breaker = router.breaker.as_ref().filter(|it| !it.per_task);
        Guards {
            start: sim.start,
            clock_is_right: days::clock_is_right(sim),
            persist: router.persist,
            has_crashed: false,
            bulkhead: router.bulkhead.map(|it| Bulkhead::new(&it, router.deadline)),
            days: Days::new(sim),
            opens: breaker.map(|breaker| opens(&breaker.settings)),
            breakers: BTreeMap::new(),
            requests: BTreeMap::new(),
            used: BTreeMap::new(),
            reset: BTreeMap::new(),
            resets: BTreeMap::new(),
            // A configuration of the stack says for each operation what its pauses are.
            pauses: (router.resilience.is_none() && varies(&router.retry)).then(BTreeMap::new),
            paused: 0,
            told: BTreeMap::new(),
            opened: Built::default(),
            come_back: Built::default(),
            room: Built::default(),
            adds_up: Built::default(),
            midnight: Built::default(),
            spread: Built::default(),
        }
    }

    /// Sees an event; `calls` are those of the router.
    pub(super) fn see(&mut self, at: Time, event: &Event, calls: &Calls) {
        match event {
            Event::RequestStarted { request, workspace, .. } if !self.days.is_empty() => {
                let workspace = Rc::clone(workspace);
                let held = Held { workspace, by_agent: true, by_router: 0 };
                self.requests.insert(request.clone(), held);
            }
            Event::RequestEnded { request, .. } => {
                self.release(request, |held| held.by_agent = false);
            }
            Event::AttemptStarted { request, attempt: 1, .. } => {
                let Some(held) = self.requests.get_mut(request) else { return };
                held.by_router += 1;
                let workspace = Rc::clone(&held.workspace);
                self.today(at, &workspace).requests += 1;
            }
            Event::AttemptFailed { request, model, status, retry_after_ms, .. } => {
                if self.pauses.is_some() {
                    self.told.insert(request.clone(), retry_after_ms.is_some());
                }
                self.ended(at, model, status.is_none_or(|status| status >= 500), false);
            }
            Event::RetryScheduled { request, delay_ms, .. } => self.scheduled(request, *delay_ms),
            Event::RequestRouted { request, model, .. } => {
                self.told.remove(request);
                self.ended(at, model, false, true);
                self.release(request, |held| held.by_router = held.by_router.saturating_sub(1));
            }
            Event::RequestFailed { request, code, attempts, retry_after_ms, .. } => {
                self.told.remove(request);
                match *code {
                    "overloaded" => self.refused(at, request, calls),
                    "quota_exceeded" => self.sent_away(at, request, *retry_after_ms),
                    _ => {}
                }
                if *attempts > 0 {
                    self.release(request, |held| held.by_router = held.by_router.saturating_sub(1));
                }
            }
            Event::BreakerChanged { component, from, to } => self.changed(at, component, from, to),
            Event::QuotaReset { workspace, .. } => {
                self.begins(at, workspace);
            }
            Event::QuotaSettled { workspace, tokens, used, reset_at, .. } => {
                self.ends_at(at, workspace, reset_at.0);
                let today = self.today(at, workspace);
                today.tokens = today.tokens.saturating_add(*tokens);
                let charged = today.tokens;
                let more = || {
                    format!("{workspace} has used {used} tokens at {at}, and was charged {charged}")
                };
                if !self.has_crashed {
                    self.adds_up.evaluate((*used > charged).then(more));
                }
            }
            Event::QuotaExceeded { request, workspace, what, used, reset_at, .. } => {
                self.ends_at(at, workspace, reset_at.0);
                self.resets.insert(request.clone(), reset_at.0);
                if *what == "requests" && !self.has_crashed {
                    self.too_many(at, request, workspace, *used);
                }
            }
            _ => {}
        }
    }

    fn release(&mut self, request: &RequestId, lets_go: impl FnOnce(&mut Held)) {
        let Some(held) = self.requests.get_mut(request) else { return };
        lets_go(held);
        if !held.by_agent && held.by_router == 0 {
            self.requests.remove(request);
        }
    }

    /// A call of a model is over.
    fn ended(&mut self, at: Time, model: &Rc<str>, failed: bool, answered: bool) {
        let Some((_, most)) = self.opens else { return };
        let seen = self.breakers.entry(Rc::clone(model)).or_default();
        seen.calls += 1;
        seen.failures = if answered { 0 } else { seen.failures + u64::from(failed) };
        if let (Some(most), Some("closed"), true) = (most, seen.state, failed) {
            let failures = seen.failures;
            let late = || {
                format!(
                    "the breaker of {model} is closed after {failures} failures in a row at {at}"
                )
            };
            self.opened.evaluate((failures >= most).then(late));
        }
    }

    fn changed(&mut self, at: Time, model: &Rc<str>, from: &str, to: &'static str) {
        let Some((fewest, _)) = self.opens else { return };
        if model.contains('/') {
            // A caller's, called after it and its service: it has settings of its own.
            return;
        }
        let seen = self.breakers.entry(Rc::clone(model)).or_default();
        if from == "closed" && to == "open" && !(self.persist && self.has_crashed) {
            // The call that opens it is told of after it has.
            let calls = seen.calls + 1;
            let early =
                || format!("the breaker of {model} opened at {at} after {calls} calls of {fewest}");
            self.opened.evaluate((calls < fewest).then(early));
        }
        seen.state = Some(to);
        seen.failures = 0;
        if to == "closed" {
            seen.calls = 0;
        }
    }

    fn scheduled(&mut self, request: &RequestId, delay_ms: u64) {
        let Some(pauses) = &mut self.pauses else { return };
        if self.told.get(request) == Some(&true) {
            // It is as long as its provider wants it.
            return;
        }
        self.paused += 1;
        let alike = pauses.entry(delay_ms).or_default();
        *alike += 1;
        if self.paused >= PAUSES_AT_LEAST {
            let (alike, all) = (*alike, self.paused);
            let herd = || format!("{alike} of {all} retries waited for exactly {delay_ms} ms");
            self.spread.evaluate((alike * 2 > all).then(herd));
        }
    }

    /// What a workspace has used today.
    fn today(&mut self, at: Time, workspace: &Rc<str>) -> &mut Used {
        let day = self.days.day(workspace, at);
        let new = Used { day, tokens: 0, requests: 0 };
        let used = self.used.entry(Rc::clone(workspace)).or_insert(new);
        if used.day < day {
            *used = Used { day, tokens: 0, requests: 0 };
        }
        used
    }

    /// The router says that a new day of a workspace has begun. It tells of each that is over, all at
    /// once if nobody asked it for some days.
    fn begins(&mut self, at: Time, workspace: &Rc<str>) {
        let day = self.days.day(workspace, at);
        self.days.reset(workspace);
        if !matches!(day, Day::Of(_)) || self.days.zone(workspace).is_none() {
            return;
        }
        let first = || Some((Time::ZERO, self.days.day(workspace, Time::ZERO)));
        let before = self.reset.get(workspace).copied().unwrap_or_else(first);
        self.reset.insert(Rc::clone(workspace), Some((at, day)));
        let again = before.filter(|(told, before)| *told != at && *before >= day);
        self.midnight.evaluate(again.map(|(told, _)| {
            format!(
                "a day of {workspace} is said to begin at {at}; it is the day of {told}, when one did"
            )
        }));
    }

    /// A request was turned away because all places are taken: at once, if as many wait as may, or
    /// when it has waited for as long as one may.
    fn refused(&mut self, at: Time, request: &RequestId, calls: &Calls) {
        let Some(Bulkhead { places, queue, wait }) = self.bulkhead else { return };
        let Some((came, patience)) = calls.taken(request) else { return };
        let has_waited = !self.clock_is_right || at >= came + wait.min(patience);
        let room = if has_waited { places } else { places.saturating_add(queue) };
        let others = calls.in_hand().saturating_sub(1);
        let failure = || {
            format!(
                "{request} was turned away at {at}, with {others} in hand; there is room for {room}"
            )
        };
        self.room.evaluate((others < room).then(failure));
    }

    /// A request was turned away because its workspace has used its quota.
    fn sent_away(&mut self, at: Time, request: &RequestId, said_ms: Option<u64>) {
        let reset = self.resets.remove(request).filter(|_| self.clock_is_right);
        let wrong = match (said_ms, reset) {
            (None, _) => Some(format!("{request} was refused at {at}, and not told until when")),
            (Some(said), Some(reset)) => {
                let truth = reset.duration_since(self.start).as_millis()
                    - i128::from(at.as_nanos() / 1_000_000);
                let differ = (i128::from(said) - truth).abs() > i128::from(ROUNDING_MS);
                let wrong =
                    || format!("{request} was told at {at} to wait {said} ms; it is {truth}");
                differ.then(wrong)
            }
            (Some(_), None) => None,
        };
        self.come_back.evaluate(wrong);
    }

    /// A request was turned away because there were too many of its workspace today.
    fn too_many(&mut self, at: Time, request: &RequestId, workspace: &Rc<str>, counted: u64) {
        let tried = self.today(at, workspace).requests;
        let waits = |(other, held): &(&RequestId, &Held)| {
            *other != request
                && held.workspace == *workspace
                && held.by_agent
                && held.by_router == 0
        };
        let waiting = self.requests.iter().filter(waits).count() as u64;
        let more = || {
            format!(
                "{workspace} is said to have made {counted} requests by {at}; {tried} were tried and {waiting} wait"
            )
        };
        self.adds_up.evaluate((counted > tried + waiting).then(more));
    }

    /// The router says that a day of a workspace ends then.
    fn ends_at(&mut self, at: Time, workspace: &Rc<str>, ends: Timestamp) {
        let Some(zone) = self.days.zone(workspace) else { return };
        let before = ends.checked_sub(jiff::SignedDuration::from_nanos(1)).unwrap_or(ends);
        let changes = zone.date(before) != zone.date(ends);
        let wrong = || {
            format!(
                "the day of {workspace} is said at {at} to end at {ends}, no midnight of {zone}"
            )
        };
        self.midnight.evaluate((!changes && ends != Timestamp::MAX).then(wrong));
    }

    /// What the router had in hand is gone, and what it knew unless it keeps it.
    pub(super) fn router_crashed(&mut self) {
        self.has_crashed = true;
        self.told.clear();
        // What it keeps may be older than what it told.
        self.reset.values_mut().for_each(|reset| *reset = None);
        self.requests.retain(|_, held| held.by_agent);
        self.requests.values_mut().for_each(|held| held.by_router = 0);
        for seen in self.breakers.values_mut() {
            seen.state = if self.persist { None } else { Some("closed") };
            seen.failures = 0;
        }
    }

    /// The checks as they stand, always in the same order.
    pub(super) fn built(&self) -> [(&'static str, &Built); 6] {
        [
            (BREAKERS, &self.opened),
            (COME_BACK, &self.come_back),
            (ROOM, &self.room),
            (ADDS_UP, &self.adds_up),
            (MIDNIGHT, &self.midnight),
            (SPREAD, &self.spread),
        ]
    }

    pub(super) fn finish(&mut self) -> [(&'static str, Built); 6] {
        let take = std::mem::take;
        [
            (BREAKERS, take(&mut self.opened)),
            (COME_BACK, take(&mut self.come_back)),
            (ROOM, take(&mut self.room)),
            (ADDS_UP, take(&mut self.adds_up)),
            (MIDNIGHT, take(&mut self.midnight)),
            (SPREAD, take(&mut self.spread)),
        ]
    }
}
