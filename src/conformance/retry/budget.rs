//! Budgets, quotas, throttles.

use std::time::Duration;

use serde_json::Value;

use super::{
    Fields, Seen, Subject, Unsupported, also, backoff,
    read::{count, duration, flag, headers, ratio, tell, tell_pause, text, texts, unknown, whole},
};
use crate::{
    policy::{
        Preset, Retry,
        budget::{Budget, Cause, Settings, Throttle, ThrottleSettings, Ticket},
        retry_after::{Pushback, Rule, Said, Wait},
    },
    world::{Probability, Seed, Stream, Time},
};

/// gRPC's retry throttling.
struct Grpc {
    budget: Budget,
    /// The statuses that are retried, if a case says which.
    codes: Option<Vec<String>>,
}

pub(super) fn grpc(config: &mut Fields) -> Result<Box<dyn Subject>, Unsupported> {
    dialect(config, &["grpc", "grpc_a6", "a6"])?;
    let max_tokens = ratio(config, &["max_tokens", "maxTokens"], 1_000)?.unwrap_or(10_000);
    // A6 passes over every decimal after the third.
    let token_ratio = ratio(config, &["token_ratio", "tokenRatio"], 1_000_000)?;
    let token_ratio = token_ratio.map_or(100, |millionths| millionths / 1_000);
    let half = f64::from(max_tokens) / 2e3;
    match config.take("threshold") {
        None => {}
        Some(Value::String(text))
            if text.replace([' ', '_'], "").to_lowercase() == "maxtokens/2" => {}
        Some(Value::Number(number)) if number.as_f64() == Some(half) => {}
        Some(other) => return Err(Unsupported(format!("gRPC's threshold is not {other}"))),
    }
    let codes = texts(config, &["retryable_status_codes", "retryable_codes", "retryable"])?;
    let budget = Budget::new(&Settings::Grpc { max_tokens, token_ratio });
    Ok(Box::new(Grpc { budget, codes }))
}

/// Refuses a dialect that is not one of these.
fn dialect(config: &mut Fields, known: &[&str]) -> Result<Option<String>, Unsupported> {
    let Some(name) = text(config, &["dialect", "library", "preset", "rules", "version", "spec"])?
    else {
        return Ok(None);
    };
    let lower = name.to_ascii_lowercase().replace(['-', '.', ' '], "_");
    if known.contains(&lower.as_str()) {
        return Ok(Some(lower));
    }
    Err(Unsupported(format!("there is no such budget as {name:?}'s")))
}

impl Subject for Grpc {
    fn step(&mut self, now: Time, event: &str, step: &mut Fields) -> Result<Seen, Unsupported> {
        let times = whole(step, &["times", "count", "n"])?.unwrap_or(1);
        let status = text(step, &["status", "code", "status_code"])?;
        let event = match (event, status.as_deref()) {
            ("response" | "rpc" | "result" | "attempt_result", Some("OK" | "ok")) => "success",
            ("response" | "rpc" | "result" | "attempt_result", Some(_)) => "failure",
            _ => event,
        };
        let listed = match (&self.codes, &status) {
            (Some(codes), Some(status)) => codes.contains(status),
            _ => true,
        };
        let retryable = flag(step, &["retryable", "qualified"])?.unwrap_or(listed);
        let said = Said::read(&headers(step)?, jiff::Timestamp::UNIX_EPOCH);
        let stopped = said.pushback == Some(Pushback::Stop);
        for _ in 0..times {
            match event {
                "success" | "ok" | "successful_rpc" => self.budget.on_end(true, None),
                "failure" | "fail" | "error" | "failed" | "throttle" | "retryable_failure" => {
                    if retryable || stopped {
                        self.budget.on_attempt_failed();
                    }
                }
                "non_retryable_failure" | "fatal" | "non_retryable" => {}
                "pushback_stop" | "pushback" => self.budget.on_attempt_failed(),
                "observe" | "check" | "retry" | "can_retry" => {}
                _ => return Err(unknown(event)),
            }
        }
        let enough = self.budget.withdraw(now, Cause::Transient, None).is_some();
        // What must not be retried is not, whatever there is left.
        let allowed = enough && retryable && !stopped;
        let mut seen = Seen::new();
        if let Budget::Grpc(tokens) = &self.budget {
            tell(&mut seen, &["tokens", "token_count"], f64::from(tokens.millis()) / 1e3);
        }
        let names = ["retry_allowed", "allowed", "retry", "can_retry", "above_threshold", "ok"];
        tell(&mut seen, &names, allowed);
        tell(&mut seen, &["throttled", "blocked", "retry_blocked"], !enough);
        Ok(seen)
    }
}

