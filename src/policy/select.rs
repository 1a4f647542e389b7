//! Which model to ask, in which order, and why not the others.
