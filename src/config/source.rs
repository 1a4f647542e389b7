//! A text that a configuration was read from, and a place in it. For messages only.

use std::{ops::Range, sync::Arc};

use miette::{NamedSource, SourceCode, SourceSpan};

/// A text and the name under which messages show it.
#[derive(Clone, Debug)]
pub struct Source(Arc<NamedSource<String>>);

impl Source {
    /// A text under a name: the path of a file, the name of a variable.
    #[must_use]
    pub fn new(name: &str, text: &str) -> Source {
        Source(Arc::new(NamedSource::new(name, text.to_owned())))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.inner()
    }

    /// The line and the column of a byte, counted from 1; columns are characters.
    #[must_use]
    pub fn position(&self, offset: usize) -> (u32, u32) {
        let text = self.text();
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = text.get(..offset).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        (number(line), number(column))
    }

    /// The bytes of a line, counted from 1, without the space around it.
    #[must_use]
    pub fn line(&self, line: u32) -> Range<usize> {
        let text = self.text();
        let skip = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        let mut start = 0;
        for (index, content) in text.split_inclusive('\n').enumerate() {
            if index == skip {
                let indent = content.len() - content.trim_start().len();
                return start + indent..start + content.trim_end().len().max(indent);
            }
            start += content.len();
        }
        0..0
    }

    pub(crate) fn code(&self) -> &dyn SourceCode {
        &self.0
    }
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name() && self.text() == other.text()
    }
}

impl Eq for Source {}

/// A place as miette wants it.
pub(super) fn span(range: &Range<usize>) -> SourceSpan {
    (range.start, range.len()).into()
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
