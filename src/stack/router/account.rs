//! What a workspace may use: its quota, and what is charged to it.

use std::{rc::Rc, time::Duration};

use jiff::Timestamp;

use super::{Router, job::Job};
use crate::{
    policy::quota::{Level, Quota, Reservation},
    stack::{Event, message::Prompt, settings::Workspace},
};

/// One workspace.
pub(super) struct Account {
    name: Rc<str>,
    pub(super) quota: Option<Quota>,
    /// The provider that it would rather have.
    pub(super) prefer: Option<&'static str>,
}

impl Account {
    pub(super) fn new(workspace: &Workspace, utc: Timestamp) -> Account {
        Account {
            name: workspace.name.as_str().into(),
            quota: workspace.quota.clone().map(|quota| Quota::new(quota, utc)),
            prefer: workspace.prefer.map(|provider| provider.as_str()),
        }
    }

    /// Holds back what a request may use at most; the error is the event to emit.
    pub(super) fn reserve(
        &mut self,
        utc: Timestamp,
        prompt: &Prompt,
    ) -> Result<Option<Reservation>, Event> {
        let Some(quota) = &mut self.quota else { return Ok(None) };
        let tokens = u64::from(prompt.input_tokens) + u64::from(prompt.output_tokens);
        match quota.reserve(utc, tokens) {
            Ok(reservation) => Ok(Some(reservation)),
            Err(_) => {
                let status = quota.status(utc);
                Err(Event::QuotaExceeded {
                    request: prompt.request.clone(),
                    workspace: Rc::clone(&self.name),
                    limit: status.limit,
                    used: status.used,
                    remaining: status.remaining,
                    reset_at: status.reset_at.to_string(),
                })
            }
        }
    }

    /// A new day, if one has begun since the last time.
    pub(super) fn reset(&mut self, utc: Timestamp) -> Option<Event> {
        let ended = self.quota.as_mut()?.take_reset(utc)?;
        Some(Event::QuotaReset { workspace: Rc::clone(&self.name), used: ended.used })
    }

    /// How long until the next day.
    pub(super) fn reset_in(&mut self, utc: Timestamp) -> Option<Duration> {
        let reset_at = self.quota.as_mut()?.status(utc).reset_at;
        Duration::try_from(reset_at.duration_since(utc)).ok()
    }
}

impl Router {
    /// Charges what a request really used, and tells how full the quota is then.
    pub(super) fn settle(&mut self, job: &mut Job, model: &Rc<str>, used: u64) -> Option<Level> {
        let reservation = job.reservation.take()?;
        let utc = self.env.utc();
        let workspace = Rc::clone(&job.prompt.workspace);
        let account = self.accounts.get_mut(&workspace)?;
        let quota = account.quota.as_mut()?;
        let risen = quota.settle(utc, reservation, used).risen;
        let status = quota.status(utc);
        let reset = account.reset(utc);
        self.emit(Event::QuotaSettled {
            request: job.prompt.request.clone(),
            workspace: Rc::clone(&workspace),
            model: Rc::clone(model),
            tokens: used,
        });
        if let Some(reset) = reset {
            self.emit(reset);
        }
        if let Some(level) = risen {
            let (used, limit) = (status.used, status.limit);
            let workspace = Rc::clone(&workspace);
            self.emit(Event::QuotaLevel { workspace, level: level.as_str(), used, limit });
        }
        if self.settings.persist {
            self.save_account(&workspace);
        }
        Some(status.level)
    }
}
