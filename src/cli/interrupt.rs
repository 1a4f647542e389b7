//! Ctrl-C, and the signal with which engines end a task: the first asks for an orderly end, the
//! second ends the command at once.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

use super::error::CliError;

/// As a shell reports a command that Ctrl-C has ended.
const EXIT: i32 = 130;

/// Whether an orderly end was asked for.
#[derive(Clone, Debug)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on. Before that, signals do what they always do.
    pub(super) fn listen() -> io::Result<Interrupt> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag not yet set.
            flag::register_conditional_shutdown(signal, EXIT, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
        }
        Ok(Interrupt(asked))
    }

    pub(super) fn was_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What is said where signals cannot be listened to.
pub(super) fn deaf(error: io::Error) -> CliError {
    CliError::usage(format!("cannot listen to signals: {error}"), "")
}
