//! tower's `TpsBudget`, which is Finagle's `RetryBudget`.

use std::time::Duration;

use crate::world::Time;

/// Into how many slots the time of a deposit is divided (tower and Finagle).
const SLOTS: usize = 10;

/// Deposits of the last so many seconds, less what was withdrawn, on top of a reserve.
#[derive(Clone, Debug)]
pub struct Deposits {
    deposit: i64,
    withdrawal: i64,
    reserve: i64,
    /// How long a slot takes, in nanoseconds.
    slot: u64,
    slots: [i64; SLOTS],
    /// The slot that the current one will become.
    index: usize,
    /// When the current slot began. As in tower it begins when it is first touched, not at a
    /// multiple of its length.
    began: Time,
    current: i64,
}

impl Deposits {
    /// Whole numbers as tower has them: one deposit pays for one retry in so many, or, if every
    /// request may be retried more than once, a thousand of it do.
    pub(super) fn tower(ttl: Duration, min_per_second: u32, retries_ppm: u32) -> Deposits {
        let scale = if retries_ppm <= 1_000_000 { 1 } else { 1_000 };
        Deposits::new(ttl, min_per_second, retries_ppm, scale)
    }

    pub(super) fn finagle(ttl: Duration, min_per_second: u32, retries_ppm: u32) -> Deposits {
        Deposits::new(ttl, min_per_second, retries_ppm, 1_000)
    }

    fn new(ttl: Duration, min_per_second: u32, retries_ppm: u32, scale: i64) -> Deposits {
        let (deposit, withdrawal) = match retries_ppm {
            0 => (0, 1),
            ppm => (scale, scale * 1_000_000 / i64::from(ppm)),
        };
        let seconds = i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX);
        let slot = u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX) / SLOTS as u64;
        Deposits {
            deposit,
            withdrawal,
            reserve: i64::from(min_per_second).saturating_mul(seconds).saturating_mul(withdrawal),
            slot: slot.max(1),
            slots: [0; SLOTS],
            index: 0,
            began: Time::ZERO,
            current: 0,
        }
    }

    /// How many retries could be made now.
    #[must_use]
    pub fn balance(&self) -> u64 {
        u64::try_from(self.sum() / self.withdrawal.max(1)).unwrap_or(0)
    }

    pub(super) fn deposit(&mut self, now: Time) {
        self.expire(now);
        self.current = self.current.saturating_add(self.deposit);
    }

    pub(super) fn withdraw(&mut self, now: Time) -> bool {
        self.expire(now);
        let enough = self.sum() >= self.withdrawal;
        if enough {
            self.current = self.current.saturating_sub(self.withdrawal);
        }
        enough
    }

    fn sum(&self) -> i64 {
        let sum = |sum: i64, slot: &i64| sum.saturating_add(*slot);
        self.slots.iter().fold(self.current, sum).saturating_add(self.reserve)
    }

    /// Ends the current slot if its time is over, and forgets those that were skipped.
    fn expire(&mut self, now: Time) {
        let elapsed = now.as_nanos().saturating_sub(self.began.as_nanos());
        if elapsed < self.slot {
            return;
        }
        self.slots[self.index] = std::mem::take(&mut self.current);
        // As in tower: the slots that went by unused are emptied, and the one that is next to be
        // written keeps what it has until then.
        self.index = (self.index + 1) % SLOTS;
        for _ in 0..((elapsed - 1) / self.slot).min(SLOTS as u64) {
            self.slots[self.index] = 0;
            self.index = (self.index + 1) % SLOTS;
        }
        self.began = now;
    }
}
