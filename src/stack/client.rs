//! A client of the sidecar that does what it is told: step by step, or as badly as it can.
//!
//! It must never mend what it is told to send.

mod hostile;

use std::{cell::Cell, collections::BTreeMap, rc::Rc};

use actix::{Actor, Context};
use jiff::Timestamp;
use serde_json::json;

use self::hostile::Targets;
use super::{
    SidecarEvent,
    session::{Refusal, Report, Session, SidecarParts, Telling, Worker},
    settings::{Acts, Asked, ClientGroup, Step, Told},
    sidecar::{
        message::Reply,
        wire::{self, Request},
    },
};
use crate::world::{Env, Stream, Time};

/// The actor.
pub struct Client {
    env: Env<Client>,
    group: Rc<ClientGroup>,
    session: Session,
    /// How many rounds are left. It belongs to the work, not to the process.
    left: Rc<Cell<u32>>,
    /// Rounds that are under way.
    rounds: u32,
    draws: Stream,
    /// What it has handed in, by the name of the request.
    handed_in: BTreeMap<String, Report>,
    /// The last result that it stored.
    result: Option<Rc<str>>,
    /// Where the last list ended.
    cursor: Option<String>,
    worker: Worker,
}

impl Client {
    /// A client of this group. `left` is how many rounds are left; a restarted client goes on there.
    pub fn new(
        env: Env<Client>,
        group: Rc<ClientGroup>,
        parts: SidecarParts,
        left: Rc<Cell<u32>>,
    ) -> Client {
        let worker = parts.ledger.worker();
        let session = Session::new(&env, parts, group.badge.clone());
        let draws = env.stream("hostile");
        let (handed_in, result, cursor) = (BTreeMap::new(), None, None);
        Client { env, group, session, left, rounds: 0, draws, handed_in, result, cursor, worker }
    }

    fn note(&mut self) {
        self.worker.set_busy(self.left.get() > 0 || self.rounds > 0);
    }

    /// The next round.
    fn round(&mut self) {
        if let Some(rest) = self.left.get().checked_sub(1) {
            self.left.set(rest);
            self.rounds += 1;
            if let Some(every) = self.group.every.filter(|_| rest > 0) {
                self.env.after(every, |client, _| client.round());
            }
            self.step(self.group.rounds.saturating_sub(rest), 0);
        }
        self.note();
    }

    fn round_ended(&mut self) {
        self.rounds = self.rounds.saturating_sub(1);
        match self.group.every {
            None => self.round(),
            Some(_) => self.note(),
        }
    }

    /// The step of this place in this round, or the end of the round.
    fn step(&mut self, round: u32, place: usize) {
        let group = Rc::clone(&self.group);
        match &group.acts {
            Acts::Hostile if place == 0 => self.attack(round),
            Acts::Steps(steps) => match steps.get(place) {
                Some(step) => self.act(step, round, place + 1),
                None => self.round_ended(),
            },
            Acts::Hostile => self.round_ended(),
        }
    }

    fn act(&mut self, step: &Step, round: u32, next: usize) {
        let (env, token) = (&self.env, step.token);
        match &step.what {
            Asked::Raw { method, path, headers, body, padding } => {
                let text = |text: &str| self.filled(text, round, step);
                let mut request = Request::new(*method, text(path));
                for (name, value) in headers {
                    request = request.header(name, &text(value));
                }
                let padding = usize::try_from(*padding).unwrap_or(usize::MAX).min(PADDING);
                request.body = vec![b' '; padding];
                request.body.extend_from_slice(text(body).as_bytes());
                let request = self.session.signed(request, token, env.utc());
                self.session.raw(env, request, token, move |client, reply, _| {
                    client.tell(&reply);
                    client.heard(reply.ok());
                    client.step(round, next);
                });
            }
            Asked::Store { key, issue } => {
                let key = self.filled(key, round, step);
                // Under the same name it is the same, as when an answer was lost.
                let is_new = !self.handed_in.contains_key(&key);
                let made = || self.session.report(env, issue.as_ref(), &key, "as told");
                let mut report = self.handed_in.entry(key.clone()).or_insert_with(made).clone();
                let is_first = is_new || step.project.is_some() || step.agent.is_some();
                if let Some(project) = &step.project {
                    report.project_id = project.clone();
                }
                if let Some(agent) = &step.agent {
                    report.agent_id = agent.clone();
                }
                self.session.store(
                    env,
                    &report,
                    &key,
                    token,
                    is_first,
                    move |client, stored, _| {
                        client.result = stored.ok().or(client.result.take());
                        client.step(round, next);
                    },
                );
            }
            Asked::Read => match self.result.clone() {
                Some(result) => self.session.read(env, result, token, move |client, _, _| {
                    client.step(round, next);
                }),
                None => self.step(round, next),
            },
            Asked::Delete => match self.result.clone() {
                Some(result) => self.session.delete(env, result, token, move |client, _, _| {
                    client.step(round, next);
                }),
                None => self.step(round, next),
            },
            Asked::Publish(told) => self.publish(told, step, round, next),
        }
    }

