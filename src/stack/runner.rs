//! A runner: does tasks one after another, and tells whoever follows it how far it is.
//!
//! What follows an update is decided in `policy::progress`. It must never tell of an update that is
//! not on disk, and begins nothing that waits for an approval before it has one.
//!
//! A stream is what server-sent events are: numbered, with a heartbeat, closed after a while, and
//! begun again after the last number that the reader has. The bus of the sidecar would not do: it is
//! in memory, and a crash ends what it promised.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use actix::{Actor, Context, Handler, Message};

use super::{
    FlowEvent,
    approvals::{Approvals, Submit},
    dashboard::Dashboard,
    settings::{Tracing, flow::RunnerGroup},
    tracer::{self, TraceHeader, Tracer},
};
use crate::{
    policy::{
        approval::Standing,
        progress::{self, Next, Status, Update},
    },
    world::{Env, Later, Peer, Stream, Time, Timer},
};

/// Where updates lie on the disk.
const FOLDER: &str = "progress/";
/// How long it waits for an approval before it asks for it again.
const PATIENCE: Duration = Duration::from_secs(30);
/// The pause before something is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// The tasks that are open in the whole world. It belongs to the work, not to a process: who only
/// watches or helps goes home when it is done.
#[derive(Clone, Debug, Default)]
pub struct OpenTasks(Rc<RefCell<Tasks>>);

#[derive(Debug, Default)]
struct Tasks {
    open: u64,
    /// How many each runner has done, by its node.
    done: BTreeMap<Rc<str>, u64>,
}

impl OpenTasks {
    /// So many.
    #[must_use]
    pub fn new(count: u64) -> OpenTasks {
        OpenTasks(Rc::new(RefCell::new(Tasks { open: count, ..Tasks::default() })))
    }

    pub(super) fn any(&self) -> bool {
        self.0.borrow().open > 0
    }

    /// So many of this runner's are done. Who has lost its disk has done none, and all are open again.
    fn done(&self, runner: &Rc<str>, count: u64) {
        let mut tasks = self.0.borrow_mut();
        let before = tasks.done.insert(Rc::clone(runner), count).unwrap_or(0);
        tasks.open = tasks.open.saturating_add(before).saturating_sub(count);
    }
}

/// Asks to be told what there is after an update, and what follows; `None` is whatever comes from now
/// on. `stream` is the reader's number for it.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub(super) struct Follow {
    pub(super) stream: u64,
    pub(super) after: Option<u64>,
    pub(super) reader: Peer<Dashboard>,
    pub(super) trace: TraceHeader,
}

/// One word on a stream. `number` is that of the update, or of the newest.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub(super) struct Told {
    pub(super) stream: u64,
    pub(super) number: u64,
    pub(super) news: News,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    Update(Update),
    Heartbeat,
    /// The stream is over, but not what it tells of.
    Closed,
    /// There will be no more updates.
    Ended,
}

struct Reader {
    peer: Peer<Dashboard>,
    stream: u64,
    closes: Time,
}

/// The actor.
pub struct Runner {
    env: Env<Runner>,
    group: Rc<RunnerGroup>,
    approvals: Option<Peer<Approvals>>,
    open: OpenTasks,
    name: Rc<str>,
    /// What is on disk, from the first on.
    updates: Vec<Update>,
    /// How many tasks are done, by the updates.
    done: u64,
    reader: Option<Reader>,
    beat: Option<Timer>,
    draws: Stream,
    tracer: Tracer,
}

impl Runner {
    /// A runner of this group.
    pub fn new(
        env: Env<Runner>,
        group: Rc<RunnerGroup>,
        approvals: Option<Peer<Approvals>>,
        open: OpenTasks,
        tracing: Tracing,
    ) -> Runner {
        let tracer = Tracer::new(&env, tracing);
        let (draws, name) = (env.stream("tasks"), env.node_name());
        let (updates, done, reader, beat) = (Vec::new(), 0, None, None);
        Runner { env, group, approvals, open, name, updates, done, reader, beat, draws, tracer }
    }

    fn emit(&self, event: FlowEvent) {
        self.env.emit(event.name(), event);
    }

    fn task(&self, number: u32) -> Rc<str> {
        format!("{}/{number}", self.name).into()
    }

    /// How many updates there are, which is the number of the newest.
    fn newest(&self) -> u64 {
        self.updates.len() as u64
    }

    fn next(&self) -> Next {
        progress::next(self.updates.last().copied(), self.group.tasks)
    }

