//! Whether something is healthy, by what its checks said lately; and what follows for the whole.
