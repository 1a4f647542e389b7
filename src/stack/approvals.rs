//! The queue of approvals: tasks wait in it, reviewers decide, what nobody decides expires.
//!
//! What becomes of an entry is decided in `policy::approval`. It must never tell anybody of what is
//! not on disk: every answer, also that a decision does not count, waits for a sync.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use actix::{Actor, Context, Handler, Message};

use super::{
    FlowEvent,
    settings::{Tracing, flow},
    tracer::{Owed, TraceHeader, Tracer},
};
use crate::{
    policy::approval::{Entry, Queue, Refusal, Standing},
    world::{Env, Later, Timer},
};

/// Where entries lie on the disk.
const FOLDER: &str = "approvals/";
/// The pause before it is tried again to write what has expired.
const AGAIN: Duration = Duration::from_secs(1);

/// Asks for the approval of a task, and waits until there is one or never will be. Asked again, it
/// is the same approval.
#[derive(Clone, Message)]
#[rtype(result = "Standing")]
pub(super) struct Submit {
    pub(super) task: Rc<str>,
    pub(super) trace: TraceHeader,
}

/// Every approval, and how it stands.
pub(super) type Standings = Rc<[(Rc<str>, Standing)]>;

/// Asks what there is.
#[derive(Clone, Message)]
#[rtype(result = "Standings")]
pub(super) struct Look {
    pub(super) trace: TraceHeader,
}

/// Decides. Decided again by the same reviewer in the same way, it is the same decision.
#[derive(Clone, Message)]
#[rtype(result = "Result<(), Refusal>")]
pub(super) struct Decide {
    pub(super) task: Rc<str>,
    pub(super) approve: bool,
    pub(super) by: Rc<str>,
    pub(super) trace: TraceHeader,
}

/// The actor.
pub struct Approvals {
    env: Env<Approvals>,
    settings: Rc<flow::Approvals>,
    queue: Queue,
    /// Who waits for which: each copy of a request is answered, or whoever sent it would be told that
    /// its connection broke.
    waiting: BTreeMap<Rc<str>, Vec<Owed<Standing>>>,
    expiry: Option<Timer>,
    tracer: Tracer,
}

impl Approvals {
    /// A queue with these settings.
    pub fn new(env: Env<Approvals>, settings: Rc<flow::Approvals>) -> Approvals {
        Approvals {
            // Whether a trace is kept is decided where it begins.
            tracer: Tracer::new(&env, Tracing::default()),
            env,
            settings,
            queue: Queue::default(),
            waiting: BTreeMap::new(),
            expiry: None,
        }
    }

    fn emit(&self, event: FlowEvent) {
        self.env.emit(event.name(), event);
    }

    /// Puts an entry in; false if the disk does not take it.
    fn put(&mut self, task: &Rc<str>, entry: Entry) -> bool {
        if self.settings.durable {
            let written = serde_json::to_vec(&entry)
                .is_ok_and(|text| self.env.disk().write(&format!("{FOLDER}{task}"), &text).is_ok());
            if !written {
                return false;
            }
        }
        self.queue.put(Rc::clone(task), entry);
        true
    }

    /// Reads what an earlier life wrote.
    fn restore(&mut self) {
        let mut entries = 0;
        for path in self.env.disk().list(FOLDER) {
            let contents = self.env.disk().read(&path);
            let entry = contents.and_then(|text| serde_json::from_slice::<Entry>(&text).ok());
            let task = path.strip_prefix(FOLDER);
            if let (Some(entry), Some(task)) = (entry, task) {
                self.queue.put(task.into(), entry);
                entries += 1;
            }
        }
        if entries > 0 {
            let component = "approvals".into();
            let restored = super::Event::StateRestored { component, entries };
            self.env.emit(restored.name(), restored);
        }
    }

