//! Whether a component is healthy, from what its checks say, and when it is to be healed.
//!
//! What a check *returns* is taken at its word. A check that errors or times out says nothing about
//! the component itself: a few in a row degrade it, more make it unhealthy, and none of them heals
//! it. Nothing here checks or heals anything; it is told what came of that.
//!
//! Start at [`Health::observe`]; [`overall`] and [`score`] are about several components.

mod summary;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use summary::{Availability, Score, overall, score};

use crate::world::Time;

/// How a component is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It works.
    Healthy,
    /// It works, but worse than it should; or its last checks failed, and too few to be sure.
    Degraded,
    /// It does not work.
    Unhealthy,
    /// Nobody has checked yet.
    #[default]
    Unknown,
}

impl Status {
    /// In lower case, as in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Healthy => "healthy",
            Status::Degraded => "degraded",
            Status::Unhealthy => "unhealthy",
            Status::Unknown => "unknown",
        }
    }
}

/// What came of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It said how the component is.
    Returned(Status),
    /// It failed itself.
    Errored,
    /// It took longer than [`Settings::timeout`].
    TimedOut,
}

/// What came of healing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealResult {
    /// It says that it worked.
    Healed,
    /// It says that it did not work, or says nothing.
    Refused,
    /// It failed itself, or took too long.
    Errored,
}

/// What a report adds about healing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// The component was healed, and this is what the check after it said.
    AutoHealed,
    /// Healing did not work.
    HealingFailed,
    /// Healing, or the check after it, failed itself.
    HealingError,
}

impl Note {
    /// As the `engined` suite words it: the first two are put behind the message of the check, the
    /// third is an error.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Note::AutoHealed => " [auto-healed]",
            Note::HealingFailed => " [healing failed]",
            Note::HealingError => "Healing error",
        }
    }
}

/// How findings become a status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// So many checks in a row that error or time out make the component unhealthy; fewer degrade
    /// it. 0 counts as 1. Default 3, as in the router's checker; the `engined` suite has 1.
    pub unhealthy_after: u32,
    /// So many checks in a row that say better make an unhealthy component better. 0 counts as 1.
    /// Default 1, as in both.
    pub healthy_after: u32,
    /// Whether to heal. Default no.
    pub auto_heal: bool,
    /// From one check to the next. Default 30 s, as in both.
    pub interval: Duration,
    /// How long a check, or healing, may take. Default 5 s, as in the `engined` suite.
    pub timeout: Duration,
    /// How long nobody checks after errors have made the component unhealthy. Default zero; the
    /// router's checker has 60 s.
    pub rest: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            unhealthy_after: 3,
            healthy_after: 1,
            auto_heal: false,
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            rest: Duration::ZERO,
        }
    }
}

/// What follows from a finding, or from healing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// How the component is now.
    pub status: Status,
    /// From what to what the status has changed.
    pub changed: Option<(Status, Status)>,
    /// Heal it now, and tell [`Health::healed`].
    pub heal: bool,
    /// Check again now, and tell [`Health::observe`].
    pub check_again: bool,
    /// What to add to the report.
    pub note: Option<Note>,
}

/// What has been counted since the beginning or the last reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Checks.
    pub checks: u64,
    /// Checks that errored, timed out or said unhealthy.
    pub failures: u64,
    /// Times that healing was asked for.
    pub heals: u64,
    /// Times that healing said it worked.
    pub healed: u64,
    /// Changes of the status.
    pub changes: u64,
}

/// The health of one component.
#[derive(Clone, Debug)]
pub struct Health {
    settings: Settings,
    status: Status,
    counts: Counts,
    /// Checks in a row that errored or timed out.
    missed: u32,
    /// Checks in a row that said anything but unhealthy.
    good: u32,
    /// The next finding is that of the check after healing.
    rechecking: bool,
    last_check: Option<Time>,
    resting_until: Option<Time>,
}

impl Health {
    /// A component that nobody has checked.
    #[must_use]
    pub fn new(settings: Settings) -> Health {
        Health {
            settings,
            status: Status::Unknown,
            counts: Counts::default(),
            missed: 0,
            good: 0,
            rechecking: false,
            last_check: None,
            resting_until: None,
        }
    }

    /// Takes in what came of a check that ended now.
    pub fn observe(&mut self, now: Time, finding: Finding) -> Decision {
        let rechecked = std::mem::take(&mut self.rechecking);
        self.last_check = Some(now);
        self.counts.checks += 1;
        let (status, note) = match finding {
            Finding::Returned(status) => {
                self.missed = 0;
                self.resting_until = None;
                (self.returned(status), Note::AutoHealed)
            }
            Finding::Errored | Finding::TimedOut => (self.missed(now), Note::HealingError),
        };
        let heal = self.settings.auto_heal
            && !rechecked
            && finding == Finding::Returned(Status::Unhealthy);
        self.counts.heals += u64::from(heal);
        let changed = self.change(status);
        Decision { status, changed, heal, check_again: false, note: rechecked.then_some(note) }
    }

    /// An unhealthy component is believed to be better only after `healthy_after` such answers.
    fn returned(&mut self, status: Status) -> Status {
        if status == Status::Unhealthy {
            self.good = 0;
            self.counts.failures += 1;
            return status;
        }
        self.good = self.good.saturating_add(1);
        let doubted = self.status == Status::Unhealthy && self.good < self.settings.healthy_after;
        if doubted { Status::Unhealthy } else { status }
    }

    /// No answer never makes a component look better.
    fn missed(&mut self, now: Time) -> Status {
        self.good = 0;
        self.missed = self.missed.saturating_add(1);
        self.counts.failures += 1;
        if self.missed >= self.settings.unhealthy_after {
            self.resting_until = Some(now + self.settings.rest);
            return Status::Unhealthy;
        }
        if self.status == Status::Unhealthy { self.status } else { Status::Degraded }
    }

    fn change(&mut self, to: Status) -> Option<(Status, Status)> {
        let from = std::mem::replace(&mut self.status, to);
        let changed = (from != to).then_some((from, to));
        self.counts.changes += u64::from(changed.is_some());
        changed
    }

    /// Takes in what came of healing. The status waits for the check that follows, if one does.
    pub fn healed(&mut self, result: HealResult) -> Decision {
        let note = match result {
            HealResult::Healed => None,
            HealResult::Refused => Some(Note::HealingFailed),
            HealResult::Errored => Some(Note::HealingError),
        };
        self.rechecking = note.is_none();
        self.counts.healed += u64::from(self.rechecking);
        let check_again = self.rechecking;
        Decision { status: self.status, changed: None, heal: false, check_again, note }
    }

    /// How the component is.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// What has been counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Checks in a row that errored or timed out.
    #[must_use]
    pub fn missed_in_a_row(&self) -> u32 {
        self.missed
    }

    /// Until when nobody checks, because errors have made the component unhealthy. It stays set
    /// until a check returns: the circuit of the checker is open.
    #[must_use]
    pub fn resting_until(&self) -> Option<Time> {
        self.resting_until
    }

    /// Whether a check may be made at all: not while resting. The end of the rest is not part of it.
    #[must_use]
    pub fn may_check(&self, now: Time) -> bool {
        self.resting_until.is_none_or(|until| now >= until)
    }

    /// When the next periodic check is due; at once if there was none.
    #[must_use]
    pub fn next_check(&self) -> Time {
        let periodic = self.last_check.map_or(Time::ZERO, |last| last + self.settings.interval);
        periodic.max(self.resting_until.unwrap_or_default())
    }

    /// Forgets everything but the settings.
    pub fn reset(&mut self) {
        *self = Health::new(self.settings.clone());
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}
