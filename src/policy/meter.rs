//! The three meters of a model: requests, input tokens, output tokens.
