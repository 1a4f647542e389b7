//! The retries of well-known libraries, as they come.

use std::time::Duration;

use super::{Growth, Jitter, Retry};

/// A library whose retries are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// resilience4j: 3 attempts, 500 ms apart.
    Resilience4j,
    /// resilience4j's exponential random backoff: 500 ms times 1.5, half less to half more.
    Resilience4jExponential,
    /// Polly 8: 3 retries, 2 s apart.
    Polly,
    /// failsafe-go: 2 retries, at once.
    FailsafeGo,
    /// tower's `ExponentialBackoff`: 50 ms doubled, up to 99 % more. It does not count attempts.
    Tower,
    /// AWS standard mode until 2026: 3 attempts, full jitter on 1 s doubled up to 20 s.
    Aws2020,
    /// AWS standard mode since 2026 after a transient error: the same on 50 ms.
    Aws2026,
    /// The same after throttling: on 1 s.
    Aws2026Throttling,
    /// The SDKs of OpenAI and Anthropic: 2 retries, 0.5 s doubled up to 8 s, up to a quarter less.
    Sdk,
    /// LangChain's `with_retry` over tenacity's `wait_exponential_jitter`: 3 attempts, 1 s doubled
    /// plus up to 1 s, at most 60 s.
    Langchain,
    /// LiteLLM: 2 retries, 0.5 s doubled up to 8 s, plus up to 0.75 s.
    Litellm,
    /// Claude Code Router 3 in its retry mode: 1 retry, 1 s doubled up to 30 s, no jitter.
    Ccr,
    /// Portkey: no retry unless asked for; 1 s doubled without a limit, no jitter.
    Portkey,
    /// TensorZero (`backon`): no retry unless asked for; 1 s doubled up to 10 s, up to as much again.
    Tensorzero,
    /// Bifrost: no retry unless asked for; 0.5 s doubled up to 5 s, times 0.8 to 1.2.
    Bifrost,
    /// Helicone's gateway: 2 retries, 1 s doubled up to 30 s, up to as much again (`backon`).
    Helicone,
}

impl Preset {
    /// All of them.
    pub const ALL: [Preset; 16] = [
        Preset::Resilience4j,
        Preset::Resilience4jExponential,
        Preset::Polly,
        Preset::FailsafeGo,
        Preset::Tower,
        Preset::Aws2020,
        Preset::Aws2026,
        Preset::Aws2026Throttling,
        Preset::Sdk,
        Preset::Langchain,
        Preset::Litellm,
        Preset::Ccr,
        Preset::Portkey,
        Preset::Tensorzero,
        Preset::Bifrost,
        Preset::Helicone,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Preset::Resilience4j => "resilience4j",
            Preset::Resilience4jExponential => "resilience4j_exponential",
            Preset::Polly => "polly",
            Preset::FailsafeGo => "failsafe_go",
            Preset::Tower => "tower",
            Preset::Aws2020 => "aws_standard_2020",
            Preset::Aws2026 => "aws_standard_2026",
            Preset::Aws2026Throttling => "aws_standard_2026_throttling",
            Preset::Sdk => "sdk",
            Preset::Langchain => "langchain",
            Preset::Litellm => "litellm",
            Preset::Ccr => "ccr",
            Preset::Portkey => "portkey",
            Preset::Tensorzero => "tensorzero",
            Preset::Bifrost => "bifrost",
            Preset::Helicone => "helicone",
        }
    }

    /// The preset of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Preset> {
        Preset::ALL.into_iter().find(|preset| preset.as_str() == name)
    }
}

/// No limit to speak of.
const UNLIMITED: Duration = Duration::from_nanos(u64::MAX);

impl Retry {
    /// The retries of a library.
    #[must_use]
    pub fn preset(preset: Preset) -> Retry {
        let row = |attempts, base, max, jitter| {
            let (base, max) = (Duration::from_millis(base), Duration::from_millis(max));
            Retry { attempts, base, growth: Growth::DOUBLE, max, jitter, hard_max: true }
        };
        // Attempts, base and longest in milliseconds, jitter; twice as long each time.
        let mut retry = match preset {
            Preset::Resilience4j => row(3, 500, 0, Jitter::None),
            Preset::Resilience4jExponential => {
                row(3, 500, 0, Jitter::Scaled { less: 500, more: 500 })
            }
            Preset::Polly => row(4, 2_000, 0, Jitter::None),
            Preset::FailsafeGo => row(3, 0, 0, Jitter::None),
            Preset::Tower => row(u32::MAX, 50, 0, Jitter::Scaled { less: 0, more: 990 }),
            Preset::Aws2020 | Preset::Aws2026Throttling => row(3, 1_000, 20_000, Jitter::Full),
            Preset::Aws2026 => row(3, 50, 20_000, Jitter::Full),
            Preset::Sdk => row(3, 500, 8_000, Jitter::Scaled { less: 250, more: 0 }),
            Preset::Langchain => row(3, 1_000, 60_000, added(1_000)),
            Preset::Litellm => row(3, 500, 8_000, added(750)),
            Preset::Ccr => row(2, 1_000, 30_000, Jitter::None),
            Preset::Portkey => row(1, 1_000, 0, Jitter::None),
            Preset::Tensorzero => row(1, 1_000, 10_000, Jitter::Scaled { less: 0, more: 1_000 }),
            Preset::Bifrost => row(1, 500, 5_000, Jitter::Scaled { less: 200, more: 200 }),
            Preset::Helicone => row(3, 1_000, 30_000, Jitter::Scaled { less: 0, more: 1_000 }),
        };
        if retry.max.is_zero() {
            retry.max = UNLIMITED;
        }
        retry.growth = match preset {
            Preset::Resilience4j => Growth::WholeMillis { permille: 1_000 },
            Preset::Resilience4jExponential => Growth::WholeMillis { permille: 1_500 },
            Preset::Polly | Preset::FailsafeGo => Growth::CONSTANT,
            _ => Growth::DOUBLE,
        };
        retry.hard_max = !matches!(
            preset,
            Preset::FailsafeGo
                | Preset::Sdk
                | Preset::Litellm
                | Preset::Tensorzero
                | Preset::Bifrost
                | Preset::Helicone
        );
        retry
    }

    /// The retry policy of gRPC (proposal A6): pauses times 0.8 to 1.2 after the cap. More than 5
    /// attempts are taken as 5, without an error.
    #[must_use]
    pub fn grpc(attempts: u32, base: Duration, permille: u32, max: Duration) -> Retry {
        Retry {
            attempts: attempts.min(GRPC_ATTEMPTS_MAX),
            base,
            growth: Growth::Exponential { permille },
            max,
            jitter: Jitter::Scaled { less: 200, more: 200 },
            hard_max: false,
        }
    }
}

/// The most attempts that gRPC allows (A6, `maxAttempts`).
const GRPC_ATTEMPTS_MAX: u32 = 5;

const fn added(millis: u64) -> Jitter {
    Jitter::Shifted { less: Duration::ZERO, more: Duration::from_millis(millis) }
}
