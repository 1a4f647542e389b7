//! Every dialect of the breaker, beside the `failsafe` crate's: a call is admitted and its outcome
//! recorded, a millisecond after the one before.

use std::{hint::black_box, rc::Rc, time::Duration};

use failsafe::{
    Config, FailurePolicy, backoff, clock,
    failure_policy::{consecutive_failures, success_rate_over_time_window},
};
use seedbed::policy::breaker::{Breaker, Dialect, Outcome};

use crate::row::{Row, Run, at, times};

const LIMIT: u32 = 60;
/// Shorter than an outage, so that the breakers go through all of their states.
const WAIT: Duration = Duration::from_millis(50);

/// When calls fail.
#[derive(Clone, Copy)]
enum Failing {
    Never,
    /// 64 calls in a row, then 64 that do not.
    Outages,
}

impl Failing {
    fn fails(self, number: u64) -> bool {
        match self {
            Failing::Never => false,
            Failing::Outages => number & 64 != 0,
        }
    }
}

pub(crate) fn rows() -> Vec<Row> {
    let healthy = Dialect::ALL.map(|dialect| row(dialect, Failing::Never, ""));
    let outages = Dialect::ALL.map(|dialect| row(dialect, Failing::Outages, ", outages"));
    healthy.into_iter().chain(outages).collect()
}

fn row(dialect: Dialect, failing: Failing, suffix: &str) -> Row {
    let row = Row::new(format!("breaker {dialect}{suffix}"), ours(dialect, failing)).within(LIMIT);
    match dialect {
        Dialect::Resilience4j | Dialect::Polly => {
            let policy = success_rate_over_time_window(
                0.5,
                100,
                Duration::from_secs(30),
                backoff::constant(WAIT),
            );
            row.beside("failsafe, success rate over time", peer(policy, failing))
        }
        _ => {
            let policy = consecutive_failures(5, backoff::constant(WAIT));
            row.beside("failsafe, consecutive failures", peer(policy, failing))
        }
    }
}

fn ours(dialect: Dialect, failing: Failing) -> Run {
    let mut settings = dialect.settings();
    settings.wait.base = WAIT;
    settings.wait.sweep = settings.wait.sweep.map(|_| WAIT);
    let mut breaker = Breaker::new(Rc::new(settings));
    let took = Duration::from_millis(20);
    times(move |number| {
        let now = at(number);
        let Ok(permit) = breaker.admit(now) else { return false };
        let failed = failing.fails(number);
        let outcome = if failed { Outcome::Failure } else { Outcome::Success };
        breaker.record(now, permit, outcome, took);
        true
    })
}

/// On the clock that its own tests use. Each round begins where the last one has ended.
fn peer(policy: impl FailurePolicy + 'static, failing: Failing) -> Run {
    let breaker = Config::new().failure_policy(policy).build();
    let step = Duration::from_millis(1);
    let mut elapsed = Duration::ZERO;
    let mut number = 0;
    Box::new(move |calls| {
        clock::freeze(|clock| {
            clock.advance(elapsed);
            for _ in 0..calls {
                number += 1;
                clock.advance(step);
                elapsed += step;
                if !black_box(&breaker).is_call_permitted() {
                    continue;
                }
                if failing.fails(black_box(number)) {
                    breaker.on_error();
                } else {
                    breaker.on_success();
                }
            }
        });
    })
}
