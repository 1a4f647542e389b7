//! Where in a sim's text something is written.
//!
//! Spans are for messages only: nothing a run does may depend on one.

use std::sync::Arc;

use miette::{NamedSource, SourceSpan};

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

/// The text a sim was read from and the name under which messages show it.
#[derive(Clone, Debug)]
pub struct Source(Arc<NamedSource<String>>);

impl Source {
    /// A text under a file's name.
    #[must_use]
    pub fn new(name: &str, text: &str) -> Self {
        Source(Arc::new(NamedSource::new(name, text.to_owned()).with_language("TOML")))
    }

    /// The file's name, as messages show it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.inner()
    }

    pub(super) fn code(&self) -> &dyn miette::SourceCode {
        &self.0
    }
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name() && self.text() == other.text()
    }
}
