//! Where in a sim's text something is written.
//!
//! Spans are for messages only: nothing a run does may depend on one.

use miette::SourceSpan;

pub use crate::config::source::Source;

/// A value and the place in the sim's text where it is written.
#[derive(Clone, Debug)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its bytes in the text.
    pub span: SourceSpan,
}

/// Two are equal when their values are: moving a line does not change a sim.
impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
