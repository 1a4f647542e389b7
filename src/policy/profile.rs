//! How well-known clients retry, exactly.
//!
//! A profile is a client's pauses, what it retries, and how much of a Retry-After it believes; it
//! decides after each failed attempt. Quotas and budgets are elsewhere. Start at
//! [`Profile::decide`].

use std::time::Duration;

use jiff::Timestamp;

use super::{
    retry::{Jitter, Preset, Retry},
    retry_after::{Pushback, Rule, Said, Wait},
};
use crate::world::Stream;

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It was answered with this status.
    Status(u16),
    /// It could not connect, or the connection broke.
    Connection,
    /// There was no answer in time.
    Timeout,
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Try again.
    Retry {
        /// After this pause.
        after: Duration,
    },
    /// Tell the caller.
    GiveUp,
}

/// Which failures a client retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Retried {
    /// 408, 409, 429, 500 and above, no connection, no answer.
    Common,
    /// The same and 401, as another deployment may have another key.
    CommonAnd401,
    /// These statuses, no connection, no answer.
    These(&'static [u16]),
    /// Whatever fails.
    All,
    /// Nothing.
    Never,
}

impl Retried {
    fn has(self, failure: Failure) -> bool {
        match (self, failure) {
            (Retried::All, _) => true,
            (Retried::Never, _) => false,
            (_, Failure::Connection | Failure::Timeout) => true,
            (Retried::These(statuses), Failure::Status(status)) => statuses.contains(&status),
            (Retried::CommonAnd401, Failure::Status(401)) => true,
            (_, Failure::Status(status)) => matches!(status, 408 | 409 | 429 | 500..),
        }
    }
}

/// Which headers a client reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reads {
    /// `retry-after`.
    Plain,
    /// `retry-after-ms`, then `retry-after`; and `x-should-retry`.
    Sdk,
    /// `retry-after-ms`, `x-ms-retry-after-ms`, `retry-after`.
    Azure,
}

/// How a client retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its attempts and pauses.
    pub retry: Retry,
    retried: Retried,
    reads: Reads,
    rule: Rule,
    /// Whether jitter is added to a wait that the server asked for.
    varies_asked: bool,
}

/// A client whose retries are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// openai 2.8.0 (Python).
    Openai2,
    /// openai 3.x (Python).
    Openai3,
    /// anthropic 0.75.0 (Python).
    Anthropic0,
    /// anthropic 2.11.0 (Python).
    Anthropic2,
    /// LangChain's `with_retry`, as it comes: every exception is retried.
    Langchain,
    /// LiteLLM, one deployment in the group.
    Litellm,
    /// LiteLLM, several deployments in the group: 401 is retried as well.
    LitellmGroup,
    /// Claude Code Router 2, or 3 with its fallback off: nothing is retried.
    CcrOff,
    /// Claude Code Router 3 in its retry mode.
    CcrRetry,
    /// Claude Code Router 3 along a chain of models, every status from 400 up: the pause comes
    /// before the next target, though that is another one.
    CcrChain,
    /// Portkey with `use_retry_after_header`.
    Portkey,
    /// TensorZero: a 400 is retried like anything else.
    Tensorzero,
    /// Bifrost with a single key.
    Bifrost,
}

impl Client {
    /// All of them.
    pub const ALL: [Client; 13] = [
        Client::Openai2,
        Client::Openai3,
        Client::Anthropic0,
        Client::Anthropic2,
        Client::Langchain,
        Client::Litellm,
        Client::LitellmGroup,
        Client::CcrOff,
        Client::CcrRetry,
        Client::CcrChain,
        Client::Portkey,
        Client::Tensorzero,
        Client::Bifrost,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Client::Openai2 => "openai_2",
            Client::Openai3 => "openai_3",
            Client::Anthropic0 => "anthropic_0",
            Client::Anthropic2 => "anthropic_2",
            Client::Langchain => "langchain",
            Client::Litellm => "litellm",
            Client::LitellmGroup => "litellm_group",
            Client::CcrOff => "ccr_off",
            Client::CcrRetry => "ccr_retry",
            Client::CcrChain => "ccr_chain",
            Client::Portkey => "portkey",
            Client::Tensorzero => "tensorzero",
            Client::Bifrost => "bifrost",
        }
    }

    /// The client of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Client> {
        Client::ALL.into_iter().find(|client| client.as_str() == name)
    }
}

