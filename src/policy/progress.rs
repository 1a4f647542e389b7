//! The progress of tasks that are done one after another, told as numbered updates.
//!
//! The number of an update is what a reader names to go on where it stopped. Nothing here waits,
//! draws or sends.

use serde::{Deserialize, Serialize};

/// How a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It waits for an approval.
    Pending,
    /// It is being done.
    Active,
    /// It is done.
    Completed,
    /// It failed, or was not approved.
    Error,
}

impl Status {
    /// The name in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::Active => "active",
            Status::Completed => "completed",
            Status::Error => "error",
        }
    }

    /// Whether nothing follows.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Status::Completed | Status::Error)
    }
}

/// What became of a task at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// Counts the tasks, from 1.
    pub task: u32,
    /// 0, 50 or 100.
    pub percent: u8,
    /// How it stands.
    pub status: Status,
}

/// What is to be done after an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The next task begins.
    Begin(u32),
    /// Somebody has to approve the task before anything is done.
    Wait(Update),
    /// The next half of the task.
    Work(Update),
    /// All of it is done: only to be told.
    Complete(Update),
    /// There is nothing more to do.
    Over,
}

/// What follows the last update, of so many tasks.
#[must_use]
pub fn next(last: Option<Update>, tasks: u32) -> Next {
    match last {
        None if tasks == 0 => Next::Over,
        None => Next::Begin(1),
        Some(update) => match update.status {
            Status::Pending => Next::Wait(update),
            Status::Active if update.percent < 100 => Next::Work(update),
            Status::Active => Next::Complete(Update { status: Status::Completed, ..update }),
            Status::Completed | Status::Error if update.task < tasks => {
                Next::Begin(update.task + 1)
            }
            Status::Completed | Status::Error => Next::Over,
        },
    }
}

/// What a reader of numbered updates makes of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Took {
    /// It is the next one.
    Next,
    /// It has come before.
    Old,
    /// Others are missing before it.
    Gap,
}

/// Whether the update of this number follows the last one that was taken.
#[must_use]
pub fn take(last: u64, number: u64) -> Took {
    match number.checked_sub(last) {
        Some(1) => Took::Next,
        Some(2..) => Took::Gap,
        _ => Took::Old,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(task: u32, percent: u8, status: Status) -> Update {
        Update { task, percent, status }
    }

    #[test]
    fn a_task_goes_from_its_beginning_to_its_end() {
        let mut last = None;
        let mut told = Vec::new();
        loop {
            let update = match next(last, 2) {
                Next::Begin(1) => update(1, 0, Status::Pending),
                Next::Begin(task) => update(task, 0, Status::Active),
                Next::Wait(it) => Update { status: Status::Active, ..it },
                Next::Work(it) if it.task == 2 => Update { status: Status::Error, ..it },
                Next::Work(it) => Update { percent: it.percent + 50, ..it },
                Next::Complete(it) => it,
                Next::Over => break,
            };
            told.push((update.task, update.percent, update.status.as_str()));
            last = Some(update);
        }
        let first = [(1, 0, "pending"), (1, 0, "active"), (1, 50, "active"), (1, 100, "active")];
        let then = [(1, 100, "completed"), (2, 0, "active"), (2, 0, "error")];
        assert_eq!(told, [first.as_slice(), &then].concat());
        assert_eq!(next(None, 0), Next::Over);
    }

    #[test]
    fn what_came_before_is_known_and_what_is_missing_is_noticed() {
        let took = [6, 7, 8, 9].map(|number| take(7, number));
        assert_eq!(took, [Took::Old, Took::Old, Took::Next, Took::Gap]);
        assert_eq!(take(0, 1), Took::Next);
    }
}
