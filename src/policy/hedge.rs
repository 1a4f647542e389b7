//! When to ask a second time without waiting for the first answer.
