//! Whether a request may go on at all, and to which models.

use std::{rc::Rc, time::Duration};

use slotmap::Key;

use super::{
    Router,
    job::{Job, JobKey},
    lane::Lane,
    millis,
};
use crate::{
    policy::{
        bulkhead::{Caller, Entry},
        select::{Candidate, Wish, tier_for},
    },
    stack::{Event, Quirk},
    world::Time,
};

impl Router {
    /// Takes a request in hand, if the router is on and there is room.
    pub(super) fn admit(&mut self, key: JobKey) {
        if !self.settings.enabled {
            return self.give_up(key, "skipped");
        }
        let Some(job) = self.jobs.get_mut(key) else { return };
        let now = self.env.now();
        if now >= job.deadline {
            return self.give_up(key, "deadline_exceeded");
        }
        let Some(bulkhead) = &mut self.bulkhead else { return self.charge(key) };
        // Whoever has no account takes turns as one of its own.
        let account = self.accounts.get(&job.prompt.workspace);
        let turn = account.map_or(0, |account| account.turn);
        let caller = Caller { id: key.data().as_ffi(), key: turn, priority: 0 };
        match bulkhead.enter(now, caller) {
            Entry::Admitted => {
                job.has_place = true;
                self.charge(key);
            }
            Entry::Queued(until) => self.wait_for_place(key, until),
            Entry::Rejected(_) => {
                if self.settings.quirks.has(Quirk::RefusedCount) {
                    self.count_refused(key);
                }
                self.give_up(key, "overloaded");
            }
        }
    }

    /// Gives a request up that is still waiting when its time is over.
    fn wait_for_place(&mut self, key: JobKey, until: Time) {
        let Some(job) = self.jobs.get(key) else { return };
        let patience = job.deadline.min(until) - self.env.now();
        self.env.after(patience, move |router, _| {
            if router.jobs.get(key).is_some_and(|job| !job.has_place) {
                router.give_up(key, "overloaded");
            }
        });
    }

    /// Goes on with a request whose turn has come, once the one that made room has ended. It has
    /// its place from now on: at this very instant its wait may be over.
    pub(super) fn take_place(&mut self, key: JobKey) {
        if let Some(job) = self.jobs.get_mut(key) {
            job.has_place = true;
            self.env.after(Duration::ZERO, move |router, _| router.charge(key));
        }
    }

    /// Reserves what the request may use, so that no number of requests at once can use more than
    /// there is.
    fn charge(&mut self, key: JobKey) {
        let Some(job) = self.jobs.get_mut(key) else { return };
        let Some(account) = self.accounts.get_mut(&job.prompt.workspace) else {
            return self.choose(key);
        };
        let utc = self.env.utc();
        let reserved = account.reserve(utc, &job.prompt);
        let resets = account.resets(utc);
        resets.into_iter().for_each(|reset| self.env.emit(reset.name(), reset));
        match reserved {
            Ok(reservation) => {
                let is_kept = reservation.is_some() && self.settings.persist;
                job.reservation = reservation;
                if is_kept {
                    let workspace = Rc::clone(&job.prompt.workspace);
                    // What is reserved must be on disk before it can be used: after a crash nobody
                    // would know of it.
                    if !self.save_account(&workspace) {
                        return self.give_up(key, "disk_full");
                    }
                    self.env.disk().sync(move |router, _| router.choose(key));
                } else {
                    self.choose(key);
                }
            }
            Err(exceeded) => {
                self.emit(exceeded);
                self.give_up(key, "quota_exceeded");
            }
        }
    }

    /// Orders the models for the request.
    fn choose(&mut self, key: JobKey) {
        let Some(job) = self.jobs.get_mut(key) else { return };
        let task = job.prompt.task;
        let chain = self.chains.get(&Some(task)).or_else(|| self.chains.get(&None));
        let chain: Rc<[usize]> = chain.map(Rc::clone).unwrap_or_default();
        let account = self.accounts.get(&job.prompt.workspace);
        let wish = Wish {
            strategy: self.settings.strategy,
            tier: self
                .settings
                .tiers
                .get(&task)
                .copied()
                .unwrap_or_else(|| tier_for(task.as_str())),
            preferred: account.and_then(|account| account.prefer),
        };
        let eject = self.settings.health.eject;
        let can_pay = |lane: &Lane| {
            account.is_none_or(|account| account.can_pay(lane.model.settings.price_micros))
        };
        let lanes = chain.iter().filter_map(|&lane| self.lanes.get(lane));
        let candidates: Vec<Candidate<'_>> =
            lanes.map(|lane| lane.candidate(eject, can_pay(lane))).collect();
        let selection = wish.select(&candidates, &mut self.draws);
        let lane_of = |place: usize| chain.get(place).copied();
        job.order = selection.order().filter_map(lane_of).collect();
        if self.settings.quirks.has(Quirk::PrimaryUnroutable) && job.order.len() > 1 {
            job.order.remove(0);
        }
        job.chosen = selection.chosen().map_or("none", |chosen| chosen.as_str());
        for (place, why) in selection.passed_over() {
            let Some(lane) = lane_of(place) else { continue };
            let Some(its) = self.lanes.get(lane) else { continue };
            job.pass_over(&its.model.name, why.as_str(), false);
            if !job.order.contains(&lane) {
                let (request, model) = (job.prompt.request.clone(), Rc::clone(&its.model.name));
                let skipped = Event::AttemptSkipped { request, model, reason: why.as_str() };
                self.env.emit(skipped.name(), skipped);
            }
        }
        self.go_on(key);
    }

    /// How long until it may make sense to ask again, for a request that nobody will answer.
    pub(super) fn come_back_in(&mut self, job: &Job, code: &str) -> Option<Duration> {
        match code {
            "quota_exceeded" => {
                let utc = self.env.utc();
                self.accounts.get_mut(&job.prompt.workspace)?.reset_in(utc)
            }
            _ => None,
        }
    }

    /// The latency of a job until now, in whole milliseconds.
    pub(super) fn age_ms(&self, job: &Job) -> u64 {
        millis(self.env.now() - job.started)
    }
}
