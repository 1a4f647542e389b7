//! What is wrong with a text, with no more of the text than a screen can show: a line may be as long
//! as a file.

use std::fmt;

use miette::{
    Diagnostic, LabeledSpan, MietteError, MietteSpanContents, Severity, SourceCode, SourceSpan,
    SpanContents,
};

/// The longest line that is shown whole, in bytes.
const LINE_BYTES_MAX: usize = 400;
/// How much is shown on each side of the place in a longer one, in bytes.
const AROUND_BYTES: usize = 60;

/// A diagnostic without those that are related to it, and with little of its text.
pub(super) struct Bounded<'a> {
    inner: &'a dyn Diagnostic,
    source: Option<Cut<'a>>,
    labels: Vec<LabeledSpan>,
}

impl<'a> Bounded<'a> {
    /// The text is that of the diagnostic, or else another one.
    pub(super) fn new(inner: &'a dyn Diagnostic, other: Option<&'a dyn SourceCode>) -> Bounded<'a> {
        let source = inner.source_code().or(other);
        let labels = inner.labels().into_iter().flatten();
        let labels = labels.map(|label| match source {
            Some(source) => shortened(&label, source),
            None => label,
        });
        Bounded { inner, source: source.map(Cut), labels: labels.collect() }
    }
}

/// A label of a long place is put at its beginning.
fn shortened(label: &LabeledSpan, source: &dyn SourceCode) -> LabeledSpan {
    let Ok(place) = source.read_span(label.inner(), 0, 0) else { return label.clone() };
    let length = boundary(place.data(), label.len().min(AROUND_BYTES));
    let (text, span) = (label.label().map(str::to_owned), (label.offset(), length));
    if length >= label.len() {
        label.clone()
    } else if label.primary() {
        LabeledSpan::new_primary_with_span(text, span)
    } else {
        LabeledSpan::new_with_span(text, span)
    }
}

/// The last place up to here where no character is cut.
fn boundary(text: &[u8], at: usize) -> usize {
    let is_inside = |at: usize| text.get(at).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000);
    (0..=at.min(text.len())).rev().find(|at| !is_inside(*at)).unwrap_or(0)
}

/// A text of which only short lines are shown whole.
struct Cut<'a>(&'a dyn SourceCode);

impl SourceCode for Cut<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let whole = self.0.read_span(span, before, after)?;
        let data = whole.data();
        if data.split(|byte| *byte == b'\n').all(|line| line.len() <= LINE_BYTES_MAX) {
            return Ok(whole);
        }
        let begins = span.offset().saturating_sub(whole.span().offset()).min(data.len());
        let ends = begins.saturating_add(span.len().min(LINE_BYTES_MAX));
        let from = boundary(data, begins.saturating_sub(AROUND_BYTES));
        let to = boundary(data, ends.saturating_add(AROUND_BYTES)).max(from);
        let left = data.get(..from).unwrap_or_default();
        let column = match left.iter().rposition(|byte| *byte == b'\n') {
            Some(newline) => from - newline - 1,
            None => whole.column() + from,
        };
        let lines = left.iter().filter(|byte| **byte == b'\n').count();
        let shown = data.get(from..to).unwrap_or_default();
        let place = SourceSpan::from((whole.span().offset() + from, shown.len()));
        let (line, count) = (whole.line() + lines, whole.line_count());
        Ok(match whole.name() {
            Some(name) => Box::new(MietteSpanContents::new_named(
                name.to_owned(),
                shown,
                place,
                line,
                column,
                count,
            )),
            None => Box::new(MietteSpanContents::new(shown, place, line, column, count)),
        })
    }
}

impl fmt::Debug for Bounded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.inner, f)
    }
}

impl fmt::Display for Bounded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.inner, f)
    }
}

impl std::error::Error for Bounded<'_> {}

impl Diagnostic for Bounded<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.inner.code()
    }

    fn severity(&self) -> Option<Severity> {
        self.inner.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.inner.help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::error::scenario_report, scenario::parse};

    #[test]
    fn of_a_long_line_only_the_place_is_shown() {
        for far in [10, 200_000] {
            let text = format!("purpose = \"é{}\"\nseeds = \"{0}\" ]\n", "ü".repeat(far));
            let error = parse("sims/a.toml", &text).unwrap_err();
            let report = scenario_report(&error);
            assert!(report.len() < 2_000, "{} bytes of {far}", report.len());
            assert!(report.contains("sims/a.toml:2"), "{report}");
        }
    }

    #[test]
    fn errors_of_one_sim_follow_each_other_without_a_heading() {
        let text = "purpose = \"p\"\n[[agent]]\nname = \"a\"\ncount = 0\nwork = 3\n\
                    [[agent]]\nname = \"b\"\ncount = 0\n[[agent]]\nname = \"c\"\ncount = 0\n";
        let error = parse("sims/a.toml", text).unwrap_err();
        let related = error.problem().map_or(0, |problem| problem.related.len());
        assert!(related > 0, "more than one thing is wrong");
        let report = scenario_report(&error);
        assert!(!report.contains("Error:"), "{report}");
        assert_eq!(report.matches("sims/a.toml:").count(), related + 1, "{report}");
    }

    #[test]
    fn no_character_is_cut() {
        assert_eq!([0, 1, 2, 3, 4].map(|at| boundary("aéb".as_bytes(), at)), [0, 1, 1, 3, 4]);
        assert_eq!(boundary(&[0x80, 0x80], 1), 0);
    }
}
