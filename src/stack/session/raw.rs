//! Requests as somebody wrote them, good or bad. What they mean is read from them, so that the
//! events say of them what they say of any other.
//!
//! That nothing was found is said of the session's own reads only: who guesses ids proves nothing.

use std::rc::Rc;

use actix::{Actor, Context};

use super::{Refusal, Report, Session, report};
use crate::{
    stack::{
        SidecarEvent,
        settings::TokenKind,
        sidecar::{
            message::Reply,
            wire::{Call, NewResult, PublishEvent, Request},
        },
    },
    world::{Env, Time},
};

/// What such a request would do.
enum Meaning {
    /// Nothing that events speak of.
    Other,
    Store {
        report: Box<Report>,
        key: Rc<str>,
    },
    Read,
    Delete {
        result: Rc<str>,
    },
    Publish(Box<PublishEvent>),
}

impl Session {
    /// Sends a request that has its token, or what somebody thinks is one.
    pub(in crate::stack) fn raw<A>(
        &self,
        env: &Env<A>,
        request: Request,
        token: TokenKind,
        then: impl FnOnce(&mut A, Result<Reply, Refusal>, &mut Context<A>) + 'static,
    ) where
        A: Actor<Context = Context<A>>,
    {
        let meaning = self.meaning(&request);
        let (who, project) = (Rc::clone(&self.who), Rc::clone(&self.project));
        if let Some(asked) = before(&meaning, &who, &project) {
            Session::emit(env, asked);
        }
        let (own, asked, ledger) = (env.clone(), env.now(), self.parts.ledger.clone());
        self.ask(env, request, token, self.parts.settings.timeout, move |actor, reply, ctx| {
            if let (Meaning::Store { report, key }, Ok(Reply::Stored(stored))) = (&meaning, &reply)
            {
                ledger.acknowledged(&report.project_id, &stored.id.as_str().into(), key);
            }
            let latency = (own.now() - asked).as_millis();
            let latency_ms = u64::try_from(latency).unwrap_or(u64::MAX);
            if let Some(done) = after(&meaning, &reply, who, project, (asked, latency_ms)) {
                Session::emit(&own, done);
            }
            then(actor, reply, ctx);
        });
    }

    fn meaning(&self, request: &Request) -> Meaning {
        match Call::read(request, &self.parts.settings.limits) {
            Ok(Call::StoreResult(result)) => {
                let NewResult {
                    agent_id, agent_type, issue_id, project_id, result, timestamp, ..
                } = result;
                let report =
                    Report { agent_id, agent_type, issue_id, project_id, result, timestamp };
                let key = request.headers.get("Idempotency-Key").map(Rc::from);
                let key = key.unwrap_or_else(|| format!("{:016x}", report.digest()).into());
                Meaning::Store { report: Box::new(report), key }
            }
            Ok(Call::GetResult { .. }) => Meaning::Read,
            Ok(Call::DeleteResult { id })
                if !self.parts.ledger.is_of_another(&self.badge.project, id.as_str()) =>
            {
                Meaning::Delete { result: id.as_str().into() }
            }
            Ok(Call::Publish(event)) => Meaning::Publish(Box::new(event)),
            _ => Meaning::Other,
        }
    }
}

/// What is said before it is sent.
fn before(meaning: &Meaning, who: &Rc<str>, project: &Rc<str>) -> Option<SidecarEvent> {
    let (who, project) = (Rc::clone(who), Rc::clone(project));
    Some(match meaning {
        Meaning::Other | Meaning::Read => return None,
        Meaning::Store { report, key } => {
            let (project, key) = (report.project_id.as_str().into(), Rc::clone(key));
            SidecarEvent::ResultPosted { who, project, key, digest: report.digest() }
        }
        Meaning::Delete { result } => {
            SidecarEvent::DeleteAsked { who, project, result: Rc::clone(result) }
        }
        Meaning::Publish(event) => SidecarEvent::PublishAsked {
            who,
            project,
            event_type: report::text(event.event_type.as_str()),
            sequence: report::added(&event.data, "sequence"),
        },
    })
}

/// What is said when it is answered.
fn after(
    meaning: &Meaning,
    reply: &Result<Reply, Refusal>,
    who: Rc<str>,
    project: Rc<str>,
    (asked, latency_ms): (Time, u64),
) -> Option<SidecarEvent> {
    let asked_ns = asked.as_nanos();
    Some(match (meaning, reply) {
        (Meaning::Store { report, key }, Ok(Reply::Stored(stored))) => {
            SidecarEvent::ResultAcknowledged {
                who,
                project: report.project_id.as_str().into(),
                key: Rc::clone(key),
                result: stored.id.as_str().into(),
                digest: report.digest(),
                asked_ns,
            }
        }
        (Meaning::Read, Ok(Reply::Result(view))) => SidecarEvent::ResultRead {
            who,
            project,
            result: view.id.as_str().into(),
            found: true,
            digest: Report::digest_of(view),
            asked_ns,
        },
        (Meaning::Delete { result }, Ok(Reply::Deleted(_))) => {
            let result = Rc::clone(result);
            SidecarEvent::ResultDeleted { who, project, result, found: true, asked_ns }
        }
        (Meaning::Publish(event), Ok(Reply::Published(published))) => {
            let correlation = event.correlation_id.as_ref().map_or("", |id| id.as_str());
            SidecarEvent::EventPublished {
                who,
                project,
                event: published.event_id.as_str().into(),
                event_type: report::text(event.event_type.as_str()),
                topic: event.topic.as_str(),
                sequence: report::added(&event.data, "sequence"),
                correlation: correlation.into(),
                digest: report::digest_of_data(&event.data),
                latency_ms,
            }
        }
        _ => return None,
    })
}
