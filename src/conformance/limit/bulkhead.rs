//! Bulkheads and concurrency limits.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;

use super::{
    Fields, Seen, Subject, Unsupported, first_duration, first_text, first_whole, id, tell,
    unknown_event,
};
use crate::{
    policy::bulkhead::{Bulkhead, Caller, Entry, Full, Order, Settings},
    world::Time,
};

struct Guarded {
    bulkhead: Bulkhead,
    /// How long who acquires waits: not the same as who tries to, where the library has both.
    patience: Duration,
    /// Names of callers, by their numbers.
    names: Vec<String>,
    keys: BTreeMap<String, u64>,
    /// Who is inside, in the order they came.
    inside: Vec<u64>,
    events: Vec<&'static str>,
}

pub(super) fn subject(config: &mut Fields) -> Result<Box<dyn Subject>, Unsupported> {
    let dialect = first_text(config, &["dialect", "library", "type"])?.unwrap_or_default();
    let mut settings = Settings::default();
    let limits = [
        "max_concurrent",
        "max_concurrent_calls",
        "max_concurrency",
        "max_thread_pool_size",
        "max",
        "limit",
        "permits",
        "permit_limit",
        "concurrency",
        "max_parallelization",
        "size",
    ];
    if let Some(limit) = first_whole(config, &limits)? {
        settings.max_concurrent = u32::try_from(limit).unwrap_or(u32::MAX);
    }
    // A pool of threads waits for as long as it takes.
    first_whole(config, &["core_thread_pool_size"])?;
    let queues = [
        "max_queued",
        "queue_capacity",
        "queue_limit",
        "max_queue",
        "max_queue_size",
        "queue",
        "max_queuing_actions",
        "queue_size",
        "max_waiting",
    ];
    let queue = first_whole(config, &queues)?;
    let waits = ["max_wait", "max_wait_duration", "max_wait_time", "timeout", "queue_timeout"];
    let wait = first_duration(config, &waits)?;
    let wait = wait.unwrap_or(if queue.is_some_and(|queue| queue > 0) || dialect == "tower" {
        Duration::MAX
    } else {
        Duration::ZERO
    });
    settings.max_wait = wait;
    settings.max_queued = queue.map_or(u32::MAX, |queue| u32::try_from(queue).unwrap_or(u32::MAX));
    let order = first_text(config, &["order", "queue_order", "queue_processing_order", "policy"])?;
    settings.order = match order.as_deref() {
        None | Some("fifo" | "oldest_first" | "OldestFirst") => Order::Fifo,
        Some("priority") => Order::Priority,
        Some("fair" | "fair_by_key" | "round_robin") => Order::FairByKey,
        Some(other) => return Err(Unsupported(format!("there is no order {other:?}"))),
    };
    for name in ["fair", "fair_call_handling", "fair_call_handling_enabled"] {
        if config.flag(name)? == Some(false) {
            return Err(Unsupported("who is next is always certain".to_owned()));
        }
    }
    for name in ["fair_by_key", "fair_per_key"] {
        if config.flag(name)? == Some(true) {
            settings.order = Order::FairByKey;
        }
    }
    let patience = if dialect.starts_with("failsafe") { Duration::MAX } else { wait };
    let (names, keys) = (Vec::new(), BTreeMap::new());
    let (inside, events) = (Vec::new(), Vec::new());
    let bulkhead = Bulkhead::new(settings);
    Ok(Box::new(Guarded { bulkhead, patience, names, keys, inside, events }))
}

impl Guarded {
    /// The number of a caller; a new one for who has no name.
    fn number(&mut self, name: Option<String>) -> u64 {
        let known = name.as_ref().and_then(|name| self.names.iter().position(|it| it == name));
        let place = known.unwrap_or_else(|| {
            let place = self.names.len();
            self.names.push(name.unwrap_or_else(|| format!("#{place}")));
            place
        });
        place as u64
    }

    fn name(&self, id: u64) -> &str {
        usize::try_from(id).ok().and_then(|id| self.names.get(id)).map_or("", String::as_str)
    }

    fn let_in(&mut self, id: u64) {
        self.inside.push(id);
        self.events.push("CALL_PERMITTED");
    }

