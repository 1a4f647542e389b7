//! Every check on the sidecar can fail: each is fed a clean history, and one in which it is broken.

mod access;
mod delivery;
mod order;
mod results;

use std::{collections::BTreeMap, rc::Rc};

use super::Sidecar;
use crate::{
    stack::SidecarEvent,
    world::{Happening, MessageInfo, MessageKind, Sighting, Time},
};

const MS: u64 = 1_000_000;

/// The checks, and the history they are fed. Times are in milliseconds.
struct Fed {
    checks: Sidecar,
}

impl Fed {
    fn new() -> Fed {
        Fed { checks: Sidecar::new(true, true, 1) }
    }

    fn see(mut self, at_ms: u64, event: SidecarEvent) -> Fed {
        self.checks.see(Time::from_nanos(at_ms * MS), &event);
        self
    }

    fn hear(mut self, at_ms: u64, node: &str, what: Happening<'_>) -> Fed {
        let at = Time::from_nanos(at_ms * MS);
        self.checks.hear(&Sighting { seq: 1, at, node, cause: 0, what });
        self
    }

    fn crashed(self, at_ms: u64, node: &str) -> Fed {
        self.hear(at_ms, node, Happening::NodeCrashed { incarnation: 0 })
    }

    fn duplicated(self, at_ms: u64, from: &str) -> Fed {
        let message = MessageInfo::new(7, MessageKind::Call, "Ask", from, "sidecar");
        self.hear(at_ms, from, Happening::MessageDuplicated { message })
    }

    fn timed_out(self, at_ms: u64, from: &str) -> Fed {
        let message = MessageInfo::new(7, MessageKind::Call, "Ask", from, "sidecar");
        self.hear(at_ms, from, Happening::CallTimedOut { message })
    }

    /// How often each check was evaluated, and why it fails if it does.
    fn finish(self) -> BTreeMap<&'static str, (u64, Option<String>)> {
        let told = self.checks.finish().into_iter();
        told.map(|(name, built)| (name, (built.evaluated(), built.failure().map(str::to_owned))))
            .collect()
    }

    /// Why a check fails.
    fn failure(self, check: &str) -> Option<String> {
        self.finish()[check].1.clone()
    }

    /// Nothing fails, and this check was evaluated.
    #[track_caller]
    fn holds(self, check: &str) {
        let told = self.finish();
        assert!(told[check].0 > 0, "{check} was not evaluated");
        let failed: Vec<_> = told.iter().filter(|(_, (_, failure))| failure.is_some()).collect();
        assert!(failed.is_empty(), "{failed:?}");
    }
}

fn name(text: &str) -> Rc<str> {
    text.into()
}

/// The digest of a result or event that a test calls by a letter.
fn digest(of: &str) -> u64 {
    of.bytes().fold(7, |sum, byte| sum * 31 + u64::from(byte))
}
