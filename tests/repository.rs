//! What this repository keeps and says: its sims, its cases, its rows and its documents are true, and
//! each check of them can fail. One file for each subject.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "repository/broken.rs"]
mod broken;
#[cfg(feature = "cli")]
#[path = "repository/chaos.rs"]
mod chaos;
#[cfg(feature = "cli")]
#[path = "repository/conformance.rs"]
mod conformance;
#[path = "repository/corpus.rs"]
mod corpus;
#[path = "repository/coverage.rs"]
mod coverage;
#[cfg(feature = "cli")]
#[path = "repository/fuzzed.rs"]
mod fuzzed;
#[cfg(feature = "cli")]
#[path = "repository/imports.rs"]
mod imports;
#[path = "repository/known_bugs.rs"]
mod known_bugs;
#[path = "repository/measured.rs"]
mod measured;
#[cfg(feature = "cli")]
#[path = "repository/metrics.rs"]
mod metrics;
#[cfg(feature = "cli")]
#[path = "repository/migration.rs"]
mod migration;
#[path = "repository/readme.rs"]
mod readme;
#[cfg(feature = "cli")]
#[path = "sims/samples.rs"]
mod samples;
#[path = "repository/tidy.rs"]
mod tidy;
#[path = "repository/traced.rs"]
mod traced;
