//! The requests of the contract, each with what it says of itself in events.

use std::{fmt::Write as _, rc::Rc, time::Duration};

use actix::{Actor, Context};
use serde_json::Value;

use super::{Refusal, Report, Session, report};
use crate::{
    stack::{
        SidecarEvent,
        settings::{TokenKind, Told, Wanted},
        sidecar::{
            message::Reply,
            wire::{
                self, AgentId, Cursor, EventView, EventsPage, IssueId, Method, ProjectId,
                PublishEvent, Request, ResultsPage,
            },
        },
    },
    world::Env,
};

/// What is said when an answer is good and of another kind than was asked for.
const WRONG: Refusal = Refusal { status: 0, cause: "corrupted", retry_after: None };

/// An event that is to be published.
#[derive(Clone)]
pub(in crate::stack) struct Telling {
    /// What is told.
    pub(in crate::stack) told: Told,
    /// By what name the request is known.
    pub(in crate::stack) key: wire::RequestId,
    /// What it belongs to.
    pub(in crate::stack) correlation: wire::RequestId,
    /// What it says, without what the publisher adds.
    pub(in crate::stack) data: Value,
    /// Counts the events of the publisher.
    pub(in crate::stack) sequence: u64,
}

/// A wait for events.
pub(in crate::stack) struct Listening<'a> {
    /// For which.
    pub(in crate::stack) wanted: &'a Wanted,
    /// Behind this place; what is up to there is acknowledged.
    pub(in crate::stack) since: Option<&'a Cursor>,
    /// How long the sidecar may take, in whole milliseconds.
    pub(in crate::stack) wait: Duration,
    /// How many at once.
    pub(in crate::stack) limit: u32,
}

impl Session {
    /// Sends a good request with a good token.
    fn call<A>(
        &self,
        env: &Env<A>,
        request: Request,
        more: Duration,
        then: impl FnOnce(&mut A, Result<Reply, Refusal>, &mut Context<A>) + 'static,
    ) where
        A: Actor<Context = Context<A>>,
    {
        let request = self.signed(request, TokenKind::Valid, env.utc());
        self.ask(env, request, TokenKind::Valid, self.parts.settings.timeout + more, then);
    }

    /// What must it know?
    pub(in crate::stack) fn context<A>(
        &self,
        env: &Env<A>,
        then: impl FnOnce(&mut A, Result<(), Refusal>) + 'static,
    ) where
        A: Actor<Context = Context<A>>,
    {
        let path = format!("/api/context/{}/{}", self.badge.issue, self.badge.agent_type);
        self.call(env, Request::new(Method::Get, path), Duration::ZERO, |actor, reply, _| {
            then(actor, reply.map(drop));
        });
    }

    /// A result of its own.
    pub(in crate::stack) fn report<A>(
        &self,
        env: &Env<A>,
        issue: Option<&IssueId>,
        key: &str,
        rationale: &str,
    ) -> Report
    where
        A: Actor<Context = Context<A>>,
    {
        let issue = issue.unwrap_or(&self.badge.issue).clone();
        let who = (self.agent.clone(), self.badge.agent_type);
        Report::of(who, (self.badge.project.clone(), issue), key, rationale, env.utc())
    }

