//! Requests while the configuration changes: each ends, once, as it was admitted; and the breakers
//! that they meet.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use super::Tuned;
use crate::{
    check::watch::Built,
    stack::{Event, RequestId},
    world::Time,
};

/// The requests that the router has in hand.
pub(super) struct Requests {
    /// Whether breakers survive a crash.
    persist: bool,
    held: BTreeMap<RequestId, Held>,
    breakers: BTreeMap<String, Seen>,
    in_hand: Built,
    admitted: Built,
    opens: Built,
}

/// A request in hand.
struct Held {
    operation: Rc<str>,
    tuned: Option<Tuned>,
    /// How often the router has it in hand: more than once if its agent asked again, and then nobody
    /// can tell whose attempt is whose.
    jobs: u32,
    is_mixed: bool,
    /// Calls of each model, and when the first of them began.
    attempts: Vec<(Rc<str>, u32, Time)>,
    /// What the last error asked for.
    asked: bool,
}

/// What was seen of a breaker.
#[derive(Default)]
struct Seen {
    /// What it said last; `None` if nobody can know.
    state: Option<&'static str>,
    /// Calls that ended since the last answer.
    calls: u64,
    /// Failures since the last answer or change.
    failures: u64,
}

impl Seen {
    fn closed() -> Seen {
        Seen { state: Some("closed"), ..Seen::default() }
    }
}

impl Requests {
    pub(super) fn new(persist: bool) -> Requests {
        Requests {
            persist,
            held: BTreeMap::new(),
            breakers: BTreeMap::new(),
            in_hand: Built::default(),
            admitted: Built::default(),
            opens: Built::default(),
        }
    }

    pub(super) fn admitted(
        &mut self,
        request: &RequestId,
        operation: &Rc<str>,
        tuned: Option<Tuned>,
    ) {
        let unknown =
            || format!("{request} came in for {operation}, of which nobody said anything");
        self.admitted.evaluate(tuned.is_none().then(unknown));
        let new = || Held {
            operation: Rc::clone(operation),
            tuned,
            jobs: 0,
            is_mixed: false,
            attempts: Vec::new(),
            asked: false,
        };
        let held = self.held.entry(request.clone()).or_insert_with(new);
        held.is_mixed = held.jobs > 0;
        held.jobs += 1;
        if !held.is_mixed {
            (held.operation, held.tuned) = (Rc::clone(operation), tuned);
            held.attempts.clear();
            held.asked = false;
        }
    }

    /// Sees what happens; `in_force` is what an operation has now.
    pub(super) fn see(
        &mut self,
        at: Time,
        event: &Event,
        in_force: impl Fn(&str) -> Option<Tuned>,
    ) {
        match event {
            Event::AttemptStarted { request, model, hedge: false, .. } => {
                self.started(at, request, model);
            }
            Event::AttemptFailed { request, model, status, retry_after_ms, .. } => {
                let Some(held) = self.held.get_mut(request) else { return };
                held.asked = retry_after_ms.is_some();
                let failed = status.is_none_or(|status| status >= 500);
                let name = format!("{model}/{}", held.operation);
                let threshold = in_force(&held.operation).map(|tuned| tuned.threshold);
                self.failed(at, name, failed, threshold);
            }
            Event::RetryScheduled { request, model, delay_ms, .. } => {
                self.paused(at, request, *delay_ms);
                self.planned(at, request, model);
            }
            Event::RequestRouted { request, model, .. } => {
                if let Some(held) = self.held.get(request) {
                    let name = format!("{model}/{}", held.operation);
                    let seen = self.breakers.entry(name).or_insert_with(Seen::closed);
                    (seen.calls, seen.failures) = (0, 0);
                }
                self.ended(at, request);
            }
            Event::RequestFailed { request, .. } => self.ended(at, request),
            Event::BreakerChanged { component, from, to } => {
                let operation = component.rsplit_once('/').map_or("", |(_, operation)| operation);
                let threshold = in_force(operation).map(|tuned| tuned.threshold);
                self.changed(at, component, (*from, *to), threshold);
            }
            _ => {}
        }
    }

