//! The router: chains, retries, budgets, guards. Everything that contradicts itself is an error
//! here, not a surprise in a run.

use std::collections::BTreeMap;
use std::time::Duration;

use miette::SourceSpan;

use super::Builder;
use crate::policy::{
    Growth, Preset, budget, bulkhead, deadline::Timeouts, health, select::Strategy,
};
use crate::scenario::field::{At, Field};
use crate::scenario::model::{Retry, Router, Sim, Streaming, Task};
use crate::scenario::raw::{RawBulkhead, RawHealth, RawHedge, RawRetry, RawRetryBudget, RawRouter};
use crate::scenario::units::quoted;
use crate::scenario::values::{ScalePermille, Whole};
use crate::stack::settings::{Breakers, HealthChecks, HedgeDelay, Hedging};
use crate::stack::{Quirk, Quirks};
use crate::world::{Delay, Probability};

impl Router {
    /// A router whose chain is not yet known.
    pub(super) fn unset() -> Self {
        Router {
            enabled: true,
            primary: String::new(),
            fallback: Vec::new(),
            routes: BTreeMap::new(),
            strategy: Strategy::Chain,
            tiers: BTreeMap::new(),
            timeouts: Timeouts { total: Some(Duration::from_secs(30)), ..Timeouts::default() },
            streaming: Streaming::Off,
            retry: Retry::default(),
            retry_budget: None,
            honour_retry_after: true,
            retry_after_max: None,
            breaker: None,
            bulkhead: None,
            hedge: None,
            health: HealthChecks { settings: health_default(), active: false, eject: false },
            persist: false,
            overhead: Delay::Fixed(Duration::from_millis(1)),
            deadline: None,
            resilience: None,
            watched: None,
            quirks: Quirks::default(),
            tracing: Default::default(),
        }
    }
}

/// The router's own checker: every 30 s, 10 s for an answer, unhealthy at the third miss.
fn health_default() -> health::Settings {
    health::Settings { timeout: Duration::from_secs(10), ..health::Settings::default() }
}

impl Builder {
    pub(super) fn router(&mut self, sim: &Sim, mut raw: RawRouter) -> Router {
        let default = Router::unset();
        let chain: Vec<&At<String>> = std::iter::once(&raw.primary).chain(&raw.fallback).collect();
        self.no_cycle(&chain);
        for (task, chain) in &raw.routes {
            self.no_cycle(&chain.value.iter().collect::<Vec<_>>());
            if chain.value.is_empty() {
                let message = format!("the route of {} leads nowhere", task.as_str());
                self.error(chain.span, "empty", &message, "name a backend, or remove the route");
            }
        }
        let lengths = raw.routes.values().map(|chain| chain.value.len()).chain([chain.len()]);
        let has_others = lengths.max() > Some(1);
        if let Some(per_task) = raw.breaker_per_task.as_ref().filter(|_| raw.breaker.is_none()) {
            let message = "there is no breaker for a task to have";
            self.error(per_task.span, "without a breaker", message, "add breaker = {}");
        }
        let streaming = raw.stream.unwrap_or_default();
        let timeouts = self.timeouts(&mut raw, streaming);
        let mut names = |names: Vec<At<String>>| -> Vec<String> {
            names.into_iter().map(|name| self.backend_reference(sim, name)).collect()
        };
        let fallback = names(raw.fallback);
        let routes: BTreeMap<Task, Vec<String>> =
            raw.routes.into_iter().map(|(task, chain)| (task, names(chain.value))).collect();
        Router {
            enabled: raw.enabled.unwrap_or(true),
            primary: self.backend_reference(sim, raw.primary),
            fallback,
            routes,
            strategy: raw.strategy.map_or(default.strategy, |raw| self.strategy(&raw)),
            tiers: raw.tiers,
            timeouts,
            streaming,
            retry: raw.retry.map_or(default.retry, |raw| self.retry(raw.value)),
            retry_budget: raw.retry_budget.and_then(|raw| self.retry_budget(raw)),
            honour_retry_after: raw.honour_retry_after.unwrap_or(true),
            retry_after_max: self.optional(raw.retry_after_max),
            breaker: raw.breaker.map(|breaker| Breakers {
                settings: self.breaker(breaker),
                per_task: raw.breaker_per_task.is_some_and(|it| it.value),
            }),
            bulkhead: raw.bulkhead.map(|raw| self.bulkhead(raw)),
            hedge: raw.hedge.and_then(|raw| self.hedge(raw, has_others)),
            health: raw.health.map_or(default.health, |raw| self.health_checks(raw)),
            persist: raw.persist.unwrap_or(false),
            overhead: self.delay(raw.overhead, default.overhead),
            deadline: raw.deadline.map(|raw| self.positive(Some(raw), Duration::from_secs(30))),
            resilience: None,
            watched: None,
            quirks: raw.quirks.iter().filter_map(|raw| self.quirk(raw)).collect(),
            tracing: default.tracing,
        }
    }

