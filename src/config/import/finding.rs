//! What of a configuration is not in the sim as it was in the file.
//!
//! A finding never holds a value of the file, which may be a secret: only where it stands and of what
//! type it is.

use serde::Serialize;

/// Why something is not in the sim as it was in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It changes what the gateway does, and a sim has no counterpart.
    Unsupported,
    /// It is in the sim, but not exactly: what was assumed is said.
    Assumed,
    /// It has a value that it cannot have; it was left out.
    Invalid,
    /// No such key is known; it was left out.
    Unknown,
    /// It was left out because it is, or may be, a secret.
    Secret,
    /// It changes nothing that a sim can show: logs, addresses, pages.
    Ignored,
}

impl Kind {
    /// All of them, those first that matter most.
    pub const ALL: [Kind; 6] = [
        Kind::Unsupported,
        Kind::Assumed,
        Kind::Invalid,
        Kind::Unknown,
        Kind::Secret,
        Kind::Ignored,
    ];

    /// As it is written for people and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Unsupported => "unsupported",
            Kind::Assumed => "assumed",
            Kind::Invalid => "invalid",
            Kind::Unknown => "unknown",
            Kind::Secret => "secret",
            Kind::Ignored => "ignored",
        }
    }
}

/// One thing that is not in the sim as it was in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where it stands, as in `model_list[0].litellm_params.rpm`.
    pub path: String,
    /// Why it is here.
    pub kind: Kind,
    /// Of what type the value is: `a number`, `a list of 3`.
    pub found: String,
    /// What it is, and why it has no counterpart.
    pub why: String,
    /// What the sim has instead, if it has anything.
    pub assumed: Option<String>,
}
