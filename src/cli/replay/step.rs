//! Step by step through a history that has been kept: forwards and backwards, to an instant, to the
//! next event of a kind, and what the events say of the stack at that point.
//!
//! Nothing here runs anything: the run is over, and its fingerprint is compared as ever.

use std::io::{BufRead, Read as _};

use super::Break;
use crate::{
    cli::{error::CliError, screen::Screen},
    explore::{History, StackState},
    report::event,
    scenario::parse_duration,
    world::Time,
};

/// The longest command that is read, in bytes.
const COMMAND_BYTES_MAX: u64 = 1_024;
/// The most events that one command shows.
const SHOWN_MAX: usize = 10_000;

const HELP: &str = "Enter next event · n N so many · b [N] back · u TIME up to an instant · \
                    c to the next break · s state · w what led to it · q end\n";

/// A place in a history.
pub(super) struct Stepper<'a> {
    history: &'a History,
    breaks: &'a [Break],
    node_width: usize,
    /// How many events have been shown.
    at: usize,
}

/// What a command comes to.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Text(String),
    End,
}

impl<'a> Stepper<'a> {
    pub(super) fn new(history: &'a History, breaks: &'a [Break], node_width: usize) -> Stepper<'a> {
        Stepper { history, breaks, node_width, at: 0 }
    }

    /// Takes commands until there is no more, or the end is asked for.
    pub(super) fn run(
        &mut self,
        mut input: impl BufRead,
        screen: &mut Screen,
    ) -> Result<(), CliError> {
        screen.talk(HELP);
        loop {
            screen.talk("> ");
            let mut line = String::new();
            let read = input.by_ref().take(COMMAND_BYTES_MAX).read_line(&mut line);
            if !read.is_ok_and(|length| length > 0) {
                return Ok(());
            }
            match self.command(line.trim()) {
                Told::Text(text) => screen.data(&text)?,
                Told::End => return Ok(()),
            }
        }
    }

    fn command(&mut self, line: &str) -> Told {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let number = || match rest.trim() {
            "" => Ok(1),
            text => text.parse::<usize>().map_err(|_| format!("{text:?} is no number\n")),
        };
        let moved = match word {
            "" => Ok(self.at.saturating_add(1)),
            "n" => number().map(|count| self.at.saturating_add(count)),
            "b" => number().map(|count| self.at.saturating_sub(count)),
            "u" => self.until(rest.trim()),
            "c" => Ok(self.next_break()),
            "s" => return Told::Text(self.state()),
            "w" => return Told::Text(self.why()),
            "q" => return Told::End,
            _ => Err(HELP.to_owned()),
        };
        Told::Text(match moved {
            Ok(to) => self.go(to),
            Err(message) => message,
        })
    }

    /// Goes to a place, and shows what happens on the way there; on the way back, where it is now.
    fn go(&mut self, to: usize) -> String {
        let to = to.min(self.history.records.len());
        let from = if to > self.at { self.at } else { to.saturating_sub(1) };
        let is_over = to == self.at && to == self.history.records.len();
        self.at = to;
        let shown = self.history.records.get(from..to).unwrap_or_default();
        let mut text = String::new();
        if is_over {
            text += if self.history.is_cut { "no more events are kept\n" } else { "the end\n" };
        } else if shown.is_empty() {
            text += "the beginning\n";
        }
        let left_out = shown.len().saturating_sub(SHOWN_MAX);
        if left_out > 0 {
            text += &format!("… {left_out} events …\n");
        }
        for record in shown.iter().skip(left_out).filter(|_| !is_over) {
            text += &format!("#{} {}\n", record.seq, event::line(record, self.node_width));
        }
        text
    }

    fn until(&self, text: &str) -> Result<usize, String> {
        let time = parse_duration(text).map_err(|error| format!("{error}\n"))?;
        let until = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Ok(self.history.records.partition_point(|record| record.at_ns <= until))
    }

    fn next_break(&self) -> usize {
        let rest = self.history.records.iter().enumerate().skip(self.at);
        let found = rest.into_iter().find(|(_, record)| {
            self.breaks.iter().any(|wanted| wanted.matches(&record.kind, &record.fields))
        });
        found.map_or(self.history.records.len(), |(index, _)| index + 1)
    }

    fn state(&self) -> String {
        state_text(&StackState::after(self.history.records.get(..self.at).unwrap_or_default()))
    }

    fn why(&self) -> String {
        let mut text = String::new();
        for record in self.history.chain(self.at as u64, 20) {
            text += &format!("#{} {}\n", record.seq, event::line(&record, self.node_width));
        }
        text
    }
}

