//! Runs as text: a line for each, its reasons if it failed, and a summary of a dozen lines at most.
//!
//! Readable in 80 columns and without colour: a colour never says anything that a word does not.

use std::{
    fmt::{Display, Write as _},
    time::Duration,
};

use clap::builder::styling::{AnsiColor, Style};

use super::Finished;
use crate::{
    check::{Outcomes, metric_text},
    explore::Verdict,
    world::Time,
};

/// How many columns text may take.
pub const COLUMNS: usize = 80;
/// How many failed runs the summary names.
const NAMED_MAX: usize = 5;

/// Good.
pub const GREEN: Style = AnsiColor::Green.on_default();
/// Bad.
pub const RED: Style = AnsiColor::Red.on_default().bold();

/// A text in a style.
pub fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// ✓ or ✗.
pub fn mark(is_good: bool) -> String {
    if is_good { styled(GREEN, "✓") } else { styled(RED, "✗") }
}

/// The widths of columns, so that lines stand under each other as they come.
#[derive(Clone, Copy, Debug)]
pub struct Widths {
    /// Of the names of sims.
    pub sim: usize,
    /// Of the seeds.
    pub seed: usize,
    /// Of the screen.
    pub screen: usize,
}

impl Default for Widths {
    fn default() -> Widths {
        Widths { sim: 0, seed: 0, screen: COLUMNS }
    }
}

/// A run: one line or, if it failed, one more for each reason.
pub fn run(finished: &Finished, widths: Widths) -> String {
    let Finished { run, verdict, wall, .. } = finished;
    let mut text = format!(
        "{} {:<sim$} seed {:<seed$} ",
        mark(verdict.is_good()),
        clean(&run.sim),
        run.outcome.seed.to_string(),
        sim = widths.sim,
        seed = widths.seed
    );
    match verdict {
        Verdict::FailedAsItMust => {
            let reasons = finished.reasons();
            let first = reasons.first().map_or("", String::as_str);
            let said = format!("failed, as it must: {first}");
            return format!("{}\n", wrap_at(widths.screen, &text, &said, 4));
        }
        Verdict::DivergedAsItMust => {
            text.push_str("diverged, as it must\n");
            return text;
        }
        Verdict::Passed | Verdict::Failed { .. } => {}
    }
    let Outcomes { ok, total, .. } = run.requests;
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{:>10} {:>12} {:>7} {:>6}",
        format!("{ok}/{total} ok"),
        counted(run.outcome.events, "event"),
        seconds(run.outcome.ended_at),
        wall_text(*wall)
    );
    for reason in finished.reasons() {
        let _ = writeln!(text, "{}", wrap_at(widths.screen, "    ", &reason, 6));
    }
    for note in &run.notes {
        let _ = writeln!(text, "{}", wrap_at(widths.screen, "    note: ", note, 6));
    }
    text
}

/// What many runs came to.
#[derive(Debug, Default)]
pub struct Summary {
    runs: u64,
    passed: u64,
    canaries: u64,
    failed: u64,
    requests: Outcomes,
    upstream: u64,
    events: u64,
    virtual_time: Duration,
    named: Vec<String>,
}

