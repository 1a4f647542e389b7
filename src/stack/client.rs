//! A scripted client of the sidecar.

use std::{cell::Cell, rc::Rc};

use actix::{Actor, Context};

use super::{session::SidecarParts, settings::ClientGroup};
use crate::world::Env;

/// The actor.
pub struct Client {
    _env: Env<Client>,
}

impl Client {
    /// A client of this group. `left` is how many rounds are left; a restarted client goes on there.
    pub fn new(env: Env<Client>, _: Rc<ClientGroup>, _: SidecarParts, _: Rc<Cell<u32>>) -> Client {
        Client { _env: env }
    }
}

impl Actor for Client {
    type Context = Context<Self>;
}
