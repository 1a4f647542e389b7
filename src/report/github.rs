//! What GitHub Actions shows of a job: a summary in Markdown, and annotations at files.
//!
//! Names and failures may hold anything. In an annotation they are escaped as `actions/toolkit`
//! does (`packages/core/src/command.ts`); in Markdown every sign that could mean something is
//! written so that it means itself.

use std::fmt::Write as _;

use super::text::counted;

/// The most bytes that GitHub takes as the summary of a step; of a larger one it shows nothing.
pub const SUMMARY_BYTES_MAX: usize = 1024 * 1024;
/// The most annotations: GitHub shows ten errors of a step, and other tools want theirs.
pub const ANNOTATIONS_MAX: usize = 5;
/// The longest text of a cell or an annotation, in characters.
const CHARS_MAX: usize = 1_000;

/// Runs that failed alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The sim.
    pub sim: String,
    /// The file of the sim, as it is named on the command line.
    pub file: String,
    /// The line of the file that says what does not hold, from 1.
    pub line: usize,
    /// What happened in the first run.
    pub failure: String,
    /// How many runs, and which is the first.
    pub runs: String,
    /// The command that shows it; may be empty.
    pub replay: String,
}

/// A line for each of the first problems. They are given in the order of their weight, each of another
/// kind, so a kind that is frequent does not hide others.
pub fn annotations(problems: &[Problem]) -> String {
    let lines = problems.iter().take(ANNOTATIONS_MAX).map(|problem| {
        let Problem { sim, file, line, failure, runs, replay } = problem;
        let message = format!("{}\n{runs}\n{replay}", clipped(failure));
        format!(
            "::error file={},line={line},title={}::{}\n",
            property(&clipped(file)),
            property(&clipped(sim)),
            data(message.trim_end())
        )
    });
    lines.collect()
}

