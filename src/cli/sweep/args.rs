//! What the command line says of a sweep. Nothing is decided here but how it is written.

use std::{num::NonZeroU64, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use crate::{
    cli::{
        github::GithubArgs,
        options::{JobArgs, LoadArgs, SimArgs, seed, time},
        regress::CORPUS,
    },
    explore::sweep::Shard,
    scenario::parse_probability,
    world::{Probability, Seed},
};

/// What to sweep, and how.
#[derive(Debug, Args)]
pub(in crate::cli) struct SweepArgs {
    #[command(flatten)]
    pub(super) sims: SimArgs,
    /// Run so many seeds of each sim; without end if there is a budget, 1000 if there is none
    #[arg(long, value_name = "N")]
    pub(super) seeds: Option<NonZeroU64>,
    /// Begin with this seed
    #[arg(long, value_name = "SEED", value_parser = seed, default_value = "1",
          allow_hyphen_values = true)]
    pub(super) from: Seed,
    #[command(flatten)]
    pub(super) load: LoadArgs,
    #[command(flatten)]
    pub(super) jobs: JobArgs,
    /// Begin no run after so long, as in 10m
    #[arg(long, value_name = "DURATION", value_parser = time, allow_hyphen_values = true)]
    pub(super) budget: Option<Duration>,
    /// Begin no run once so many have failed
    #[arg(long, value_name = "N")]
    pub(super) max_failures: Option<NonZeroU64>,
    /// Run this share of the seeds twice, as in 5%, to see that each has one history
    #[arg(long, value_name = "SHARE", value_parser = share, default_value = "0%",
          allow_hyphen_values = true)]
    pub(super) verify: Probability,
    /// Append every result to this file as it comes, as JSON Lines; merged ones cannot be resumed
    #[arg(long, value_name = "FILE")]
    pub(super) results: Option<PathBuf>,
    /// Go on with the results that the file has; what was started and never finished goes first
    #[arg(long, requires = "results")]
    pub(super) resume: bool,
    /// Run only the K-th of N shares of the seeds, K from 1; an array job says it by its variables
    #[arg(long, value_name = "K/N")]
    pub(super) shard: Option<Shard>,
    /// Keep the first seed of each distinct failure in a corpus, as `seedbed regress --add` does
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, require_equals = true,
          default_missing_value = CORPUS, conflicts_with_all = ["trace", "skip_bad"])]
    pub(super) keep: Option<PathBuf>,
    /// Make each distinct failure small afterwards, as `seedbed shrink` does, in so long each at most
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, value_parser = time,
          default_missing_value = "1m", conflicts_with_all = ["trace", "skip_bad"])]
    pub(super) shrink: Option<Duration>,
    /// How to write what came of it
    #[arg(long, value_enum, default_value_t = SweepFormat::Text)]
    pub(super) format: SweepFormat,
    /// Write a page that shows the sweep, for a browser: one file, no network
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    #[command(flatten)]
    pub(super) github: GithubArgs,
}

/// How to write what came of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SweepFormat {
    /// For people: the distinct failures, and a summary
    Text,
    /// One JSON document, when all is done
    Json,
    /// One line of JSON for each run
    Jsonl,
}

fn share(text: &str) -> Result<Probability, String> {
    parse_probability(text).map_err(|error| error.to_string())
}