/// AWS standard mode: quota and pauses.
struct Aws {
    budget: Budget,
    /// After throttling, and after anything else.
    throttling: Retry,
    retry: Retry,
    place: backoff::Place,
    rule: Rule,
    since_2026: bool,
    long_polling: bool,
    attempt: u32,
    last: Option<Ticket>,
    draws: Stream,
}

pub(super) fn aws(config: &mut Fields) -> Result<Box<dyn Subject>, Unsupported> {
    let since = ["v2_1", "2_1", "2026", "aws_2026", "aws_v2_1", "aws_standard_2026"];
    let before = ["v2_0", "2_0", "2020", "aws_2020", "aws_v2_0", "aws_standard_2020"];
    let plain = ["aws", "aws_standard", "standard"];
    let named = dialect(config, &[&since[..], &before, &plain].concat())?;
    let names = ["mode", "retry_mode"];
    if let Some(mode) = text(config, &names)?.filter(|mode| mode != "standard") {
        return Err(Unsupported(format!("there is no mode {mode:?}")));
    }
    let base = duration(config, &["base", "initial_backoff", "initial"])?;
    let transient = count(config, &["transient_cost"])?;
    let throttling = count(config, &["throttling_cost", "throttling_retry_cost"])?;
    let slow = duration(config, &["throttling_base", "throttling_initial_backoff"])?;
    let since_2026 = named.is_some_and(|named| since.contains(&named.as_str()))
        || transient.is_some()
        || throttling.is_some()
        || slow.is_some();
    let (mut all, preset) =
        if since_2026 { ((14, 5, 14), Preset::Aws2026) } else { ((5, 5, 10), Preset::Aws2020) };
    if let Some(cost) = count(config, &["retry_cost"])? {
        all = if since_2026 { (cost, all.1, cost) } else { (cost, cost, cost.saturating_mul(2)) };
    }
    all = (transient.unwrap_or(all.0), throttling.unwrap_or(all.1), transient.unwrap_or(all.2));
    let names = ["timeout_cost", "timeout_retry_cost", "retry_timeout_cost"];
    all.2 = count(config, &names)?.unwrap_or(all.2);
    let capacity = count(config, &["capacity", "tokens", "initial_tokens", "quota"])?;
    let settings = Settings::Aws {
        capacity: capacity.unwrap_or(500),
        transient: all.0,
        throttling: all.1,
        timeout: all.2,
    };
    let mut retry = Retry::preset(preset);
    retry.base = base.unwrap_or(retry.base);
    let place = backoff::shape(config, &mut retry)?;
    let slow = if since_2026 { slow.unwrap_or(Duration::from_secs(1)) } else { retry.base };
    let rule = if since_2026 {
        Rule::AWS_2026
    } else {
        Rule::Clamp { least: Duration::ZERO, most: retry.max }
    };
    let long_polling = flag(config, &["long_polling"])?.unwrap_or(false);
    Ok(Box::new(Aws {
        budget: Budget::new(&settings),
        throttling: Retry { base: slow, ..retry.clone() },
        retry,
        place,
        rule,
        since_2026,
        long_polling,
        attempt: 0,
        last: None,
        draws: Seed(1).stream("conformance"),
    }))
}

