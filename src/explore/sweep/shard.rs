//! Which part of a sweep one process runs, from `--shard` or from what an array job says.
//!
//! The variables are those of the engines: `JOB_COMPLETION_INDEX` of a Kubernetes Indexed Job and
//! `AWS_BATCH_JOB_ARRAY_INDEX` count from 0 and do not say how many there are; Slurm's
//! `SLURM_ARRAY_TASK_ID` counts from `SLURM_ARRAY_TASK_MIN` in steps of `SLURM_ARRAY_TASK_STEP`, and
//! `SLURM_ARRAY_TASK_COUNT` says how many. `SEEDBED_SHARD_INDEX` counts from 1, as `--shard` does, and
//! `SEEDBED_SHARD_COUNT` says how many for all of them.
//!
//! The environment itself is never read here.

use std::{fmt, str::FromStr};

/// A part of a sweep: every `of`-th seed, beginning with the `index`-th.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u64,
    of: u64,
}

/// Why there is no such shard; it says what to do instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ShardError(String);

impl Shard {
    /// All of a sweep.
    pub const WHOLE: Shard = Shard { index: 1, of: 1 };

    /// The `index`-th of `of` shards, from 1.
    ///
    /// # Errors
    ///
    /// When there is no such shard.
    pub fn new(index: u64, of: u64) -> Result<Shard, ShardError> {
        if (1..=of).contains(&index) {
            Ok(Shard { index, of })
        } else if of == 0 {
            Err(ShardError(format!("shard {index}/{of}: there is at least one shard")))
        } else {
            Err(ShardError(format!("shard {index}/{of}: shards are numbered from 1 to {of}")))
        }
    }

    /// Which one, from 1.
    pub fn index(self) -> u64 {
        self.index
    }

