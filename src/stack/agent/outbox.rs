//! The outbox: results that the sidecar does not have yet, on the agent's own disk.
//!
//! A result is durable here before its request is over, is handed in until the sidecar has it, and
//! then told to the others; only then it goes. So none is lost when the sidecar, the agent or both
//! crash, and as it keeps its name, none is there twice. One is handed in after the other, the
//! oldest first. It must never hold up a request that comes after it.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Agent, Job};
use crate::{
    stack::{
        RequestOutcome, SidecarEvent,
        session::{Refusal, Report, Session, Telling, key},
        settings::TokenKind,
        sidecar::wire,
    },
    world::Time,
};

/// How long an agent waits before it tries to hand a result in again: at first, and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// When the sidecar was away for so long, it stops trying until there is one more result.
const PATIENCE: Duration = Duration::from_secs(600);
/// Where the results are.
const FOLDER: &str = "outbox/";

/// A result that is owed to the sidecar.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Owed {
    key: wire::RequestId,
    report: Report,
    /// What the others are told afterwards, if they are.
    tells: Option<Tells>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Tells {
    correlation: wire::RequestId,
    data: Value,
    sequence: u64,
}

/// What is owed, and how it goes.
#[derive(Default)]
pub(super) struct Outbox {
    owed: BTreeMap<u64, Rc<Owed>>,
    next: u64,
    /// The one that is being handed in.
    sending: Option<Sending>,
    /// How many were handed in since it went on alone; none if it did not.
    alone: Option<u64>,
}

struct Sending {
    number: u64,
    /// Whether the sidecar has it, and only the others have to be told.
    is_stored: bool,
    /// How often the same request was sent.
    tries: u32,
    /// Since when the sidecar does not do its work.
    away: Option<Time>,
}

impl Outbox {
    /// Whether something is being handed in.
    pub(super) fn is_busy(&self) -> bool {
        self.sending.is_some()
    }
}

fn path(number: u64) -> String {
    format!("{FOLDER}{number:010}")
}

impl Agent {
    /// What an earlier life owed.
    pub(super) fn restore(&mut self) {
        if self.session.is_none() {
            return;
        }
        for path in self.env.disk().list(FOLDER) {
            let number = path.strip_prefix(FOLDER).and_then(|number| number.parse::<u64>().ok());
            let bytes = self.env.disk().read(&path);
            let owed = bytes.and_then(|bytes| serde_json::from_slice::<Owed>(&bytes).ok());
            // Nobody else writes there; what cannot be read was not written to the end.
            let (Some(number), Some(owed)) = (number, owed) else { continue };
            self.outbox.next = self.outbox.next.max(number + 1);
            self.outbox.owed.insert(number, Rc::new(owed));
        }
        self.hand_in();
    }

    /// The work of a request is done: its result is owed, and once that is durable, it is over.
    pub(super) fn done(&mut self, job: Job, by: &str, baggage_kept: Option<bool>) {
        let key = key(&job.prompt.request);
        let (Some(session), Some(key)) = (&self.session, key) else {
            return self.end(job, RequestOutcome::Ok, None, baggage_kept);
        };
        let report = session.report(&self.env, None, key.as_str(), by);
        let tells = self.parts.group.publishes.is_some().then(|| {
            let (correlation, data) = match &job.woken {
                Some(woken) => (woken.correlation.clone(), woken.data.clone()),
                None => (None, json!({ "request": key, "issue_id": report.issue_id })),
            };
            let correlation = correlation.unwrap_or_else(|| key.clone());
            Tells { correlation, data, sequence: session.next_sequence() }
        });
        let owed = Owed { key, report, tells };
        let number = self.outbox.next;
        self.outbox.next += 1;
        let bytes = serde_json::to_vec(&owed).unwrap_or_default();
        self.outbox.owed.insert(number, Rc::new(owed));
        // If it cannot be written, it is in memory at least.
        let is_written = self.env.disk().write(&path(number), &bytes).is_ok();
        let over = move |agent: &mut Agent| {
            agent.hand_in();
            agent.end(job, RequestOutcome::Ok, None, baggage_kept);
        };
        if is_written {
            self.env.disk().sync(move |agent, _| over(agent));
        } else {
            over(self);
        }
    }

