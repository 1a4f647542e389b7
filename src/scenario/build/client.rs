//! Those who do nothing but use the sidecar: subscribers, and clients with their steps.

use std::collections::BTreeMap;
use std::time::Duration;

use miette::SourceSpan;

use super::Builder;
use super::sidecar::RawBadge;
use super::stack::AGENTS_MAX;
use crate::scenario::field::At;
use crate::scenario::model::{Acts, Asked, ClientGroup, Sim, Step, SubscriberGroup};
use crate::scenario::raw::{RawClient, RawStep, RawSubscriber, RawTold, RawWanted};
use crate::scenario::units::quoted;
use crate::stack::sidecar::wire::{Method, RequestId};
use crate::world::Delay;

/// The longest that the contract lets a request wait for events.
const WAIT_MAX: Duration = Duration::from_secs(300);
/// The most events that the contract has on a page.
const BATCH_MAX: u32 = 1_000;
/// How many steps a client may have.
const STEPS_MAX: usize = 1_000;
/// The most rounds of a client.
const ROUNDS_MAX: u32 = 1_000_000_000;

const STEP_HELP: &str =
    "set exactly one of get, post, delete, store, read, delete_result and publish";

impl Builder {
    /// Fills in subscribers and clients. `seen` are the names that nodes have so far.
    pub(super) fn users(
        &mut self,
        sim: &mut Sim,
        subscribers: Vec<RawSubscriber>,
        clients: Vec<RawClient>,
        seen: &mut BTreeMap<String, SourceSpan>,
    ) {
        for raw in subscribers {
            let span = raw.name.span;
            self.node_name(&raw.name, "subscriber", seen);
            self.needs_sidecar(sim, Some(span), "the subscriber");
            let Some(group) = self.subscriber(sim, raw) else { continue };
            self.room_for(sim, group.count, span);
            sim.subscribers.push(group);
        }
        for raw in clients {
            let span = raw.name.span;
            self.node_name(&raw.name, "client", seen);
            self.needs_sidecar(sim, Some(span), "the client");
            let Some(group) = self.client(sim, raw) else { continue };
            self.room_for(sim, group.count, span);
            sim.clients.push(group);
        }
    }