    /// Hands a result in. `is_first` says that it was not sent before, in this life.
    pub(in crate::stack) fn store<A>(
        &self,
        env: &Env<A>,
        report: &Report,
        key: &str,
        token: TokenKind,
        is_first: bool,
        then: impl FnOnce(&mut A, Result<Rc<str>, Refusal>, &mut Context<A>) + 'static,
    ) where
        A: Actor<Context = Context<A>>,
    {
        let (who, digest, asked) = (Rc::clone(&self.who), report.digest(), env.now());
        let (project, name) = (report::text(report.project_id.as_str()), report::text(key));
        if is_first {
            let (who, project, key) = (Rc::clone(&who), Rc::clone(&project), Rc::clone(&name));
            Session::emit(env, SidecarEvent::ResultPosted { who, project, key, digest });
        }
        let request = Request::new(Method::Post, "/api/results").json(report);
        let request = request.header("Idempotency-Key", key);
        let request = self.signed(request, token, env.utc());
        let (own, ledger) = (env.clone(), self.parts.ledger.clone());
        let of = report.project_id.clone();
        self.ask(env, request, token, self.parts.settings.timeout, move |actor, reply, ctx| {
            let stored = match reply {
                Ok(Reply::Stored(stored)) => {
                    let result = report::text(stored.id.as_str());
                    ledger.acknowledged(&of, &result, &name);
                    let acknowledged = SidecarEvent::ResultAcknowledged {
                        who,
                        project,
                        key: name,
                        result: Rc::clone(&result),
                        digest,
                        asked_ns: asked.as_nanos(),
                    };
                    Session::emit(&own, acknowledged);
                    Ok(result)
                }
                Ok(_) => Err(WRONG),
                Err(refusal) => Err(refusal),
            };
            then(actor, stored, ctx);
        });
    }

    /// Reads a result; `false` if there is none.
    pub(in crate::stack) fn read<A>(
        &self,
        env: &Env<A>,
        result: Rc<str>,
        token: TokenKind,
        then: impl FnOnce(&mut A, Result<bool, Refusal>, &mut Context<A>) + 'static,
    ) where
        A: Actor<Context = Context<A>>,
    {
        let asked_ns = env.now().as_nanos();
        let request = Request::new(Method::Get, format!("/api/results/{}", encoded(&result)));
        let request = self.signed(request, token, env.utc());
        let (who, project, own) = (Rc::clone(&self.who), Rc::clone(&self.project), env.clone());
        self.ask(env, request, token, self.parts.settings.timeout, move |actor, reply, ctx| {
            let read = match reply {
                Ok(Reply::Result(view)) => Ok(Some(Report::digest_of(&view))),
                Ok(_) => Err(WRONG),
                Err(Refusal { status: 404, .. }) => Ok(None),
                Err(refusal) => Err(refusal),
            };
            if let Ok(digest) = read {
                let found = digest.is_some();
                let digest = digest.unwrap_or(0);
                let read =
                    SidecarEvent::ResultRead { who, project, result, found, digest, asked_ns };
                Session::emit(&own, read);
            }
            then(actor, read.map(|digest| digest.is_some()), ctx);
        });
    }

    /// Deletes a result; `false` if there was none.
    pub(in crate::stack) fn delete<A>(
        &self,
        env: &Env<A>,
        result: Rc<str>,
        token: TokenKind,
        then: impl FnOnce(&mut A, Result<bool, Refusal>, &mut Context<A>) + 'static,
    ) where
        A: Actor<Context = Context<A>>,
    {
        let asked_ns = env.now().as_nanos();
        let request = Request::new(Method::Delete, format!("/api/results/{}", encoded(&result)));
        let request = self.signed(request, token, env.utc());
        let (who, project, own) = (Rc::clone(&self.who), Rc::clone(&self.project), env.clone());
        let asked = SidecarEvent::DeleteAsked {
            who: Rc::clone(&who),
            project: Rc::clone(&project),
            result: Rc::clone(&result),
        };
        Session::emit(env, asked);
        self.ask(env, request, token, self.parts.settings.timeout, move |actor, reply, ctx| {
            let deleted = match reply {
                Ok(Reply::Deleted(_)) => Ok(true),
                Ok(_) => Err(WRONG),
                Err(Refusal { status: 404, .. }) => Ok(false),
                Err(refusal) => Err(refusal),
            };
            if let Ok(found) = deleted {
                let deleted = SidecarEvent::ResultDeleted { who, project, result, found, asked_ns };
                Session::emit(&own, deleted);
            }
            then(actor, deleted, ctx);
        });
    }

