//! Fault points: named places in the code of actors where something goes wrong while a fault of the
//! plan arms them.
//!
//! While none is armed, passing one costs one look at a flag, and nothing is ever drawn.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use super::{NodeId, Probability, Stream};

/// The points that are armed, and what they draw from.
#[derive(Default)]
pub(crate) struct Points {
    any_armed: Cell<bool>,
    /// By the number of the fault that arms it: the name of the point, and how likely it fires.
    armed: RefCell<BTreeMap<usize, (String, Probability)>>,
    streams: RefCell<BTreeMap<(NodeId, &'static str), Stream>>,
}

impl Points {
    pub(crate) fn any_armed(&self) -> bool {
        self.any_armed.get()
    }

    /// A fault arms a point or, without a rate, disarms it.
    pub(crate) fn arm(&self, fault: usize, site: &str, rate: Option<Probability>) {
        let mut armed = self.armed.borrow_mut();
        match rate {
            Some(rate) => {
                armed.insert(fault, (site.to_owned(), rate));
            }
            None => {
                armed.remove(&fault);
            }
        }
        self.any_armed.set(!armed.is_empty());
    }

    /// Whether a point fires. Of two faults that arm it, the later one counts.
    pub(crate) fn draw(
        &self,
        site: &'static str,
        node: NodeId,
        stream: impl FnOnce() -> Stream,
    ) -> bool {
        let armed = self.armed.borrow();
        let Some((_, rate)) = armed.values().rev().find(|(name, _)| name == site) else {
            return false;
        };
        self.streams.borrow_mut().entry((node, site)).or_insert_with(stream).chance(*rate)
    }
}
