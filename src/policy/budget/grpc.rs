//! gRPC's retry throttling (proposal A6).

/// Thousandths of a token that a failure takes.
const FAILURE: u32 = 1_000;

/// A count of tokens, exact to a thousandth.
#[derive(Clone, Debug)]
pub struct Tokens {
    max: u32,
    ratio: u32,
    tokens: u32,
}

impl Tokens {
    pub(super) const fn new(max: u32, ratio: u32) -> Tokens {
        Tokens { max, ratio, tokens: max }
    }

    /// Tokens left, in thousandths.
    #[must_use]
    pub const fn millis(&self) -> u32 {
        self.tokens
    }

    /// Whether more than half of the tokens are left.
    #[must_use]
    pub const fn allowed(&self) -> bool {
        self.tokens > self.max / 2
    }

    pub(super) const fn fail(&mut self) {
        self.tokens = self.tokens.saturating_sub(FAILURE);
    }

    pub(super) fn succeed(&mut self) {
        self.tokens = self.tokens.saturating_add(self.ratio).min(self.max);
    }
}
