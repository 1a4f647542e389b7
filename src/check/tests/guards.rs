//! The checks on breakers, quotas, places and pauses: each is fed what a gateway once did.

use jiff::Timestamp;

use super::*;
use crate::stack::Alternatives;

/// A stack with these settings of its router, and these tables after that of its agent.
fn fed(router: &str, tables: &str) -> Fed {
    let text = STACK.replace("primary = \"opus\"", &format!("primary = \"opus\"\n{router}"));
    let sim = parse("sims/test.toml", &format!("{text}{tables}")).unwrap();
    Fed { watch: Watch::new(&sim).unwrap(), seq: 0 }
}

fn server_error(number: u32) -> Event {
    Event::AttemptFailed {
        request: request(number),
        model: "opus".into(),
        attempt: 1,
        cause: "server_error",
        class: "transient",
        status: Some(500),
        budget_ms: None,
        retry_after_ms: None,
    }
}

fn opened() -> Event {
    Event::BreakerChanged { component: "opus".into(), from: "closed", to: "open" }
}

fn refused(number: u32, code: &'static str, retry_after_ms: Option<u64>) -> Event {
    Event::RequestFailed {
        request: request(number),
        code,
        attempts: 0,
        fallback_attempts: 0,
        causes: Alternatives::default(),
        retry_after_ms,
    }
}

#[test]
fn a_breaker_that_opens_too_early_or_too_late_is_found() {
    const CHECK: &str = "breakers_open_when_they_should";
    let by_rate = "breaker = { window = { calls = 4 }, minimum_calls = 3, failure_rate = \"50%\" }";
    let by_count = "breaker = { dialect = \"engined\", consecutive_failures = 3 }";
    // It opens before the failure that opens it is told of.
    let history = |breaker: &str, failures: u32, opens: bool| {
        let mut fed = fed(breaker, "");
        for number in 1..failures {
            fed.emit(1, &server_error(number));
        }
        if opens {
            fed.emit(1, &opened());
        }
        fed.emit(1, &server_error(failures)).failure(CHECK)
    };
    for (breaker, earliest, latest) in [(by_rate, 3, 4), (by_count, 3, 3)] {
        assert_eq!(history(breaker, earliest, true), None, "{breaker}");
        assert!(history(breaker, earliest - 1, true).unwrap().contains("opened"), "{breaker}");
        assert!(history(breaker, latest, false).unwrap().contains("is closed"), "{breaker}");
        assert_eq!(history(breaker, latest - 1, false), None, "{breaker}");
    }
    // A router that crashed has a new one.
    let mut crashed = fed(by_count, "");
    crashed.emit(1, &server_error(1)).emit(1, &server_error(2));
    crashed.see(2, Happening::NodeCrashed { incarnation: 0 }).emit(3, &server_error(3));
    assert_eq!(crashed.failure(CHECK), None);
}

/// A request a day for `acme`, whose days are those of Berlin.
const QUOTA: &str = "workspace = \"acme\"\n[[workspace]]\nname = \"acme\"\n\
                     quota = { requests_per_day = 1, zone = \"Europe/Berlin\" }";

fn exceeded(number: u32, used: u64, reset_at: &str) -> Event {
    Event::QuotaExceeded {
        request: request(number),
        workspace: "acme".into(),
        what: "requests",
        limit: 1,
        used,
        remaining: 0,
        reset_at: Utc(reset_at.parse().unwrap()),
    }
}

fn begun(number: u32) -> Event {
    let workspace = "acme".into();
    Event::RequestStarted {
        request: request(number),
        agent: "rust".into(),
        task: "general",
        workspace,
    }
}

#[test]
fn a_refusal_without_the_right_time_is_found() {
    const CHECK: &str = "refusals_say_when_to_come_back";
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(sim("").start, start);
    // 23 hours from the start, of which ten seconds have gone.
    let left = 23 * 3_600_000 - 10_000;
    let history = |said| {
        let mut fed = fed("", QUOTA);
        fed.emit(0, &begun(1)).emit(10_000, &exceeded(1, 1, "2026-01-01T23:00:00Z"));
        fed.emit(10_000, &refused(1, "quota_exceeded", said)).failure(CHECK)
    };
    assert_eq!(history(Some(left)), None);
    assert_eq!(history(Some(left + 1_000)), None);
    assert!(history(Some(left + 1_001)).is_some());
    assert!(history(Some(60_000)).is_some(), "not the time of a whole window");
    assert!(history(None).unwrap().contains("not told until when"));
}

