//! The sidecar's front: to be replaced by the one that answers.

use std::rc::Rc;

use actix::{Actor, Context, Handler};

use super::{
    auth::Keys,
    message::{Answer, Ask},
    pressure::Pressure,
};
use crate::{
    stack::settings,
    world::{Env, Later},
};

/// The actor.
pub struct Gateway {
    _env: Env<Gateway>,
}

impl Gateway {
    /// A gateway.
    pub fn new(
        env: Env<Gateway>,
        _: Rc<settings::Sidecar>,
        _: Rc<Keys>,
        _: &[settings::Project],
        _: Pressure,
    ) -> Gateway {
        Gateway { _env: env }
    }
}

impl Actor for Gateway {
    type Context = Context<Self>;
}

impl Handler<Ask> for Gateway {
    type Result = Later<Answer>;

    fn handle(&mut self, _: Ask, _: &mut Context<Self>) -> Self::Result {
        Later::promise().1
    }
}