    fn quirk(&mut self, raw: &At<String>) -> Option<Quirk> {
        let found = Quirk::parse(&raw.value);
        if found.is_none() {
            let message = format!("no quirk is called {}", quoted(&raw.value));
            let names = Quirk::ALL.iter().map(|quirk| quirk.as_str());
            self.unknown(raw.span, "unknown quirk", &message, &raw.value, names);
        }
        found
    }

    /// A chain that comes back to where it was would never end.
    fn no_cycle(&mut self, chain: &[&At<String>]) {
        let mut seen = BTreeMap::<&str, SourceSpan>::new();
        for name in chain {
            if let Some(first) = seen.insert(&name.value, name.span) {
                let message = format!("{} is in the chain twice", quoted(&name.value));
                self.twice(name.span, first, message);
            }
        }
    }

    fn strategy(&mut self, raw: &At<String>) -> Strategy {
        let all = [
            Strategy::Chain,
            Strategy::Tier,
            Strategy::Weighted,
            Strategy::LeastBusy,
            Strategy::Latency,
            Strategy::Cost,
        ];
        self.one_of(raw, "strategy", all, Strategy::as_str).unwrap_or_default()
    }

    /// One of the names that there are.
    pub(super) fn one_of<T: Copy, const N: usize>(
        &mut self,
        raw: &At<String>,
        what: &str,
        all: [T; N],
        name: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let found = all.into_iter().find(|it| name(*it) == raw.value);
        if found.is_none() {
            let message = format!("no {what} is called {}", quoted(&raw.value));
            let names = all.map(name);
            let label = format!("unknown {what}");
            self.unknown(raw.span, &label, &message, &raw.value, names.iter().copied());
        }
        found
    }

    fn timeouts(&mut self, raw: &mut RawRouter, streaming: Streaming) -> Timeouts {
        let total = Duration::from_secs(30);
        let parts = [&raw.first_token_timeout, &raw.token_timeout];
        let spans = parts.map(|raw| raw.as_ref().map(|raw| raw.span));
        for (span, what) in spans.into_iter().zip(["first token", "tokens to wait between"]) {
            if let Some(span) = span.filter(|_| streaming == Streaming::Off) {
                let message = format!("an answer that comes whole has no {what}");
                self.error(span, "needs a stream", &message, "add stream = \"buffered\"");
            }
        }
        let mut read = |raw: &mut Option<Field<Duration>>| {
            raw.take().map(|raw| self.positive(Some(raw), total))
        };
        let timeouts = Timeouts {
            total: read(&mut raw.timeout).or(Some(total)),
            first_token: read(&mut raw.first_token_timeout),
            between_tokens: read(&mut raw.token_timeout),
        };
        let parts = [
            ("first_token_timeout", timeouts.first_token),
            ("token_timeout", timeouts.between_tokens),
        ];
        for ((key, part), span) in parts.into_iter().zip(spans) {
            if let (Some(part), Some(span)) = (part, span)
                && timeouts.total.is_some_and(|total| part > total)
            {
                let message = format!("{key} is longer than timeout, so it never ends anything");
                self.error(span, "longer than all", &message, "make timeout the longest");
            }
        }
        timeouts
    }

