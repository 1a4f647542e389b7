//! Retry budgets: how many retries all callers together may make.
