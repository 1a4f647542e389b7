//! What a workspace may use in a day.