    fn retry(&mut self, raw: RawRetry) -> Retry {
        let base = match &raw.preset {
            None => Retry::default(),
            Some(name) => match Preset::parse(&name.value) {
                Some(preset) => Retry::preset(preset),
                None => {
                    let message = format!("no preset is called {}", quoted(&name.value));
                    let names = Preset::ALL.map(Preset::as_str);
                    let names = names.iter().copied();
                    self.unknown(name.span, "unknown preset", &message, &name.value, names);
                    Retry::default()
                }
            },
        };
        let max_span = raw.max.as_ref().or(raw.base.as_ref()).map(|field| field.span);
        let growth = raw.factor.map_or(base.growth, |raw| self.growth(raw));
        let retry = Retry {
            attempts: self.whole_up_to(raw.attempts, base.attempts, 100, "attempts"),
            base: self.read(raw.base, base.base),
            growth,
            max: self.read(raw.max, base.max),
            jitter: raw.jitter.unwrap_or(base.jitter),
            hard_max: base.hard_max,
        };
        if let Some(span) = max_span.filter(|_| retry.base > retry.max) {
            let message = "the first pause is longer than the longest";
            self.error(span, "", message, "make max at least base");
        }
        retry
    }

    fn growth(&mut self, raw: Field<ScalePermille>) -> Growth {
        let span = raw.span;
        let Some(ScalePermille(permille)) = self.value(raw) else { return Growth::DOUBLE };
        if permille < 1_000 {
            let message = "pauses that shrink would hammer a backend that is in trouble";
            self.error(span, "below 1", message, "write a factor of 1 or more");
        }
        Growth::Exponential { permille: u32::try_from(permille).unwrap_or(u32::MAX) }
    }

    fn retry_budget(
        &mut self,
        At { value: raw, .. }: At<RawRetryBudget>,
    ) -> Option<budget::Settings> {
        let kinds = ["aws_2020", "aws_2026", "grpc", "tower", "failsafe"];
        let kind = self.one_of(&raw.kind, "retry budget", kinds, |kind| kind)?;
        let given = [
            ("max_tokens", raw.max_tokens.as_ref().map(|it| it.span), "grpc"),
            ("token_ratio", raw.token_ratio.as_ref().map(|it| it.span), "grpc"),
            ("min_per_second", raw.min_per_second.as_ref().map(|it| it.span), "tower"),
            ("ttl", raw.ttl.as_ref().map(|it| it.span), "tower"),
            ("min_concurrency", raw.min_concurrency.as_ref().map(|it| it.span), "failsafe"),
        ];
        for (key, span, owner) in given {
            if let Some(span) = span.filter(|_| owner != kind) {
                let message = format!("a budget of the kind {kind} has no {key}");
                self.error(span, "not of this kind", &message, &format!("{key} is for {owner}"));
            }
        }
        if let Some(ratio) = raw.ratio.as_ref().filter(|_| !matches!(kind, "tower" | "failsafe")) {
            let message = format!("a budget of the kind {kind} has no ratio");
            self.error(ratio.span, "not of this kind", &message, "ratio is for tower and failsafe");
        }
        let ratio_ppm = self.read(raw.ratio, Probability::percent(20)).as_ppm();
        Some(match kind {
            "aws_2020" => budget::Settings::AWS_2020,
            "aws_2026" => budget::Settings::AWS_2026,
            "grpc" => {
                let max = self.whole_up_to(raw.max_tokens, 10, 1_000, "max_tokens");
                let ratio = self.read(raw.token_ratio, ScalePermille(100)).0;
                budget::Settings::Grpc {
                    max_tokens: max * 1_000,
                    token_ratio: u32::try_from(ratio).unwrap_or(u32::MAX),
                }
            }
            "tower" => {
                let span = raw.ttl.as_ref().map(|ttl| ttl.span);
                let ttl = self.positive(raw.ttl, Duration::from_secs(10));
                let allowed = Duration::from_secs(1)..=Duration::from_secs(60);
                if let Some(span) = span.filter(|_| !allowed.contains(&ttl)) {
                    let message = "a deposit counts for 1s to 60s";
                    self.error(span, "out of range", message, "write a ttl from 1s to 60s");
                }
                let min = self.whole_up_to(raw.min_per_second, 10, 1_000_000, "min_per_second");
                budget::Settings::Tower { ttl, min_per_second: min, retries_ppm: ratio_ppm }
            }
            _ => {
                let min = self.whole_up_to(raw.min_concurrency, 3, 1_000_000, "min_concurrency");
                budget::Settings::Failsafe { max_rate_ppm: ratio_ppm, min_concurrency: min }
            }
        })
    }

