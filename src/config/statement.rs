//! What a layer says, one thing at a time: the common form of files, variables and changes.

use std::sync::Arc;

use super::{
    field::{Field, Value},
    origin::Origin,
    preset::Preset,
    strategy::Strategy,
};

/// One thing that a layer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The operation that it is about; all that nothing else is said of if `None`.
    pub operation: Option<Arc<str>>,
    /// What it says.
    pub says: Says,
    /// Who says it.
    pub origin: Origin,
}

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// Build on this preset; about no operation in particular.
    Preset(Preset),
    /// Take this strategy's row.
    Strategy(Strategy),
    /// There is such an operation, and that is all.
    Known,
    /// A field has this value, which is of the field's kind.
    Field(Field, Value),
}

impl Says {
    /// Within a layer single values come after rows.
    pub(super) const fn rank(self) -> u8 {
        match self {
            Says::Preset(_) => 0,
            Says::Strategy(_) | Says::Known => 1,
            Says::Field(..) => 2,
        }
    }
}