    /// Hands in the oldest, unless one is under way.
    fn hand_in(&mut self) {
        if self.outbox.sending.is_none()
            && let Some(&number) = self.outbox.owed.keys().next()
        {
            let sending = Sending { number, is_stored: false, tries: 0, away: None };
            self.outbox.sending = Some(sending);
            self.send();
        }
        self.note();
    }

    /// Sends what is next of the one that is being handed in.
    fn send(&mut self) {
        let (Some(session), Some(sending)) = (&self.session, &mut self.outbox.sending) else {
            return;
        };
        let Some(owed) = self.outbox.owed.get(&sending.number).cloned() else { return };
        let is_first = sending.tries == 0;
        sending.tries += 1;
        let (env, good) = (&self.env, TokenKind::Valid);
        if !sending.is_stored {
            session.store(
                env,
                &owed.report,
                owed.key.as_str(),
                good,
                is_first,
                |agent, stored, _| {
                    agent.sent(stored.map(drop));
                },
            );
            return;
        }
        let told = self.parts.group.publishes.clone();
        let Some((told, tells)) = told.zip(owed.tells.clone()) else { return self.settled() };
        let Tells { correlation, data, sequence } = tells;
        let telling = Telling { told, key: owed.key.clone(), correlation, data, sequence };
        let own = (None, None);
        session.publish(env, &telling, own, good, is_first, |agent, told, _| agent.sent(told));
    }

    /// It was taken, or not.
    fn sent(&mut self, result: Result<(), Refusal>) {
        let Some(sending) = &mut self.outbox.sending else { return };
        let Some(owed) = self.outbox.owed.get(&sending.number) else { return };
        let refusal = match result {
            Ok(()) if !sending.is_stored && owed.tells.is_some() => {
                (sending.is_stored, sending.tries, sending.away) = (true, 0, None);
                return self.send();
            }
            Ok(()) => return self.settled(),
            Err(refusal) => refusal,
        };
        if refusal.is_final() {
            if !sending.is_stored {
                let abandoned = SidecarEvent::ResultAbandoned {
                    who: self.env.node_name(),
                    project: owed.report.project_id.as_str().into(),
                    key: owed.key.as_str().into(),
                    error: refusal.cause,
                };
                Session::emit(&self.env, abandoned);
            }
            return self.settled();
        }
        let now = self.env.now();
        let is_away = !refusal.is_answer();
        let since = if is_away { *sending.away.get_or_insert(now) } else { now };
        if !is_away {
            sending.away = None;
        }
        let pause = RETRY.0.saturating_mul(1 << (sending.tries - 1).min(10)).min(RETRY.1);
        if is_away {
            self.alone(refusal.cause);
        }
        if now - since >= PATIENCE {
            // It stays on the disk.
            self.outbox.sending = None;
            return self.note();
        }
        let pause = pause.max(refusal.retry_after.unwrap_or_default());
        self.env.after(pause, |agent, _| agent.send());
    }

    /// Nothing more is to be done about the one that was handed in.
    fn settled(&mut self) {
        let Some(Sending { number, .. }) = self.outbox.sending.take() else { return };
        self.outbox.owed.remove(&number);
        // If that is forgotten in a crash, it is handed in again, and is the same.
        self.env.disk().remove(&path(number));
        if let Some(handed_in) = &mut self.outbox.alone {
            *handed_in += 1;
        }
        self.in_touch();
        self.hand_in();
    }

    /// It does without the sidecar from now on.
    pub(super) fn alone(&mut self, cause: &'static str) {
        if self.outbox.alone.is_none() {
            self.outbox.alone = Some(0);
            let agent = self.env.node_name();
            Session::emit(&self.env, SidecarEvent::AgentAlone { agent, cause });
        }
    }

    /// The sidecar does its work again. If nothing is owed, they agree.
    pub(super) fn in_touch(&mut self) {
        if self.outbox.owed.is_empty()
            && let Some(results) = self.outbox.alone.take()
        {
            let agent = self.env.node_name();
            Session::emit(&self.env, SidecarEvent::AgentSynced { agent, results });
        }
    }
}