/// A value after `::`. Control characters that mean nothing are taken out.
fn data(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '%' => escaped.push_str("%25"),
            '\r' => escaped.push_str("%0D"),
            '\n' => escaped.push_str("%0A"),
            c if is_hidden(c) => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A value before `::`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The summary, in at most so many bytes: a heading, what it comes to, and a row for each problem. What
/// finds no room is counted. Empty if there is no room for anything.
pub fn summary(
    title: &str,
    is_good: bool,
    story: &str,
    problems: &[Problem],
    room: usize,
) -> String {
    let mark = if is_good { "✅" } else { "❌" };
    let mut text = format!("### {mark} {}\n\n", markdown(title));
    for paragraph in paragraphs(story) {
        let _ = write!(text, "{}\n\n", markdown(&paragraph));
    }
    let header = "| Sim | Runs | What happened | Replay |\n| --- | --- | --- | --- |\n";
    let left = |count: usize| {
        format!("\nLeft out for want of room: {}.\n\n", counted(count as u64, "more failure"))
    };
    let reserve = left(problems.len()).len();
    if text.len() + header.len() + reserve > room {
        return if text.len() <= room && problems.is_empty() { text } else { String::new() };
    }
    if problems.is_empty() {
        return text;
    }
    text += header;
    for (index, problem) in problems.iter().enumerate() {
        let Problem { sim, failure, runs, replay, .. } = problem;
        let replay = if replay.is_empty() {
            String::new()
        } else {
            format!("<code>{}</code>", markdown(replay))
        };
        let cells = [sim, runs, failure].map(|cell| markdown(cell));
        let row = format!("| {} | {replay} |\n", cells.join(" | "));
        if text.len() + row.len() + reserve > room {
            return text + &left(problems.len() - index);
        }
        text += &row;
    }
    text.push('\n');
    text
}

/// The paragraphs of a text for a terminal, in which a line that is indented goes on with the one before.
fn paragraphs(story: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in story.lines().filter(|line| !line.trim().is_empty()) {
        match all.last_mut() {
            Some(last) if line.starts_with(' ') => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => all.push(line.trim().to_owned()),
        }
    }
    all
}

/// A text on one line that is shown as it is, in a cell as elsewhere.
fn markdown(text: &str) -> String {
    let mut escaped = String::new();
    for c in clipped(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '@' => escaped.push_str("&#64;"),
            c if c.is_whitespace() => escaped.push(' '),
            c if is_hidden(c) => {
                let _ = write!(escaped, "⟨U+{:04X}⟩", u32::from(c));
            }
            '/' | '-' | ',' | '.' | '\'' | '"' | '=' | '%' | ';' => escaped.push(c),
            c if c.is_ascii_punctuation() => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

/// What cannot be seen, or turns around what can.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(sim: &str, failure: &str) -> Problem {
        Problem {
            sim: sim.to_owned(),
            file: format!("sims/{sim}.toml"),
            line: 7,
            failure: failure.to_owned(),
            runs: "2 runs, the first with seed 3".to_owned(),
            replay: "seedbed replay a --seed 3".to_owned(),
        }
    }

    #[test]
    fn an_annotation_is_one_command_whatever_is_in_it() {
        let evil =
            problem("a,b:c%\r\n::error::x", "100%\r\n::warning file=x::gotcha\u{202e}\u{1b}[2J");
        let text = annotations(&[evil]);
        assert_eq!(text.lines().count(), 1, "{text}");
        let (properties, message) =
            text.strip_prefix("::error ").unwrap().split_once("::").unwrap();
        assert_eq!(
            properties,
            "file=sims/a%2Cb%3Ac%25%0D%0A%3A%3Aerror%3A%3Ax.toml,line=7,\
             title=a%2Cb%3Ac%25%0D%0A%3A%3Aerror%3A%3Ax"
        );
        assert_eq!(
            message,
            "100%25%0D%0A::warning file=x::gotcha  [2J%0A2 runs, the first with seed 3%0A\
             seedbed replay a --seed 3\n"
        );
    }

    #[test]
    fn at_most_five_and_those_that_matter_most() {
        let problems: Vec<Problem> = (0..9).map(|at| problem("a", &format!("way {at}"))).collect();
        let text = annotations(&problems);
        assert_eq!(text.lines().count(), ANNOTATIONS_MAX);
        assert!(text.contains("way 0%0A") && text.contains("way 4%0A") && !text.contains("way 5"));
        assert_eq!(annotations(&[]), "");
    }

    #[test]
    fn nothing_in_a_summary_means_anything() {
        let evil =
            problem("a|b", "</td><script>x</script> [l](http://e) **b** `c` @me\n# h \u{202e}");
        let text = summary("run", false, "1 failed", &[evil], SUMMARY_BYTES_MAX);
        let row = text.lines().find(|line| line.starts_with("| a")).unwrap();
        assert!(
            row.starts_with("| a\\|b | 2 runs, the first with seed 3 | &lt;/td&gt;&lt;script&gt;"),
            "{row}"
        );
        for part in
            ["\\[l\\]\\(http\\://e\\)", "\\*\\*b\\*\\*", "\\`c\\`", "&#64;me \\# h ⟨U+202E⟩"]
        {
            assert!(row.contains(part), "{part} in {row}");
        }
        assert_eq!(text.matches("<code>").count(), 1);
    }

    /// A line that begins with four spaces would be code, in which nothing is escaped.
    #[test]
    fn a_sentence_that_was_wrapped_is_one_again() {
        let text = summary("run", true, "1 run\n\nnever: a_b,\n    c_d\n  e\n", &[], 10_000);
        assert_eq!(text, "### ✅ run\n\n1 run\n\nnever\\: a\\_b, c\\_d e\n\n");
    }

    #[test]
    fn the_cap_holds_and_what_is_left_out_is_counted() {
        let long = "x ".repeat(400);
        let problems: Vec<Problem> = (0..3_000).map(|_| problem("a", &long)).collect();
        for room in [SUMMARY_BYTES_MAX, 10_000, 3_000] {
            let text = summary("sweep", false, "many", &problems, room);
            assert!(text.len() <= room && text.len() + 2_000 > room, "{} of {room}", text.len());
            let rows = text.matches("| a |").count();
            assert!(text.contains(&format!("room: {} more failures", 3_000 - rows)), "{room}");
        }
        assert_eq!(summary("sweep", false, "many", &problems, 100), "");
        let whole = summary("sweep", true, "all passed", &[], SUMMARY_BYTES_MAX);
        assert_eq!(whole, "### ✅ sweep\n\nall passed\n\n");
        // Bytes and not characters are counted.
        let wide: Vec<Problem> = (0..50).map(|_| problem("ä", &"漢".repeat(900))).collect();
        assert!(summary("s", false, "m", &wide, 20_000).len() <= 20_000);
    }
}
