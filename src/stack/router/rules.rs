//! What a request may do: its retries, and the breakers that it goes through.
//!
//! A request holds the rules under which it came in until it ends, whatever becomes of the
//! configuration meanwhile. Nothing here changes rules that somebody holds.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use crate::{
    config::{Config, audit::DEFAULT},
    policy::{Retry, breaker},
    stack::{
        Quirk, Quirks,
        message::Prompt,
        settings::{self, Task},
    },
};

/// What a request may do.
pub(super) struct Rules {
    /// The operation whose breakers it goes through; `None` for those that all share.
    pub(super) operation: Option<Rc<str>>,
    /// How often one model is asked.
    pub(super) retry: Retry,
    /// How long after a model was first asked it may be asked again; for as long as there are attempts
    /// if `None`.
    pub(super) within: Option<Duration>,
    /// How the breakers behave; `None` if there are none.
    pub(super) breaker: Option<Rc<breaker::Settings>>,
}

/// The rules for every request that may come in.
pub(super) struct Rulebook {
    /// For operations that have none of their own.
    usual: Rc<Rules>,
    /// By operation.
    named: BTreeMap<Rc<str>, Rc<Rules>>,
}

impl Rulebook {
    /// The rules that the router's own settings make.
    pub(super) fn of(settings: &settings::Router) -> Rulebook {
        let breaker = settings.breaker.as_ref().map(|breakers| breakers.settings.clone());
        let breaker = breaker.map(|breaker| bent(breaker, settings.quirks));
        let rules = |operation: Option<Rc<str>>| {
            let (retry, breaker) = (settings.retry.clone(), breaker.clone());
            Rc::new(Rules { operation, retry, within: None, breaker })
        };
        let per_task = settings.breaker.as_ref().is_some_and(|breakers| breakers.per_task);
        let tasks = Task::ALL.iter().filter(|_| per_task).map(|task| Rc::from(task.as_str()));
        Rulebook {
            usual: rules(None),
            named: tasks.map(|task: Rc<str>| (Rc::clone(&task), rules(Some(task)))).collect(),
        }
    }

    /// The rules that a configuration makes: each operation has its own, breakers and all, and those
    /// that it does not know share theirs.
    pub(super) fn configured(config: &Config, quirks: Quirks) -> Rulebook {
        let rules = |operation: &str| {
            let tuning = config.operation(operation);
            let breaker = Some(bent(tuning.breaker(), quirks));
            let (operation, within) = (Some(operation.into()), Some(tuning.max_delay));
            Rc::new(Rules { operation, retry: tuning.retry(), within, breaker })
        };
        let known = config.known();
        let named = known.iter().filter(|name| **name != DEFAULT);
        Rulebook {
            usual: rules(DEFAULT),
            named: named.map(|name| (Rc::from(*name), rules(name))).collect(),
        }
    }

    /// Those that lead to the breakers of this operation, if there are any.
    pub(super) fn of_breakers(&self, operation: Option<&Rc<str>>) -> Option<&Rc<Rules>> {
        let named = operation.and_then(|operation| self.named.get(operation));
        let found = named.unwrap_or(&self.usual);
        (found.operation.as_ref() == operation).then_some(found)
    }

    /// Those of a request.
    pub(super) fn rules(&self, prompt: &Prompt) -> &Rc<Rules> {
        self.named.get(prompt.operation()).unwrap_or(&self.usual)
    }

    /// All of them, each once.
    pub(super) fn all(&self) -> impl Iterator<Item = &Rc<Rules>> {
        std::iter::once(&self.usual).chain(self.named.values())
    }
}

fn bent(mut breaker: breaker::Settings, quirks: Quirks) -> Rc<breaker::Settings> {
    if quirks.has(Quirk::OpensAtOnce) {
        breaker.minimum_calls = 1;
    }
    Rc::new(breaker)
}