    /// How many there are.
    pub fn of(self) -> u64 {
        self.of
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    /// Reads `K/N`.
    fn from_str(text: &str) -> Result<Shard, ShardError> {
        let number = |text: &str| text.parse::<u64>().ok();
        match text.split_once('/').map(|(index, of)| (number(index), number(of))) {
            Some((Some(index), Some(of))) => Shard::new(index, of),
            _ => Err(ShardError("a shard is K/N, such as 2/4, with K from 1 to N".to_owned())),
        }
    }
}

/// An index as a variable says it, and where it begins to count.
struct Said {
    variable: &'static str,
    /// From 1.
    index: u64,
    /// How many there are, and the variable that says so.
    of: (u64, &'static str),
}

const COUNT: &str = "SEEDBED_SHARD_COUNT";

/// The shard that the environment says, and the variable that says which; `None` if it says nothing.
///
/// # Errors
///
/// When variables contradict each other, cannot be understood, or say only half of it.
pub fn from_environment(
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<Option<(Shard, &'static str)>, ShardError> {
    let number = |variable: &'static str| -> Result<Option<u64>, ShardError> {
        let Some(text) = lookup(variable) else { return Ok(None) };
        let wrong = || ShardError(format!("{variable}=`{text}`: should be a number"));
        text.trim().parse().map(Some).map_err(|_| wrong())
    };
    let count = number(COUNT)?;
    let mut said: Vec<Said> = Vec::new();
    let engines =
        [("SEEDBED_SHARD_INDEX", 0), ("JOB_COMPLETION_INDEX", 1), ("AWS_BATCH_JOB_ARRAY_INDEX", 1)];
    for (variable, add) in engines {
        let Some(index) = number(variable)? else { continue };
        let Some(of) = count else {
            return Err(ShardError(format!(
                "{variable} says which shard this is, and nothing says of how many: set {COUNT} \
                 as well, or give --shard K/N (1/1 for all)"
            )));
        };
        said.push(Said { variable, index: index.saturating_add(add), of: (of, COUNT) });
    }
    if let Some(task) = number("SLURM_ARRAY_TASK_ID")? {
        said.push(slurm(task, count, &number)?);
    }
    let Some((first, others)) = said.split_first() else {
        return match count {
            None => Ok(None),
            Some(_) => Err(ShardError(format!(
                "{COUNT} says how many shards there are, and nothing says which one this is: set \
                 SEEDBED_SHARD_INDEX as well (from 1), or give --shard K/N"
            ))),
        };
    };
    if let Some(other) = others.iter().find(|o| (o.index, o.of.0) != (first.index, first.of.0)) {
        return Err(ShardError(format!(
            "{} says shard {}/{} and {} says shard {}/{}: unset one of them, or give --shard K/N",
            first.variable, first.index, first.of.0, other.variable, other.index, other.of.0
        )));
    }
    match Shard::new(first.index, first.of.0) {
        Ok(shard) => Ok(Some((shard, first.variable))),
        Err(error) => {
            Err(ShardError(format!("{error} (from {} and {})", first.variable, first.of.1)))
        }
    }
}

/// What Slurm says. An array such as `1,5,6` has gaps, and its numbers do not tell the place.
fn slurm(
    task: u64,
    count: Option<u64>,
    number: &impl Fn(&'static str) -> Result<Option<u64>, ShardError>,
) -> Result<Said, ShardError> {
    let variable = "SLURM_ARRAY_TASK_ID";
    let needed = |name: &'static str| {
        number(name)?.ok_or_else(|| {
            ShardError(format!("{variable} is set and {name} is not: give --shard K/N"))
        })
    };
    let of = needed("SLURM_ARRAY_TASK_COUNT")?;
    let least = needed("SLURM_ARRAY_TASK_MIN")?;
    let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
    if let Some(count) = count.filter(|count| *count != of) {
        return Err(ShardError(format!(
            "SLURM_ARRAY_TASK_COUNT is {of} and {COUNT} is {count}: to run one task of an array \
             again, use `scontrol requeue`, or give --shard K/N"
        )));
    }
    let place = task.checked_sub(least).filter(|past| past % step == 0).map(|past| past / step);
    match place.filter(|place| *place < of) {
        Some(place) => Ok(Said { variable, index: place + 1, of: (of, "SLURM_ARRAY_TASK_COUNT") }),
        None => Err(ShardError(format!(
            "{variable} is {task}, in an array of {of} from {least} in steps of {step}: number the \
             tasks without gaps, or give --shard K/N"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let lookup = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let shard = from_environment(lookup);
        shard
            .map(|said| said.map(|(shard, _)| shard.to_string()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn engines_count_as_they_do() {
        let is = |variables: &[(&str, &str)], shard: &str| {
            assert_eq!(says(variables), Ok(Some(shard.to_owned())), "{variables:?}");
        };
        assert_eq!(says(&[]), Ok(None));
        is(&[("SEEDBED_SHARD_INDEX", "1"), (COUNT, "4")], "1/4");
        is(&[("JOB_COMPLETION_INDEX", "0"), (COUNT, "4")], "1/4");
        is(&[("JOB_COMPLETION_INDEX", "3"), (COUNT, "4")], "4/4");
        is(&[("AWS_BATCH_JOB_ARRAY_INDEX", "0"), (COUNT, "2")], "1/2");
        let slurm = |task: &'static str, count, min| {
            [
                ("SLURM_ARRAY_TASK_ID", task),
                ("SLURM_ARRAY_TASK_COUNT", count),
                ("SLURM_ARRAY_TASK_MIN", min),
            ]
        };
        is(&slurm("0", "4", "0"), "1/4");
        is(&slurm("1", "4", "1"), "1/4");
        is(&slurm("4", "4", "1"), "4/4");
        let mut stepped = slurm("5", "4", "1").to_vec();
        stepped.push(("SLURM_ARRAY_TASK_STEP", "2"));
        is(&stepped, "3/4");
        // Several that agree.
        is(&[("SEEDBED_SHARD_INDEX", "2"), ("JOB_COMPLETION_INDEX", "1"), (COUNT, "4")], "2/4");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |variables: &[(&str, &str)], words: &str| {
            let error = says(variables).unwrap_err();
            assert!(error.contains(words), "{variables:?}: {error}");
        };
        wrong(&[("SEEDBED_SHARD_INDEX", "two"), (COUNT, "4")], "SEEDBED_SHARD_INDEX=`two`");
        wrong(&[("SEEDBED_SHARD_INDEX", "0"), (COUNT, "4")], "numbered from 1 to 4");
        wrong(&[("JOB_COMPLETION_INDEX", "4"), (COUNT, "4")], "JOB_COMPLETION_INDEX");
        wrong(&[("JOB_COMPLETION_INDEX", "18446744073709551615"), (COUNT, "4")], "numbered from 1");
        wrong(&[("JOB_COMPLETION_INDEX", "0")], COUNT);
        wrong(&[(COUNT, "4")], "which one");
        wrong(&[("SEEDBED_SHARD_INDEX", "1"), (COUNT, "0")], "at least one shard");
        wrong(
            &[("SEEDBED_SHARD_INDEX", "1"), ("JOB_COMPLETION_INDEX", "1"), (COUNT, "4")],
            "says shard 1/4 and JOB_COMPLETION_INDEX says shard 2/4",
        );
        let slurm = [
            ("SLURM_ARRAY_TASK_ID", "7"),
            ("SLURM_ARRAY_TASK_COUNT", "3"),
            ("SLURM_ARRAY_TASK_MIN", "1"),
        ];
        wrong(&slurm, "without gaps");
        wrong(&slurm[..1], "SLURM_ARRAY_TASK_COUNT is not");
        // One task submitted again by itself: an array of one.
        let again = [
            ("SLURM_ARRAY_TASK_ID", "3"),
            ("SLURM_ARRAY_TASK_COUNT", "1"),
            ("SLURM_ARRAY_TASK_MIN", "3"),
            (COUNT, "4"),
        ];
        wrong(&again, "scontrol requeue");
    }

    #[test]
    fn a_shard_is_read_as_it_is_written() {
        assert_eq!("2/4".parse::<Shard>().map(|shard| shard.to_string()), Ok("2/4".to_owned()));
        for text in ["", "2", "0/4", "5/4", "a/4", "1/0", "1/2/3", "-1/4", "1/18446744073709551616"]
        {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
