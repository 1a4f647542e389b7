//! Sliding windows over the outcomes of calls: the last calls, the last while, or everything since
//! the window was cleared, each with running totals, so that a record costs the same however long
//! the window is.
//!
//! A window must never read a clock, nor forget anything but what has left it. Start at [`Window`];
//! [`Shape`] says what it holds.

mod tally;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use tally::{Call, Tally};

use crate::world::Time;

/// What a window holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shape {
    /// Everything since it was cleared (gobreaker without an interval).
    Unbounded,
    /// The last calls, as many as this (resilience4j's `COUNT_BASED`, failsafe-go's counting).
    Calls(u32),
    /// Everything since it was cleared, which it is by itself once *more* than this has passed
    /// (gobreaker's `Interval`).
    Interval(Duration),
    /// The last while, in buckets that are forgotten whole.
    Buckets {
        /// How many buckets.
        count: u32,
        /// How long each is.
        each: Duration,
        /// Where they begin.
        align: Align,
    },
}

/// Where the buckets of a window begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Align {
    /// At the multiples of their length since the world began (resilience4j's seconds).
    Clock,
    /// At the multiples of their length since the window was cleared (failsafe-go, gobreaker).
    Cleared,
    /// Each with the first call that finds the one before it full (Polly).
    Call,
}

impl Shape {
    /// A time window of this length, in `count` buckets.
    pub fn time(length: Duration, count: u32, align: Align) -> Shape {
        Shape::Buckets { count, each: length / count.max(1), align }
    }
}

/// A bucket of a time window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Bucket {
    tally: Tally,
    /// When it began; used by [`Align::Call`] alone.
    start: Time,
}

/// A window over the outcomes of calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    shape: Shape,
    totals: Tally,
    cleared: Time,
    /// The last calls, packed: time taken above two bits, slow and failed.
    calls: Vec<u64>,
    buckets: Vec<Bucket>,
    /// The oldest call or bucket that is kept, and one after the newest, counted from the clearing.
    oldest: u64,
    next: u64,
    /// Before this nothing leaves a window of buckets, and before that no new bucket is needed:
    /// what a call looks at instead of dividing times.
    leaves: Time,
    full: Time,
}

impl Window {
    /// An empty window, cleared at the beginning of the world.
    pub fn new(shape: Shape) -> Window {
        let (calls, buckets) = lengths(shape);
        Window {
            shape,
            totals: Tally::default(),
            cleared: Time::ZERO,
            calls: vec![0; calls],
            buckets: vec![Bucket::default(); buckets],
            oldest: 0,
            next: 0,
            leaves: Time::ZERO,
            full: Time::ZERO,
        }
    }

    /// Whether this window, read from outside, can be used as one of this shape.
    pub(crate) fn fits(&self, shape: Shape) -> bool {
        self.shape == shape
            && self.oldest <= self.next
            && (self.calls.len(), self.buckets.len()) == lengths(shape)
    }

    /// What is in the window, as of the last [`roll`](Window::roll) or record.
    #[inline]
    pub fn totals(&self) -> &Tally {
        &self.totals
    }

    /// How many buckets hold something, or held something that is still in the window.
    pub fn buckets(&self) -> u64 {
        if self.buckets.is_empty() { 0 } else { self.next - self.oldest }
    }

    /// Forgets everything.
    pub fn clear(&mut self, now: Time) {
        self.totals = Tally::default();
        self.buckets.fill(Bucket::default());
        self.cleared = now;
        (self.oldest, self.next) = (0, 0);
        (self.leaves, self.full) = (Time::ZERO, Time::ZERO);
    }

    /// Forgets what has left the window by now. True if it was cleared as a whole because its
    /// interval had passed.
    #[inline]
    pub fn roll(&mut self, now: Time) -> bool {
        match self.shape {
            Shape::Unbounded | Shape::Calls(_) => false,
            Shape::Interval(length) => {
                let over = now > self.cleared + length;
                if over {
                    self.clear(now);
                }
                over
            }
            Shape::Buckets { count, each, align } => {
                if now >= self.leaves {
                    self.roll_buckets(now, count, each, align);
                }
                false
            }
        }
    }

