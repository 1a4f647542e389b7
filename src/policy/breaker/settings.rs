//! How a breaker behaves, axis by axis.

use std::time::Duration;

use crate::policy::window::Shape;

use super::trip::{Parts, Trip};

/// How a breaker behaves. Each library's own settings are one value of this; see
/// [`Dialect`](super::Dialect).
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Which calls the trip rule looks at while the breaker is closed.
    pub window: Shape,
    /// The rule is not asked before so many calls are in the window. A window of the last calls
    /// that holds fewer lowers this to its size, as resilience4j does; so does the number of
    /// probes, while the breaker is half-open.
    pub minimum_calls: u32,
    /// When to open.
    pub trip: Trip,
    /// After which outcomes the rule is asked.
    pub trips_on: TripsOn,
    /// A call that took *longer* than this is slow; none is if this is `None`.
    pub slow_after: Option<Duration>,
    /// Rates are rounded to whole percents, half up, before they are compared (failsafe-go).
    pub whole_percents: bool,
    /// How long the breaker stays open, and how that ends.
    pub wait: Wait,
    /// How the breaker finds out whether it may close. `None` closes it when the wait is over, for
    /// full traffic at once (Envoy); it cannot be made half-open then.
    pub half_open: Option<HalfOpen>,
    /// What to do with the outcome of a call that began before the last change of state.
    pub late: Late,
    /// An outcome is counted in the part of a time window in which its call began (gobreaker), not
    /// in that in which it ended.
    pub dated_at_start: bool,
    /// Opening forgets what the window holds (gobreaker). If not, the numbers that opened the
    /// breaker can be seen while it is open.
    pub clears_on_open: bool,
    /// What a transition by hand may do.
    pub manual: Manual,
}

/// After which outcomes the trip rule is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TripsOn {
    /// Any that counts, so that a success can open the breaker (resilience4j, failsafe-go).
    AnyOutcome,
    /// Failures alone (Polly, gobreaker, engined, Envoy).
    Failures,
}

/// How long a breaker stays open, and how that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The first wait.
    pub base: Duration,
    /// How it grows each time that the breaker opens.
    pub growth: Growth,
    /// The longest wait.
    pub max: Option<Duration>,
    /// Whether the wait is over at its last instant.
    pub boundary: Boundary,
    /// Who notices that the wait is over.
    pub ends: Ends,
    /// The wait ends at the next multiple of this since the world began, not before (Envoy, whose
    /// hosts come back at a sweep).
    pub sweep: Option<Duration>,
    /// What makes the wait short again.
    pub forgets: Forgets,
}

/// How a wait grows with the openings that are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// It does not.
    Constant,
    /// By this factor each time, in parts per million, at least a million.
    Times(Parts),
    /// By its base each time (Envoy).
    Linear,
}

/// Whether a wait is over at its last instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// It is: `now >= until` (Polly, failsafe-go, engined, Envoy).
    Inclusive,
    /// It is not: `now > until` (resilience4j, gobreaker).
    Strict,
}

/// Who notices that the wait is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// The first call after it.
    OnCall,
    /// The first call or look after it (gobreaker).
    OnLook,
    /// A timer, to the instant, whatever the boundary (resilience4j's
    /// `automaticTransitionFromOpenToHalfOpen`, Envoy). Without a call or a look nobody can tell
    /// the difference, so nothing has to drive it.
    OnTime,
}

/// What makes the wait short again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgets {
    /// Closing forgets all openings.
    OnClose,
    /// Each of these periods that the breaker stays closed forgets one opening (Envoy).
    OnePer(Duration),
}

/// How a half-open breaker finds out whether it may close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HalfOpen {
    /// How many calls may try; any number if `None` (engined).
    pub permits: Option<u32>,
    /// Whether a call that counted makes room for another (failsafe-go). One that did not count
    /// always does.
    pub returned: bool,
    /// Who decides.
    pub verdict: Verdict,
    /// The longest time to stay half-open; for ever if `None`.
    pub max_wait: Option<Duration>,
    /// What then.
    pub then: Then,
}

/// How the outcomes of the probes decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// After enough calls (the minimum, or the permits if those are fewer), the trip rule opens or
    /// closes the breaker (resilience4j, failsafe-go with a rate).
    Trip,
    /// So many successes in a row close it; the first failure opens it. 1 is Polly's "the first
    /// outcome decides"; gobreaker, engined.
    Successes(u32),
    /// So many successes close it; it opens as soon as so many cannot be reached (failsafe-go).
    Ratio {
        /// Successes that close it.
        successes: u32,
        /// Out of so many calls.
        of: u32,
    },
}

/// What follows if a breaker is half-open for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It opens (resilience4j's default).
    Open,
    /// It closes.
    Close,
}

/// What to do with the outcome of a call that began before the last change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// It counts as if the call had begun now; an open breaker notes it and stays open
    /// (resilience4j, Polly, failsafe-go, engined).
    Counts,
    /// It is dropped (gobreaker, by generation).
    Dropped,
}

/// What a transition by hand may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manual {
    /// Closed breakers cannot be made half-open, nor those that only measure be opened or made
    /// half-open (resilience4j's table of transitions).
    pub checked: bool,
    /// A transition to the state that it is in starts that state anew, silently (resilience4j). If
    /// not, nothing happens (failsafe-go).
    pub restarts: bool,
}
