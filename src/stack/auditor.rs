//! Reads everything back when all is over.

use std::time::Duration;

use actix::{Actor, Context};

use super::session::SidecarParts;
use crate::world::Env;

/// The actor, alone on the node `auditor`.
pub struct Auditor {
    _env: Env<Auditor>,
}

impl Auditor {
    /// An auditor that begins at `settle_at`, when every fault that ends is over.
    pub fn new(env: Env<Auditor>, _: SidecarParts, _: Duration) -> Auditor {
        Auditor { _env: env }
    }
}

impl Actor for Auditor {
    type Context = Context<Self>;
}