    fn roll_buckets(&mut self, now: Time, count: u32, each: Duration, align: Align) {
        let start = match align {
            Align::Clock => Time::ZERO,
            Align::Cleared => self.cleared,
            Align::Call => return self.roll_calls(now, each.saturating_mul(count)),
        };
        let each = nanos(each).max(1);
        let next = nanos(now - start) / each + 1;
        let first = next.saturating_sub(u64::from(count));
        while self.oldest < self.next.min(first) {
            self.drop_oldest();
        }
        self.oldest = self.oldest.max(first);
        self.next = self.next.max(next);
        self.leaves = start + Duration::from_nanos(next.saturating_mul(each));
    }

    /// As `roll_buckets`, for buckets that begin with a call.
    fn roll_calls(&mut self, now: Time, length: Duration) {
        // Of an empty window nothing leaves, but the first bucket to come will.
        self.leaves = now;
        while self.oldest < self.next {
            let leaves = self.at(self.oldest).start + length;
            if now < leaves {
                self.leaves = leaves;
                break;
            }
            self.drop_oldest();
        }
    }

    /// A call begins: counts the request, and returns the bucket that it belongs to.
    #[inline]
    pub fn begin(&mut self, now: Time) -> u64 {
        self.totals.requests += 1;
        match self.shape {
            Shape::Buckets { .. } => {
                let bucket = self.current(now);
                self.at(bucket).tally.requests += 1;
                bucket
            }
            _ => 0,
        }
    }

    /// A call is over.
    #[inline]
    pub fn record(&mut self, now: Time, call: Call) {
        match self.shape {
            Shape::Calls(_) => self.push(call),
            Shape::Buckets { .. } => {
                let bucket = self.current(now);
                self.at(bucket).tally.add(call);
            }
            Shape::Unbounded | Shape::Interval(_) => {}
        }
        self.totals.add(call);
    }

    /// A call that began in this bucket is over: counted there, if that is still in the window.
    pub fn record_in(&mut self, now: Time, bucket: u64, call: Call) {
        if self.buckets.is_empty() {
            self.record(now, call);
        } else if self.reaches(bucket) {
            self.at(bucket).tally.add(call);
            self.totals.add(call);
        }
    }

    /// A call that began in this bucket is over and does not count.
    pub fn exclude(&mut self, bucket: u64) {
        if !self.buckets.is_empty() {
            if !self.reaches(bucket) {
                return;
            }
            self.at(bucket).tally.excluded += 1;
        }
        self.totals.excluded += 1;
    }

    fn reaches(&self, bucket: u64) -> bool {
        (self.oldest..self.next).contains(&bucket)
    }

    /// The bucket of now, begun if need be.
    fn current(&mut self, now: Time) -> u64 {
        self.roll(now);
        if let Shape::Buckets { each, align: Align::Call, .. } = self.shape
            && (self.next == self.oldest || now >= self.full)
        {
            self.at(self.next).start = now;
            self.next += 1;
            self.full = now + each;
        }
        self.next - 1
    }

    fn at(&mut self, bucket: u64) -> &mut Bucket {
        let index = bucket % self.buckets.len() as u64;
        &mut self.buckets[index as usize]
    }

    fn drop_oldest(&mut self) {
        let gone = std::mem::take(self.at(self.oldest));
        self.totals.remove(&gone.tally);
        self.oldest += 1;
    }

    /// Puts a call into the ring, over the oldest if it is full.
    fn push(&mut self, call: Call) {
        let size = self.calls.len() as u64;
        let slot = &mut self.calls[(self.next % size) as usize];
        let gone = std::mem::replace(slot, call.pack());
        if self.next >= size {
            self.totals.remove_call(gone);
        }
        self.next += 1;
    }
}

/// How many calls and how many buckets a window of this shape has room for.
fn lengths(shape: Shape) -> (usize, usize) {
    match shape {
        Shape::Unbounded | Shape::Interval(_) => (0, 0),
        Shape::Calls(calls) => (calls.max(1) as usize, 0),
        Shape::Buckets { count, .. } => (0, count.max(1) as usize),
    }
}

/// Whole nanoseconds, cut at the end of time.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
