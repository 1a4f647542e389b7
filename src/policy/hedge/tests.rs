//! Copies and latencies.

use super::*;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn at(millis: u64) -> Time {
    Time::ZERO + ms(millis)
}

fn hedge(delay: Option<u64>, extra: u32) -> Hedge {
    Hedge::new(Settings { delay: delay.map(ms), extra }, at(0))
}

#[test]
fn copies_are_sent_one_delay_apart() {
    let mut it = hedge(Some(100), 2);
    assert_eq!((it.next(), it.left()), (Some(at(100)), 2));
    assert!(!it.send(at(99)));
    assert!(it.send(at(100)));
    assert_eq!((it.next(), it.left()), (Some(at(200)), 1));
    assert!(!it.send(at(199)));
    assert!(it.send(at(201)));
    assert_eq!((it.next(), it.left()), (None, 0));
    assert!(!it.send(at(9_999)));
}

#[test]
fn without_a_pause_all_are_sent_at_once() {
    let mut it = hedge(Some(0), 3);
    assert_eq!([(); 4].map(|()| it.send(at(0))), [true, true, true, false]);
    assert_eq!(hedge(Some(0), 0).next(), None);
    assert_eq!(hedge(Some(0), 11).left(), 10);
    assert_eq!(hedge(Some(0), 10).left(), 10);
}

#[test]
fn without_a_delay_only_a_failure_sends_one() {
    let mut it = hedge(None, 1);
    assert!(!it.send(Time::MAX));
    it.on_failure(at(5));
    assert!(it.send(at(5)));
    it.on_failure(at(6));
    assert_eq!(it.next(), None);
}

#[test]
fn a_failure_sends_the_next_at_once() {
    let mut it = hedge(Some(100), 2);
    it.on_failure(at(30));
    assert_eq!(it.next(), Some(at(30)));
    assert!(it.send(at(30)));
    assert_eq!(it.next(), Some(at(130)));
}

#[test]
fn pushback_moves_the_next_and_an_answer_ends_it() {
    let mut it = hedge(Some(100), 1);
    it.on_pushback(at(10), ms(500));
    assert_eq!(it.next(), Some(at(510)));
    it.stop();
    assert_eq!((it.next(), it.left()), (None, 0));
    it.on_pushback(at(10), ms(500));
    assert_eq!(it.next(), None);
}

#[test]
fn libraries_hedge_as_they_do() {
    assert_eq!(Hedge::new(Settings::POLLY, at(0)).next(), Some(at(2_000)));
    assert_eq!(Hedge::new(Settings::POLLY, at(0)).left(), 1);
    let extra = |attempts| Settings::grpc(attempts, None).extra;
    assert_eq!([0, 1, 2, 5, 6].map(extra), [0, 0, 1, 4, 4]);
    assert_eq!(Settings::grpc(3, None).delay, Some(ms(0)));
    assert_eq!(Settings::grpc(3, Some(ms(7))).delay, Some(ms(7)));
}

#[test]
fn tower_waits_as_long_as_most_answers_take() {
    let mut latencies = Latencies::new(ms(60_000), at(0));
    for latency in [1, 1, 1, 1, 1, 1, 1, 1, 10, 10] {
        latencies.record(at(0), ms(latency));
    }
    let mut settings = |now, ppm, least| Settings::tower(&mut latencies, at(now), ppm, least);
    let none = Settings { delay: None, extra: 0 };
    assert_eq!(settings(59_999, 900_000, 10), none, "the current period is not read");
    let after = |millis| Settings { delay: Some(ms(millis)), extra: 1 };
    assert_eq!(settings(60_000, 900_000, 10), after(10));
    assert_eq!(settings(60_000, 900_000, 11), none);
    assert_eq!(settings(60_000, 800_000, 10), after(1));
    assert_eq!(settings(60_000, 800_001, 10), after(10));
    assert_eq!(settings(60_000, 0, 10), after(1));
    assert_eq!(settings(60_000, 2_000_000, 0), after(10));
    assert_eq!(settings(119_999, 900_000, 10), after(10));
    assert_eq!(settings(120_000, 900_000, 0), none);
}

#[test]
fn latencies_are_forgotten_by_periods() {
    let filled = || {
        let mut latencies = Latencies::new(ms(1_000), at(500));
        latencies.record(at(500), ms(42));
        latencies
    };
    let read = |now| filled().quantile(at(now), 500_000, 1);
    assert_eq!(read(1_499), None);
    assert_eq!([read(1_500), read(2_499)], [Some(ms(42)); 2]);
    assert_eq!([read(2_500), read(2_501)], [None; 2]);
    let mut later = filled();
    later.record(at(1_600), ms(7));
    assert_eq!(later.quantile(at(1_600), 1_000_000, 1), Some(ms(42)));
    assert_eq!(later.quantile(at(2_500), 1_000_000, 1), Some(ms(7)), "periods keep their pace");
    assert_eq!(later.quantile(at(2_600), 1_000_000, 2), None);
}