impl Aws {
    /// What an outcome asks for; none if it is not retried.
    fn cause(&self, outcome: &str) -> Result<Option<Cause>, Unsupported> {
        Ok(Some(match outcome {
            "server_error" | "client_error" | "error" | "retryable" | "failure" | "fail" => {
                Cause::Transient
            }
            // The older rules count what they call transient as a timeout.
            "transient_error" | "transient" if !self.since_2026 => Cause::Timeout,
            "transient_error" | "transient" => Cause::Transient,
            "timeout" | "timeout_error" => Cause::Timeout,
            "throttling_error" | "throttling" | "throttled" | "throttle" => Cause::Throttling,
            "not_retryable"
            | "non_retryable"
            | "non_retryable_error"
            | "unretryable"
            | "permanent"
            | "permanent_error"
            | "validation_error"
            | "no_action_indicated"
            | "no_action"
            | "forbidden" => return Ok(None),
            "503" | "500" | "502" | "504" => Cause::Transient,
            "429" => Cause::Throttling,
            _ => return Err(Unsupported(format!("nobody understands the outcome {outcome:?}"))),
        }))
    }

    fn pause(&mut self, cause: Cause, said: &Said) -> Duration {
        let retry = if cause == Cause::Throttling { &self.throttling } else { &self.retry };
        let own = match self.place {
            Some(place) => retry.pause_at(self.attempt, retry.base, place),
            None => retry.pause(self.attempt, &mut self.draws),
        };
        match self.rule.apply(said.x_amz_retry_after.or(said.wait()), own) {
            Wait::For(wait) => wait,
            Wait::GiveUp => own,
        }
    }
}

impl Subject for Aws {
    fn step(&mut self, now: Time, event: &str, step: &mut Fields) -> Result<Seen, Unsupported> {
        let outcome = text(step, &["outcome", "result", "error", "kind"])?;
        let outcome = match event {
            "attempt_result" | "attempt" | "result" | "response" => {
                outcome.ok_or_else(|| Unsupported("an attempt without an outcome".to_owned()))?
            }
            "observe" => "observe".to_owned(),
            other => outcome.unwrap_or_else(|| other.to_owned()),
        };
        let next = self.attempt.saturating_add(1);
        let times = whole(step, &["times", "count"])?.unwrap_or(1);
        let said = Said::read(&headers(step)?, jiff::Timestamp::UNIX_EPOCH);
        let mut seen = Seen::new();
        let mut pause = None;
        let mut retry = false;
        if matches!(outcome.as_str(), "forget" | "forget_permit") {
            self.last = None;
        } else if matches!(event, "acquire" | "try_acquire") {
            let cause = self.cause(&outcome)?.ok_or_else(|| unknown(&outcome))?;
            retry = self.budget.withdraw(now, cause, None).is_some();
        } else if outcome != "observe" {
            self.attempt = count(step, &["attempt"])?.unwrap_or(next);
            if self.attempt == 1 {
                self.last = None;
            }
            let at_once = matches!(outcome.as_str(), "first_try_success" | "success_first_try");
            if at_once {
                self.last = None;
            }
            if at_once || matches!(outcome.as_str(), "success" | "ok" | "200") {
                for _ in 0..times {
                    self.budget.on_end(true, self.last.take());
                }
                self.attempt = 0;
            } else if times > 1 {
                return Err(Unsupported("one failure at a time".to_owned()));
            } else if let Some(cause) =
                self.cause(&outcome)?.filter(|_| self.attempt < self.retry.attempts)
            {
                let wait = self.pause(cause, &said);
                let ticket = self.budget.withdraw(now, cause, self.last);
                retry = ticket.is_some();
                pause = Some(wait).filter(|_| retry || self.long_polling);
                self.last = ticket.or(self.last);
            }
            if !retry {
                self.attempt = 0;
            }
        }
        if let Budget::Aws(quota) = &self.budget {
            let names = ["tokens", "quota", "available", "available_permits", "retry_quota"];
            tell(&mut seen, &names, quota.tokens());
        }
        let names = ["retry", "retried", "should_retry", "ok", "allowed", "acquired", "permitted"];
        tell(&mut seen, &names, retry);
        let decision = match (retry, pause) {
            (true, Some(_)) => "yes_after_delay",
            (true, None) => "yes",
            (false, Some(_)) => "no_after_delay",
            (false, None) => "no",
        };
        tell(&mut seen, &["decision", "should_attempt"], decision);
        tell_pause(&mut seen, pause);
        if pause.is_none() {
            // No pause at all, for a case that asks how long it is.
            for name in ["delay_ms", "wait_ms", "backoff_ms", "delay_s"] {
                also(&mut seen, name, 0);
            }
        }
        Ok(seen)
    }
}

