//! Rate limits: a token bucket for each agent, as large as its type says.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::Claims;
use crate::{
    policy::limit::{Limiter, Rate, TokenBucket},
    stack::sidecar::wire::{AgentId, AgentType, Headers, ProjectId, Role},
    world::Time,
};

/// How much a type of agent may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Requests a minute, in the long run.
    pub per_minute: u64,
    /// Requests at once: what the bucket holds.
    pub burst: u64,
}

impl Allowance {
    /// The contract's: none for the architect, 60 and 10 for who codes, tests and audits, 30 and 5
    /// for documentation and support.
    pub const fn of(role: Role) -> Option<Allowance> {
        match role {
            Role::Architect => None,
            Role::Coding | Role::Quality | Role::Security => {
                Some(Allowance { per_minute: 60, burst: 10 })
            }
            Role::Documentation | Role::Support => Some(Allowance { per_minute: 30, burst: 5 }),
        }
    }

    fn bucket(self) -> TokenBucket {
        TokenBucket::new(self.burst, Rate::per_minute(self.per_minute))
    }
}

/// What is left of a rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Requests a minute.
    pub limit: u64,
    /// Requests that would be let in now.
    pub remaining: u64,
    /// When all of the burst is there again, in whole seconds since 1970, rounded up.
    pub reset: i64,
}

impl Quota {
    /// Says it in the headers `X-RateLimit-*`.
    pub fn add_to(&self, headers: &mut Headers) {
        headers.add("X-RateLimit-Limit", self.limit.to_string());
        headers.add("X-RateLimit-Remaining", self.remaining.to_string());
        headers.add("X-RateLimit-Reset", self.reset.to_string());
    }
}

/// Below so many buckets none are thrown away.
const FEW: usize = 64;

/// The buckets of all agents.
#[derive(Clone, Debug)]
pub struct RateLimits {
    allowances: BTreeMap<Role, Option<Allowance>>,
    buckets: BTreeMap<(ProjectId, AgentId, AgentType), TokenBucket>,
    /// At how many buckets the full ones, which are as good as none, are thrown away.
    sweep_at: usize,
}

impl Default for RateLimits {
    fn default() -> RateLimits {
        let allowances = Role::ALL.iter().map(|&role| (role, Allowance::of(role))).collect();
        RateLimits { allowances, buckets: BTreeMap::new(), sweep_at: FEW }
    }
}

impl RateLimits {
    /// No limits at all.
    pub fn none() -> RateLimits {
        RateLimits { allowances: BTreeMap::new(), ..RateLimits::default() }
    }

    /// The same with another allowance for a role; `None` is no limit.
    #[must_use]
    pub fn with(mut self, role: Role, allowance: Option<Allowance>) -> RateLimits {
        self.allowances.insert(role, allowance);
        self
    }

    /// How many buckets there are.
    pub fn len(&self) -> usize {
        self.buckets.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Takes one request of an agent, and says what is left; nothing if it has no limit. `wall`
    /// dates the reset, `now` is what the bucket goes by.
    ///
    /// # Errors
    ///
    /// What is left, and how long to wait, if it is over its limit. Then nothing is taken.
    pub fn take(
        &mut self,
        claims: &Claims,
        wall: Timestamp,
        now: Time,
    ) -> Result<Option<Quota>, (Quota, Duration)> {
        let role = claims.agent_type.role();
        let Some(allowance) = self.allowances.get(&role).copied().flatten() else {
            return Ok(None);
        };
        self.sweep(now);
        let key = (claims.project_id.clone(), claims.sub.clone(), claims.agent_type);
        let bucket = self.buckets.entry(key).or_insert_with(|| allowance.bucket());
        let taken = bucket.try_acquire(now, 1);
        let full_in = bucket.ready_in(now, bucket.capacity()).unwrap_or(Duration::MAX);
        let quota = Quota {
            limit: allowance.per_minute,
            remaining: u64::try_from(bucket.available(now)).unwrap_or(0),
            reset: second_after(wall, full_in),
        };
        match taken {
            Ok(()) => Ok(Some(quota)),
            // Who may never get one is told to come back when the bucket is as full as it gets.
            Err(refused) => Err((quota, refused.wait().unwrap_or(full_in))),
        }
    }

    fn sweep(&mut self, now: Time) {
        if self.buckets.len() >= self.sweep_at {
            self.buckets.retain(|_, bucket| {
                u64::try_from(bucket.available(now)).is_ok_and(|free| free < bucket.capacity())
            });
            self.sweep_at = (self.buckets.len() * 2).max(FEW);
        }
    }
}

/// The first whole second that is not before `wall` and so much more.
fn second_after(wall: Timestamp, wait: Duration) -> i64 {
    let then = wall.as_nanosecond() + i128::try_from(wait.as_nanos()).unwrap_or(i128::MAX >> 1);
    let second = then.div_euclid(1_000_000_000) + i128::from(then.rem_euclid(1_000_000_000) > 0);
    i64::try_from(second).unwrap_or(i64::MAX)
}
