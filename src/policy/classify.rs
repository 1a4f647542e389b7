//! What kind of error it is, provider by provider.
