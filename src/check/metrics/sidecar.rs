//! What a run measures of the sidecar: what its users saw, and what only it can know.
//!
//! What the auditor asks is not counted: it is there for the checks, in every run alike.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::percentiles_ms;
use crate::stack::SidecarEvent;

/// Who reads everything back, and is none of its users.
const AUDITOR: &str = "auditor";

/// Adds up while a run goes on.
#[derive(Default)]
pub(super) struct Sidecar {
    requests: u64,
    limited: u64,
    refused: u64,
    failed: u64,
    unanswered: u64,
    cache_hits: u64,
    truncated: u64,
    posted: u64,
    acknowledged: u64,
    stored: BTreeSet<(Rc<str>, Rc<str>)>,
    dropped: u64,
    alone: u64,
    contexts_ms: Vec<u64>,
    publishes_ms: Vec<u64>,
    deliveries_ms: Vec<u64>,
}

impl Sidecar {
    pub(super) fn see(&mut self, event: &SidecarEvent) {
        match event {
            SidecarEvent::Answered { who, .. } if **who == *AUDITOR => {}
            SidecarEvent::Answered { route, status, latency_ms, .. } => {
                self.requests += 1;
                match status {
                    0 => self.unanswered += 1,
                    429 => self.limited += 1,
                    400..500 => self.refused += 1,
                    500.. => self.failed += 1,
                    200 if *route == "context" => self.contexts_ms.push(*latency_ms),
                    _ => {}
                }
            }
            SidecarEvent::ContextShown { truncated, cache_hit, .. } => {
                self.cache_hits += u64::from(*cache_hit);
                self.truncated += u64::from(*truncated);
            }
            SidecarEvent::ResultPosted { .. } => self.posted += 1,
            SidecarEvent::ResultAcknowledged { .. } => self.acknowledged += 1,
            SidecarEvent::ResultStored { project, result, .. } => {
                self.stored.insert((Rc::clone(project), Rc::clone(result)));
            }
            SidecarEvent::EventPublished { latency_ms, .. } => self.publishes_ms.push(*latency_ms),
            SidecarEvent::EventReceived { latency_ms, .. } => self.deliveries_ms.push(*latency_ms),
            SidecarEvent::EventDropped { .. } => self.dropped += 1,
            SidecarEvent::AgentAlone { .. } => self.alone += 1,
            SidecarEvent::ResultRead { .. }
            | SidecarEvent::DeleteAsked { .. }
            | SidecarEvent::ResultDeleted { .. }
            | SidecarEvent::ResultAbandoned { .. }
            | SidecarEvent::ResultsListed { .. }
            | SidecarEvent::ResultsShown { .. }
            | SidecarEvent::ToldToWait { .. }
            | SidecarEvent::ResultDamaged { .. }
            | SidecarEvent::PublishAsked { .. }
            | SidecarEvent::SubscriptionStarted { .. }
            | SidecarEvent::SubscriptionEnded { .. }
            | SidecarEvent::AgentSpawned { .. }
            | SidecarEvent::AgentSynced { .. } => {}
        }
    }

