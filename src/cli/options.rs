//! Arguments that several verbs share.

use std::{num::NonZeroUsize, path::PathBuf, thread, time::Duration};

use clap::{Args, ValueEnum};

use super::{error::CliError, sims::Entry};
use crate::{
    explore::Options,
    scenario::{TraceReader, parse_duration},
    world::{Host, Seed},
};

/// How tables and results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// The host that polls the actors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum HostName {
    /// The world's own loop: fast
    Native,
    /// An actix `System` on a paused tokio clock
    Tokio,
}

impl From<HostName> for Host {
    fn from(name: HostName) -> Host {
        match name {
            HostName::Native => Host::Native,
            HostName::Tokio => Host::Tokio,
        }
    }
}

/// Which sims.
#[derive(Debug, Args)]
pub(super) struct SimArgs {
    /// Files, folders, or names relative to sims/, as in ccr/baseline; all of sims/ if none is given
    #[arg(value_name = "SIM")]
    pub(super) sims: Vec<PathBuf>,
}

/// Which seeds.
#[derive(Debug, Args)]
pub(super) struct SeedArgs {
    /// Run this seed instead of those of the sim (decimal, or hexadecimal after 0x); may be repeated
    #[arg(long, value_name = "SEED", value_parser = seed, conflicts_with = "seeds")]
    seed: Vec<Seed>,
    /// Run the seeds 1 to N instead of those of the sim
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    seeds: Option<u32>,
}

impl SeedArgs {
    /// The seeds to run of a sim, each once.
    pub(super) fn of(&self, entry: &Entry) -> Vec<Seed> {
        if let Some(count) = self.seeds {
            return (1..=u64::from(count)).map(Seed).collect();
        }
        if self.seed.is_empty() {
            return entry.sim.seeds.iter().copied().map(Seed).collect();
        }
        let mut seeds = Vec::new();
        for seed in &self.seed {
            if !seeds.contains(seed) {
                seeds.push(*seed);
            }
        }
        seeds
    }

    /// The same seeds as arguments for another process.
    pub(super) fn to_arguments(&self) -> Vec<String> {
        let counted = self.seeds.iter().map(|count| format!("--seeds={count}"));
        self.seed.iter().map(|seed| format!("--seed={seed}")).chain(counted).collect()
    }
}

/// What replaces parts of a sim.
#[derive(Debug, Args)]
pub(super) struct LoadArgs {
    /// Replace the load of the sim by the requests of a trace
    #[arg(long, value_name = "FILE")]
    pub(super) trace: Option<PathBuf>,
    /// Leave out the broken lines of a trace and count them, instead of failing
    #[arg(long)]
    pub(super) skip_bad: bool,
}

impl LoadArgs {
    /// The options of runs on a host. A trace that cannot be opened is found here, before anything
    /// runs.
    pub(super) fn options(&self, host: Host) -> Result<Options, CliError> {
        if let Some(path) = &self.trace {
            TraceReader::open(path).map_err(CliError::Trace)?;
        }
        Ok(Options { host, trace: self.trace.clone(), skip_bad: self.skip_bad })
    }
}

/// How many threads.
#[derive(Debug, Args)]
pub(super) struct JobArgs {
    /// Use so many threads; as many as the machine has unless said
    #[arg(long, short, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

impl JobArgs {
    pub(super) fn threads(&self) -> usize {
        let asked = self.jobs.or_else(|| thread::available_parallelism().ok());
        asked.map_or(1, NonZeroUsize::get).min(1_024)
    }
}

/// Reads a seed.
pub(super) fn seed(text: &str) -> Result<Seed, String> {
    text.parse().map_err(|_| {
        format!("a seed is a number from 0 to {}, or a hexadecimal one after 0x", u64::MAX)
    })
}

/// Reads a duration, as in 10m.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}
