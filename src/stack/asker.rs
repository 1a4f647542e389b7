//! An asker: it asks the router how it is, again and again, and tells what it was told.
//!
//! It waits for no answer before it asks again, so that several of them ask at the same instants,
//! whatever the router is busy with.

use std::{cell::Cell, rc::Rc};

use actix::{Actor, Context};

use super::{
    Event,
    message::{HealthQuery, HealthReport, ModelHealth},
    router::Router,
    settings::{Tracing, service::AskerGroup},
    tracer::{self, Span, Tracer},
};
use crate::{
    policy::health::Availability,
    world::{CallError, Env, Peer, Time},
};

/// The actor.
pub struct Asker {
    env: Env<Asker>,
    group: Rc<AskerGroup>,
    router: Peer<Router>,
    /// How many questions are left, over all lives.
    left: Rc<Cell<u32>>,
    tracer: Tracer,
}

impl Asker {
    /// An asker of this router.
    pub fn new(
        env: Env<Asker>,
        group: Rc<AskerGroup>,
        router: Peer<Router>,
        left: Rc<Cell<u32>>,
        tracing: Tracing,
    ) -> Asker {
        let tracer = Tracer::new(&env, tracing);
        Asker { env, group, router, left, tracer }
    }

    fn wait(&self) {
        if self.left.get() > 0 {
            self.env.after(self.group.every, |asker, _| {
                asker.ask();
                asker.wait();
            });
        }
    }

    fn ask(&mut self) {
        self.left.set(self.left.get().saturating_sub(1));
        let began = self.env.now();
        let span = self.tracer.call(&self.env, None, || "check router".to_owned());
        self.env
            .call(&self.router, HealthQuery { trace: span.context.into() })
            .timeout(self.group.timeout)
            .then(move |asker, answer, _| asker.told(began, span, answer));
    }

    fn told(&self, began: Time, span: Span, answer: Result<HealthReport, CallError>) {
        let error = tracer::failure(&answer);
        tracer::ended(&self.env, &span, error, Vec::new);
        let took = (self.env.now() - began).as_millis();
        let (status, parts) = match &answer {
            Ok(report) => (report.status.as_str(), describe(report)),
            Err(error) => (error.name(), String::new()),
        };
        let reported = Event::HealthReported {
            component: "router".into(),
            status,
            latency_ms: u64::try_from(took).unwrap_or(u64::MAX),
            parts,
        };
        self.env.emit(reported.name(), reported);
    }
}

/// The providers, each with its models: `anthropic=degraded (opus=unavailable/open,
/// sonnet=available/closed), openai=available (gpt=available)`. Without a breaker, no state of one.
fn describe(report: &HealthReport) -> String {
    let model = |model: &ModelHealth| {
        let breaker = model.breaker.map(|breaker| format!("/{}", breaker.state.as_str()));
        let (name, availability) = (&model.model, model.availability.as_str());
        format!("{name}={availability}{}", breaker.unwrap_or_default())
    };
    let provider = |(name, availability): &(&'static str, Availability)| {
        let its = report.models.iter().filter(|model| model.provider == *name);
        let models: Vec<String> = its.map(model).collect();
        format!("{name}={} ({})", availability.as_str(), models.join(", "))
    };
    report.providers.iter().map(provider).collect::<Vec<_>>().join(", ")
}

impl Actor for Asker {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{policy::breaker::State, stack::BreakerHealth};

    #[test]
    fn a_report_is_told_provider_by_provider() {
        let model = |model: &str, provider, availability, state: Option<State>| ModelHealth {
            model: model.into(),
            provider,
            availability,
            latency: Duration::ZERO,
            breaker: state.map(|state| BreakerHealth { state, calls: 0, failures: 0, rejected: 0 }),
        };
        use Availability::{Available, Degraded, Unavailable};
        let report = HealthReport {
            status: Degraded,
            models: vec![
                model("opus", "anthropic", Unavailable, Some(State::Open)),
                model("gpt", "openai", Available, None),
                model("sonnet", "anthropic", Available, Some(State::Closed)),
            ],
            providers: vec![("anthropic", Degraded), ("openai", Available)],
        };
        let told = "anthropic=degraded (opus=unavailable/open, sonnet=available/closed), \
                    openai=available (gpt=available)";
        assert_eq!(describe(&report), told);
    }
}
