//! Sliding windows over the outcomes of calls.