/// tower's, Finagle's and failsafe-go's budgets.
struct Shared {
    budget: Budget,
    /// Retries in flight, for a budget that counts them.
    tickets: Vec<Ticket>,
}

pub(super) fn shared(config: &mut Fields) -> Result<Box<dyn Subject>, Unsupported> {
    let known = ["tower", "finagle", "failsafe", "failsafe_go"];
    let named = dialect(config, &known)?;
    let max_rate = ratio(config, &["max_rate", "maxRate"], 1_000_000)?;
    let least = count(config, &["min_concurrency", "minConcurrency"])?;
    let in_flight = count(config, &["executions", "inflight", "in_flight"])?.unwrap_or(0);
    let failsafe = matches!(named.as_deref(), Some("failsafe" | "failsafe_go"));
    let settings = if failsafe || max_rate.is_some() || least.is_some() {
        Settings::Failsafe {
            max_rate_ppm: max_rate.unwrap_or(200_000),
            min_concurrency: least.unwrap_or(3),
        }
    } else {
        let names = ["retry_percent", "percent_can_retry", "percent", "retry_ratio"];
        let names_of_least = ["min_per_sec", "min_per_second", "min_retries_per_sec"];
        let ttl = duration(config, &["ttl"])?.unwrap_or(Duration::from_secs(10));
        let min_per_second = count(config, &names_of_least)?.unwrap_or(10);
        let retries_ppm = ratio(config, &names, 1_000_000)?.unwrap_or(200_000);
        match named.as_deref() {
            Some("finagle") => Settings::Finagle { ttl, min_per_second, retries_ppm },
            _ => Settings::Tower { ttl, min_per_second, retries_ppm },
        }
    };
    let mut budget = Budget::new(&settings);
    (0..in_flight).for_each(|_| budget.on_request(Time::ZERO));
    Ok(Box::new(Shared { budget, tickets: Vec::new() }))
}

impl Subject for Shared {
    fn step(&mut self, now: Time, event: &str, step: &mut Fields) -> Result<Seen, Unsupported> {
        let times = whole(step, &["times", "count", "n", "amount"])?.unwrap_or(1);
        let mut ok = true;
        for _ in 0..times {
            match event {
                "deposit" | "request" | "start" | "execution" | "execute" | "begin" => {
                    self.budget.on_request(now);
                }
                "withdraw"
                | "try_withdraw"
                | "retry"
                | "acquire"
                | "try_acquire"
                | "try_acquire_retry"
                | "acquire_retry"
                | "try_acquire_retry_permit"
                | "acquire_retry_permit" => {
                    let ticket = self.budget.withdraw(now, Cause::Transient, None);
                    ok = ticket.is_some();
                    self.tickets.extend(ticket);
                }
                // A retry that ends leaves the request in flight.
                "release"
                | "release_retry"
                | "release_retry_permit"
                | "retry_done"
                | "end_retry" => {
                    self.budget.on_request(now);
                    self.budget.on_end(false, self.tickets.pop());
                }
                "end" | "done" | "success" | "complete" => self.budget.on_end(true, None),
                "observe" | "advance" | "balance" => {}
                _ => return Err(unknown(event)),
            }
        }
        let mut seen = Seen::new();
        let names =
            ["ok", "allowed", "withdrawn", "acquired", "permitted", "retry", "retry_allowed"];
        tell(&mut seen, &names, ok);
        tell(&mut seen, &["rejected", "exceeded", "refused"], !ok);
        match &self.budget {
            Budget::Tower(deposits) => {
                tell(&mut seen, &["balance", "available"], deposits.balance());
            }
            Budget::Failsafe(concurrent) => {
                tell(&mut seen, &["executions", "inflight"], concurrent.executions());
                tell(&mut seen, &["retries", "inflight_retries"], concurrent.retries());
            }
            _ => {}
        }
        Ok(seen)
    }
}

