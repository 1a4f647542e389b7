//! What a workspace may use: its quota, and what is charged to it.

use std::{rc::Rc, time::Duration};

use jiff::Timestamp;

use super::{
    Router,
    job::{Job, JobKey},
};
use crate::{
    policy::quota::{Exhausted, Level, Quota, Reservation, Usage, Zone},
    stack::{Event, Quirk, Quirks, event::Utc, message::Prompt, settings::Workspace},
};

/// One workspace.
pub(super) struct Account {
    name: Rc<str>,
    /// Which of the accounts it is, from 1.
    pub(super) turn: u64,
    pub(super) quota: Option<Quota>,
    /// The provider that it would rather have.
    pub(super) prefer: Option<&'static str>,
    /// The highest price that it pays, in micro-dollars for a million output tokens.
    price_max: Option<u64>,
    quirks: Quirks,
}

impl Account {
    pub(super) fn new(turn: u64, workspace: &Workspace, utc: Timestamp, quirks: Quirks) -> Account {
        let mut quota = workspace.quota.clone();
        if let Some(quota) = quota.as_mut().filter(|_| quirks.has(Quirk::DaysOfUtc)) {
            quota.zone = Zone::UTC;
        }
        Account {
            name: workspace.name.as_str().into(),
            turn,
            quota: quota.map(|quota| Quota::new(quota, utc)),
            prefer: workspace.prefer.map(|provider| provider.as_str()),
            price_max: workspace.price_max,
            quirks,
        }
    }

    /// Whether it pays for a model of this price.
    pub(super) fn can_pay(&self, price_micros: u64) -> bool {
        self.price_max.is_none_or(|most| price_micros <= most)
    }

    /// Holds back what a request may use at most; the error is the event to emit.
    pub(super) fn reserve(
        &mut self,
        utc: Timestamp,
        prompt: &Prompt,
    ) -> Result<Option<Reservation>, Event> {
        let Some(quota) = &mut self.quota else { return Ok(None) };
        let mut tokens = prompt.tokens_with(prompt.output_tokens);
        if self.quirks.has(Quirk::CheckThenCharge) && tokens <= quota.status(utc).remaining {
            tokens = 0;
        }
        match quota.reserve(utc, tokens) {
            Ok(reservation) => Ok(Some(reservation)),
            Err(exceeded) => {
                let status = quota.status(utc);
                Err(Event::QuotaExceeded {
                    request: prompt.request.clone(),
                    workspace: Rc::clone(&self.name),
                    what: exceeded.what.as_str(),
                    limit: exceeded.limit,
                    used: match exceeded.what {
                        Exhausted::Tokens => status.used,
                        Exhausted::Requests => status.requests,
                    },
                    remaining: exceeded.remaining,
                    reset_at: Utc(exceeded.reset_at),
                })
            }
        }
    }

    /// The days that have ended and were not told of.
    pub(super) fn resets(&mut self, utc: Timestamp) -> Vec<Event> {
        let next = || self.quota.as_mut()?.take_reset(utc);
        let told =
            |ended: Usage| Event::QuotaReset { workspace: Rc::clone(&self.name), used: ended.used };
        std::iter::from_fn(next).map(told).collect()
    }

    /// How long until the next day.
    pub(super) fn reset_in(&mut self, utc: Timestamp) -> Option<Duration> {
        let reset_at = self.quota.as_mut()?.status(utc).reset_at;
        Duration::try_from(reset_at.duration_since(utc)).ok()
    }
}

impl Router {
    /// Counts a request that was turned away.
    pub(super) fn count_refused(&mut self, key: JobKey) {
        let utc = self.env.utc();
        let Some(job) = self.jobs.get(key) else { return };
        let account = self.accounts.get_mut(&job.prompt.workspace);
        let Some(quota) = account.and_then(|account| account.quota.as_mut()) else { return };
        if let Ok(reservation) = quota.reserve(utc, 0) {
            quota.settle(utc, reservation, 0);
        }
    }

    /// Charges what a request really used, and tells how full the quota is then.
    pub(super) fn settle(
        &mut self,
        job: &mut Job,
        (model, provider): (&Rc<str>, &'static str),
        used: u64,
    ) -> Option<Level> {
        let reservation = job.reservation.take()?;
        let utc = self.env.utc();
        let workspace = Rc::clone(&job.prompt.workspace);
        let account = self.accounts.get_mut(&workspace)?;
        let quota = account.quota.as_mut()?;
        let risen = if job.attempts == 0 {
            // Nobody was asked: it is as if the request had not been.
            quota.release(reservation);
            None
        } else {
            let times = if self.settings.quirks.has(Quirk::ChargesTwice) { 2 } else { 1 };
            quota.settle(utc, reservation, used.saturating_mul(times)).risen
        };
        let status = quota.status(utc);
        let resets = account.resets(utc);
        self.emit(Event::QuotaSettled {
            request: job.prompt.request.clone(),
            workspace: Rc::clone(&workspace),
            model: Rc::clone(model),
            provider,
            tokens: used,
            limit: status.limit,
            used: status.used,
            remaining: status.remaining,
            reset_at: Utc(status.reset_at),
        });
        resets.into_iter().for_each(|reset| self.emit(reset));
        if let Some(level) = risen {
            let (used, limit) = (status.used, status.limit);
            let workspace = Rc::clone(&workspace);
            self.emit(Event::QuotaLevel { workspace, level: level.as_str(), used, limit });
        }
        self.tell_quota(job, &status);
        if self.settings.persist {
            // If the disk is full, what was reserved stays charged after a crash.
            let _ = self.save_account(&workspace);
        }
        Some(status.level)
    }
}