    fn publish(&mut self, told: &Told, step: &Step, round: u32, next: usize) {
        let sequence = self.session.next_sequence();
        let name = format!("{}.e{sequence}", self.session.agent);
        let Ok(key) = wire::RequestId::new(&name) else { return self.step(round, next) };
        let data = json!({ "round": round, "client": self.session.agent });
        let (told, correlation) = (told.clone(), key.clone());
        let telling = Telling { told, key, correlation, data, sequence };
        let (project, agent) = (step.project.as_ref(), step.agent.as_ref());
        let session = &self.session;
        session.publish(
            &self.env,
            &telling,
            (project, agent),
            step.token,
            true,
            move |client, _, _| {
                client.step(round, next);
            },
        );
    }

    /// A text with what it names put in.
    fn filled(&self, text: &str, round: u32, step: &Step) -> String {
        if !text.contains('{') {
            return text.to_owned();
        }
        let project = step.project.as_ref().unwrap_or(&self.group.badge.project);
        let agent = step.agent.as_ref().unwrap_or(&self.session.agent);
        text.replace("{n}", &round.to_string())
            .replace("{client}", &self.session.who)
            .replace("{result}", self.result.as_deref().unwrap_or_default())
            .replace("{cursor}", self.cursor.as_deref().unwrap_or_default())
            .replace("{project}", project.as_str())
            .replace("{agent}", agent.as_str())
    }

    /// Tells what only whoever asked can know of an answer.
    fn tell(&self, reply: &Result<Reply, Refusal>) {
        let (who, project) = (Rc::clone(&self.session.who), Rc::clone(&self.session.project));
        let event = match reply {
            Ok(Reply::Results(page)) => {
                let now = self.env.utc();
                let times: Vec<Timestamp> = page.results.iter().map(|it| it.stored_at).collect();
                let age_ms = |stored: Option<&Timestamp>| {
                    let age = stored.map_or(0, |at| now.duration_since(*at).as_millis());
                    u64::try_from(age).unwrap_or(0)
                };
                SidecarEvent::ResultsShown {
                    who,
                    project,
                    results: u64::try_from(times.len()).unwrap_or(u64::MAX),
                    first_age_ms: age_ms(times.first()),
                    last_age_ms: age_ms(times.last()),
                    newest_first: times.is_sorted_by(|one, next| one >= next),
                }
            }
            Err(Refusal { status, retry_after: Some(wait), .. }) => SidecarEvent::ToldToWait {
                who,
                project,
                status: *status,
                retry_after_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            },
            _ => return,
        };
        Session::emit(&self.env, event);
    }

    /// Keeps what later steps may name.
    fn heard(&mut self, reply: Option<Reply>) {
        let cursor = match reply {
            Some(Reply::Stored(stored)) => {
                self.result = Some(stored.id.as_str().into());
                return;
            }
            Some(Reply::Results(page)) => page.next_cursor,
            Some(Reply::Events(page)) => page.next_cursor,
            _ => return,
        };
        self.cursor = cursor.map(|cursor| cursor.to_string()).or(self.cursor.take());
    }

    fn attack(&mut self, round: u32) {
        let (now, ledger) = (self.env.utc(), &self.session.parts.ledger);
        let report = self.session.report(&self.env, None, &format!("hostile-{round}"), "as told");
        let number = usize::try_from(self.draws.below(ledger.count() as u64)).unwrap_or(0);
        let projects: Vec<_> = ledger.projects();
        let others = projects.iter().filter(|project| **project != self.group.badge.project);
        let targets = Targets {
            report: &report,
            token: self.session.bearer(Default::default(), now).unwrap_or_default(),
            project: others.clone().next().map_or("another-project", |project| project.as_str()),
            result: ledger.result(number),
            cursor: self.draws.pick(&ledger.cursors()).cloned(),
            limits: &self.session.parts.settings.limits,
        };
        let attack = hostile::draw(&mut self.draws, &targets);
        let request = match attack.bearer {
            Some(bearer) => attack.request.bearer(&bearer),
            None => self.session.signed(attack.request, attack.token, now),
        };
        self.session.raw(&self.env, request, attack.token, move |client, _, _| {
            client.step(round, 1);
        });
    }
}

/// The most blanks that are put in front of a body, in bytes.
const PADDING: usize = 64 << 20;

impl Actor for Client {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.note();
        let wait = Time::ZERO + self.group.start - self.env.now();
        self.env.after(wait, |client, _| client.round());
    }
}
