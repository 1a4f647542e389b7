//! The lines of a story: which threads are told, which are only counted.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::{LINES_MAX, Plot, Thread};
use crate::world::{Seed, Time};

/// How many steps of one thread are told.
pub(super) const STEPS_MAX: usize = 12;
/// The lines kept for the heading, and for what is left out.
const HEADING_LINES: usize = 4;
const LEFT_OUT_LINES: usize = 10;
const BODY_LINES: usize = LINES_MAX - HEADING_LINES - LEFT_OUT_LINES;

/// All threads that went the same way.
struct Shape<'a> {
    first: &'a Thread,
    count: u64,
    last_started: Time,
    is_new: bool,
    /// How often each kind happened in all of them.
    kinds: BTreeMap<&'a str, u64>,
}

impl Shape<'_> {
    fn lines(&self) -> usize {
        let steps = self.first.shape.len();
        steps.min(STEPS_MAX) + usize::from(steps > STEPS_MAX) + usize::from(self.count > 1)
    }

    /// What is told first when there is not room for all: faults, then whatever shows something
    /// that nothing before it has shown.
    fn rank(&self) -> u8 {
        match (self.first.agent.is_none(), self.is_new) {
            (true, true) => 0,
            (false, true) => 1,
            (true, false) => 2,
            (false, false) => 3,
        }
    }
}

pub(super) fn text(plot: &Plot, sim: &str, seed: Seed) -> String {
    let mut text = format!("sim: {sim}\nseed: {seed}\n\n");
    if plot.threads.is_empty() {
        text.push_str("nothing happened\n");
        return text;
    }
    let shapes = shapes(plot);
    let told = choose(&shapes);
    let (mut untold, mut left_out) = (BTreeMap::new(), 0);
    for (index, shape) in shapes.iter().enumerate() {
        if told.contains(&index) {
            tell(&mut text, shape);
        } else {
            left_out += shape.count;
            for (kind, count) in &shape.kinds {
                *untold.entry(*kind).or_insert(0) += count;
            }
        }
    }
    leave_out(&mut text, untold, left_out);
    text
}

/// The shapes in the order in which each was first seen.
fn shapes(plot: &Plot) -> Vec<Shape<'_>> {
    let mut known: BTreeMap<&[u32], usize> = BTreeMap::new();
    let mut shapes: Vec<Shape<'_>> = Vec::new();
    let mut seen: BTreeSet<u32> = BTreeSet::new();
    for thread in &plot.threads {
        let next = shapes.len();
        let index = *known.entry(&thread.shape).or_insert(next);
        if index == next {
            let before = seen.len();
            seen.extend(&thread.shape);
            shapes.push(Shape {
                first: thread,
                count: 0,
                last_started: thread.started,
                is_new: seen.len() > before,
                kinds: BTreeMap::new(),
            });
        }
        if let Some(shape) = shapes.get_mut(index) {
            shape.count += 1;
            shape.last_started = thread.started;
            for (word, times) in thread.shape.iter().zip(&thread.times) {
                let kind = plot.kinds.get(*word as usize).map_or("", String::as_str);
                *shape.kinds.entry(kind).or_default() += times;
            }
        }
    }
    shapes
}

/// The shapes that there is room for.
fn choose(shapes: &[Shape<'_>]) -> BTreeSet<usize> {
    let mut order: Vec<usize> = (0..shapes.len()).collect();
    order.sort_by_key(|index| (shapes[*index].rank(), *index));
    let mut room = BODY_LINES;
    let mut told = BTreeSet::new();
    for index in order {
        let lines = shapes[index].lines();
        if lines <= room && !shapes[index].first.steps.is_empty() {
            room -= lines;
            told.insert(index);
        }
    }
    told
}

fn tell(text: &mut String, shape: &Shape<'_>) {
    let Thread { steps, times, shape: words, .. } = shape.first;
    for (index, (step, times)) in steps.iter().zip(times).enumerate() {
        let indent = if index == 0 { "" } else { "  " };
        let at = millis(step.at);
        let line = format!("{indent}{at} {} {} {}", step.node, step.kind, step.details);
        let times = if *times > 1 { format!(" ({times} times)") } else { String::new() };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}{times}", line.trim_end());
    }
    let more = words.len().saturating_sub(steps.len());
    if more > 0 {
        let _ = writeln!(text, "  … {more} more steps");
    }
    if shape.count > 1 {
        let (others, last) = (shape.count - 1, millis(shape.last_started));
        let _ = writeln!(text, "… {others} more like it, the last from {last}");
    }
}

/// An outline needs no nanoseconds: the fingerprint has them.
fn millis(at: Time) -> Time {
    Time::from_nanos(at.as_nanos() / 1_000_000 * 1_000_000)
}

fn leave_out(text: &mut String, untold: BTreeMap<&str, u64>, threads: u64) {
    if untold.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n… {threads} that went another way:");
    let mut kinds: Vec<(&str, u64)> = untold.into_iter().collect();
    kinds.sort_by(|(a, x), (b, y)| y.cmp(x).then_with(|| a.cmp(b)));
    let room = LEFT_OUT_LINES - 2;
    let listed = if kinds.len() > room { room - 1 } else { kinds.len() };
    for (kind, count) in &kinds[..listed] {
        let _ = writeln!(text, "… {count} more {kind}");
    }
    let rest: u64 = kinds[listed..].iter().map(|(_, count)| count).sum();
    if rest > 0 {
        let _ = writeln!(text, "… {rest} more of other kinds");
    }
}