    fn subscriber(&mut self, sim: &Sim, raw: RawSubscriber) -> Option<SubscriberGroup> {
        // Its project is judged with a sidecar only: without one, all of it is too much.
        let known = sim.sidecar.is_some();
        let project = raw.project.filter(|_| known);
        let agent_type = raw.r#type.filter(|_| known);
        let badge = RawBadge { agent_type, project, issue: None };
        let badge = self.badge(sim, &raw.name, None, badge);
        let count = self.whole_up_to(raw.count, 1, AGENTS_MAX as u32, "the count");
        let start = self.read(raw.start, Duration::ZERO);
        let lasts = self.positive(raw.r#for, Duration::from_secs(30));
        let lag = self.delay(raw.lag, Delay::Fixed(Duration::ZERO));
        let wait = self.duration_up_to(raw.wait, Duration::from_secs(30), WAIT_MAX);
        let batch = self.whole_up_to(raw.batch, 100, BATCH_MAX, "a batch");
        let wanted = self.wanted(RawWanted { event: raw.event, filter: raw.filter })?;
        let (name, badge) = (raw.name.value, badge?);
        Some(SubscriberGroup { name, count, badge, wanted, start, lasts, lag, wait, batch })
    }

    fn client(&mut self, sim: &Sim, raw: RawClient) -> Option<ClientGroup> {
        let known = sim.sidecar.is_some();
        let badge = RawBadge {
            agent_type: raw.r#type.filter(|_| known),
            project: raw.project.filter(|_| known),
            issue: raw.issue.filter(|_| known),
        };
        let badge = self.badge(sim, &raw.name, None, badge);
        let count = self.whole_up_to(raw.count, 1, AGENTS_MAX as u32, "the count");
        let start = self.read(raw.start, Duration::ZERO);
        let every = raw.every.map(|every| self.positive(Some(every), Duration::from_secs(1)));
        let rounds = self.whole_up_to(raw.rounds, 1, ROUNDS_MAX, "rounds");
        let name_span = raw.name.span;
        let acts = match (raw.steps, raw.hostile) {
            (Some(steps), None) => self.steps(&raw.name.value, steps),
            (None, Some(At { value: true, .. })) => Some(Acts::Hostile),
            (_, hostile) => {
                let span = hostile.map_or(name_span, |hostile| hostile.span);
                let help = "set steps = [{ get = \"/health\" }], or hostile = true";
                self.error(span, "", "a client has steps, or is hostile", help);
                None
            }
        };
        let (name, badge, acts) = (raw.name.value, badge?, acts?);
        Some(ClientGroup { name, count, badge, start, every, rounds, acts })
    }

    fn steps(&mut self, client: &str, raw: At<Vec<At<RawStep>>>) -> Option<Acts> {
        if raw.value.is_empty() || raw.value.len() > STEPS_MAX {
            let message = format!("a client has 1 to {STEPS_MAX} steps, found {}", raw.value.len());
            self.error(raw.span, "", &message, "write steps = [{ get = \"/health\" }]");
            return None;
        }
        let steps = raw.value.into_iter().filter_map(|step| self.step(client, step));
        Some(Acts::Steps(steps.collect()))
    }

    fn step(&mut self, client: &str, At { value: raw, span }: At<RawStep>) -> Option<Step> {
        let raw_path = |method: Method, path: Option<At<String>>| path.map(|it| (method, it.value));
        let posts = raw.post.is_some();
        let stores = raw.store.is_some();
        let publishes = raw.publish.is_some();
        let mut kinds: Vec<Option<Asked>> = Vec::new();
        let on_the_wire = [
            raw_path(Method::Get, raw.get),
            raw_path(Method::Post, raw.post),
            raw_path(Method::Delete, raw.delete),
        ];
        let is_raw = on_the_wire.iter().any(Option::is_some);
        let misplaced = [
            (raw.body.as_ref().map(|it| it.span), posts, "body", "post"),
            (raw.json.as_ref().map(|it| it.span), posts, "json", "post"),
            (raw.padding.as_ref().map(|it| it.span), posts, "padding", "post"),
            (raw.headers.as_ref().map(|it| it.span), is_raw, "headers", "get, post or delete"),
            (raw.issue.as_ref().map(|it| it.span), stores, "issue", "store"),
            (raw.topic.as_ref().map(|it| it.span), publishes, "topic", "publish"),
        ];
        for (span, fits, key, of) in misplaced {
            if let Some(span) = span.filter(|_| !fits) {
                let message = format!("{key} belongs to {of}");
                self.error(span, "not of this step", &message, "remove it");
            }
        }
        if let (Some(_), Some(json)) = (&raw.body, &raw.json) {
            let help = "keep body or json";
            self.error(json.span, "a second body", "a request has one body", help);
        }
        let text = raw.body.map(|body| body.value);
        let body = text.or_else(|| raw.json.map(|json| json.value.to_string()));
        let body = body.unwrap_or_default();
        let padding = u64::try_from(self.body(raw.padding, 0)).unwrap_or(u64::MAX);
        let headers = raw.headers.map(|headers| headers.value).unwrap_or_default();
        for (method, path) in on_the_wire.into_iter().flatten() {
            let headers = headers.clone().into_iter().collect();
            let (body, padding) = (body.clone(), padding);
            kinds.push(Some(Asked::Raw { method, path, headers, body, padding }));
        }
        if let Some(key) = raw.store {
            self.result_key(client, &key);
            let issue = self.optional(raw.issue);
            kinds.push(Some(Asked::Store { key: key.value, issue }));
        }
        kinds.extend(raw.read.map(|_| Some(Asked::Read)));
        kinds.extend(raw.delete_result.map(|_| Some(Asked::Delete)));
        if let Some(event) = raw.publish {
            kinds.push(self.told(RawTold { event, topic: raw.topic }).map(Asked::Publish));
        }
        if kinds.len() != 1 {
            let message = format!("a step is one request, found {}", kinds.len());
            self.error(span, "this step", &message, STEP_HELP);
        }
        Some(Step {
            token: raw.token.unwrap_or_default(),
            project: self.optional(raw.as_project),
            agent: self.optional(raw.as_agent),
            what: kinds.pop()??,
        })
    }

    /// The key of a request has to be an id once the round and the client are filled in.
    fn result_key(&mut self, client: &str, key: &At<String>) {
        let filled = key.value.replace("{n}", "1").replace("{client}", client);
        if let Err(bad) = RequestId::new(&filled) {
            let message = format!("{} is not the id of a request: it {bad}", quoted(&key.value));
            let help = "write letters, digits, -, _ and single dots, {n} and {client}";
            self.error(key.span, "not an id", &message, help);
        }
    }
}
