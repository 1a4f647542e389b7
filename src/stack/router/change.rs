//! A change of the configuration while the router runs.
//!
//! One change after the other is judged, written into the trail, synced, and only then in force and
//! answered. A crash before the sync forgets it as if it had never been; one after it does not. What
//! is in hand goes on under the rules under which it came in, through the breakers of its operation,
//! which go when it does if there is no such operation any more. No request may be dropped for a
//! change.

use std::{collections::VecDeque, rc::Rc, time::Duration};

use actix::{Context, Handler};

use super::{Router, rules::Rulebook};
use crate::{
    config::{
        Config, Layers,
        audit::{Change, Entry, Outcome, Trail, Verdict},
        migrate::Migration,
        rate::{Limiter, TooOften},
    },
    stack::{
        ConfigEvent,
        message::{ChangeConfig, ChangeError, Prompt, ReadTrail, Settled},
        tracer::Owed,
    },
    world::{Later, Time},
};

/// Where the trail is on the disk, one file for each entry.
const TRAIL: &str = "router/trail/";

/// More changes than this do not wait.
const WAITING_MAX: usize = 100;

type Answer = Owed<Result<Settled, ChangeError>>;

/// The configuration of a router that has one.
pub(super) struct Configured {
    trail: Trail,
    /// How often each operator has had a change validated. The trail knows it after a restart.
    limiter: Limiter,
    /// The changes that are not settled, the one that is being written first, each with who waits.
    waiting: VecDeque<(Change, Vec<Answer>)>,
}

impl Configured {
    fn path(entry: &Entry) -> String {
        format!("{TRAIL}{:08}.json", entry.number)
    }
}

impl Router {
    /// Takes up the configuration as the trail leaves it, before the router does anything else.
    pub(super) fn load_config(&mut self, layers: &Layers) {
        let disk = self.env.disk();
        let files: Vec<_> = disk.list(TRAIL).iter().filter_map(|path| disk.read(path)).collect();
        let (trail, damaged) = Trail::restore(layers.clone(), files.iter().map(|file| &**file));
        self.rulebook = Rulebook::configured(trail.config(), self.settings.quirks);
        self.tell(ConfigEvent::Loaded {
            version: trail.version(),
            entries: u32::try_from(trail.entries().len()).unwrap_or(u32::MAX),
            damaged,
        });
        self.tell_legacy(layers);
        self.tell_operations(None, trail.config(), trail.version());
        self.watch_load(trail.config(), damaged);
        let mut limiter = Limiter::new();
        let (now, utc) = (self.env.now(), self.env.utc());
        for entry in trail.entries().iter().filter(|it| it.outcome != Outcome::RateLimited) {
            let age = Duration::try_from(utc.duration_since(entry.at)).unwrap_or_default();
            limiter.remember(&entry.change.by, before(now, age));
        }
        self.configured = Some(Configured { trail, limiter, waiting: VecDeque::new() });
    }

    /// Tells what variables of old could be written as, if there are any.
    fn tell_legacy(&self, layers: &Layers) {
        let legacy = layers.legacy();
        if legacy.is_empty() {
            return;
        }
        let migration = Migration::of(legacy);
        self.tell(ConfigEvent::LegacyFound {
            variables: u32::try_from(migration.legacy.detected().count()).unwrap_or(u32::MAX),
            preset: migration.preset.as_str(),
            score_permille: migration.score.permille(),
            confidence: migration.confidence.as_str(),
            differs: migration.custom().unwrap_or_default().into(),
        });
    }

    pub(super) fn tell(&self, event: ConfigEvent) {
        self.env.emit(event.name(), event);
    }

    /// Tells what each operation has that had something else before.
    fn tell_operations(&self, before: Option<&Config>, config: &Config, version: u32) {
        for operation in config.known() {
            let tuning = config.operation(operation);
            let is_as_it_was = |before: &Config| {
                before.known().contains(&operation) && before.operation(operation) == tuning
            };
            if before.is_some_and(is_as_it_was) {
                continue;
            }
            let ms = super::millis;
            self.tell(ConfigEvent::OperationConfigured {
                operation: operation.into(),
                version,
                retry_attempts: tuning.attempts,
                max_delay_ms: ms(tuning.max_delay),
                exponential_min_ms: ms(tuning.exp_min),
                exponential_max_ms: ms(tuning.exp_max),
                jitter_ms: ms(tuning.jitter.unwrap_or_default()),
                failure_threshold: tuning.failure_threshold,
                recovery_ms: ms(tuning.recovery),
                half_open_calls: tuning.half_open_calls,
                origin: config.origins(operation).into(),
            });
        }
    }

    /// Tells by what a request will end.
    pub(super) fn tell_admitted(&self, prompt: &Prompt, operation: Option<&Rc<str>>) {
        if let (Some(configured), Some(operation)) = (&self.configured, operation) {
            self.tell(ConfigEvent::RequestAdmitted {
                request: prompt.request.clone(),
                operation: Rc::clone(operation),
                version: configured.trail.version(),
            });
        }
    }

    /// Forgets what nobody needs any more of operations that there are no more.
    pub(super) fn forget_breakers(&mut self) {
        let jobs = &self.jobs;
        let is_held = |operation: &str| {
            jobs.values().any(|job| job.rules.operation.as_deref() == Some(operation))
        };
        self.lanes.iter_mut().for_each(|lane| lane.forget(&self.rulebook, is_held));
    }

