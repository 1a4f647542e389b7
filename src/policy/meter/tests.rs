//! Tests of the meters: all or nothing, and what the headers say.

use proptest::prelude::*;

use super::*;

fn at(seconds: u64) -> Time {
    Time::from_nanos(seconds * 1_000_000_000)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn meters() -> Meters {
    Meters::new(Settings {
        requests_per_minute: Some(2),
        input_tokens_per_minute: Some(600),
        output_tokens_per_minute: Some(60),
        tokens_per_minute: None,
    })
}

fn remaining(meters: &Meters, now: Time) -> [Option<u64>; 4] {
    Meter::ALL.map(|meter| meters.reading(now, meter).map(|reading| reading.remaining))
}

#[test]
fn meters_have_the_names_of_the_headers() {
    let names = Meter::ALL.map(|meter| meter.to_string());
    assert_eq!(names, ["requests", "input-tokens", "output-tokens", "tokens"]);
    let exceeded = Exceeded { meter: Meter::InputTokens, retry_after: None };
    assert_eq!(exceeded.to_string(), "the limit of input-tokens per minute is reached");
}

#[test]
fn a_refused_request_takes_from_no_meter() {
    let mut meters = meters();
    let reservation = meters.reserve(at(0), 100, 60).unwrap();
    assert_eq!((reservation.input(), reservation.output()), (100, 60));
    assert_eq!(remaining(&meters, at(0)), [Some(1), Some(500), Some(0), None]);
    let refused = meters.reserve(at(0), 100, 1);
    let retry_after = Some(secs(1));
    assert_eq!(refused, Err(Exceeded { meter: Meter::OutputTokens, retry_after }));
    assert_eq!(remaining(&meters, at(0)), [Some(1), Some(500), Some(0), None]);
    assert!(meters.reserve(at(1), 100, 1).is_ok());
}

#[test]
fn the_meter_that_stays_in_the_way_longest_is_told() {
    let mut meters = meters();
    let _first = meters.reserve(at(0), 600, 60).unwrap();
    let refused = |meters: &mut Meters, input, output| {
        let refused = meters.reserve(at(0), input, output).unwrap_err();
        (refused.meter, refused.retry_after)
    };
    assert_eq!(refused(&mut meters, 10, 5), (Meter::OutputTokens, Some(secs(5))));
    assert_eq!(refused(&mut meters, 100, 5), (Meter::InputTokens, Some(secs(10))));
    assert_eq!(refused(&mut meters, 601, 5), (Meter::InputTokens, None));
    assert_eq!(refused(&mut meters, 600, 60), (Meter::InputTokens, Some(secs(60))), "the first");
}

#[test]
fn settling_gives_back_what_was_reserved_too_much() {
    let mut meters = meters();
    let reservation = meters.reserve(at(0), 100, 60).unwrap();
    meters.settle(at(0), reservation, 100, 10);
    assert_eq!(remaining(&meters, at(0)), [Some(1), Some(500), Some(50), None]);
    let reservation = meters.reserve(at(0), 100, 10).unwrap();
    meters.settle(at(0), reservation, 300, 100);
    assert_eq!(remaining(&meters, at(0)), [Some(0), Some(200), Some(0), None]);
    // 60 of the 110 were free: the other 50 take 50 s to come back.
    assert_eq!(meters.reading(at(0), Meter::OutputTokens).unwrap().next_in, Some(secs(51)));
}

#[test]
fn a_released_request_was_never_there() {
    let mut meters = meters();
    let reservation = meters.reserve(at(0), 100, 60).unwrap();
    meters.release(at(0), reservation);
    assert_eq!(remaining(&meters, at(0)), [Some(2), Some(600), Some(60), None]);
}

#[test]
fn a_combined_meter_counts_both() {
    let settings = Settings { tokens_per_minute: Some(100), ..Settings::default() };
    let mut meters = Meters::new(settings);
    let reservation = meters.reserve(at(0), 60, 40).unwrap();
    let exceeded = Exceeded { meter: Meter::Tokens, retry_after: Some(Duration::from_millis(600)) };
    assert_eq!(meters.reserve(at(0), 1, 0), Err(exceeded));
    meters.settle(at(0), reservation, 50, 20);
    assert_eq!(remaining(&meters, at(0)), [None, None, None, Some(30)]);
}

#[test]
fn a_reading_tells_when_it_is_full_and_when_there_is_one() {
    let mut meters = meters();
    let full = Reading { limit: 2, remaining: 2, full_in: secs(0), next_in: Some(secs(0)) };
    assert_eq!(meters.reading(at(0), Meter::Requests), Some(full));
    let _one = meters.reserve(at(0), 0, 0).unwrap();
    let _two = meters.reserve(at(0), 0, 0).unwrap();
    let empty = Reading { limit: 2, remaining: 0, full_in: secs(60), next_in: Some(secs(30)) };
    assert_eq!(meters.reading(at(0), Meter::Requests), Some(empty));
    assert_eq!(meters.reading(at(0), Meter::Tokens), None);
    let none = Meters::new(Settings { tokens_per_minute: Some(0), ..Settings::default() });
    assert_eq!(none.reading(at(0), Meter::Tokens).unwrap().next_in, None);
}

proptest! {
    /// However requests come and go, what is admitted and used stays within the limit.
    #[test]
    fn no_interleaving_passes_a_limit(
        steps in prop::collection::vec((0_u64..4, 0_u8..4, 0_u64..80, 0_u64..80), 1..100),
    ) {
        let limit = 120;
        let settings = Settings { output_tokens_per_minute: Some(limit), ..Settings::default() };
        let mut meters = Meters::new(settings);
        let (mut now, mut open, mut net) = (0, Vec::new(), 0_i64);
        for (gap, what, n, less) in steps {
            now += gap;
            match what {
                0 | 1 => if let Ok(reservation) = meters.reserve(at(now), 0, n) {
                    net += n as i64;
                    open.push(reservation);
                },
                2 if !open.is_empty() => {
                    let reservation = open.remove(0);
                    let used = reservation.output().saturating_sub(less);
                    net -= (reservation.output() - used) as i64;
                    meters.settle(at(now), reservation, 0, used);
                }
                3 if !open.is_empty() => {
                    let reservation = open.remove(0);
                    net -= reservation.output() as i64;
                    meters.release(at(now), reservation);
                }
                _ => {}
            }
            // A minute refills 120 tokens: 2 a second.
            prop_assert!(net <= (limit + 2 * now) as i64);
            let left = meters.reading(at(now), Meter::OutputTokens).unwrap().remaining;
            prop_assert!(left <= limit);
        }
    }
}
