//! The dashboard: a page in a browser that follows all runners and the queue of approvals.
//!
//! It shows what it is told, in order, and says of what it shows whether it still holds. A crash is a
//! reload: it goes on where its store says that it was. It must never show what it was not told.
//!
//! `feed` decides about one stream, `board` about the widgets, `storage` keeps the state.

mod board;
mod feed;
mod storage;

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use actix::{Actor, Context, Handler};

use self::{
    board::{Alert, Board},
    feed::{Feed, Heard},
    storage::{Saved, Storage},
};
use super::{
    FlowEvent,
    approvals::{Approvals, Look, Standings},
    runner::{Follow, News, OpenTasks, Runner, Told},
    settings::{Tracing, flow},
    tracer::{self, Span, Tracer},
};
use crate::{
    policy::{progress::Update, widget::Signal},
    world::{CallError, Env, Peer, Timer},
};

/// How long it waits for an answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often in a row nobody may answer for the queue once all work is done, before it is not asked
/// any more: some minutes of trouble are outlasted, a queue that is gone for good does not keep the
/// page open for ever.
const LAST_LOOKS: u32 = 30;
/// How often it looks whether a stream is silent.
const LOOK: Duration = Duration::from_secs(1);
/// The window of the metrics widget.
const WINDOW: Duration = Duration::from_secs(30);

/// All that a dashboard is about.
#[derive(Clone)]
pub struct DashboardParts {
    /// How it is set up.
    pub settings: Rc<flow::Dashboard>,
    /// The runners that it follows, by the names of their nodes.
    pub runners: Rc<[(Rc<str>, Peer<Runner>)]>,
    /// The queue that it looks into.
    pub approvals: Option<Peer<Approvals>>,
    /// It is closed when these are done.
    pub open: OpenTasks,
    /// How traces are made.
    pub tracing: Tracing,
}

/// The actor.
pub struct Dashboard {
    env: Env<Dashboard>,
    parts: DashboardParts,
    /// One for each runner, in the same order.
    feeds: Vec<Feed>,
    /// Counts the streams of this life.
    streams: u64,
    board: Board,
    storage: Storage,
    /// The last update of each task that was shown, by runner.
    tasks: BTreeMap<String, BTreeMap<String, Update>>,
    /// How often in a row nobody answered for the queue.
    unanswered: u32,
    /// Whether there is something to keep.
    is_changed: bool,
    timers: Vec<Timer>,
    tracer: Tracer,
}

impl Dashboard {
    /// A page that is not loaded yet.
    pub fn new(env: Env<Dashboard>, parts: DashboardParts) -> Dashboard {
        let storage = Storage::new(parts.settings.store.clone());
        Dashboard {
            tracer: Tracer::new(&env, parts.tracing),
            env,
            parts,
            feeds: Vec::new(),
            streams: 0,
            board: Board::default(),
            storage,
            tasks: BTreeMap::new(),
            unanswered: 0,
            is_changed: false,
            timers: Vec::new(),
        }
    }

    fn emit(&self, event: FlowEvent) {
        self.env.emit(event.name(), event);
    }

    /// Tells what has changed on the page.
    fn tell(&mut self) {
        for change in self.board.changes() {
            self.emit(change);
        }
    }

    fn runner(&self, place: usize) -> Option<(Rc<str>, Peer<Runner>)> {
        self.parts.runners.get(place).cloned()
    }

    /// Follows a runner after the last update that it has; `is_first` on a page that was just loaded.
    fn follow(&mut self, place: usize, is_first: bool) {
        let Some((runner, peer)) = self.runner(place) else { return };
        self.streams += 1;
        let stream = (u64::from(self.env.incarnation()) << 32) | self.streams;
        let now = self.env.now();
        let Some(feed) = self.feeds.get_mut(place) else { return };
        feed.open(now, stream);
        let after = feed.last;
        let resumes = is_first || self.parts.settings.resume;
        let span = self.tracer.call(&self.env, None, || format!("follow {runner}"));
        let (after_it, trace) = (resumes.then_some(after), span.context.into());
        let follow = Follow { stream, after: after_it, reader: self.env.me(), trace };
        self.emit(FlowEvent::StreamOpened { runner, after });
        self.env.call(&peer, follow).timeout(PATIENCE).then(move |dashboard, answer, _| {
            let error = tracer::failure(&answer);
            tracer::ended(&dashboard.env, &span, error, Vec::new);
            let is_open = dashboard.feeds.get(place).is_some_and(|feed| feed.is_open(stream));
            if let Some(error) = answer.err().filter(|_| is_open) {
                dashboard.failed(place, error.name());
            }
        });
    }

    /// Nothing came of a stream: it is followed again later, and its widgets show that.
    fn failed(&mut self, place: usize, cause: &'static str) {
        let Some(feed) = self.feeds.get_mut(place) else { return };
        feed.lose(cause);
        let pause = feed.fail();
        let is_failure = feed.failures >= self.parts.settings.failures;
        let signal = if is_failure { Signal::Failure } else { Signal::Silence };
        if let Some((runner, _)) = self.runner(place) {
            self.board.source(&runner, signal);
        }
        self.board.sources(signal);
        self.lost(place, cause, pause);
    }

    fn lost(&mut self, place: usize, cause: &'static str, pause: Duration) {
        if let Some((runner, _)) = self.runner(place) {
            self.emit(FlowEvent::StreamLost { runner, cause });
        }
        self.tell();
        self.env.after(pause, move |dashboard, _| dashboard.follow(place, false));
    }

