//! What a server says about when to come back: the Retry-After header and its relatives.
