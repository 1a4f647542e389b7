//! Services, their callers, the monitor that checks and heals them, and the faults of services.

use std::collections::BTreeMap;
use std::time::Duration;

use miette::SourceSpan;

use super::Builder;
use super::stack::{AGENTS_MAX, uniform_ms};
use crate::scenario::field::At;
use crate::scenario::model::{
    AskerGroup, BreakerPer, CallErrors, CallerGroup, FaultKind, Heal, Monitor, Pace, Pool, Service,
    ServiceFault, ServiceKind, Sim,
};
use crate::scenario::names::is_name;
use crate::scenario::raw::{
    RawAsker, RawCallErrors, RawCaller, RawMonitor, RawService, RawServiceFault, RawServiceKind,
};
use crate::scenario::units::{PPM, quoted};
use crate::world::Probability;

/// The most connections of a database, and calls of a caller at once.
const AT_ONCE_MAX: u32 = 10_000;

impl Builder {
    /// Fills in services, callers and askers. `seen` are the names that nodes have so far.
    pub(super) fn services(
        &mut self,
        sim: &mut Sim,
        services: Vec<RawService>,
        callers: Vec<RawCaller>,
        askers: Vec<RawAsker>,
        seen: &mut BTreeMap<String, SourceSpan>,
    ) {
        for raw in services {
            self.node_name(&raw.name, "service", seen);
            let service = self.service(raw);
            sim.services.push(service);
        }
        for raw in callers {
            self.node_name(&raw.name, "caller", seen);
            let span = raw.name.span;
            let group = self.caller(sim, raw);
            self.room_for(sim, group.count, span);
            sim.callers.push(group);
        }
        for raw in askers {
            self.node_name(&raw.name, "asker", seen);
            if !sim.has_router() {
                let help = "add [router] and a [[backend]], or remove the asker";
                self.error(raw.name.span, "asks nobody", "there is no router to ask", help);
            }
            let span = raw.name.span;
            let group = self.asker(raw);
            self.room_for(sim, group.count, span);
            sim.askers.push(group);
        }
    }

    /// Notes the group with which the groups become too large together.
    pub(super) fn room_for(&mut self, sim: &Sim, count: u32, span: SourceSpan) {
        let before: u64 = sim.groups().map(|group| u64::from(group.count)).sum();
        if before <= AGENTS_MAX && before + u64::from(count) > AGENTS_MAX {
            let message = format!(
                "a sim has at most {AGENTS_MAX} agents, callers, askers, subscribers, clients, \
                 runners and reviewers in all"
            );
            self.error(span, "one group too many", &message, "make the counts smaller");
        }
    }

    fn service(&mut self, raw: RawService) -> Service {
        let kind = match raw.kind.unwrap_or(RawServiceKind::Rpc) {
            RawServiceKind::Rpc => {
                let of_pool = [
                    ("pool", raw.pool.as_ref().map(|field| field.span)),
                    ("pool_wait", raw.pool_wait.as_ref().map(|field| field.span)),
                    ("reconnect_after", raw.reconnect_after.as_ref().map(|field| field.span)),
                ];
                for (key, span) in of_pool {
                    if let Some(span) = span {
                        let message = format!("only a database has {key}");
                        let help = "remove it, or set kind = \"database\"";
                        self.error(span, "not of this kind", &message, help);
                    }
                }
                ServiceKind::Rpc
            }
            RawServiceKind::Database => ServiceKind::Database(Pool {
                connections: self.whole_up_to(raw.pool, 10, AT_ONCE_MAX, "a pool"),
                wait: self.read(raw.pool_wait, Duration::from_secs(1)),
                reconnect_after: raw
                    .reconnect_after
                    .map(|after| self.positive(Some(after), Duration::from_secs(1))),
            }),
        };
        let (takes, works) = raw.heal.map_or((None, None), |heal| (heal.takes, heal.works));
        Service {
            name: raw.name.value,
            kind,
            latency: self.delay(raw.latency, uniform_ms(2, 10)),
            errors: raw.errors.map(|raw| self.call_errors(raw)).unwrap_or_default(),
            heal: Heal {
                takes: self.read(takes, Duration::from_millis(500)),
                works: self.optional(works).unwrap_or_default(),
            },
            check: raw.check.unwrap_or_default(),
        }
    }

    fn call_errors(&mut self, At { value: raw, span }: At<RawCallErrors>) -> CallErrors {
        let errors = CallErrors {
            failure: self.read(raw.failure, Probability::NEVER),
            silence: self.read(raw.silence, Probability::NEVER),
            reset: self.read(raw.reset, Probability::NEVER),
        };
        let sum: u32 = errors.parts().iter().map(|(_, probability)| probability.as_ppm()).sum();
        if sum > PPM {
            let message = format!("the errors add up to more than 100%: {}%", sum / (PPM / 100));
            self.error(span, "", &message, "lower them; the rest to 100% is success");
        }
        errors
    }

