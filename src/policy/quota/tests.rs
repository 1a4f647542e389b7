//! Tests of the quota: the limit, the levels, and the days of the world's zones.

use proptest::prelude::*;

use super::*;

fn t(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn noon() -> Timestamp {
    t("2026-03-01T12:00:00Z")
}

fn settings(tokens_per_day: u64) -> Settings {
    Settings { tokens_per_day, ..Settings::default() }
}

fn in_zone(zone: &str) -> Settings {
    Settings { zone: zone.parse().unwrap(), ..settings(100) }
}

fn quota(tokens_per_day: u64) -> Quota {
    Quota::new(settings(tokens_per_day), noon())
}

#[test]
fn what_is_used_and_reserved_never_passes_the_limit() {
    let mut quota = quota(100);
    let a = quota.reserve(noon(), 60).unwrap();
    assert_eq!((a.tokens(), a.day().to_string().as_str()), (60, "2026-03-01"));
    let refused = quota.reserve(noon(), 41).unwrap_err();
    let reset_at = t("2026-03-02T00:00:00Z");
    let tokens = Exhausted::Tokens;
    let exceeded = Exceeded { what: tokens, limit: 100, requested: 41, remaining: 40, reset_at };
    assert_eq!(refused, exceeded);
    assert_eq!(refused.to_string(), "the daily quota is exhausted: 40 of 100 left, 41 asked for");
    let b = quota.reserve(noon(), 40).unwrap();
    assert!(quota.reserve(noon(), 1).is_err());
    assert!(quota.reserve(noon(), 0).is_err(), "nothing is left, not even for nothing");
    assert_eq!(quota.settle(noon(), a, 50), Settled::default());
    assert_eq!(quota.status(noon()).remaining, 10);
    quota.release(b);
    let status = quota.status(noon());
    assert_eq!((status.used, status.reserved, status.remaining), (50, 0, 50));
    assert_eq!((status.limit, status.requests, status.reset_at), (100, 1, reset_at));
    assert!(quota.reserve(noon(), 50).is_ok());
}

#[test]
fn what_is_used_beyond_the_reservation_is_charged_and_told() {
    let mut quota = quota(100);
    let a = quota.reserve(noon(), 60).unwrap();
    let settled = quota.settle(noon(), a, 150);
    assert_eq!(settled, Settled { risen: Some(Level::Critical), excess: 90 });
    let status = quota.status(noon());
    assert_eq!((status.used, status.remaining, status.percentage_bp), (150, 0, 15_000));
    assert!(quota.reserve(noon(), 1).is_err());
}

#[test]
fn requests_have_a_limit_of_their_own() {
    let settings = Settings { requests_per_day: Some(2), ..settings(0) };
    let mut quota = Quota::new(settings, noon());
    let a = quota.reserve(noon(), 1).unwrap();
    let b = quota.reserve(noon(), 1).unwrap();
    let refused = quota.reserve(noon(), 1).unwrap_err();
    assert_eq!((refused.what, refused.limit, refused.requested), (Exhausted::Requests, 2, 1));
    assert_eq!(refused.remaining, 0);
    let _ = quota.settle(noon(), a, 1);
    assert!(quota.reserve(noon(), 1).is_err(), "a settled request has been made");
    quota.release(b);
    assert!(quota.reserve(noon(), 1).is_ok(), "a released one has not");
}

#[test]
fn no_limit_is_no_limit() {
    let mut quota = quota(0);
    let a = quota.reserve(noon(), u64::MAX).unwrap();
    let _ = quota.settle(noon(), a, u64::MAX);
    assert!(quota.reserve(noon(), u64::MAX).is_ok());
    let status = quota.status(noon());
    assert_eq!((status.remaining, status.percentage_bp, status.level), (0, 0, Level::Info));
    assert_eq!(status.message(), None);
}

#[test]
fn levels_begin_exactly_at_their_thresholds() {
    let mut quota = quota(100_000);
    let mut at = |used: u64| {
        quota.set_used(noon(), used);
        let status = quota.status(noon());
        (status.level, status.percentage_bp, status.message())
    };
    let message = |text: &str| Some(text.to_owned());
    assert_eq!(at(79_999), (Level::Info, 8_000, None));
    assert_eq!(at(80_000), (Level::Warning, 8_000, message("CCR quota warning: 80.0% used")));
    assert_eq!(at(94_999), (Level::Warning, 9_500, message("CCR quota warning: 95.0% used")));
    assert_eq!(at(95_000), (Level::Critical, 9_500, message("CCR quota critical: 95.0% used")));
    assert_eq!(at(123_456).2, message("CCR quota critical: 123.5% used"));
    let names = [Level::Info, Level::Warning, Level::Critical].map(|level| level.to_string());
    assert_eq!(names, ["info", "warning", "critical"]);
}

#[test]
fn ratios_are_rounded_half_to_even() {
    assert_eq!(ratio(1, 8, 100), 12);
    assert_eq!(ratio(3, 8, 100), 38);
    assert_eq!(ratio(1, 3, 100), 33);
    assert_eq!(ratio(2, 3, 100), 67);
    assert_eq!(ratio(1, 0, 100), 0);
    assert_eq!(ratio(u64::MAX, 1, 10_000), u64::MAX);
}

#[test]
fn a_level_is_told_when_it_rises() {
    let mut quota = quota(100);
    let mut use_up = |tokens: u64, used: u64| {
        let reservation = quota.reserve(noon(), tokens).unwrap();
        quota.settle(noon(), reservation, used).risen
    };
    assert_eq!(use_up(79, 79), None);
    assert_eq!(use_up(1, 1), Some(Level::Warning));
    assert_eq!(use_up(14, 14), None);
    assert_eq!(use_up(6, 1), Some(Level::Critical));
    assert_eq!(use_up(5, 5), None);
    assert_eq!(quota.charge(noon(), 1), None);
    quota.set_used(noon(), 0);
    assert_eq!(quota.charge(noon(), 80), Some(Level::Warning));
    let status = quota.status(noon());
    assert_eq!((status.used, status.requests), (80, 7));
}

#[test]
fn a_day_ends_once_and_keeps_what_it_admitted() {
    let mut quota = quota(100);
    let late = t("2026-03-01T23:59:59.999999999Z");
    let midnight = t("2026-03-02T00:00:00Z");
    let a = quota.reserve(late, 100).unwrap();
    assert_eq!(quota.take_reset(late), None);
    assert!(quota.reserve(late, 1).is_err());
    let b = quota.reserve(midnight, 100).unwrap();
    let yesterday = Usage { day: a.day(), used: 0, reserved: 100, requests: 1 };
    assert_eq!(quota.take_reset(midnight), Some(yesterday));
    assert_eq!(quota.take_reset(midnight), None);
    let today = b.day();
    assert_eq!(quota.usage(yesterday.day), Some(yesterday), "a request of it is in flight");
    assert_eq!(quota.settle(midnight, a, 90), Settled::default());
    assert_eq!(quota.usage(yesterday.day), None);
    let status = quota.status(midnight);
    assert_eq!((status.used, status.reserved), (0, 100));
    assert_eq!(quota.settle(midnight, b, 95).risen, Some(Level::Critical));
    assert_eq!(quota.usage(today).unwrap().used, 95);
}

#[test]
fn what_is_released_after_midnight_is_of_its_day() {
    let mut quota = quota(100);
    let a = quota.reserve(noon(), 30).unwrap();
    let b = quota.reserve(noon(), 20).unwrap();
    let tomorrow = t("2026-03-02T12:00:00Z");
    let day = a.day();
    assert_eq!(quota.status(tomorrow).requests, 0);
    quota.release(a);
    let _ = quota.settle(tomorrow, b, 15);
    let ended = Usage { day, used: 15, reserved: 0, requests: 1 };
    assert_eq!(quota.usage(day), Some(ended), "until it is told");
    assert_eq!(quota.take_reset(tomorrow), Some(ended));
    assert_eq!(quota.usage(day), None);
}

#[test]
fn a_clock_that_goes_back_resets_nothing_twice() {
    let mut quota = quota(100);
    quota.set_used(noon(), 70);
    assert_eq!(quota.status(t("2026-03-02T00:00:01Z")).used, 0);
    quota.set_used(t("2026-03-02T00:00:01Z"), 5);
    assert_eq!(quota.status(t("2026-03-01T23:00:00Z")).used, 5);
    assert_eq!(quota.status(t("2026-03-02T00:00:00Z")).used, 5);
    assert_eq!(quota.take_reset(noon()).unwrap().used, 70);
    assert_eq!(quota.take_reset(t("2026-03-02T23:59:59Z")), None);
    assert_eq!(quota.take_reset(t("2026-03-03T00:00:00Z")).unwrap().used, 5);
}

#[test]
fn days_that_nobody_saw_are_one_reset() {
    let mut quota = quota(100);
    let later = t("2026-03-05T01:00:00Z");
    assert_eq!(quota.take_reset(later).unwrap().day.to_string(), "2026-03-01");
    assert_eq!(quota.take_reset(later), None);
    assert_eq!(quota.status(later).reset_at, t("2026-03-06T00:00:00Z"));
}

#[test]
fn what_was_in_flight_at_a_crash_stays_charged() {
    let mut quota = quota(100);
    let a = quota.reserve(noon(), 30).unwrap();
    let _ = quota.settle(noon(), a, 10);
    let _lost = quota.reserve(noon(), 50).unwrap();
    let saved = quota.save();
    assert_eq!(saved, Saved { day: "2026-03-01".to_owned(), used: 60, requests: 2 });
    let json = serde_json::to_string(&saved).unwrap();
    let saved: Saved = serde_json::from_str(&json).unwrap();
    let mut restored = Quota::restore(settings(100), &saved, noon()).unwrap();
    let status = restored.status(noon());
    assert_eq!((status.used, status.reserved, status.requests), (60, 0, 2));
    assert_eq!(restored.settings().tokens_per_day, 100);
    assert_eq!(restored.take_reset(noon()), None);
    // Down over midnight: the day is told once, and the new one is empty.
    let tomorrow = t("2026-03-02T00:00:00Z");
    let mut restored = Quota::restore(settings(100), &saved, tomorrow).unwrap();
    assert_eq!(restored.status(tomorrow).used, 0);
    assert_eq!(restored.take_reset(tomorrow).unwrap().used, 60);
    assert_eq!(restored.take_reset(tomorrow), None);
    let broken = Saved { day: "2026-02-30".to_owned(), ..saved };
    let error = Quota::restore(settings(100), &broken, noon()).unwrap_err();
    assert_eq!(error.to_string(), "a quota was saved for \"2026-02-30\", which is no day");
}

/// When the day of this instant ends in a zone, and when the next one does.
fn ends(zone: &str, from: &str) -> (String, String) {
    let mut quota = Quota::new(in_zone(zone), t(from));
    let first = quota.status(t(from)).reset_at;
    let second = quota.status(first).reset_at;
    (first.to_string(), second.to_string())
}

#[test]
fn days_are_those_of_the_zone() {
    for (zone, from, first, second) in [
        ("UTC", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"),
        ("Asia/Tokyo", "2026-03-01T15:00:00Z", "2026-03-02T15:00:00Z", "2026-03-03T15:00:00Z"),
        ("+09:00", "2026-03-01T14:59:59Z", "2026-03-01T15:00:00Z", "2026-03-02T15:00:00Z"),
        ("-03:30", "2026-03-01T00:00:00Z", "2026-03-01T03:30:00Z", "2026-03-02T03:30:00Z"),
        // 23 hours, 25 hours.
        ("Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "2026-03-30T22:00:00Z"),
        (
            "America/New_York",
            "2026-11-01T04:00:00Z",
            "2026-11-02T05:00:00Z",
            "2026-11-03T05:00:00Z",
        ),
        // No midnight: the clock goes from 00:00 to 01:00.
        ("Africa/Cairo", "2026-04-23T12:00:00Z", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"),
        // Nor here: from 23:30 to 00:30, so the day begins at half past.
        ("America/Toronto", "1919-03-30T12:00:00Z", "1919-03-31T04:30:00Z", "1919-04-01T04:00:00Z"),
        // A day that never was.
        ("Pacific/Apia", "2011-12-29T12:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"),
        // The clock goes back at midnight, which comes once, after 25 hours.
        ("America/Havana", "2026-10-31T05:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"),
        // The clock goes back a minute after midnight, which comes twice: the first one counts.
        (
            "America/St_Johns",
            "2010-11-06T12:00:00Z",
            "2010-11-07T02:30:00Z",
            "2010-11-08T03:30:00Z",
        ),
        // Begun in the hour before the second midnight.
        (
            "America/St_Johns",
            "2010-11-07T03:00:00Z",
            "2010-11-08T03:30:00Z",
            "2010-11-09T03:30:00Z",
        ),
    ] {
        assert_eq!(ends(zone, from), (first.to_owned(), second.to_owned()), "{zone} {from}");
    }
}

#[test]
fn zones_are_read_and_told() {
    for (text, told) in [
        ("UTC", "UTC"),
        ("Asia/Tokyo", "Asia/Tokyo"),
        ("+09:00", "+09"),
        ("-0330", "-03:30"),
        ("+9", "+09"),
    ] {
        assert_eq!(text.parse::<Zone>().unwrap().to_string(), told, "{text}");
    }
    assert_eq!(Zone::default().to_string(), "UTC");
    assert_eq!(Zone::UTC, Zone::default());
    let unknown = "Asia/Tokio".parse::<Zone>().unwrap_err();
    assert_eq!(unknown.suggestion.as_deref(), Some("Asia/Tokyo"));
    assert_eq!(
        unknown.to_string(),
        "there is no time zone \"Asia/Tokio\": did you mean \"Asia/Tokyo\"?"
    );
    let unknown = "nowhere at all".parse::<Zone>().unwrap_err();
    assert_eq!(unknown.to_string(), "there is no time zone \"nowhere at all\"");
    for wrong in ["", "+", "+26:00", "+09:60", "+9:-1", "+ab", "+09:00:00", "+-9", "09:00"] {
        assert!(wrong.parse::<Zone>().is_err(), "{wrong}");
    }
    for right in ["+25:59", "-25:00", "+09:59", "+00:00"] {
        assert!(right.parse::<Zone>().is_ok(), "{right}");
    }
}

#[test]
fn the_last_day_never_ends() {
    let mut quota = Quota::new(settings(100), Timestamp::MAX);
    assert_eq!(quota.status(Timestamp::MIN).reset_at, Timestamp::MAX);
}

proptest! {
    #[test]
    fn no_interleaving_passes_the_quota(
        steps in prop::collection::vec((0_i64..9_000, 0_u8..4, 0_u64..60, 0_u64..60), 1..120),
    ) {
        let mut quota = quota(100);
        let (mut now, mut open) = (noon(), Vec::new());
        let mut resets = 0;
        for (gap, what, n, less) in steps {
            now += jiff::SignedDuration::from_secs(gap);
            match what {
                0 | 1 => if let Ok(reservation) = quota.reserve(now, n) {
                    open.push(reservation);
                },
                2 if !open.is_empty() => {
                    let reservation = open.remove(0);
                    let used = reservation.tokens().saturating_sub(less);
                    prop_assert_eq!(quota.settle(now, reservation, used).excess, 0);
                }
                3 if !open.is_empty() => quota.release(open.remove(0)),
                _ => {}
            }
            let status = quota.status(now);
            prop_assert!(status.used + status.reserved <= 100);
            prop_assert_eq!(status.remaining, 100 - status.used - status.reserved);
            let today = jiff::tz::TimeZone::UTC.to_datetime(now).date();
            let set_aside: u64 = open.iter().filter(|it| it.day() == today).map(Reservation::tokens).sum();
            prop_assert_eq!(status.reserved, set_aside);
            while let Some(ended) = quota.take_reset(now) {
                resets += 1;
                prop_assert!(ended.used + ended.reserved <= 100);
            }
        }
        let days = now.duration_since(t("2026-03-01T00:00:00Z")).as_hours() / 24;
        prop_assert!(resets <= days);
    }
}