    /// Judges the change whose turn it is, and writes down what came of it. Whoever asks too often is
    /// turned away, which is in the trail too, and is not heard for a while, which is not: a trail must
    /// not grow as fast as somebody asks.
    fn judge_change(&mut self) {
        let (at, now) = (self.env.utc(), self.env.now());
        loop {
            let Some(configured) = &mut self.configured else { return };
            let Some((change, _)) = configured.waiting.front() else { return };
            let verdict = match configured.limiter.admit(&change.by, now) {
                Ok(()) => configured.trail.judge(change, at),
                Err(TooOften::Cooldown(_)) => {
                    let Some((_, answers)) = configured.waiting.pop_front() else { return };
                    self.refuse(answers, ChangeError::TooOften);
                    continue;
                }
                Err(refused) => configured.trail.turn_away(change, at, &refused.to_string()),
            };
            let path = Configured::path(&verdict.entry);
            let has_room = !configured.trail.is_full();
            if has_room && self.env.disk().write(&path, &verdict.entry.bytes()).is_ok() {
                self.env.disk().sync(move |router, _| router.settle_change(verdict));
                return;
            }
            // What leaves no record must not happen.
            let Some((_, answers)) = configured.waiting.pop_front() else { return };
            self.refuse(answers, ChangeError::DiskFull);
        }
    }

    fn refuse(&self, answers: Vec<Answer>, error: ChangeError) {
        for answer in answers {
            answer.keep(&self.env, Some(error.as_str()), Err(error));
        }
    }

    /// What came of a change is durable: now it holds.
    fn settle_change(&mut self, verdict: Verdict) {
        let Some(configured) = &mut self.configured else { return };
        let before = configured.trail.config().clone();
        configured.trail.keep(verdict);
        let Some((_, answers)) = configured.waiting.pop_front() else { return };
        let Some(entry) = configured.trail.entries().last().cloned() else { return };
        let config = configured.trail.config().clone();
        if entry.outcome == Outcome::Applied {
            self.rulebook = Rulebook::configured(&config, self.settings.quirks);
            let now = self.env.now();
            for lane in 0..self.lanes.len() {
                if let Some(lane) = self.lanes.get_mut(lane) {
                    lane.reconfigure(&self.rulebook, now);
                }
                self.emit_changes(lane);
            }
            self.forget_breakers();
            self.tell(ConfigEvent::Changed {
                change: (*entry.change.id).into(),
                by: (*entry.change.by).into(),
                source: entry.change.source().into(),
                version: entry.after,
                differences: entry.differences_text().into(),
            });
            self.tell_operations(Some(&before), &config, entry.after);
        } else {
            self.tell(ConfigEvent::Refused {
                change: (*entry.change.id).into(),
                by: (*entry.change.by).into(),
                source: entry.change.source().into(),
                outcome: entry.outcome.as_str(),
                version: entry.after,
                why: (*entry.why).into(),
            });
        }
        self.watch_settled(&entry.change, entry.outcome, (&before, &config));
        let settled = Settled { outcome: entry.outcome, version: entry.after };
        answers.into_iter().for_each(|answer| answer.keep(&self.env, None, Ok(settled)));
        self.judge_change();
    }
}

/// So long before an instant, but not before the world began.
fn before(now: Time, age: Duration) -> Time {
    let age = u64::try_from(age.as_nanos()).unwrap_or(u64::MAX);
    Time::from_nanos(now.as_nanos().saturating_sub(age))
}

impl Handler<ChangeConfig> for Router {
    type Result = Later<Result<Settled, ChangeError>>;

    fn handle(
        &mut self,
        ChangeConfig { change, trace }: ChangeConfig,
        _: &mut Context<Self>,
    ) -> Self::Result {
        let name = || "change_config".to_owned();
        let (answer, later) = self.tracer.take(&self.env, &trace, name);
        let Some(configured) = &mut self.configured else {
            let error = ChangeError::NoConfiguration;
            answer.keep(&self.env, Some(error.as_str()), Err(error));
            return later;
        };
        if let Some(entry) = configured.trail.find(&change.id) {
            answer.keep(
                &self.env,
                None,
                Ok(Settled { outcome: entry.outcome, version: entry.after }),
            );
            return later;
        }
        self.watch_asked(&change);
        let Some(configured) = &mut self.configured else { return later };
        let waiting = &mut configured.waiting;
        if let Some((_, answers)) = waiting.iter_mut().find(|(other, _)| other.id == change.id) {
            answers.push(answer);
        } else if waiting.len() >= WAITING_MAX {
            let error = ChangeError::Busy;
            answer.keep(&self.env, Some(error.as_str()), Err(error));
        } else {
            waiting.push_back((change, vec![answer]));
            if waiting.len() == 1 {
                self.judge_change();
            }
        }
        later
    }
}

impl Handler<ReadTrail> for Router {
    type Result = Later<Vec<Entry>>;

    /// From the disk: what the router thinks it wrote proves nothing.
    fn handle(&mut self, ReadTrail { trace }: ReadTrail, _: &mut Context<Self>) -> Self::Result {
        let name = || "read_trail".to_owned();
        let (answer, later) = self.tracer.take(&self.env, &trace, name);
        let disk = self.env.disk();
        let files = disk.list(TRAIL).into_iter().filter_map(|path| disk.read(&path));
        answer.keep(&self.env, None, files.filter_map(|file| Entry::read(&file)).collect());
        self.tell_usage();
        later
    }
}
