//! The retry quota of the AWS SDKs' standard mode.

use super::{Cause, Ticket};

/// What a success at the first attempt gives back.
const FIRST_TRY: u32 = 1;

/// Tokens that retries take. A success gives back what its last retry took, or one token if it
/// needed none; a request that fails for good gives nothing back.
#[derive(Clone, Debug)]
pub struct Quota {
    capacity: u32,
    tokens: u32,
    transient: u32,
    throttling: u32,
    timeout: u32,
}

impl Quota {
    pub(super) const fn new(capacity: u32, transient: u32, throttling: u32, timeout: u32) -> Quota {
        Quota { capacity, tokens: capacity, transient, throttling, timeout }
    }

    /// Tokens left.
    #[must_use]
    pub const fn tokens(&self) -> u32 {
        self.tokens
    }

    pub(super) fn withdraw(&mut self, cause: Cause) -> Option<Ticket> {
        let cost = match cause {
            Cause::Transient => self.transient,
            Cause::Throttling => self.throttling,
            Cause::Timeout => self.timeout,
        };
        self.tokens = self.tokens.checked_sub(cost)?;
        Some(Ticket { cost })
    }

    pub(super) fn succeed(&mut self, last: Option<Ticket>) {
        let back = last.map_or(FIRST_TRY, |ticket| ticket.cost);
        self.tokens = self.tokens.saturating_add(back).min(self.capacity);
    }
}