    fn bulkhead(&mut self, At { value: raw, span }: At<RawBulkhead>) -> bulkhead::Settings {
        let at_once = raw.concurrent.span;
        let wait_span = raw.wait.as_ref().map(|wait| wait.span);
        let queued = raw.queue.is_some();
        let wait = if queued { Duration::from_secs(5) } else { Duration::ZERO };
        let orders = [("fifo", bulkhead::Order::Fifo), ("fair", bulkhead::Order::FairByKey)];
        let order = raw.order.and_then(|raw| self.one_of(&raw, "order", orders, |(name, _)| name));
        let settings = bulkhead::Settings {
            max_concurrent: self.whole_up_to(Some(raw.concurrent), 1, u32::MAX, "concurrent"),
            max_queued: self.whole_up_to(raw.queue, 0, u32::MAX, "queue"),
            max_wait: self.read(raw.wait, wait),
            order: order.map_or(bulkhead::Order::Fifo, |(_, order)| order),
        };
        match settings.check() {
            Ok(()) if settings.max_queued > 0 && settings.max_wait.is_zero() => {
                let message = "a queue in which nobody may wait";
                self.error(wait_span.unwrap_or(span), "no time", message, "write a longer wait");
            }
            Ok(()) => {}
            Err(error @ bulkhead::Contradiction::NobodyInside) => {
                self.error(at_once, "nobody", &error.to_string(), "write 1 or more");
            }
            Err(error @ bulkhead::Contradiction::NobodyWaits(_)) => {
                self.error(span, "", &error.to_string(), "add queue = 10, or remove wait");
            }
        }
        settings
    }

    fn hedge(
        &mut self,
        At { value: raw, span }: At<RawHedge>,
        has_others: bool,
    ) -> Option<Hedging> {
        let extra = self.whole_up_to(raw.extra, 1, 10, "extra");
        match (raw.after, raw.percentile) {
            (Some(_), None) | (None, Some(_)) if !has_others => {
                let help = "add fallback = [\"…\"], or remove hedge";
                self.error(span, "nobody to ask", "there is no other model to ask", help);
                None
            }
            (Some(after), None) => {
                let after = self.positive(Some(after), Duration::from_secs(2));
                Some(Hedging { delay: HedgeDelay::Fixed(after), extra })
            }
            (None, Some(percentile)) => {
                let percentile = self.whole_up_to(Some(percentile), 95, 99, "percentile");
                Some(Hedging { delay: HedgeDelay::Quantile(percentile * 10_000), extra })
            }
            _ => {
                let help = "write { after = \"2s\" } or { percentile = 95 }";
                self.error(span, "", "a hedge waits by exactly one rule", help);
                None
            }
        }
    }

    fn health_checks(&mut self, raw: RawHealth) -> HealthChecks {
        let default = health_default();
        let spans =
            (raw.interval.as_ref().map(|raw| raw.span), raw.timeout.as_ref().map(|raw| raw.span));
        let settings = health::Settings {
            interval: self.positive(raw.interval, default.interval),
            timeout: self.positive(raw.timeout, default.timeout),
            unhealthy_after: self.at_least_one(raw.unhealthy_after, default.unhealthy_after),
            healthy_after: self.at_least_one(raw.healthy_after, default.healthy_after),
            ..default
        };
        if let Some(span) = spans
            .1
            .or(spans.0)
            .filter(|_| Duration::ZERO < settings.interval && settings.interval < settings.timeout)
        {
            let message = "a check may take longer than the time to the next one";
            self.error(span, "", message, "make timeout at most interval");
        }
        HealthChecks { settings, active: true, eject: raw.eject.unwrap_or(true) }
    }

    fn at_least_one(&mut self, raw: Option<Field<Whole>>, default: u32) -> u32 {
        let span = raw.as_ref().map(|raw| raw.span);
        let number = self.whole_up_to(raw, default, 1_000, "the number of checks");
        if let Some(span) = span.filter(|_| number == 0) {
            self.error(span, "zero", "no check at all would decide", "write 1 or more");
        }
        number
    }
}