    /// A page of the project's results.
    pub(in crate::stack) fn page<A>(
        &self,
        env: &Env<A>,
        after: Option<&Cursor>,
        then: impl FnOnce(&mut A, Result<ResultsPage, Refusal>) + 'static,
    ) where
        A: Actor<Context = Context<A>>,
    {
        let mut path = "/api/results?limit=1000".to_owned();
        if let Some(after) = after {
            let _ = write!(path, "&cursor={}", encoded(after.as_str()));
        }
        let ledger = self.parts.ledger.clone();
        let request = Request::new(Method::Get, path);
        self.call(env, request, Duration::ZERO, move |actor, reply, _| {
            let page = match reply {
                Ok(Reply::Results(page)) => Ok(page),
                Ok(_) => Err(WRONG),
                Err(refusal) => Err(refusal),
            };
            if let Ok(ResultsPage { next_cursor: Some(cursor), .. }) = &page {
                ledger.told(cursor);
            }
            then(actor, page);
        });
    }

    /// How many results the project has.
    pub(in crate::stack) fn counted<A>(
        &self,
        env: &Env<A>,
        then: impl FnOnce(&mut A, Result<u64, Refusal>) + 'static,
    ) where
        A: Actor<Context = Context<A>>,
    {
        let request = Request::new(Method::Get, "/status");
        self.call(env, request, Duration::ZERO, |actor, reply, _| {
            let counted = match reply {
                Ok(Reply::Status(status)) => Ok(status.storage.results_stored),
                Ok(_) => Err(WRONG),
                Err(refusal) => Err(refusal),
            };
            then(actor, counted);
        });
    }

    /// The number of the next event that it publishes. Those of a later life are higher.
    pub(in crate::stack) fn next_sequence(&self) -> u64 {
        self.published.set(self.published.get() + 1);
        u64::from(self.life) * 1_000_000_000 + self.published.get()
    }

    /// Publishes an event, in another's name if that is said. `is_first` says that it was not sent before, in this life.
    pub(in crate::stack) fn publish<A>(
        &self,
        env: &Env<A>,
        telling: &Telling,
        (as_project, as_agent): (Option<&ProjectId>, Option<&AgentId>),
        token: TokenKind,
        is_first: bool,
        then: impl FnOnce(&mut A, Result<(), Refusal>, &mut Context<A>) + 'static,
    ) where
        A: Actor<Context = Context<A>>,
    {
        let Telling { told, key, correlation, data, sequence } = telling;
        let (sequence, asked) = (*sequence, env.now());
        let event_type = report::text(told.event_type.as_str());
        let (who, project, own) = (Rc::clone(&self.who), Rc::clone(&self.project), env.clone());
        if is_first {
            let (who, project) = (Rc::clone(&who), Rc::clone(&project));
            let event_type = Rc::clone(&event_type);
            Session::emit(env, SidecarEvent::PublishAsked { who, project, event_type, sequence });
        }
        let body = PublishEvent {
            event_type: told.event_type.clone(),
            publisher: as_agent.unwrap_or(&self.agent).clone(),
            topic: told.topic,
            data: report::with_added(data, sequence, asked.as_nanos()),
            correlation_id: Some(correlation.clone()),
            project_id: Some(as_project.unwrap_or(&self.badge.project).clone()),
            ttl_seconds: 86_400,
            key: None,
        };
        let digest = report::digest_of_data(&body.data);
        let request = Request::new(Method::Post, format!("/api/events/{}", told.event_type));
        let request = request.json(&body).header("Idempotency-Key", key.as_str());
        let request = self.signed(request, token, env.utc());
        let (topic, correlation) = (told.topic.as_str(), report::text(correlation.as_str()));
        self.ask(env, request, token, self.parts.settings.timeout, move |actor, reply, ctx| {
            let published = match reply {
                Ok(Reply::Published(published)) => {
                    let latency = (own.now() - asked).as_millis();
                    let published = SidecarEvent::EventPublished {
                        who,
                        project,
                        event: report::text(published.event_id.as_str()),
                        event_type,
                        topic,
                        sequence,
                        correlation,
                        digest,
                        latency_ms: u64::try_from(latency).unwrap_or(u64::MAX),
                    };
                    Session::emit(&own, published);
                    Ok(())
                }
                Ok(_) => Err(WRONG),
                Err(refusal) => Err(refusal),
            };
            then(actor, published, ctx);
        });
    }