    fn caller(&mut self, sim: &Sim, raw: RawCaller) -> CallerGroup {
        let pace = match (raw.every, raw.think) {
            (Some(every), think) => {
                if let Some(think) = think {
                    let message = "with every, calls do not wait for earlier ones";
                    self.error(think.span, "never used", message, "remove think or every");
                }
                Pace::Every(self.positive(Some(every), Duration::from_secs(1)))
            }
            (None, think) => Pace::Think(self.delay(think, uniform_ms(0, 100))),
        };
        if let (Some(per), None) = (&raw.breaker_per, &raw.breaker) {
            let message = "there is no breaker";
            self.error(per.span, "of nothing", message, "add breaker = {}, or remove this");
        }
        CallerGroup {
            name: raw.name.value,
            count: self.whole_up_to(raw.count, 1, AGENTS_MAX as u32, "the count"),
            service: self.service_reference(sim, raw.service),
            operations: self.operations(raw.operations),
            requests: self.whole_up_to(raw.requests, 1, 1_000_000_000, "requests"),
            pace,
            concurrency: self.whole_up_to(raw.concurrency, 1, AT_ONCE_MAX, "concurrency"),
            timeout: self.positive(raw.timeout, Duration::from_secs(1)),
            breaker: raw.breaker.map(|raw| self.breaker(raw)),
            breaker_per: raw.breaker_per.map_or(BreakerPer::Service, |per| per.value),
        }
    }

    fn asker(&mut self, raw: RawAsker) -> AskerGroup {
        AskerGroup {
            name: raw.name.value,
            count: self.whole_up_to(raw.count, 1, AGENTS_MAX as u32, "the count"),
            every: self.positive(raw.every, Duration::from_secs(10)),
            requests: self.whole_up_to(raw.requests, 1, 1_000_000_000, "requests"),
            timeout: self.positive(raw.timeout, Duration::from_secs(5)),
        }
    }

    fn operations(&mut self, raw: Option<At<Vec<At<String>>>>) -> Vec<String> {
        let Some(raw) = raw else { return vec!["call".to_owned()] };
        if raw.value.is_empty() {
            let help = "name at least one, as in [\"read\", \"write\"], or remove the key";
            self.error(raw.span, "empty", "the caller asks for nothing", help);
        }
        for operation in &raw.value {
            if !is_name(&operation.value) {
                let message = format!("{} is not a name", quoted(&operation.value));
                let help = "use 1 to 64 of the characters a-z, 0-9, _, . and -";
                self.error(operation.span, "not a name", &message, help);
            }
        }
        raw.value.into_iter().map(|operation| operation.value).collect()
    }

    fn service_reference(&mut self, sim: &Sim, raw: At<String>) -> String {
        let names = || sim.services.iter().map(|service| service.name.as_str());
        if !names().any(|name| name == raw.value) {
            let message = format!("no service is called {}", quoted(&raw.value));
            self.unknown(raw.span, "unknown service", &message, &raw.value, names());
        }
        raw.value
    }

    pub(super) fn monitor(&mut self, sim: &Sim, raw: RawMonitor) -> Monitor {
        let watch = raw.watch.map(|watch| {
            if watch.value.is_empty() {
                let help = "name what is checked, or remove the key to check everything";
                self.error(watch.span, "empty", "the monitor checks nothing", help);
            }
            let names = || {
                let services = sim.services.iter().map(|service| service.name.as_str());
                let callers = sim.callers.iter().filter(|group| group.breaker.is_some());
                let router = sim.has_router().then_some("router");
                services.chain(router).chain(callers.map(|group| group.name.as_str()))
            };
            let mut seen = BTreeMap::new();
            let mut watched = Vec::new();
            for name in watch.value {
                if !names().any(|other| other == name.value) {
                    let message = format!("there is nothing to check at {}", quoted(&name.value));
                    self.unknown(name.span, "cannot be checked", &message, &name.value, names());
                }
                if let Some(first) = seen.insert(name.value.clone(), name.span) {
                    self.twice(name.span, first, format!("{} is checked twice", name.value));
                }
                watched.push(name.value);
            }
            watched
        });
        Monitor {
            interval: self.positive(raw.interval, Duration::from_secs(10)),
            timeout: self.positive(raw.timeout, Duration::from_secs(5)),
            auto_heal: raw.auto_heal.unwrap_or(false),
            unhealthy_after: self.whole_up_to(raw.unhealthy_after, 1, 1_000, "unhealthy_after"),
            watch,
        }
    }

    pub(super) fn service_fault(
        &mut self,
        sim: &Sim,
        At { value: raw, span }: At<RawServiceFault>,
    ) -> FaultKind {
        let (down, hang) = (raw.down.unwrap_or(false), raw.hang.unwrap_or(false));
        let lost = raw.lose_connections.is_some();
        if !down && !hang && !lost && raw.errors.is_none() && raw.latency.is_none() {
            let help = "set down = true, hang = true, lose_connections, errors or latency";
            self.error(span, "", "the service stays as it is", help);
        }
        let name_span = raw.name.span;
        let name = self.service_reference(sim, raw.name);
        let service = sim.services.iter().find(|service| service.name == name);
        if service.is_some_and(|service| lost && service.kind == ServiceKind::Rpc) {
            let help = "set kind = \"database\" there, or use down = true here";
            self.error(name_span, "has no pool", "only a database has connections", help);
        }
        if let Some(operation) = &raw.operation {
            let callers = sim.callers.iter().filter(|group| group.service == name);
            let names = || callers.clone().flat_map(|group| &group.operations).map(String::as_str);
            if !names().any(|other| other == operation.value) {
                let message = format!("nobody calls {} of {name}", quoted(&operation.value));
                self.unknown(operation.span, "never called", &message, &operation.value, names());
            }
            if lost {
                let help = "remove operation: connections serve all of them";
                self.error(operation.span, "", "an operation has no connections", help);
            }
        }
        FaultKind::Service(ServiceFault {
            name,
            operation: raw.operation.map(|operation| operation.value),
            down,
            hang,
            lose_connections: self.optional(raw.lose_connections),
            errors: raw.errors.map(|raw| self.call_errors(raw)),
            latency: self.optional_delay(raw.latency),
        })
    }
}