    fn enter(
        &mut self,
        now: Time,
        event: &str,
        step: &mut Fields,
        seen: &mut Seen,
    ) -> Result<(), Unsupported> {
        let times = first_whole(step, &["times", "n", "count"])?.unwrap_or(1);
        let asked =
            first_duration(step, &["max_wait", "max_wait_duration", "max_wait_time", "timeout"])?;
        let priority = first_whole(step, &["priority"])?.unwrap_or(0);
        let key = first_text(step, &["key", "workspace", "tenant"])?.unwrap_or_default();
        let name = id(step);
        // Keys take turns by name; each number leaves room for names in between.
        let key = match self.keys.get(&key) {
            Some(number) => *number,
            None => {
                let number =
                    key.bytes().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(byte));
                *self
                    .keys
                    .entry(key.clone())
                    .or_insert(number << (8 * (8 - key.len().min(8)) as u32 % 64))
            }
        };
        let usual = self.bulkhead.settings().max_wait;
        let wait = asked.unwrap_or(match event {
            "acquire" | "acquire_permit" => self.patience,
            _ => usual,
        });
        self.bulkhead.set_max_wait(wait);
        let (mut admitted, mut last) = (0_u64, Entry::Rejected(Full::Inside));
        for _ in 0..times {
            let id = self.number(name.clone());
            let priority = u32::try_from(priority).unwrap_or(u32::MAX);
            last = self.bulkhead.enter(now, Caller { id, key, priority });
            match last {
                Entry::Admitted => {
                    admitted += 1;
                    self.let_in(id);
                }
                Entry::Queued(_) => {}
                Entry::Rejected(_) => self.events.push("CALL_REJECTED"),
            }
        }
        self.bulkhead.set_max_wait(usual);
        let (ok, rejected) = (last == Entry::Admitted, matches!(last, Entry::Rejected(_)));
        tell(
            seen,
            &["acquired", "admitted", "permitted", "entered", "ok", "allowed", "success", "ready"],
            ok,
        );
        tell(seen, &["rejected", "full", "bulkhead_full"], rejected);
        tell(seen, &["queued", "pending", "waits"], matches!(last, Entry::Queued(_)));
        let result = match last {
            Entry::Admitted => "admitted",
            Entry::Queued(_) => "queued",
            Entry::Rejected(_) => "rejected",
        };
        tell(seen, &["entry", "result", "outcome"], result);
        let reason = match last {
            Entry::Rejected(Full::Inside) => Some("full"),
            Entry::Rejected(Full::Queue) => Some("queue_full"),
            Entry::Rejected(Full::Twice) => Some("twice"),
            _ => None,
        };
        tell(seen, &["reason"], reason);
        tell(seen, &["admitted_count", "acquired_count", "permitted_count"], admitted);
        Ok(())
    }

    fn leave(&mut self, now: Time, step: &mut Fields, seen: &mut Seen) -> Result<(), Unsupported> {
        let times = first_whole(step, &["times", "n", "count"])?.unwrap_or(1);
        let name = id(step);
        let mut next = Vec::new();
        let mut left = true;
        for _ in 0..times {
            // Who has no name leaves in the order they came.
            let id = match &name {
                Some(name) => Some(self.number(Some(name.clone()))),
                None => self.inside.first().copied(),
            };
            let gone = id.and_then(|id| Some((id, self.bulkhead.leave(now, id).ok()?)));
            left = gone.is_some();
            let Some((id, admitted)) = gone else { continue };
            self.inside.retain(|inside| *inside != id);
            self.events.push("CALL_FINISHED");
            if let Some(admitted) = admitted {
                self.let_in(admitted);
                next.push(self.name(admitted).to_owned());
            }
        }
        tell(seen, &["left", "released"], left);
        tell(seen, &["next", "admitted_id", "next_admitted", "woken"], next.first().cloned());
        tell(seen, &["admitted_ids"], next);
        Ok(())
    }

    fn resize(&mut self, now: Time, step: &mut Fields, seen: &mut Seen) -> Result<(), Unsupported> {
        let names =
            ["max_concurrent", "max_concurrent_calls", "max_concurrency", "limit", "n", "max"];
        if let Some(limit) = first_whole(step, &names)? {
            self.bulkhead.resize(u32::try_from(limit).unwrap_or(u32::MAX));
        }
        if let Some(wait) =
            first_duration(step, &["max_wait", "max_wait_duration", "max_wait_time"])?
        {
            self.bulkhead.set_max_wait(wait);
            self.patience = wait;
        }
        let mut next = Vec::new();
        while let Some(id) = self.bulkhead.admit(now) {
            self.let_in(id);
            next.push(self.name(id).to_owned());
        }
        tell(seen, &["next", "admitted_id", "next_admitted", "woken"], next.first().cloned());
        tell(seen, &["admitted_ids"], next);
        Ok(())
    }

    fn tell_state(&self, expired: Vec<String>, seen: &mut Seen) {
        let (bulkhead, counts) = (&self.bulkhead, self.bulkhead.counts());
        let names = [
            "available",
            "available_permits",
            "available_concurrent_calls",
            "free",
            "current_count",
        ];
        tell(seen, &names, bulkhead.available());
        tell(
            seen,
            &["in_flight", "inside", "active", "concurrent", "running", "in_use"],
            bulkhead.inside(),
        );
        tell(
            seen,
            &["waiting", "queue_length", "queue_depth", "queue_size", "queued_count"],
            bulkhead.queued(),
        );
        let limit = bulkhead.settings().max_concurrent;
        tell(
            seen,
            &["max_concurrent", "max_concurrent_calls", "max_allowed_concurrent_calls", "limit"],
            limit,
        );
        let wait = Some(bulkhead.settings().max_wait);
        super::tell_duration(seen, &["max_wait", "max_wait_duration"], wait);
        tell(seen, &["expired", "expired_ids", "timed_out"], expired);
        tell(seen, &["total_admitted", "admitted_total"], counts.admitted);
        tell(seen, &["total_rejected", "rejected_total", "rejected_count"], counts.rejected);
        tell(seen, &["total_expired", "expired_total", "expired_count"], counts.expired);
        tell(seen, &["total_cancelled", "cancelled_count"], counts.cancelled);
        tell(seen, &["total_left", "finished_count", "released_count"], counts.left);
        let names: Vec<_> = self.inside.iter().map(|id| self.name(*id)).collect();
        tell(seen, &["inside_ids", "in_flight_ids"], json!(names));
        tell(seen, &["events"], json!(self.events));
        tell(seen, &["event_count"], self.events.len());
    }
}