/// Adaptive throttling.
struct Adaptive {
    throttle: Throttle,
    counts_at_start: bool,
    draws: Stream,
}

pub(super) fn throttle(config: &mut Fields) -> Result<Box<dyn Subject>, Unsupported> {
    let named = dialect(config, &["sre", "google_sre", "failsafe", "failsafe_go", "go_zero"])?;
    let names = ["failure_rate_threshold", "failure_rate", "failure_threshold"];
    let threshold = ratio(config, &names, 1_000_000)?;
    let names = ["window", "period", "thresholding_period", "failure_thresholding_period"];
    let window = duration(config, &names)?;
    let names = ["max_rejection_rate", "max_reject", "max_rejection"];
    let most = ratio(config, &names, 1_000_000)?.map(Probability::ppm);
    let k = ratio(config, &["k", "K", "multiplier"], 1_000_000)?;
    let failsafe = matches!(named.as_deref(), Some("failsafe" | "failsafe_go"));
    let mut settings = if failsafe || threshold.is_some() {
        let threshold = Probability::ppm(threshold.unwrap_or(100_000));
        let window = window.unwrap_or(Duration::from_secs(60));
        ThrottleSettings::failsafe(threshold, window, most.unwrap_or(Probability::percent(90)))
    } else {
        let book = ThrottleSettings::SRE;
        let most = most.unwrap_or(book.most);
        ThrottleSettings { window: window.unwrap_or(book.window), most, ..book }
    };
    settings.k_ppm = k.unwrap_or(settings.k_ppm);
    let counts_at_start = settings.count_at_start;
    let draws = Seed(1).stream("conformance");
    Ok(Box::new(Adaptive { throttle: Throttle::new(settings), counts_at_start, draws }))
}

impl Subject for Adaptive {
    fn step(&mut self, now: Time, event: &str, step: &mut Fields) -> Result<Seen, Unsupported> {
        let times = whole(step, &["times", "count", "n"])?.unwrap_or(1);
        let mut admitted = true;
        for _ in 0..times {
            match event {
                "request" | "acquire" | "try_acquire" | "acquire_permit" | "admit" => {
                    admitted = self.throttle.admit(now, &mut self.draws);
                }
                // An outcome alone stands for a request that was let through.
                "success" | "accept" | "accepted" | "record_success" | "failure" | "reject"
                | "rejected" | "record_failure" | "error" => {
                    let good = event.contains("success") || event.contains("accept");
                    if self.counts_at_start && flag(step, &["outcome_only"])?.is_none() {
                        self.throttle.admit(now, &mut self.draws);
                    }
                    self.throttle.record(now, good);
                }
                "observe" | "check" => {}
                _ => return Err(unknown(event)),
            }
        }
        let (requests, accepts) = self.throttle.counts(now);
        let rate = self.throttle.refusal(now);
        let mut seen = Seen::new();
        let names = ["rejection_rate", "rejection_probability", "reject_probability", "p"];
        tell(&mut seen, &names, f64::from(rate.as_ppm()) / 1e6);
        tell(&mut seen, &["requests", "executions"], requests);
        tell(&mut seen, &["accepts", "successes"], accepts);
        tell(&mut seen, &["admitted", "acquired", "permitted", "ok", "allowed"], admitted);
        Ok(seen)
    }
}