    fn started(&mut self, at: Time, request: &RequestId, model: &Rc<str>) {
        let Some(held) = self.held.get_mut(request) else {
            let failure = format!("{model} was called for {request} at {at}, which is not in hand");
            return self.in_hand.evaluate(Some(failure));
        };
        self.in_hand.evaluate(None);
        let place = held.attempts.iter().position(|(other, ..)| other == model);
        let place = place.unwrap_or_else(|| {
            held.attempts.push((Rc::clone(model), 0, at));
            held.attempts.len() - 1
        });
        let Some((_, made, _)) = held.attempts.get_mut(place) else { return };
        *made += 1;
        if let (Some(tuned), false) = (held.tuned, held.is_mixed) {
            let (made, most) = (*made, tuned.attempts);
            let many = || format!("{request} asked {model} for the {made}. time of {most} at {at}");
            self.admitted.evaluate((made > most).then(many));
        }
    }

    fn paused(&mut self, at: Time, request: &RequestId, delay_ms: u64) {
        let Some(held) = self.held.get(request).filter(|held| !held.is_mixed && !held.asked) else {
            return;
        };
        let Some(Tuned { shortest_ms, longest_ms, .. }) = held.tuned else { return };
        let other = || {
            format!(
                "{request} waits for {delay_ms} ms at {at}; it came in for {shortest_ms} to {longest_ms}"
            )
        };
        self.admitted.evaluate((!(shortest_ms..=longest_ms).contains(&delay_ms)).then(other));
    }

    /// Another attempt at a model is planned.
    fn planned(&mut self, at: Time, request: &RequestId, model: &Rc<str>) {
        let Some(held) = self.held.get(request).filter(|held| !held.is_mixed) else { return };
        let first = held.attempts.iter().find(|(other, ..)| other == model);
        let (Some((.., first)), Some(tuned)) = (first, held.tuned) else { return };
        // What is told is told in whole milliseconds.
        let longest = Duration::from_millis(tuned.longest_ms + 1);
        let late = || {
            let since = at - *first;
            format!("{request} asks {model} again at {at}, {since:?} after it first did")
        };
        self.admitted.evaluate((at - *first >= longest).then(late));
    }

    fn ended(&mut self, at: Time, request: &RequestId) {
        let failure = match self.held.get_mut(request) {
            None => Some(format!("{request} ended at {at}, and was not in hand")),
            Some(held) => {
                held.jobs = held.jobs.saturating_sub(1);
                if held.jobs == 0 {
                    self.held.remove(request);
                }
                None
            }
        };
        self.in_hand.evaluate(failure);
    }

    fn failed(&mut self, at: Time, name: String, failed: bool, threshold: Option<u64>) {
        let seen = self.breakers.entry(name).or_insert_with(Seen::closed);
        seen.calls += 1;
        seen.failures += u64::from(failed);
        if let (Some(threshold), Some("closed"), true) = (threshold, seen.state, failed) {
            let failures = seen.failures;
            let late =
                || format!("a breaker is closed after {failures} failures of {threshold} at {at}");
            self.opens.evaluate((failures >= threshold).then(late));
        }
    }

    fn changed(
        &mut self,
        at: Time,
        component: &Rc<str>,
        (from, to): (&'static str, &'static str),
        threshold: Option<u64>,
    ) {
        let Some(threshold) = threshold else { return };
        let seen = self.breakers.entry(component.to_string()).or_insert_with(Seen::closed);
        if (from, to, seen.state) == ("closed", "open", Some("closed")) {
            // The call that opens it is told of after it has.
            let calls = seen.calls + 1;
            let early = || format!("{component} opened at {at} after {calls} calls of {threshold}");
            self.opens.evaluate((calls < threshold).then(early));
        }
        *seen = Seen { state: Some(to), ..Seen::default() };
    }

    /// What was counted counts on; but whether it does is not looked at here.
    pub(super) fn reconfigured(&mut self) {
        self.breakers.values_mut().for_each(|seen| seen.failures = 0);
    }

    pub(super) fn router_crashed(&mut self) {
        self.held.clear();
        let state = if self.persist { None } else { Some("closed") };
        for seen in self.breakers.values_mut() {
            *seen = Seen { state, ..Seen::default() };
        }
    }

    /// The results; `in_time` says that the run came to its own end.
    /// The checks as they stand, always in the same order.
    pub(super) fn built(&self) -> [&Built; 3] {
        [&self.in_hand, &self.admitted, &self.opens]
    }

    pub(super) fn finish(&mut self, in_time: bool) -> [Built; 3] {
        if let Some((request, _)) = self.held.first_key_value().filter(|_| in_time) {
            self.in_hand.evaluate(Some(format!("{request} came in and never ended")));
        }
        let take = std::mem::take;
        [take(&mut self.in_hand), take(&mut self.admitted), take(&mut self.opens)]
    }
}
