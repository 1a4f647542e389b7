//! What holds whatever happens.

use proptest::prelude::*;

use super::*;

/// What may happen to a breaker.
#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Admit,
    /// The outcome of one of the calls that are out.
    Record(usize, Outcome, u64),
    Release(usize),
    Force(State),
    Reset,
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![Just(OK), Just(FAILED), Just(IGNORED)];
    let state = proptest::sample::select(State::ALL.to_vec());
    prop_oneof![
        2 => (0..40_000_u64).prop_map(Step::Wait),
        6 => Just(Step::Admit),
        6 => (any::<usize>(), outcome, 0..90_000_u64).prop_map(|(n, it, ms)| Step::Record(n, it, ms)),
        1 => any::<usize>().prop_map(Step::Release),
        1 => state.prop_map(Step::Force),
        1 => Just(Step::Reset),
    ]
}

/// Small windows, so that things happen.
fn dialects() -> impl Strategy<Value = Settings> {
    let settings = Dialect::ALL.map(|dialect| {
        let settings = dialect.settings();
        let half_open = settings.half_open.map(|it| HalfOpen {
            permits: it.permits.map(|_| 3),
            verdict: match it.verdict {
                Verdict::Trip => Verdict::Trip,
                Verdict::Successes(_) => Verdict::Successes(2),
                Verdict::Ratio { .. } => Verdict::Ratio { successes: 2, of: 3 },
            },
            ..it
        });
        Settings { minimum_calls: settings.minimum_calls.min(4), half_open, ..settings }
    });
    proptest::sample::select(settings.to_vec())
}

/// A breaker in use, and the calls that are out.
struct User {
    it: Breaker,
    now: u64,
    out: Vec<Permit>,
    /// Of which these were let through since it last became half-open, and have not been ignored.
    trying: Vec<Permit>,
}

impl User {
    fn new(settings: Settings) -> User {
        User { it: breaker(settings), now: 0, out: Vec::new(), trying: Vec::new() }
    }

    /// Does a step, and tells what came of it.
    fn step(&mut self, step: &Step) -> (State, Option<Result<Permit, Rejected>>) {
        let mut asked = None;
        let generation = self.it.it.generation;
        match step {
            Step::Wait(millis) => self.now += millis,
            Step::Admit => {
                let answer = self.it.admit(at(self.now));
                self.out.extend(answer.ok());
                asked = Some(answer);
            }
            Step::Record(n, outcome, took) => {
                if let Some(permit) = self.take(*n) {
                    self.it.record(at(self.now), permit, *outcome, ms(*took));
                    let returned = self.it.settings.half_open.is_some_and(|it| it.returned);
                    if returned || *outcome == IGNORED {
                        self.trying.retain(|it| *it != permit);
                    }
                }
            }
            Step::Release(n) => {
                if let Some(permit) = self.take(*n) {
                    self.it.release(permit);
                    if let Some(at) = self.trying.iter().position(|it| *it == permit) {
                        self.trying.remove(at);
                    }
                }
            }
            Step::Force(state) => self.it.force(at(self.now), *state),
            Step::Reset => self.it.reset(at(self.now)),
        }
        if self.it.it.generation != generation {
            self.trying.clear();
        }
        if self.it.state() == State::HalfOpen {
            self.trying.extend(asked.and_then(Result::ok));
        }
        (self.it.state(), asked)
    }

    fn take(&mut self, n: usize) -> Option<Permit> {
        let out = self.out.len();
        (out > 0).then(|| self.out.swap_remove(n % out))
    }
}