/// A state of the stack, a line for each thing in it.
pub(super) fn state_text(state: &StackState) -> String {
    let mut text =
        "as the events tell it; what actors keep to themselves is not in it\n".to_owned();
    let mut list = |name: &str, items: Vec<String>| {
        if !items.is_empty() {
            text += &format!("{name} ({})\n", items.len());
            for item in items {
                text += &format!("    {item}\n");
            }
        }
    };
    list("faults", state.faults.clone());
    list("crashed", state.crashed.iter().cloned().collect());
    list("paused", state.paused.iter().cloned().collect());
    list("breakers", state.breakers.iter().map(|(name, to)| format!("{name} {to}")).collect());
    let since =
        |(request, at): (&String, &u64)| format!("{request} since {}", Time::from_nanos(*at));
    list("open requests", state.requests.iter().map(since).collect());
    let way = |(id, what): (&u64, &String)| format!("#{id} {what}");
    list("messages under way", state.messages.iter().map(way).collect());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        explore::{Options, recorded},
        scenario::parse,
        world::Seed,
    };

    fn history() -> History {
        let text = "purpose = \"p\"\n[router]\nprimary = \"opus\"\n[[backend]]\nname = \"opus\"\n\
                    [[agent]]\nname = \"rust\"\n";
        let sim = parse("sims/a.toml", text).unwrap();
        recorded(&sim, Seed(1), &Options::default()).unwrap().1
    }

    fn said(stepper: &mut Stepper<'_>, command: &str) -> String {
        match stepper.command(command) {
            Told::Text(text) => text,
            Told::End => "end".to_owned(),
        }
    }

    #[test]
    fn steps_go_forwards_and_backwards() {
        let history = history();
        let breaks = ["request_ended".parse::<Break>().unwrap()];
        let mut stepper = Stepper::new(&history, &breaks, 4);
        assert_eq!(said(&mut stepper, "b"), "the beginning\n");
        assert!(said(&mut stepper, "").starts_with("#1 "));
        assert_eq!(said(&mut stepper, "n 2").lines().count(), 2);
        assert!(said(&mut stepper, "b").starts_with("#2 "));
        let all = said(&mut stepper, "c");
        assert!(all.lines().last().unwrap().contains("request_ended"), "{all}");
        assert!(said(&mut stepper, "w").lines().count() > 2);
        said(&mut stepper, "u 0s");
        assert_eq!(history.records[stepper.at - 1].at_ns, 0);
        said(&mut stepper, "n 99999999");
        assert_eq!(said(&mut stepper, ""), "the end\n");
        assert_eq!(said(&mut stepper, "q"), "end");
    }

    #[test]
    fn the_state_is_that_of_the_place() {
        let history = history();
        let breaks = ["request_started".parse::<Break>().unwrap()];
        let mut stepper = Stepper::new(&history, &breaks, 4);
        assert!(!said(&mut stepper, "s").contains("open requests"));
        said(&mut stepper, "c");
        assert!(said(&mut stepper, "s").contains("open requests (1)"));
    }

    #[test]
    fn what_is_no_command_says_what_is() {
        let history = history();
        let mut stepper = Stepper::new(&history, &[], 4);
        for wrong in ["x", "n -1", "n 99999999999999999999999", "u 5", "u", "c x y", "é"] {
            let said = said(&mut stepper, wrong);
            assert!(!said.is_empty(), "{wrong}");
        }
    }
}
