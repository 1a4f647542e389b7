//! One run, or a sweep, as a page: a single HTML file that needs no network and no server.
//!
//! Here a run becomes data, and data a file; what is shown of it, and how, is in `html/assets/`.
//! The same run makes the same bytes: nothing of this machine is in them. Whatever a sim or an
//! actor has named stands in the file as data only, escaped so that it cannot be anything else.

mod columns;
mod compare;
mod head;
mod page;
mod sweep;
#[cfg(test)]
mod tests;

use std::{
    cell::RefCell,
    io::{self, Write},
    rc::Rc,
};

pub use self::{compare::write_comparison, sweep::Survey};

use self::columns::Columns;
use super::Finished;
use crate::{
    check::Moments,
    scenario::{ScenarioError, Sim},
    world::{Note, Observer, Seed, Sighting},
};

/// The version of the data in the page. The page reads its own data only.
pub const VERSION: u32 = 1;

/// The most events that a report holds; it says how many more there were.
pub const EVENTS_MAX: usize = 250_000;

/// A run that is being watched for its report.
pub struct Recording(Rc<RefCell<Watching>>);

struct Watching {
    columns: Columns,
    moments: Moments,
}

struct Recorder(Rc<RefCell<Watching>>);

impl Observer for Recorder {
    fn see(&mut self, sighting: &Sighting<'_>) {
        let watching = &mut *self.0.borrow_mut();
        watching.moments.see(sighting);
        watching.columns.push(sighting);
    }

    fn wants_notes(&self) -> bool {
        self.0.borrow().moments.wants_notes()
    }

    fn note(&mut self, note: &Note<'_>) {
        self.0.borrow_mut().moments.note(note);
    }
}

impl Recording {
    /// For one run of a sim.
    ///
    /// # Errors
    ///
    /// A [`ScenarioError`] if the sim switches off a check that there is not.
    pub fn begin(sim: &Sim, seed: Seed) -> Result<Recording, ScenarioError> {
        let sim = sim.under(seed);
        let watching =
            Watching { columns: Columns::new(sim.node_names()), moments: Moments::new(&sim)? };
        Ok(Recording(Rc::new(RefCell::new(watching))))
    }

    /// The observer that the run needs.
    pub fn observer(&self) -> Box<dyn Observer> {
        Box::new(Recorder(Rc::clone(&self.0)))
    }

    /// Writes the report of the run, which is over.
    ///
    /// # Errors
    ///
    /// What the output says.
    pub fn write(self, sim: &Sim, finished: &Finished, output: impl Write) -> io::Result<()> {
        let Watching { columns, moments } = &mut *self.0.borrow_mut();
        let moments = moments.finish(&finished.run.outcome);
        let head = head::head(sim, finished, &moments);
        page::write(&head.title(), &page::run_script(), (&head, &*columns), output)
    }
}
