//! Where a value came from.

use std::{fmt, sync::Arc};

use super::preset::Preset;

/// Where a value came from, the weakest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// A preset was chosen where no layer names one, as by the environment that was detected.
    Chosen {
        /// By what.
        by: Arc<str>,
    },
    /// A preset has it.
    Preset(Preset),
    /// A file says so.
    File {
        /// The file, as it was named.
        name: Arc<str>,
        /// The line, counted from 1.
        line: u32,
        /// The key, with the tables around it: `operations.qa.retry_attempts`.
        key: Arc<str>,
    },
    /// One of the fifteen variables of old says so.
    Legacy {
        /// The variable.
        variable: Arc<str>,
    },
    /// An environment variable says so.
    Env {
        /// The variable.
        variable: Arc<str>,
        /// The key in it, if it holds JSON.
        key: Option<Arc<str>>,
    },
    /// The sim says so.
    Sim {
        /// The key.
        key: Arc<str>,
    },
    /// Somebody changed it at run time.
    Change {
        /// Who.
        by: Arc<str>,
        /// The number of the change, as the audit trail counts.
        number: u64,
    },
}

/// A layer of the configuration. Of two that say the same of the same thing the later counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// What holds anyway.
    Default,
    /// The preset.
    Preset,
    /// The file.
    File,
    /// Variables of old.
    Legacy,
    /// The environment.
    Env,
    /// The sim.
    Sim,
    /// Changes at run time.
    Change,
}

impl Origin {
    /// The layer it belongs to.
    #[must_use]
    pub const fn layer(&self) -> Layer {
        match self {
            Origin::Default | Origin::Chosen { .. } => Layer::Default,
            Origin::Preset(_) => Layer::Preset,
            Origin::File { .. } => Layer::File,
            Origin::Legacy { .. } => Layer::Legacy,
            Origin::Env { .. } => Layer::Env,
            Origin::Sim { .. } => Layer::Sim,
            Origin::Change { .. } => Layer::Change,
        }
    }

    /// Which of two of one layer comes first: changes are numbered.
    pub(super) const fn order(&self) -> (Layer, u64) {
        let number = match self {
            Origin::Change { number, .. } => *number,
            _ => 0,
        };
        (self.layer(), number)
    }

    /// The name of the text that it is in, as messages show it.
    pub(super) fn text_name(&self) -> String {
        match self {
            Origin::File { name, .. } => name.to_string(),
            Origin::Env { variable, .. } | Origin::Legacy { variable } => variable.to_string(),
            Origin::Change { number, .. } => format!("change {number}"),
            _ => "sim".to_owned(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Chosen { by } => f.write_str(by),
            Origin::Preset(preset) => write!(f, "preset {preset}"),
            Origin::File { name, line, key } => write!(f, "{name}:{line} {key}"),
            Origin::Legacy { variable } => write!(f, "environment {variable} (legacy)"),
            Origin::Env { variable, key: None } => write!(f, "environment {variable}"),
            Origin::Env { variable, key: Some(key) } => write!(f, "environment {variable} {key}"),
            Origin::Sim { key } => write!(f, "sim {key}"),
            Origin::Change { by, number } => write!(f, "change {number} by {by}"),
        }
    }
}
