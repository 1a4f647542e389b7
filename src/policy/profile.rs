//! How well-known clients retry, exactly.
