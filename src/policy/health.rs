//! Whether something is healthy, by what its checks said lately; and what follows for the whole.

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// As it should be.
    Healthy,
    /// Not.
    Unhealthy,
}

/// Whether something can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Availability {
    /// It can.
    Available,
}