#[test]
fn a_day_that_ends_at_no_midnight_is_found() {
    let history = |reset_at| {
        fed("", QUOTA).emit(0, &exceeded(1, 1, reset_at)).failure("days_end_at_midnight")
    };
    assert_eq!(history("2026-01-01T23:00:00Z"), None);
    assert_eq!(history("2026-07-01T22:00:00Z"), None, "in summer");
    assert!(history("2026-01-02T00:00:00Z").unwrap().contains("no midnight of Europe/Berlin"));
}

#[test]
fn a_day_that_begins_when_the_date_does_not_change_is_found() {
    const CHECK: &str = "days_end_at_midnight";
    const HOUR: u64 = 3_600_000;
    let reset = Event::QuotaReset { workspace: "acme".into(), used: 1 };
    let history = |hours: &[u64], crashes: bool| {
        let mut fed = fed("", QUOTA);
        for hour in hours {
            fed.emit(hour * HOUR, &reset);
            if crashes {
                fed.see(hour * HOUR, Happening::NodeCrashed { incarnation: 0 });
            }
        }
        fed.failure(CHECK)
    };
    assert_eq!(history(&[23, 47, 71], false), None);
    // Told late, and of two days at once.
    assert_eq!(history(&[30, 60, 60], false), None);
    assert!(history(&[22], false).unwrap().contains("it is the day of 0.000s"));
    assert!(history(&[23, 24], false).unwrap().contains("it is the day of 82800.000s"));
    // Who has forgotten that it told tells again.
    assert_eq!(history(&[23, 24], true), None);
}

#[test]
fn a_quota_that_does_not_add_up_is_found() {
    const CHECK: &str = "quota_adds_up";
    let settled = |tokens, used| Event::QuotaSettled {
        request: request(1),
        workspace: "acme".into(),
        model: "opus".into(),
        provider: "generic",
        tokens,
        limit: 100,
        used,
        remaining: 0,
        reset_at: Utc("2026-01-01T23:00:00Z".parse().unwrap()),
    };
    assert_eq!(fed("", QUOTA).emit(1, &settled(30, 30)).failure(CHECK), None);
    assert!(fed("", QUOTA).emit(1, &settled(30, 60)).failure(CHECK).is_some());
    // A new day counts anew, and begins when the date changes: 23 hours after the start, in Berlin.
    let next =
        |at| fed("", QUOTA).emit(1, &settled(30, 30)).emit(at, &settled(30, 60)).failure(CHECK);
    assert_eq!(next(23 * 3_600_000 - 1), None);
    assert!(next(23 * 3_600_000).is_some());

    // Requests count if they were tried, or may yet be.
    let history = |tried: bool, waiting: bool| {
        let mut fed = fed("", QUOTA);
        if tried {
            fed.emit(0, &begun(1)).emit(1, &attempt(1, "opus", 1));
        }
        if waiting {
            fed.emit(1, &begun(2));
        }
        fed.emit(2, &begun(3)).emit(3, &exceeded(3, 1, "2026-01-01T23:00:00Z")).failure(CHECK)
    };
    assert_eq!(history(true, false), None);
    assert_eq!(history(false, true), None);
    assert!(history(false, false).unwrap().contains("1 requests"));
}

#[test]
fn pauses_that_are_all_alike_are_found() {
    const CHECK: &str = "retries_are_spread";
    let history = |router: &str, alike: u32, told: Option<u64>| {
        let mut fed = fed(router, "");
        fed.started(0, 1);
        for number in 0..30 {
            let delay = if number < alike { 500 } else { 500 + u64::from(number) };
            fed.emit(1, &failed(1, "opus", 1, told)).emit(1, &scheduled("opus", delay));
        }
        fed.failure(CHECK)
    };
    let varied = "retry = { attempts = 3, base = \"1s\" }";
    assert_eq!(history(varied, 3, None), None);
    assert!(history(varied, 25, None).unwrap().contains("exactly 500 ms"));
    // A provider may want all to come at one time, and a sim may say so.
    assert_eq!(history(varied, 25, Some(500)), None);
    let fixed = "retry = { attempts = 3, base = \"1s\", jitter = \"none\" }";
    assert_eq!(history(fixed, 25, None), None);
}
