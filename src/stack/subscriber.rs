//! A subscriber: it waits for events and does nothing else.

use std::rc::Rc;

use actix::{Actor, Context};

use super::{session::SidecarParts, settings::SubscriberGroup};
use crate::world::Env;

/// The actor.
pub struct Subscriber {
    _env: Env<Subscriber>,
}

impl Subscriber {
    /// A subscriber of this group.
    pub fn new(env: Env<Subscriber>, _: Rc<SubscriberGroup>, _: SidecarParts) -> Subscriber {
        Subscriber { _env: env }
    }
}

impl Actor for Subscriber {
    type Context = Context<Self>;
}