    /// Goes on after the last update.
    fn go_on(&mut self) {
        match self.next() {
            Next::Begin(task) => {
                let status = if self.group.approval { Status::Pending } else { Status::Active };
                let pause = self.draws.delay(&self.group.pause);
                let begun = Update { task, percent: 0, status };
                self.env.after(pause, move |runner, _| runner.report(begun));
            }
            Next::Wait(update) => self.ask(update),
            Next::Work(update) => {
                let takes = self.draws.delay(&self.group.takes);
                let fails = self.draws.chance(self.group.fails);
                let done = match fails {
                    true => Update { status: Status::Error, ..update },
                    false => Update { percent: update.percent + 50, ..update },
                };
                self.env.after(takes, move |runner, _| runner.report(done));
            }
            Next::Complete(update) => self.report(update),
            Next::Over => {}
        }
    }

    /// Waits for an approval. Without a queue nobody approves.
    fn ask(&mut self, update: Update) {
        let Some(approvals) = self.approvals else { return };
        let task = self.task(update.task);
        let span = self.tracer.call(&self.env, None, || format!("submit {task}"));
        let submit = Submit { task, trace: span.context.into() };
        self.env.call(&approvals, submit).timeout(PATIENCE).duplicable().then(
            move |runner, standing, _| {
                let error = tracer::failure(&standing);
                tracer::ended(&runner.env, &span, error, Vec::new);
                let task = runner.task(update.task);
                match standing {
                    Ok(Standing::Approved) => {
                        runner.emit(FlowEvent::TaskResumed { task });
                        runner.report(Update { status: Status::Active, ..update });
                    }
                    Ok(standing @ (Standing::Rejected | Standing::Expired)) => {
                        runner.emit(FlowEvent::TaskStopped { task, cause: standing.as_str() });
                        runner.report(Update { status: Status::Error, ..update });
                    }
                    Ok(Standing::Pending) | Err(_) => {
                        runner.env.after(AGAIN, move |runner, _| runner.ask(update));
                    }
                }
            },
        );
    }

    /// Takes an update down, and goes on when it is durable.
    fn report(&mut self, update: Update) {
        let path = format!("{FOLDER}{:08}", self.newest() + 1);
        let text = serde_json::to_vec(&update).unwrap_or_default();
        if self.env.disk().write(&path, &text).is_err() {
            self.env.after(AGAIN, move |runner, _| runner.report(update));
            return;
        }
        self.env.disk().sync(move |runner, _| {
            runner.updates.push(update);
            let Update { task, percent, status } = update;
            let (task, status) = (runner.task(task), status.as_str());
            runner.emit(FlowEvent::ProgressReported { task, percent, status });
            if update.status.is_final() {
                runner.done += 1;
                runner.open.done(&runner.name, runner.done);
            }
            runner.say(runner.newest(), News::Update(update));
            runner.end_if_over();
            runner.go_on();
        });
    }

    fn say(&self, number: u64, news: News) {
        if let Some(Reader { peer, stream, .. }) = &self.reader {
            self.env.send(peer, Told { stream: *stream, number, news });
        }
    }

    fn end_if_over(&mut self) {
        if self.next() == Next::Over {
            self.hang_up(News::Ended);
        }
    }

    fn hang_up(&mut self, news: News) {
        self.say(self.newest(), news);
        self.reader = None;
        if let Some(timer) = self.beat.take() {
            self.env.cancel(&timer);
        }
    }

    fn beat(&mut self) {
        let Some(Reader { closes, .. }) = &self.reader else { return };
        if self.env.now() >= *closes {
            return self.hang_up(News::Closed);
        }
        self.say(self.newest(), News::Heartbeat);
        self.beat = Some(self.env.after(self.group.heartbeat, |runner, _| runner.beat()));
    }

    fn restore(&mut self) {
        let paths = self.env.disk().list(FOLDER);
        let read = |path: &String| serde_json::from_slice(&self.env.disk().read(path)?).ok();
        self.updates = paths.iter().map_while(read).collect();
        self.done = self.updates.iter().filter(|update| update.status.is_final()).count() as u64;
        self.open.done(&self.name, self.done);
    }
}

impl Actor for Runner {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.restore();
        self.go_on();
    }
}

impl Handler<Follow> for Runner {
    type Result = Later<()>;

    fn handle(&mut self, follow: Follow, _: &mut Context<Self>) -> Self::Result {
        let Follow { stream, after, reader, trace } = follow;
        let name = || format!("follow {}", self.name);
        let (owed, later) = self.tracer.take(&self.env, &trace, name);
        if let Some(timer) = self.beat.take() {
            self.env.cancel(&timer);
        }
        let closes = self.env.now() + self.group.stream_lasts;
        self.reader = Some(Reader { peer: reader, stream, closes });
        let after = after.unwrap_or(self.newest());
        for (number, update) in (1..).zip(&self.updates) {
            if number > after {
                self.say(number, News::Update(*update));
            }
        }
        self.end_if_over();
        self.beat();
        owed.keep(&self.env, None, ());
        later
    }
}