impl Profile {
    /// How a client retries. Gateways that do not retry unless asked to come with one attempt.
    #[must_use]
    pub fn new(client: Client) -> Profile {
        let row = |preset, retried, reads, rule| {
            let retry = Retry::preset(preset);
            Profile { retry, retried, reads, rule, varies_asked: preset == Preset::Litellm }
        };
        let (common, all) = (Retried::Common, Retried::All);
        match client {
            Client::Openai2 | Client::Anthropic0 => {
                row(Preset::Sdk, common, Reads::Sdk, Rule::SDK_2)
            }
            Client::Openai3 => row(Preset::Sdk, common, Reads::Sdk, Rule::OPENAI_3),
            Client::Anthropic2 => row(Preset::Sdk, common, Reads::Sdk, Rule::ANTHROPIC_2),
            Client::Langchain => row(Preset::Langchain, all, Reads::Plain, Rule::Ignore),
            Client::Litellm => row(Preset::Litellm, common, Reads::Plain, Rule::LITELLM),
            Client::LitellmGroup => {
                row(Preset::Litellm, Retried::CommonAnd401, Reads::Plain, Rule::LITELLM)
            }
            Client::CcrOff => row(Preset::Ccr, Retried::Never, Reads::Plain, Rule::CCR),
            Client::CcrRetry => row(Preset::Ccr, common, Reads::Plain, Rule::CCR),
            Client::CcrChain => row(Preset::Ccr, all, Reads::Plain, Rule::CCR),
            Client::Portkey => {
                let statuses = Retried::These(&[429, 500, 502, 503, 504]);
                row(Preset::Portkey, statuses, Reads::Azure, Rule::PORTKEY)
            }
            Client::Tensorzero => row(Preset::Tensorzero, all, Reads::Plain, Rule::Ignore),
            Client::Bifrost => {
                let statuses = Retried::These(&[429, 500, 502, 503, 504, 529]);
                row(Preset::Bifrost, statuses, Reads::Plain, Rule::Ignore)
            }
        }
    }

    /// A client that retries whatever fails and believes no header.
    #[must_use]
    pub fn plain(retry: Retry) -> Profile {
        Profile { retry, ..Profile::new(Client::Langchain) }
    }

    /// The same client with so many retries, which is one less than its attempts.
    #[must_use]
    pub const fn with_retries(mut self, retries: u32) -> Profile {
        self.retry.attempts = retries.saturating_add(1);
        self
    }

    /// What to do after an attempt failed, the first being number 1. `now` is the client's wall
    /// clock; one draw is taken whatever the answer.
    pub fn decide<K: AsRef<str>, V: AsRef<str>>(
        &self,
        attempt: u32,
        failure: Failure,
        headers: &[(K, V)],
        now: Timestamp,
        draws: &mut Stream,
    ) -> Decision {
        let millionths = u32::try_from(draws.between(0, 1_000_000)).unwrap_or(0);
        self.decide_at(attempt, failure, &Said::read(headers, now), millionths)
    }

    /// The same with the headers read, and the jitter so many millionths of the way from its
    /// shortest to its longest pause.
    #[must_use]
    pub fn decide_at(
        &self,
        attempt: u32,
        failure: Failure,
        said: &Said,
        millionths: u32,
    ) -> Decision {
        let told = said.should_retry.filter(|_| self.reads == Reads::Sdk);
        let retried = told.unwrap_or_else(|| self.retried.has(failure));
        if !retried || attempt >= self.retry.attempts {
            return Decision::GiveUp;
        }
        let own = self.retry.pause_at(attempt, self.retry.base, millionths);
        let asked = match self.reads {
            Reads::Plain => said.retry_after,
            Reads::Sdk => said.sdk_wait(),
            Reads::Azure => said.wait(),
        };
        match self.rule.apply(asked, own) {
            Wait::GiveUp => Decision::GiveUp,
            Wait::For(wait) if self.varies_asked && wait != own => {
                Decision::Retry { after: wait.saturating_add(self.added(millionths)) }
            }
            Wait::For(after) => Decision::Retry { after },
        }
    }

    /// What its jitter adds.
    fn added(&self, millionths: u32) -> Duration {
        match self.retry.jitter {
            Jitter::Shifted { more, .. } => more * millionths.min(1_000_000) / 1_000_000,
            _ => Duration::ZERO,
        }
    }
}

/// The status codes of gRPC that a call may be retried after, and how often: proposal A6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grpc {
    /// Attempts and pauses, from [`Retry::grpc`].
    pub retry: Retry,
    /// The codes that are retried, from 0 to 16.
    pub retryable: Vec<u8>,
}

impl Grpc {
    /// What to do after an attempt failed, the first being number 1. Pushback overrides the
    /// backoff, and starts it anew: `since_pushback` counts the failures since the last one. It
    /// cannot make a code retryable that is not.
    #[must_use]
    pub fn decide_at(
        &self,
        attempt: u32,
        since_pushback: u32,
        code: u8,
        pushback: Option<Pushback>,
        millionths: u32,
    ) -> Decision {
        if attempt >= self.retry.attempts || !self.retryable.contains(&code) {
            return Decision::GiveUp;
        }
        match pushback {
            Some(Pushback::Stop) => Decision::GiveUp,
            Some(Pushback::After(after)) => Decision::Retry { after },
            None => {
                let after = self.retry.pause_at(since_pushback, self.retry.base, millionths);
                Decision::Retry { after }
            }
        }
    }
}

#[cfg(test)]
mod tests;
