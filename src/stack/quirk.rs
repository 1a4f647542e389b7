//! Known bugs of real routers, to be switched on one by one: `[router] quirks = ["stale_retry_after"]`.
//!
//! A test bed is worth something if it finds the bugs that there were. Each quirk is one branch at
//! one place of the router, and is off unless a sim names it. Nothing else may ask for one: neither
//! a policy nor a check.

use std::fmt;

/// Makes the enum and its table from one list, so that neither can lack an entry.
macro_rules! quirks {
    ($($quirk:ident $name:literal $bug:literal $source:literal $does:literal)*) => {
        /// A known bug.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Quirk {
            $(
                #[doc = concat!($does, " ", $bug, ": ", $source, ".")]
                $quirk,
            )*
        }

        impl Quirk {
            /// All of them, in the order of their bugs.
            pub const ALL: &[Quirk] = &[$(Quirk::$quirk),*];

            /// As written in a sim.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Quirk::$quirk => $name),* }
            }

            /// The number of the bug: `KB-01`.
            #[must_use]
            pub const fn bug(self) -> &'static str {
                match self { $(Quirk::$quirk => $bug),* }
            }

            /// Where the bug was reported or measured.
            #[must_use]
            pub const fn source(self) -> &'static str {
                match self { $(Quirk::$quirk => $source),* }
            }

            /// What the router does then, in a sentence.
            #[must_use]
            pub const fn does(self) -> &'static str {
                match self { $(Quirk::$quirk => $does),* }
            }
        }
    };
}

quirks! {
    CyclicFallback "cyclic_fallback" "KB-01" "BerriAI/litellm#35303"
        "The chain is walked three times, with all its retries each time."
    StaleRetryAfter "stale_retry_after" "KB-02" "BerriAI/litellm#20722"
        "Every retry waits as long as the first error asked for, whatever the later ones say."
    PauseAfterTheLast "pause_after_the_last" "KB-03" "measured with litellm 1.80.0 and 1.99.2"
        "The router sleeps once more after the last attempt has failed."
    OpensAtOnce "opens_at_once" "KB-04" "BerriAI/litellm#17418"
        "One failure of one call is a failure rate of 100%, and benches the model."
    RetriesBadRequests "retries_bad_requests" "KB-07" "measured with litellm 1.80.0"
        "A request that no model can like is sent to the same one again and again."
    EndlessFallback "endless_fallback" "KB-08" "BerriAI/litellm#7091"
        "The end of the chain is its beginning, until the request has no time left."
    ForgetsLaterFailures "forgets_later_failures" "KB-09" "BerriAI/litellm#32574"
        "Only the first failure of a request is told to a breaker."
    NoRetryAfter "no_retry_after" "KB-11" "BerriAI/litellm#27823"
        "A refusal for want of quota does not say when to come back."
    SlotsLeak "slots_leak" "KB-12" "BerriAI/litellm#20256"
        "A request that runs out of time keeps its place in the bulkhead."
    RefusedCount "refused_count" "KB-13" "BerriAI/litellm#39309"
        "A request that the bulkhead turns away counts against the requests of its day."
    CheckThenCharge "check_then_charge" "KB-16" "BerriAI/litellm#26672"
        "Quota is looked at before a request and charged after it; nothing is set aside."
    ChargesTwice "charges_twice" "KB-17" "BerriAI/litellm#36926"
        "What a request has used is counted twice."
    DaysOfUtc "days_of_utc" "KB-18" "BerriAI/litellm#34896"
        "Days end at midnight of UTC, whatever the zone of the workspace."
    CutIsComplete "cut_is_complete" "KB-19" "Portkey-AI/gateway#1797"
        "A stream that was cut is passed on as a whole answer."
    NoTimerBeforeHeaders "no_timer_before_headers" "KB-21" "maximhq/bifrost#7034"
        "Until a model begins to answer, no timeout runs but one of two minutes."
    OutlivesItsAgent "outlives_its_agent" "KB-22" "maximhq/bifrost#7035"
        "Models are asked for up to twenty minutes, also for an agent that has gone."
    StopsAtRateLimits "stops_at_rate_limits" "KB-23" "maximhq/bifrost#3261"
        "A rate limit ends the request; the other models are not asked."
    HalfOpenLetsAllIn "half_open_lets_all_in" "KB-25" "safe-global/safe-client-gateway#3442"
        "A half-open breaker lets every call through."
    NoJitter "no_jitter" "KB-27" "NousResearch/hermes-agent#109234"
        "Pauses are not varied, though the settings say so."
    ReusesPayload "reuses_payload" "KB-28" "NousResearch/hermes-agent#13235"
        "A fallback is sent what was made for the model before it, not what the agent sent."
    WaitsToFallBack "waits_to_fall_back" "KB-31" "musistudio/claude-code-router, retry-policy.ts"
        "What a model asked for is waited out before another one is asked."
    PrimaryUnroutable "primary_unroutable" "KB-32" "musistudio/claude-code-router#1535"
        "The first model of a chain is never asked, and nobody is told."
    RetriesFinalErrors "retries_final_errors" "KB-34" "tensorzero, is_retryable of its errors"
        "What will not change by itself (a bad key, no such model) is tried again like an overload."
    TellsFirstError "tells_first_error" "KB-35" "measured with litellm 1.80.0"
        "A model that failed in several ways is reported with the first of them."
}

impl Quirk {
    /// The quirk of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Quirk> {
        Quirk::ALL.iter().copied().find(|quirk| quirk.as_str() == name)
    }
}

impl fmt::Display for Quirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The quirks that a router has; none unless said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks(u32);

impl Quirks {
    /// Whether it has this one.
    #[must_use]
    pub const fn has(self, quirk: Quirk) -> bool {
        self.0 & (1 << quirk as u32) != 0
    }
}

impl FromIterator<Quirk> for Quirks {
    fn from_iter<I: IntoIterator<Item = Quirk>>(quirks: I) -> Quirks {
        Quirks(quirks.into_iter().fold(0, |all, quirk| all | 1 << quirk as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_into_it() {
        assert!(Quirk::ALL.len() <= 32, "a set is 32 bits");
        for quirk in Quirk::ALL {
            assert_eq!(Quirk::parse(quirk.as_str()), Some(*quirk));
            let only = Quirks::from_iter([*quirk]);
            assert!(Quirk::ALL.iter().all(|other| only.has(*other) == (other == quirk)));
            assert!(!Quirks::default().has(*quirk));
        }
        assert_eq!(Quirk::parse("none"), None);
    }

    #[test]
    fn names_and_bugs_are_distinct() {
        for (index, quirk) in Quirk::ALL.iter().enumerate() {
            for other in &Quirk::ALL[index + 1..] {
                assert!(quirk.as_str() != other.as_str() && quirk.bug() < other.bug());
            }
        }
    }
}
