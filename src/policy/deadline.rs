//! Timeouts of one attempt: in total, to the first token, between tokens.
