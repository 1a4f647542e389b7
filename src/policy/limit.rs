//! Rate limits: token bucket, GCRA, fixed and sliding windows.
