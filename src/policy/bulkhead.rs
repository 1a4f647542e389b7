//! How many calls may be in flight at once, and who waits for the next place.
