//! Breakers and quotas on disk: written when they change, read when the router starts.
//!
//! A reservation is on disk before the model is called, so that a crash between the two cannot give
//! a workspace more than it has.

use std::{collections::BTreeMap, rc::Rc};

use super::Router;
use crate::{
    policy::{
        breaker,
        quota::{self, Quota},
    },
    stack::Event,
};

const BREAKERS: &str = "router/breakers.json";

fn quota_file(workspace: &str) -> String {
    format!("router/quota/{workspace}.json")
}

impl Router {
    /// Writes every breaker, if they are kept.
    pub(super) fn save_breakers(&self) {
        if !self.settings.persist {
            return;
        }
        let saved: BTreeMap<Rc<str>, breaker::Saved> =
            self.lanes.iter().flat_map(|lane| lane.saved()).collect();
        // A disk that is full keeps the earlier state, and says so in an event of its own.
        if let Ok(text) = serde_json::to_vec(&saved)
            && self.env.disk().write(BREAKERS, &text).is_ok()
        {
            self.env.disk().sync(|_, _| {});
        }
    }

    /// Writes the quota of a workspace; false if the disk does not take it. It is durable after the
    /// next sync.
    pub(super) fn save_account(&self, workspace: &str) -> bool {
        let quota = self.accounts.get(workspace).and_then(|account| account.quota.as_ref());
        let text = quota.and_then(|quota| serde_json::to_vec(&quota.save()).ok());
        text.is_some_and(|text| self.env.disk().write(&quota_file(workspace), &text).is_ok())
    }

    /// Goes on where an earlier life of the router stopped.
    pub(super) fn restore(&mut self) {
        if !self.settings.persist {
            return;
        }
        let breakers: BTreeMap<String, breaker::Saved> = self.read_json(BREAKERS);
        let mut restored = 0;
        for (name, saved) in breakers {
            let mut lanes = self.lanes.iter_mut();
            restored +=
                usize::from(lanes.any(|lane| lane.restore(&self.rulebook, &name, saved.clone())));
        }
        self.restored("breakers", restored);
        let utc = self.env.utc();
        let mut restored = 0;
        let names: Vec<Rc<str>> = self.accounts.keys().cloned().collect();
        for workspace in names {
            let saved: Option<quota::Saved> = self.read_json(&quota_file(&workspace));
            if let (Some(account), Some(saved)) = (self.accounts.get_mut(&workspace), saved)
                && let Some(quota) = &mut account.quota
            {
                // A day that there is not cannot have been written by an earlier life.
                if let Ok(known) = Quota::restore(quota.settings().clone(), &saved, utc) {
                    *quota = known;
                    restored += 1;
                }
            }
        }
        self.restored("quotas", restored);
    }

    fn restored(&self, component: &str, entries: usize) {
        if entries > 0 {
            self.emit(Event::StateRestored { component: component.into(), entries });
        }
    }

    /// What a file says; nothing if it is not there or cannot be read.
    fn read_json<T: serde::de::DeserializeOwned + Default>(&self, path: &str) -> T {
        let contents = self.env.disk().read(path);
        contents.and_then(|contents| serde_json::from_slice(&contents).ok()).unwrap_or_default()
    }
}