    /// Waits for events, and says which came.
    pub(in crate::stack) fn listen<A>(
        &self,
        env: &Env<A>,
        listening: &Listening<'_>,
        then: impl FnOnce(&mut A, Result<EventsPage, Refusal>, &mut Context<A>) + 'static,
    ) where
        A: Actor<Context = Context<A>>,
    {
        let Listening { wanted, since, wait, limit } = listening;
        let kind = &wanted.event_type;
        let mut path =
            format!("/api/events/wait/{kind}?timeout={}&limit={limit}", wait.as_millis());
        let filter = wanted.filter.to_string();
        if !filter.is_empty() {
            let _ = write!(path, "&filter={}", encoded(&filter));
        }
        if let Some(since) = since {
            let _ = write!(path, "&since={}", encoded(since.as_str()));
        }
        let (who, project, own) = (Rc::clone(&self.who), Rc::clone(&self.project), env.clone());
        let (ledger, wanted) = (self.parts.ledger.clone(), (*wanted).clone());
        self.call(env, Request::new(Method::Get, path), *wait, move |actor, reply, ctx| {
            let page = match reply {
                Ok(Reply::Events(page)) => Ok(page),
                Ok(_) => Err(WRONG),
                Err(refusal) => Err(refusal),
            };
            if let Ok(page) = &page {
                page.next_cursor.iter().for_each(|cursor| ledger.told(cursor));
                for event in &page.events {
                    let (who, project) = (Rc::clone(&who), Rc::clone(&project));
                    let received = received(event, who, project, &wanted, own.now().as_nanos());
                    Session::emit(&own, received);
                }
            }
            then(actor, page, ctx);
        });
    }

    /// It does not wait for such events any more.
    pub(in crate::stack) fn ended<A>(&self, env: &Env<A>, wanted: &Wanted)
    where
        A: Actor<Context = Context<A>>,
    {
        let ended = SidecarEvent::SubscriptionEnded {
            who: Rc::clone(&self.who),
            project: Rc::clone(&self.project),
            event_type: report::text(wanted.event_type.as_str()),
        };
        Session::emit(env, ended);
    }
}

fn received(
    event: &EventView,
    who: Rc<str>,
    project: Rc<str>,
    wanted: &Wanted,
    now_ns: u64,
) -> SidecarEvent {
    let of = event.project_id.as_ref().map_or("", |project| project.as_str());
    let correlation = event.correlation_id.as_ref().map_or("", |id| id.as_str());
    let waited = now_ns.saturating_sub(report::added(&event.data, "sent_ns"));
    SidecarEvent::EventReceived {
        who,
        project,
        of: of.into(),
        event: report::text(event.id.as_str()),
        event_type: report::text(event.event_type.as_str()),
        publisher: report::text(event.publisher.as_str()),
        sequence: report::added(&event.data, "sequence"),
        correlation: correlation.into(),
        digest: report::digest_of_data(&event.data),
        latency_ms: waited / 1_000_000,
        wanted: is_wanted(wanted, event),
    }
}

/// Whether somebody wants such an event. Said apart from the sidecar's own filter, which this is to
/// judge.
fn is_wanted(wanted: &Wanted, event: &EventView) -> bool {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(it) => Some(it.to_string()),
        _ => None,
    };
    let holds = |(field, value): (&str, &str)| match field {
        "event_type" => event.event_type.as_str() == value,
        "publisher" => event.publisher.as_str() == value,
        "topic" => event.topic.is_some_and(|topic| topic.as_str() == value),
        "correlation_id" => event.correlation_id.as_ref().is_some_and(|id| id.as_str() == value),
        field => {
            let pointer = field.strip_prefix("data.").unwrap_or(field).replace('.', "/");
            event.data.pointer(&format!("/{pointer}")).and_then(text).as_deref() == Some(value)
        }
    };
    event.event_type == wanted.event_type && wanted.filter.conditions().all(holds)
}

/// Percent-encoded, but for letters, digits, `-`, `_` and `.`.
pub(in crate::stack) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