    /// Whoever waits for this one is told, if it is over.
    fn tell(&self, task: Rc<str>) {
        self.env.disk().sync(move |approvals, _| {
            let standing = approvals.queue.standing(&task);
            if let Some(standing) = standing.filter(|it| *it != Standing::Pending)
                && let Some(all) = approvals.waiting.remove(&task)
            {
                all.into_iter().for_each(|owed| owed.keep(&approvals.env, None, standing));
            }
        });
    }

    /// Lets expire what is due, and waits for the next.
    fn expire(&mut self) {
        if let Some(timer) = self.expiry.take() {
            self.env.cancel(&timer);
        }
        let now = self.env.now();
        let mut gone = BTreeSet::new();
        let mut is_full = false;
        for (task, entry) in self.queue.expired(now) {
            if self.put(&task, entry) {
                gone.insert(task);
            } else {
                is_full = true;
            }
        }
        if !gone.is_empty() {
            self.env.disk().sync(move |approvals, _| {
                for task in gone {
                    approvals.emit(FlowEvent::ApprovalExpired { task: Rc::clone(&task) });
                    approvals.tell(task);
                }
            });
        }
        if let Some(next) = self.queue.next_expiry() {
            let wait = if is_full { AGAIN } else { next - now };
            self.expiry = Some(self.env.after(wait, |approvals, _| approvals.expire()));
        }
    }
}

impl Actor for Approvals {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.restore();
        self.expire();
    }
}

impl Handler<Submit> for Approvals {
    type Result = Later<Standing>;

    fn handle(&mut self, Submit { task, trace }: Submit, _: &mut Context<Self>) -> Self::Result {
        let name = || format!("submit {task}");
        let (owed, later) = self.tracer.take(&self.env, &trace, name);
        let new = self.queue.submit(self.env.now(), self.settings.expires_after, &task);
        if let Some(entry) = new {
            if !self.put(&task, entry) {
                owed.reset(&self.env);
                return later;
            }
            let submitted = Rc::clone(&task);
            self.env.disk().sync(move |approvals, _| {
                approvals.emit(FlowEvent::ApprovalSubmitted { task: submitted });
            });
            self.expire();
        }
        self.waiting.entry(Rc::clone(&task)).or_default().push(owed);
        self.tell(task);
        later
    }
}

impl Handler<Look> for Approvals {
    type Result = Later<Standings>;

    fn handle(&mut self, Look { trace }: Look, _: &mut Context<Self>) -> Self::Result {
        let (owed, later) = self.tracer.take(&self.env, &trace, || "look".to_owned());
        let all = self.queue.all().map(|(task, standing)| (Rc::clone(task), standing)).collect();
        self.env.disk().sync(move |approvals, _| owed.keep(&approvals.env, None, all));
        later
    }
}

impl Handler<Decide> for Approvals {
    type Result = Later<Result<(), Refusal>>;

    fn handle(&mut self, decide: Decide, _: &mut Context<Self>) -> Self::Result {
        let Decide { task, approve, by, trace } = decide;
        let name = || format!("decide {task}");
        let (owed, later) = self.tracer.take(&self.env, &trace, name);
        let decided = self.queue.decide(self.env.now(), &task, approve, &by);
        let (answer, event) = match decided {
            Ok(None) => (Ok(()), None),
            Ok(Some(entry)) => {
                let decision = entry.standing.as_str();
                if !self.put(&task, entry) {
                    owed.reset(&self.env);
                    return later;
                }
                self.expire();
                let task = Rc::clone(&task);
                (Ok(()), Some(FlowEvent::ApprovalDecided { task, decision, by }))
            }
            Err(refusal) => {
                let (task, reason) = (Rc::clone(&task), refusal.as_str());
                (Err(refusal), Some(FlowEvent::ApprovalRefused { task, by, reason }))
            }
        };
        self.env.disk().sync(move |approvals, _| {
            event.into_iter().for_each(|event| approvals.emit(event));
            let error = answer.err().map(Refusal::as_str);
            owed.keep(&approvals.env, error, answer);
            approvals.tell(task);
        });
        later
    }
}
