//! Configurations of real gateways, made into sims: LiteLLM's `config.yaml`, Claude Code Router's
//! `config.json`.
//!
//! Nothing is left out in silence: whatever has no counterpart in a sim, or was not understood, is a
//! [`Finding`]. A finding says where and why, and never what was written there: keys, passwords and
//! addresses must not leave the file, so no value is copied but names of models, numbers and
//! strategies. Nothing here reads a file or the environment, and nothing here knows what a sim means:
//! what comes out is text.
//!
//! Start at [`import`].

mod ccr;
mod draft;
mod finding;
mod litellm;
mod node;
mod read;
#[cfg(test)]
mod tests;

use draft::Draft;
use read::Notes;

pub use finding::{Finding, Kind};
pub use node::NodeError;

/// The longest text that is imported, in bytes: as long as a sim may be.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// The most models that are imported.
const MODELS_MAX: usize = 500;

/// The most findings that are kept; more of them help nobody.
const FINDINGS_MAX: usize = 2_000;

/// Whose configuration it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gateway {
    /// The proxy of LiteLLM.
    Litellm,
    /// Claude Code Router, version 2, or what version 3 writes in the same keys.
    Ccr,
}

impl Gateway {
    /// Its name, for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Gateway::Litellm => "LiteLLM",
            Gateway::Ccr => "Claude Code Router",
        }
    }
}

/// What came of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Whose configuration it was.
    pub gateway: Gateway,
    /// The sim, as TOML.
    pub sim: String,
    /// Whatever is not in the sim as it was in the file, in the order of the file.
    pub findings: Vec<Finding>,
}

/// Why a text could not be imported. No message quotes it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It is too long.
    #[error("{name} is larger than {} KiB", TEXT_BYTES_MAX / 1024)]
    TooLarge {
        /// The file.
        name: String,
    },
    /// It is not valid YAML or JSON, or costs too much to read.
    #[error("{name}: {error}")]
    Malformed {
        /// The file.
        name: String,
        /// What is wrong, and where.
        error: NodeError,
    },
    /// It is of no gateway that is known.
    #[error("{name} is no configuration that is known here: {why}")]
    Unknown {
        /// The file.
        name: String,
        /// What is missing.
        why: &'static str,
    },
    /// It is known, and names no model that could be asked.
    #[error("{name} names no model that can be asked: {why}")]
    Nothing {
        /// The file.
        name: String,
        /// What is missing.
        why: &'static str,
    },
}

impl ImportError {
    /// What to do instead.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            ImportError::TooLarge { .. } => "a configuration of a gateway is a short file",
            ImportError::Malformed { error, .. } => error.help(),
            ImportError::Unknown { .. } => {
                "give LiteLLM's config.yaml, which has model_list, or the config.json of Claude \
                 Code Router, which has Providers and Router"
            }
            ImportError::Nothing { .. } => {
                "models that are kept in a database are not in the file: write them there first"
            }
        }
    }
}

/// Makes a sim of a gateway's configuration. `name` is the file's, for messages and for the sim's
/// purpose.
///
/// # Errors
///
/// A text that is too long, is not YAML or JSON, is of no gateway that is known, or names no model.
pub fn import(name: &str, text: &str) -> Result<Import, ImportError> {
    let name = || clipped(name).to_owned();
    if text.len() > TEXT_BYTES_MAX {
        return Err(ImportError::TooLarge { name: name() });
    }
    let malformed = |error| ImportError::Malformed { name: name(), error };
    let root = node::parse(text).map_err(malformed)?;
    let mut notes = Notes::default();
    let Some(mut fields) = read::Fields::root(&root) else {
        return Err(ImportError::Unknown { name: name(), why: "its outermost value is no table" });
    };
    let (gateway, draft) = if fields.has("Providers") || fields.has("providers") {
        (Gateway::Ccr, ccr::draft(&mut fields, &mut notes))
    } else if ["model_list", "litellm_settings", "router_settings"].iter().any(|it| fields.has(it))
    {
        (Gateway::Litellm, litellm::draft(&mut fields, &mut notes))
    } else {
        let why = "it has neither model_list nor Providers";
        return Err(ImportError::Unknown { name: name(), why });
    };
    let draft: Draft = draft.map_err(|why| ImportError::Nothing { name: name(), why })?;
    // Where the file was is nobody's business.
    let file = name();
    let file = file.rsplit(['/', '\\']).next().unwrap_or_default();
    Ok(Import { gateway, sim: draft.write(gateway, file), findings: notes.into_findings() })
}

/// The name of a file, short enough for a message.
fn clipped(name: &str) -> &str {
    let end = name.char_indices().nth(200).map_or(name.len(), |(at, _)| at);
    name.get(..end).unwrap_or_default()
}
