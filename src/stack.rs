//! The simulated stack.

mod event;

use std::path::Path;

pub use event::{Event, RequestId, RequestOutcome};

use crate::{
    scenario::{Sim, TraceError},
    world::World,
};

/// The source of a trace's rows, to be asked afterwards whether all went well.
pub struct Source;

impl Source {
    /// The number of skipped lines.
    ///
    /// # Errors
    ///
    /// A [`TraceError`].
    pub fn finish(self) -> Result<u64, TraceError> {
        Ok(0)
    }
}

/// Builds the stack of a sim into a world.
///
/// # Errors
///
/// A [`TraceError`] if the trace cannot be opened.
pub fn populate(
    _world: &mut World,
    _sim: &Sim,
    _trace: Option<&Path>,
    _skip_bad: bool,
) -> Result<Source, TraceError> {
    Ok(Source)
}