    /// What is shown of this runner is what there is.
    fn current(&mut self, place: usize) {
        if let Some((runner, _)) = self.runner(place) {
            self.board.source(&runner, Signal::Data);
        }
        if self.feeds.iter().all(|feed| feed.failures == 0) {
            self.board.sources(Signal::Data);
        }
        self.tell();
    }

    fn show(&mut self, place: usize, update: Update) {
        let Some((runner, _)) = self.runner(place) else { return };
        let task: Rc<str> = format!("{runner}/{}", update.task).into();
        let (percent, status) = (update.percent, update.status.as_str());
        self.emit(FlowEvent::ProgressShown { task: Rc::clone(&task), percent, status });
        self.board.update(&runner, &task, update);
        self.tasks.entry(runner.to_string()).or_default().insert(task.to_string(), update);
        self.is_changed = true;
        self.current(place);
    }

    /// Gives up streams that are silent.
    fn look_at_streams(&mut self) {
        let (now, stale_after) = (self.env.now(), self.parts.settings.stale_after);
        let silent = |feed: &Feed| feed.is_silent(now, stale_after);
        let places: Vec<usize> =
            (0..).zip(&self.feeds).filter(|(_, feed)| silent(feed)).map(|(it, _)| it).collect();
        for place in places {
            self.failed(place, "silent");
        }
    }

    fn look_into_queue(&mut self) {
        let Some(approvals) = self.parts.approvals else { return };
        let is_last = !self.parts.open.any();
        let span = self.tracer.call(&self.env, None, || "look".to_owned());
        let look = Look { trace: span.context.into() };
        self.env
            .call(&approvals, look)
            .timeout(PATIENCE)
            .duplicable()
            .then(move |dashboard, all, _| dashboard.queue_answered(all, span, is_last));
    }

    fn queue_answered(&mut self, all: Result<Standings, CallError>, span: Span, is_last: bool) {
        let error = tracer::failure(&all);
        tracer::ended(&self.env, &span, error, Vec::new);
        match all {
            Ok(all) => {
                self.unanswered = 0;
                self.board.approvals(&all);
            }
            Err(_) => {
                self.unanswered = self.unanswered.saturating_add(1);
                let is_failure = self.unanswered >= self.parts.settings.failures;
                let signal = if is_failure { Signal::Failure } else { Signal::Silence };
                self.board.approvals_lost(signal);
            }
        }
        self.tell();
        let is_over = self.unanswered == 0 || self.unanswered >= LAST_LOOKS;
        if !(is_last && is_over) {
            let poll = self.parts.settings.poll;
            self.env.after(poll, |dashboard, _| dashboard.look_into_queue());
        }
    }

    /// Keeps the state if there is something new, and closes the page when there will be no more.
    fn keep(&mut self) {
        if self.is_changed {
            let names = self.parts.runners.iter().map(|(runner, _)| runner.to_string());
            let feeds = names.zip(self.feeds.iter().map(|feed| feed.last)).collect();
            let state = Saved { version: 0, feeds, tasks: self.tasks.clone() };
            self.is_changed = !self.storage.save(&self.env, state);
            if self.is_changed {
                self.board.alert(Alert::Warning);
                self.tell();
            }
        }
        if self.is_changed || !self.feeds.iter().all(Feed::has_ended) {
            return;
        }
        for timer in self.timers.drain(..) {
            self.env.cancel(&timer);
        }
    }

    /// Shows what was kept before the page was loaded.
    fn restore(&mut self) {
        let saved = self.storage.load(&self.env);
        self.board.load();
        for (runner, _) in self.parts.runners.iter() {
            let last = saved.feeds.get(&**runner).copied().unwrap_or(0);
            self.feeds.push(Feed::new(last));
            for (task, update) in saved.tasks.get(&**runner).into_iter().flatten() {
                self.board.restore(runner, &task.as_str().into(), *update);
            }
        }
        self.tasks = saved.tasks;
        self.tell();
    }
}

impl Actor for Dashboard {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.restore();
        for place in 0..self.feeds.len() {
            self.follow(place, true);
        }
        self.look_into_queue();
        let save_every = self.parts.settings.save_every;
        self.timers = vec![
            self.env.every(LOOK, |dashboard, _| dashboard.look_at_streams()),
            self.env.every(WINDOW, |dashboard, _| {
                dashboard.board.window_ended();
                dashboard.tell();
            }),
            self.env.every(save_every, |dashboard, _| dashboard.keep()),
        ];
    }
}

impl Handler<Told> for Dashboard {
    type Result = ();

    fn handle(&mut self, told: Told, _: &mut Context<Self>) {
        let now = self.env.now();
        // The number of a stream names its feed: there is one open stream for each.
        let place = self.feeds.iter().position(|feed| feed.is_open(told.stream));
        let Some((place, feed)) = place.and_then(|it| Some((it, self.feeds.get_mut(it)?))) else {
            return;
        };
        match (feed.hear(now, &told), told.news) {
            (Heard::Show, News::Update(update)) => self.show(place, update),
            (Heard::Lost(cause), _) => {
                let pause = feed.pause();
                self.lost(place, cause, pause);
            }
            (Heard::Current | Heard::Ended, _) => self.current(place),
            _ => {}
        }
    }
}