    /// Adds every metric that has a value.
    pub(super) fn measure(&mut self, values: &mut BTreeMap<&'static str, u64>) {
        let count = |seen: usize| u64::try_from(seen).unwrap_or(u64::MAX);
        values.extend([
            ("sidecar.requests", self.requests),
            ("sidecar.limited", self.limited),
            ("sidecar.refused", self.refused),
            ("sidecar.failed", self.failed),
            ("sidecar.unanswered", self.unanswered),
            ("sidecar.contexts", count(self.contexts_ms.len())),
            ("sidecar.cache_hits", self.cache_hits),
            ("sidecar.truncated", self.truncated),
            ("sidecar.results", count(self.stored.len())),
            ("results.posted", self.posted),
            ("results.acknowledged", self.acknowledged),
            ("events.published", count(self.publishes_ms.len())),
            ("events.received", count(self.deliveries_ms.len())),
            ("events.dropped", self.dropped),
            ("agents.alone", self.alone),
        ]);
        let contexts = ["contexts.p50", "contexts.p95", "contexts.p99"];
        percentiles_ms(contexts, &mut self.contexts_ms, values);
        let publishes = ["publishes.p50", "publishes.p95", "publishes.p99"];
        percentiles_ms(publishes, &mut self.publishes_ms, values);
        let deliveries = ["deliveries.p50", "deliveries.p95", "deliveries.p99"];
        percentiles_ms(deliveries, &mut self.deliveries_ms, values);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::check::metrics::Tally;

    fn answered(who: &str, route: &'static str, status: u16, latency_ms: u64) -> SidecarEvent {
        SidecarEvent::Answered {
            who: who.into(),
            agent_type: "rust-specialist",
            project: "p".into(),
            token: "valid",
            route,
            status,
            error: "",
            field: "".into(),
            asked_ns: 0,
            latency_ms,
            shows: "p".into(),
            count: 1,
        }
    }

    fn shown((truncated, cache_hit): (bool, bool)) -> SidecarEvent {
        SidecarEvent::ContextShown {
            who: "a".into(),
            agent_type: "rust-specialist",
            project: "p".into(),
            parts: "".into(),
            files: 0,
            outputs: 0,
            bytes: 0,
            truncated,
            cut: "".into(),
            cache_hit,
        }
    }

    fn stored(result: &str) -> SidecarEvent {
        SidecarEvent::ResultStored {
            project: "p".into(),
            key: "k".into(),
            result: result.into(),
            path: "f".into(),
        }
    }

    fn received(latency_ms: u64) -> SidecarEvent {
        SidecarEvent::EventReceived {
            who: "s".into(),
            project: "p".into(),
            of: "p".into(),
            event: "e".into(),
            event_type: "t".into(),
            publisher: "a".into(),
            sequence: 1,
            correlation: "c".into(),
            digest: 1,
            latency_ms,
            wanted: true,
        }
    }

    fn published(latency_ms: u64) -> SidecarEvent {
        SidecarEvent::EventPublished {
            who: "a".into(),
            project: "p".into(),
            event: "e".into(),
            event_type: "t".into(),
            topic: "testing",
            sequence: 1,
            correlation: "c".into(),
            digest: 1,
            latency_ms,
        }
    }

    /// So that every percentile has a value.
    pub(in crate::check::metrics) fn one_of_each(tally: &mut Tally) {
        for event in [answered("a", "context", 200, 7), published(1), received(2)] {
            tally.see_sidecar(&event);
        }
    }

    fn measured(events: &[SidecarEvent]) -> BTreeMap<&'static str, u64> {
        let (mut sidecar, mut values) = (Sidecar::default(), BTreeMap::new());
        events.iter().for_each(|event| sidecar.see(event));
        sidecar.measure(&mut values);
        values
    }

    #[test]
    fn answers_are_counted_by_status_and_only_contexts_have_a_latency() {
        let mut events = vec![
            answered("auditor", "context", 200, 900),
            answered("auditor", "result", 404, 1),
            answered("a", "store", 201, 800),
            answered("a", "context", 429, 700),
        ];
        for status in [0, 400, 404, 503] {
            events.push(answered("a", "context", status, 600));
        }
        events.extend([60, 20, 4].map(|ms| answered("a", "context", 200, ms)));
        events.extend([(true, false), (false, true), (false, false)].map(shown));
        let values = measured(&events);
        let of = |name: &str| values.get(name).copied();
        assert_eq!(of("sidecar.requests"), Some(9));
        assert_eq!((of("sidecar.limited"), of("sidecar.refused")), (Some(1), Some(2)));
        assert_eq!((of("sidecar.failed"), of("sidecar.unanswered")), (Some(1), Some(1)));
        assert_eq!(of("sidecar.contexts"), Some(3));
        assert_eq!((of("sidecar.cache_hits"), of("sidecar.truncated")), (Some(1), Some(1)));
        assert_eq!((of("contexts.p50"), of("contexts.p99")), (Some(20_000_000), Some(60_000_000)));
        assert_eq!((of("publishes.p50"), of("deliveries.p99")), (None, None));
    }

    #[test]
    fn a_result_that_is_stored_again_is_one() {
        let values = measured(&[stored("1"), stored("1"), stored("2")]);
        assert_eq!(values["sidecar.results"], 2);
    }

    #[test]
    fn events_have_the_latencies_of_publishing_and_of_delivery() {
        let values = measured(&[published(3), published(9), received(20)]);
        assert_eq!((values["events.published"], values["events.received"]), (2, 1));
        assert_eq!((values["publishes.p50"], values["publishes.p95"]), (3_000_000, 9_000_000));
        assert_eq!(values["deliveries.p50"], 20_000_000);
    }
}
