//! Settings that contradict themselves.

use std::time::Duration;

use crate::policy::window::Shape;

use super::{
    settings::{Growth, Settings, Verdict},
    trip::{MILLION, Trip},
};

/// The most calls or buckets that a window may hold, so that a typing error does not eat the memory.
const WINDOW_MAX: u32 = 1_000_000;

/// Settings that contradict themselves, or can do nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {reason}: {try_instead} would do")]
pub struct Contradiction {
    /// The field, in the words of [`Settings`].
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: String,
    /// A value of the field that would pass.
    pub try_instead: String,
}

/// The first of the complaints.
fn wrong<T>(
    field: &'static str,
    reason: impl Into<String>,
    try_instead: impl ToString,
) -> Result<T, Contradiction> {
    Err(Contradiction { field, reason: reason.into(), try_instead: try_instead.to_string() })
}

impl Settings {
    /// Whether these settings make sense.
    ///
    /// # Errors
    ///
    /// The first [`Contradiction`] found.
    pub fn check(&self) -> Result<(), Contradiction> {
        self.check_window()?;
        self.check_trip()?;
        self.check_wait()?;
        self.check_half_open()
    }

    fn check_window(&self) -> Result<(), Contradiction> {
        let size = |size: u32| match size {
            0 => wrong("window", "holds nothing", 1),
            1..=WINDOW_MAX => Ok(()),
            _ => wrong("window", "holds too much", WINDOW_MAX),
        };
        match self.window {
            Shape::Unbounded => Ok(()),
            Shape::Calls(calls) => {
                size(calls)?;
                if self.minimum_calls > calls {
                    return wrong(
                        "minimum_calls",
                        format!("is above the window of {calls}"),
                        calls,
                    );
                }
                Ok(())
            }
            Shape::Interval(Duration::ZERO) => wrong("window", "has no length", "1 ns"),
            Shape::Interval(_) => Ok(()),
            Shape::Buckets { each: Duration::ZERO, .. } => wrong("window", "has no length", "1 ns"),
            Shape::Buckets { count, .. } => size(count),
        }
    }

    fn check_trip(&self) -> Result<(), Contradiction> {
        match self.trip {
            Trip::Rates { failures, slow } => {
                for (field, rate) in [("trip.failures", failures), ("trip.slow", slow)] {
                    match rate {
                        Some(0) => return wrong(field, "is always reached", 1),
                        Some(rate) if u64::from(rate) > MILLION => {
                            return wrong(field, "can never be reached", MILLION);
                        }
                        _ => {}
                    }
                }
                if slow.is_some() && self.slow_after.is_none() {
                    return wrong("slow_after", "is missing, so no call is slow", "60 s");
                }
                Ok(())
            }
            Trip::Failures(0) | Trip::Consecutive(0) => wrong("trip", "is always reached", 1),
            Trip::Failures(failures) => match self.window {
                Shape::Calls(calls) if failures > calls => {
                    wrong("trip", format!("is above the window of {calls}"), calls)
                }
                _ => Ok(()),
            },
            Trip::Consecutive(_) | Trip::When(_) => Ok(()),
        }
    }

    fn check_wait(&self) -> Result<(), Contradiction> {
        let wait = &self.wait;
        if wait.base.is_zero() {
            return wrong("wait.base", "is nothing", "1 ns");
        }
        if wait.max.is_some_and(|max| max < wait.base) {
            return wrong("wait.max", "is below the first wait", format!("{:?}", wait.base));
        }
        if matches!(wait.growth, Growth::Times(parts) if u64::from(parts) < MILLION) {
            return wrong("wait.growth", "makes the wait shorter", MILLION);
        }
        Ok(())
    }

    fn check_half_open(&self) -> Result<(), Contradiction> {
        let Some(half_open) = self.half_open else { return Ok(()) };
        if half_open.permits == Some(0) {
            return wrong("half_open.permits", "is nothing, so that it can never close", 1);
        }
        let needed = match half_open.verdict {
            Verdict::Trip => 0,
            Verdict::Successes(0) | Verdict::Ratio { successes: 0, .. } => {
                return wrong("half_open.verdict", "needs no success", 1);
            }
            Verdict::Ratio { successes, of } if successes > of => {
                return wrong("half_open.verdict", "needs more successes than calls", of);
            }
            Verdict::Successes(successes) | Verdict::Ratio { successes, .. } => successes,
        };
        match half_open.permits {
            Some(permits) if !half_open.returned && needed > permits => {
                wrong("half_open.permits", "is below the successes that it takes to close", needed)
            }
            _ => Ok(()),
        }
    }
}
