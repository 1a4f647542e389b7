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

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc, time::Duration};

    use actix::{Actor, Context};

    use crate::world::{Env, Fault, FaultKind, Outcome, Probability, Seed, World};

    /// Passes a point each second, and counts how often it fires.
    struct Passer {
        env: Env<Passer>,
        fired: Rc<RefCell<Vec<u64>>>,
    }

    impl Actor for Passer {
        type Context = Context<Self>;

        fn started(&mut self, _: &mut Context<Self>) {
            self.env.every(Duration::from_secs(1), |passer, _| {
                let second = passer.env.now().as_nanos() / 1_000_000_000;
                if passer.env.fault_point("here") {
                    passer.fired.borrow_mut().push(second);
                }
                if second == 100 {
                    passer.env.stop_world();
                }
            });
        }
    }

    /// When the point fires on the first of so many nodes.
    fn fires(faults: &[(u64, u64, &str, Probability)], nodes: u32) -> (Vec<u64>, Outcome) {
        let fired = Rc::new(RefCell::new(Vec::new()));
        let mut world = World::new(Seed(5));
        for node in 0..nodes {
            let fired = if node == 0 { Rc::clone(&fired) } else { Rc::default() };
            world
                .spawn(format!("node-{node}"), move |env| Passer { env, fired: Rc::clone(&fired) });
        }
        for (at, lasts, site, rate) in faults {
            let kind = FaultKind::Point { site: (*site).to_owned(), rate: *rate };
            let (at, lasts) = (Duration::from_millis(*at), Duration::from_secs(*lasts));
            world.fault(Fault::new(kind).at(at).lasting(lasts));
        }
        let outcome = world.run().unwrap();
        (fired.take(), outcome)
    }

    #[test]
    fn a_point_fires_while_it_is_armed_and_no_other() {
        let always = Probability::ALWAYS;
        assert!(fires(&[], 1).0.is_empty());
        assert_eq!(fires(&[(500, 3, "here", always)], 1).0, [1, 2, 3]);
        assert!(fires(&[(500, 90, "elsewhere", always)], 1).0.is_empty());
        let later = (2_500, 1, "here", Probability::NEVER);
        assert_eq!(fires(&[(500, 4, "here", always), later], 1).0, [1, 2, 4]);
    }

    #[test]
    fn a_point_draws_on_each_node_for_itself() {
        let half = [(500, 200, "here", Probability::percent(50))];
        let alone = fires(&half, 1).0;
        assert!((30..70).contains(&alone.len()), "{alone:?}");
        assert_eq!(alone, fires(&half, 3).0);
    }

    #[test]
    fn a_point_that_is_not_armed_leaves_no_trace() {
        let (elsewhere, never) = ("elsewhere", Probability::NEVER);
        let plan = |site| fires(&[(500, 90, site, never)], 1).1;
        assert_eq!(plan("here").events, plan(elsewhere).events);
    }
}