impl Summary {
    /// Adds a run.
    pub fn add(&mut self, finished: &Finished) {
        let run = &finished.run;
        self.runs += 1;
        match finished.verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::FailedAsItMust | Verdict::DivergedAsItMust => self.canaries += 1,
            Verdict::Failed { .. } => {
                self.failed += 1;
                if self.named.len() < NAMED_MAX {
                    self.named.push(format!("{} seed {}", clean(&run.sim), run.outcome.seed));
                }
            }
        }
        self.requests.total += run.requests.total;
        self.requests.ok += run.requests.ok;
        self.requests.failed += run.requests.failed;
        self.requests.timed_out += run.requests.timed_out;
        self.requests.refused += run.requests.refused;
        self.requests.abandoned += run.requests.abandoned;
        self.requests.unfinished += run.requests.unfinished;
        self.upstream += run.metrics.values.get("requests.attempts").copied().unwrap_or(0);
        self.events += run.outcome.events;
        self.virtual_time += run.outcome.ended_at.since_start();
    }

    /// The summary; empty if nothing ran.
    pub fn text(&self, sims: usize, wall: Duration) -> String {
        if self.runs == 0 {
            return String::new();
        }
        let mut verdicts = vec![format!("{} passed", self.passed)];
        if self.canaries > 0 {
            verdicts.push(match self.canaries {
                1 => "1 canary did what it must".to_owned(),
                canaries => format!("{canaries} canaries did what they must"),
            });
        }
        let failed = format!("{} failed", self.failed);
        verdicts.push(if self.failed > 0 { styled(RED, failed) } else { failed });
        let mut text = format!(
            "\n{} of {}: {}\n",
            counted(self.runs, "run"),
            counted(sims as u64, "sim"),
            verdicts.join(", ")
        );
        let Outcomes { total, ok, failed, timed_out, refused, abandoned, unfinished } =
            self.requests;
        let outcomes = [
            (ok, "ok"),
            (failed, "failed"),
            (timed_out, "timed out"),
            (refused, "refused"),
            (abandoned, "abandoned"),
            (unfinished, "unfinished"),
        ];
        let outcomes: Vec<String> = outcomes
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, name)| format!("{count} {name}"))
            .collect();
        let colon = if outcomes.is_empty() { "" } else { ": " };
        let _ = writeln!(text, "{}{colon}{}", counted(total, "request"), outcomes.join(", "));
        if let Some(each) = (self.upstream * 1_000_000).checked_div(total) {
            let each = metric_text("requests.amplification", each);
            let calls = counted(self.upstream, "upstream call");
            let _ = writeln!(text, "{calls}, {each} for each request");
        }
        let virtual_time = Time::ZERO + self.virtual_time;
        let _ = writeln!(
            text,
            "{}, {} of virtual time in {}",
            counted(self.events, "event"),
            seconds(virtual_time),
            wall_text(wall)
        );
        if self.failed > 1 {
            let more = self.failed - self.named.len() as u64;
            let more = if more > 0 { format!(", and {more} more") } else { String::new() };
            let _ = writeln!(text, "{}", wrap("failed: ", &(self.named.join(", ") + &more), 8));
        }
        text
    }
}

/// `1 event`, `2 events`.
pub fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn seconds(time: Time) -> String {
    let tenths = time.as_nanos() / 100_000_000;
    format!("{}.{}s", tenths / 10, tenths % 10)
}

/// Time on this machine.
pub fn wall_text(wall: Duration) -> String {
    match wall.as_millis() {
        0 => "<1ms".to_owned(),
        millis @ 1..1_000 => format!("{millis}ms"),
        millis => format!("{}.{}s", millis / 1_000, millis / 100 % 10),
    }
}

/// A text without anything that a terminal would act on.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A text after what leads it, broken between words at the last column; later lines are indented.
pub fn wrap(lead: &str, text: &str, indent: usize) -> String {
    wrap_at(COLUMNS, lead, text, indent)
}

/// The same for a screen of so many columns.
pub fn wrap_at(columns: usize, lead: &str, text: &str, indent: usize) -> String {
    let mut wrapped = lead.to_owned();
    let mut column = visible_width(lead);
    let mut is_first = true;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if !is_first && column + 1 + width > columns {
            let _ = write!(wrapped, "\n{:indent$}", "");
            column = indent;
        } else if !is_first {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(word);
        column += width;
        is_first = false;
    }
    wrapped
}

/// Characters on the screen: all but colours.
fn visible_width(text: &str) -> usize {
    let mut is_escape = false;
    let is_visible = |c: &char| {
        let was_escape = is_escape;
        is_escape = if was_escape { *c != 'm' } else { *c == '\x1b' };
        !was_escape && !is_escape
    };
    text.chars().filter(is_visible).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_break_between_words() {
        let text = wrap("    ", &"abcdefghi ".repeat(9), 6);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].len() <= COLUMNS && lines[1].starts_with("      a"));
        let narrow = wrap_at(60, "    ", &"abcdefghi ".repeat(9), 6);
        assert!(narrow.lines().all(|line| line.len() <= 60), "{narrow}");
        assert_eq!(wrap("x: ", "", 2), "x: ");
        let long = "y".repeat(200);
        assert_eq!(wrap("", &long, 2), long, "a word is never broken");
    }

    #[test]
    fn colours_take_no_room() {
        assert_eq!(visible_width(&format!("{} a", mark(true))), 3);
    }

    #[test]
    fn wall_time_is_short() {
        let text = |millis| wall_text(Duration::from_millis(millis));
        assert_eq!([text(0), text(12), text(1250)], ["<1ms", "12ms", "1.2s"]);
    }
}