impl Subject for Guarded {
    fn step(&mut self, now: Time, event: &str, step: &mut Fields) -> Result<Seen, Unsupported> {
        let mut seen = Seen::new();
        let mut expired = Vec::new();
        // A place that gets free at the very end of a wait still goes to who waits.
        let before = Time::from_nanos(now.as_nanos().saturating_sub(1));
        while let Some(id) = self.bulkhead.expire(before) {
            self.events.push("CALL_REJECTED");
            expired.push(self.name(id).to_owned());
        }
        match event {
            "observe" | "advance" | "tick" | "expire" | "metrics" | "status" => {}
            "enter"
            | "try_enter"
            | "acquire"
            | "try_acquire"
            | "acquire_permit"
            | "try_acquire_permit"
            | "acquire_permission"
            | "try_acquire_permission"
            | "acquire_with_max_wait"
            | "acquire_permit_with_max_wait"
            | "execute"
            | "poll_ready"
            | "request"
            | "begin"
            | "call"
            | "submit" => self.enter(now, event, step, &mut seen)?,
            "leave" | "release" | "release_permit" | "release_permission" | "complete"
            | "on_complete" | "finish" | "end" | "success" | "failure" | "error" | "done"
            | "drop" => {
                step.take("outcome");
                self.leave(now, step, &mut seen)?;
            }
            "cancel" | "interrupt" => {
                let id = self.number(id(step));
                let cancelled = self.bulkhead.cancel(id);
                tell(&mut seen, &["cancelled"], cancelled);
            }
            "change_config" | "resize" | "set_limit" | "set_max_concurrent" => {
                self.resize(now, step, &mut seen)?;
            }
            _ => return Err(unknown_event(event)),
        }
        while let Some(id) = self.bulkhead.expire(now) {
            self.events.push("CALL_REJECTED");
            expired.push(self.name(id).to_owned());
        }
        self.tell_state(expired, &mut seen);
        Ok(seen)
    }
}
