//! Exit codes: one for each class of outcome. Scripts rely on them.

use std::process::ExitCode;

/// How the command ends. Of several outcomes the worst counts, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Exit {
    /// All is as it must be.
    Ok,
    /// Standard output was closed, as by `head`.
    Closed,
    /// There was nothing to run, or not all of it was run.
    NothingRan,
    /// A check failed.
    Failed,
    /// One seed had two histories.
    Nondeterminism,
    /// The command, a sim or a file is wrong.
    Usage,
    /// seedbed itself is broken.
    Internal,
}

impl Exit {
    /// The number that the shell sees.
    pub(super) fn code(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Nondeterminism => 3,
            Exit::NothingRan => 4,
            Exit::Internal => 70,
            // As a shell reports a process that a closed pipe has ended.
            Exit::Closed => 141,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