proptest! {
    /// However callers interleave, no more try a half-open breaker than may.
    #[test]
    fn permits_are_never_exceeded(
        settings in dialects(),
        steps in prop::collection::vec(step(), 1..200),
    ) {
        let limit = settings.half_open.and_then(|it| it.permits);
        let mut user = User::new(settings);
        for step in &steps {
            user.step(step);
            if let (State::HalfOpen, Some(limit)) = (user.it.state(), limit) {
                prop_assert!(user.it.counts().probes <= limit);
                prop_assert!(user.trying.len() <= limit as usize);
            }
        }
    }

    /// A breaker that crashed and came back decides as one that did not.
    #[test]
    fn a_restored_breaker_decides_alike(
        settings in dialects(),
        before in prop::collection::vec(step(), 0..100),
        after in prop::collection::vec(step(), 1..100),
    ) {
        let mut user = User::new(settings.clone());
        for step in &before {
            user.step(step);
        }
        let saved = serde_json::to_string(&user.it.save()).unwrap();
        let saved: Saved = serde_json::from_str(&saved).unwrap();
        prop_assert_eq!(&saved, &user.it.save());
        let restored = Breaker::restore(Rc::new(settings), saved);
        let out = user.out.clone();
        let mut other = User { it: restored, now: user.now, out, trying: Vec::new() };
        for step in &after {
            prop_assert_eq!(user.step(step), other.step(step));
        }
        prop_assert_eq!(user.it.counts(), other.it.counts());
    }

    /// From wherever it got to, a breaker whose backend is well closes within the bound of the
    /// module's documentation, if those who hold permits give them back.
    #[test]
    fn a_healthy_backend_is_used_again(
        settings in dialects(),
        steps in prop::collection::vec(step(), 0..200),
    ) {
        let mut user = User::new(settings.clone());
        for step in &steps {
            user.step(step);
        }
        let watches = !matches!(user.it.state(),
            State::ForcedOpen | State::Disabled | State::MetricsOnly);
        prop_assume!(watches);
        for permit in std::mem::take(&mut user.out) {
            user.it.record(at(user.now), permit, OK, Duration::ZERO);
        }
        let longest = settings.wait.max.unwrap_or(settings.wait.base);
        let sweep = settings.wait.sweep.unwrap_or_default();
        user.now += (longest + sweep).as_millis() as u64 + 1;
        let enough = settings.minimum_calls.max(3);
        // What failed in a half-open state before the backend was well counts there: it may open the
        // breaker once more.
        let mut spoilt = user.it.state() == State::HalfOpen;
        for _ in 0..2 * enough {
            if user.it.state() != State::Closed {
                let permit = match user.it.admit(at(user.now)) {
                    Err(_) if std::mem::take(&mut spoilt) => {
                        user.now += (longest + sweep).as_millis() as u64 + 1;
                        user.it.admit(at(user.now)).unwrap()
                    }
                    admitted => admitted.unwrap(),
                };
                user.it.record(at(user.now), permit, OK, Duration::ZERO);
            }
        }
        prop_assert_eq!(user.it.state(), State::Closed);
        prop_assert!(user.it.admit(at(user.now)).is_ok());
    }
}

#[test]
fn what_does_not_fit_starts_anew() {
    let settings = Rc::new(Settings::engined());
    let mut it = Breaker::new(settings.clone());
    it.calls(0, FAILED, 5);
    let saved = it.save();
    assert_eq!(Breaker::restore(settings.clone(), saved.clone()).state(), State::Open);
    let newer = Saved { format: FORMAT + 1, ..saved.clone() };
    assert_eq!(Breaker::restore(settings.clone(), newer).state(), State::Closed);
    let other = |change: fn(&mut Settings)| {
        let mut settings = Settings::engined();
        change(&mut settings);
        Breaker::restore(Rc::new(settings), saved.clone()).state()
    };
    assert_eq!(other(|it| it.wait.base = ms(1)), State::Open);
    assert_eq!(other(|it| it.window = Shape::Calls(5)), State::Closed);
    const RATIO: Verdict = Verdict::Ratio { successes: 1, of: 2 };
    assert_eq!(
        other(|it| {
            it.half_open = it.half_open.map(|_| HalfOpen { verdict: RATIO, ..HalfOpen::all_of(1) });
        }),
        State::Closed
    );
    let none: fn(&mut Settings) = |it| it.half_open = None;
    assert_eq!(other(none), State::Open);
}
