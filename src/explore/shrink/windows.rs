//! Numbers and times as low as they can be: counts, when faults begin and how long they last, the
//! time limit.

use std::time::Duration;

use super::{
    Shrinking,
    passes::{duration_at, numbers},
    probe,
};
use crate::{
    explore::document::{Change, Edit, Path, Step, place},
    scenario::{duration_text, parse},
    world::Ending,
};

/// How often a number is halved in search of its lowest.
const HALVINGS_MAX: u32 = 5;
/// No time is made shorter than this: what hangs on less is gone with the next change of the code.
const SHORTEST: Duration = Duration::from_millis(10);

impl Shrinking<'_> {
    /// Lowers every count that is not 1.
    pub(super) fn lower_counts(&mut self) {
        self.pass = "counts";
        for (path, count) in numbers(&self.best) {
            if let Ok(count) = u64::try_from(count) {
                let set = |value: u64| {
                    let value = i64::try_from(value).unwrap_or(i64::MAX);
                    vec![Change::Set(path.clone(), value.into())]
                };
                self.lower(count, 1, &set);
            }
        }
    }

    /// Makes every fault shorter from its end, then from its beginning; and the load.
    pub(super) fn narrow_windows(&mut self) {
        self.pass = "times";
        for index in 0..self.best.len(&place!["fault"]) {
            let (at, lasts) = (place!["fault", index, "at"], place!["fault", index, "for"]);
            self.shorten_at(&lasts);
            let times = (duration_at(&self.best, &at), duration_at(&self.best, &lasts));
            let (Some(from), Some(length)) = times else { continue };
            let end = from.saturating_add(length);
            let begin_later = |nanos: u64| {
                let length = Duration::from_nanos(nanos);
                vec![set_time(&at, end.saturating_sub(length)), set_time(&lasts, length)]
            };
            self.lower(nanos(length), nanos(SHORTEST), &begin_later);
        }
        let mut times = self.best.leaves(&place!["load"]);
        times.retain(|path| path.last() == Some(&Step::from("for")));
        for path in times {
            self.shorten_at(&path);
        }
    }

    /// Sets a time limit if it is that which ends the run. Last of all: as the sim also fails with the
    /// longer limit, it does not fail for want of time.
    pub(super) fn shorten(&mut self) {
        self.pass = "time limit";
        self.reruns += 1;
        let ending = probe(&self.subject.name, &self.best.text(), self.subject.seed);
        if ending.is_none_or(|(_, ending)| ending != Ending::TimeLimit) {
            return;
        }
        let limit = place!["limits", "time"];
        let has_limits = self.best.get(&place!["limits"]).is_some();
        let Ok(sim) = parse(&self.subject.name, &self.best.text()) else { return };
        let now = sim.limits.time;
        let set = |nanos: u64| -> Edit {
            let time = Duration::from_nanos(nanos);
            if has_limits {
                return vec![set_time(&limit, time)];
            }
            let limits = [("time", toml_edit::Value::from(duration_text(time)))];
            vec![Change::Set(place!["limits"], toml_edit::InlineTable::from_iter(limits).into())]
        };
        self.lower(nanos(now), nanos(SHORTEST), &set);
    }

    fn shorten_at(&mut self, path: &Path) {
        if let Some(length) = duration_at(&self.best, path) {
            let set = |nanos: u64| vec![set_time(path, Duration::from_nanos(nanos))];
            self.lower(nanos(length), nanos(SHORTEST), &set);
        }
    }

    /// Sets a number as low as it can be, at least to `least`; it is not looked for more exactly than
    /// to an eighth.
    fn lower(&mut self, now: u64, least: u64, set: &dyn Fn(u64) -> Edit) {
        let (mut good, mut bad) = (now, least);
        if good <= least {
            return;
        }
        if self.takes(&set(least)) {
            return;
        }
        for _ in 0..HALVINGS_MAX {
            let middle = rounded(bad.midpoint(good), bad, good);
            if good - bad <= good / 8 || middle <= bad || middle >= good || self.is_over() {
                break;
            }
            if self.takes(&set(middle)) { good = middle } else { bad = middle }
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn set_time(path: &Path, time: Duration) -> Change {
    Change::Set(path.clone(), duration_text(time).into())
}

/// A number with as few digits as there are between two others.
fn rounded(number: u64, above: u64, below: u64) -> u64 {
    let mut unit = 1_u64;
    let mut best = number;
    while let Some(larger) = unit.checked_mul(10) {
        let round = number / larger * larger;
        // Two digits are enough, and it has to make a difference.
        if round <= above || round >= below || number / larger < 10 {
            break;
        }
        (unit, best) = (larger, round);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_to_two_digits_between_their_bounds() {
        assert_eq!(rounded(12_345_678, 0, 24_000_000), 12_000_000);
        assert_eq!(rounded(12_345_678, 12_200_000, 12_500_000), 12_300_000);
        assert_eq!(rounded(7, 1, 13), 7);
        assert_eq!(rounded(0, 0, 1), 0);
    }
}
