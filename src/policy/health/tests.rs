//! Boundaries from both sides, and every word.

use super::*;
use crate::policy::breaker::State;

const ANSWERS: [Status; 4] =
    [Status::Healthy, Status::Degraded, Status::Unhealthy, Status::Unknown];

fn at(seconds: u64) -> Time {
    Time::ZERO + Duration::from_secs(seconds)
}

fn statuses(health: &mut Health, findings: &[Finding]) -> Vec<Status> {
    findings.iter().map(|finding| health.observe(at(0), *finding).status).collect()
}

fn healing() -> Health {
    Health::new(Settings { auto_heal: true, unhealthy_after: 1, ..Settings::default() })
}

use Finding::{Errored, Returned, TimedOut};
use Status::{Degraded, Healthy, Unhealthy, Unknown};

#[test]
fn defaults_are_those_of_the_documents() {
    let settings = Settings::default();
    assert_eq!((settings.unhealthy_after, settings.healthy_after), (3, 1));
    assert!(!settings.auto_heal);
    assert_eq!(settings.interval, Duration::from_secs(30));
    assert_eq!(settings.timeout, Duration::from_secs(5));
    assert_eq!(settings.rest, Duration::ZERO);
    let health = Health::new(settings.clone());
    assert_eq!(health.status(), Unknown);
    assert_eq!(health.counts(), Counts::default());
    assert_eq!(health.settings(), &settings);
    assert!(healing().settings().auto_heal);
}

#[test]
fn the_third_check_without_an_answer_makes_unhealthy_and_one_answer_heals() {
    let mut health = Health::new(Settings::default());
    let seen = statuses(&mut health, &[Errored, TimedOut, Errored, Errored, Returned(Healthy)]);
    assert_eq!(seen, [Degraded, Degraded, Unhealthy, Unhealthy, Healthy]);
    let seen = statuses(&mut health, &[TimedOut, Errored, Returned(Healthy), Errored, Errored]);
    assert_eq!(seen, [Degraded, Degraded, Healthy, Degraded, Degraded], "the count starts again");
    assert_eq!(health.missed_in_a_row(), 2);
}

#[test]
fn an_answer_is_taken_at_its_word() {
    for answer in ANSWERS {
        assert_eq!(statuses(&mut Health::new(Settings::default()), &[Returned(answer)]), [answer]);
    }
}

#[test]
fn an_unhealthy_component_must_prove_itself() {
    let mut health = Health::new(Settings { healthy_after: 3, ..Settings::default() });
    let (well, ill) = (Returned(Healthy), Returned(Unhealthy));
    let seen = statuses(&mut health, &[ill, well, well, ill, well, Returned(Degraded), well]);
    let expected = [Unhealthy, Unhealthy, Unhealthy, Unhealthy, Unhealthy, Unhealthy, Healthy];
    assert_eq!(seen, expected);
    let seen = statuses(&mut health, &[ill, well, well, Errored, well, well, well]);
    assert_eq!(seen[2..], [Unhealthy, Unhealthy, Unhealthy, Unhealthy, Healthy]);
    assert_eq!(statuses(&mut health, &[Errored, well]), [Degraded, Healthy], "only the unhealthy");
}

#[test]
fn no_answer_never_looks_better_than_unhealthy() {
    let mut health = Health::new(Settings::default());
    let seen = statuses(&mut health, &[Returned(Unhealthy), Errored, TimedOut]);
    assert_eq!(seen, [Unhealthy; 3]);
    assert_eq!(health.resting_until(), None);
}

#[test]
fn thresholds_of_zero_count_as_one() {
    let settings = Settings { unhealthy_after: 0, healthy_after: 0, ..Settings::default() };
    let seen = statuses(&mut Health::new(settings), &[TimedOut, Returned(Healthy)]);
    assert_eq!(seen, [Unhealthy, Healthy]);
}

#[test]
fn only_a_returned_unhealthy_is_healed() {
    for answer in ANSWERS {
        let heal = healing().observe(at(0), Returned(answer)).heal;
        assert_eq!(heal, answer == Unhealthy, "{answer:?}");
        assert!(!Health::new(Settings::default()).observe(at(0), Returned(answer)).heal);
    }
    for finding in [Errored, TimedOut] {
        let decision = healing().observe(at(0), finding);
        assert_eq!((decision.status, decision.heal, decision.note), (Unhealthy, false, None));
    }
}

#[test]
fn healing_is_followed_by_one_check_that_is_not_healed_again() {
    let mut health = healing();
    assert!(health.observe(at(0), Returned(Unhealthy)).heal);
    let decision = health.healed(HealResult::Healed);
    assert!(decision.check_again && !decision.heal);
    assert_eq!((decision.status, decision.changed, decision.note), (Unhealthy, None, None));
    let decision = health.observe(at(0), Returned(Unhealthy));
    assert_eq!((decision.heal, decision.note), (false, Some(Note::AutoHealed)));
    let decision = health.observe(at(1), Returned(Unhealthy));
    assert_eq!((decision.heal, decision.note), (true, None), "the next round heals again");
    assert_eq!((health.counts().heals, health.counts().healed), (2, 1));
}

#[test]
fn the_check_after_healing_may_find_it_well_or_fail() {
    let mut health = healing();
    health.observe(at(0), Returned(Unhealthy));
    health.healed(HealResult::Healed);
    let decision = health.observe(at(0), Returned(Healthy));
    assert_eq!(decision.changed, Some((Unhealthy, Healthy)));
    assert_eq!((decision.note, decision.check_again), (Some(Note::AutoHealed), false));
    for finding in [Errored, TimedOut] {
        health.observe(at(0), Returned(Unhealthy));
        health.healed(HealResult::Healed);
        let decision = health.observe(at(0), finding);
        assert_eq!((decision.status, decision.note), (Unhealthy, Some(Note::HealingError)));
    }
}

#[test]
fn failed_healing_is_noted_and_nothing_is_checked_again() {
    for (result, note) in
        [(HealResult::Refused, Note::HealingFailed), (HealResult::Errored, Note::HealingError)]
    {
        let mut health = healing();
        health.observe(at(0), Returned(Unhealthy));
        let decision = health.healed(result);
        assert_eq!((decision.note, decision.check_again), (Some(note), false));
        assert_eq!(health.observe(at(1), Returned(Healthy)).note, None);
        assert_eq!(health.counts().healed, 0);
    }
}

#[test]
fn changes_and_counts_are_told() {
    let mut health = Health::new(Settings::default());
    let changed = |decision: Decision| decision.changed;
    assert_eq!(changed(health.observe(at(0), Returned(Healthy))), Some((Unknown, Healthy)));
    assert_eq!(changed(health.observe(at(0), Returned(Healthy))), None);
    assert_eq!(changed(health.observe(at(0), Errored)), Some((Healthy, Degraded)));
    assert_eq!(changed(health.observe(at(0), Returned(Unhealthy))), Some((Degraded, Unhealthy)));
    let counts = health.counts();
    assert_eq!((counts.checks, counts.failures, counts.changes), (4, 2, 3));
    assert_eq!((counts.heals, counts.healed), (0, 0));
    assert_eq!(health.status(), Unhealthy);
    health.reset();
    assert_eq!((health.status(), health.counts()), (Unknown, Counts::default()));
    assert_eq!(health.next_check(), Time::ZERO);
}

#[test]
fn checks_are_due_after_the_interval_and_after_the_rest() {
    let rest = Duration::from_secs(60);
    let mut health = Health::new(Settings { rest, ..Settings::default() });
    assert_eq!(health.next_check(), Time::ZERO);
    for second in [10, 11] {
        health.observe(at(second), Errored);
        assert_eq!(health.next_check(), at(second + 30));
        assert!(health.may_check(at(second)) && health.resting_until().is_none());
    }
    health.observe(at(12), TimedOut);
    assert_eq!(health.resting_until(), Some(at(72)));
    assert_eq!(health.next_check(), at(72));
    assert!(!health.may_check(Time::from_nanos(at(72).as_nanos() - 1)));
    assert!(health.may_check(at(72)) && health.may_check(at(73)));
    health.observe(at(72), Errored);
    assert_eq!(health.resting_until(), Some(at(132)), "another failure, another rest");
    health.observe(at(132), Returned(Degraded));
    assert_eq!((health.resting_until(), health.missed_in_a_row()), (None, 0));
    assert_eq!(health.next_check(), at(162));
}

#[test]
fn the_worst_component_decides() {
    let all = |statuses: &[Status]| overall(statuses.iter().copied());
    assert_eq!(all(&[]), Unknown);
    for one in ANSWERS {
        assert_eq!(all(&[one]), one);
        assert_eq!(all(&[one, Unhealthy, Degraded]), Unhealthy);
        assert_eq!(all(&[Unhealthy, one]), Unhealthy);
    }
    assert_eq!(all(&[Healthy, Degraded, Unknown]), Degraded);
    assert_eq!(all(&[Unknown, Degraded]), Degraded);
    assert_eq!(all(&[Healthy, Unknown]), Unknown);
    assert_eq!(all(&[Unknown, Healthy]), Unknown);
    assert_eq!(all(&[Healthy, Healthy]), Healthy);
}

#[test]
fn scores_are_means() {
    let all = |statuses: &[Status]| score(statuses.iter().copied());
    assert_eq!(all(&[]), Score { points: 100, components: 1 });
    assert_eq!(all(&ANSWERS), Score { points: 210, components: 4 });
    assert_eq!(all(&[Unhealthy]), Score { points: 0, components: 1 });
    assert_eq!(all(&[Healthy, Unhealthy, Degraded]).thousandths(), 53_333);
    assert_eq!(all(&[Healthy, Unknown]).thousandths(), 75_000);
    assert_eq!(Score { points: 1, components: 0 }.thousandths(), 1_000);
}

#[test]
fn circuits_and_load_have_a_health() {
    for (state, status) in [
        (State::Closed, Healthy),
        (State::Disabled, Healthy),
        (State::MetricsOnly, Healthy),
        (State::HalfOpen, Degraded),
        (State::Open, Unhealthy),
        (State::ForcedOpen, Unhealthy),
    ] {
        assert_eq!(Status::of_circuit(state), status, "{state:?}");
    }
    for (used, status) in
        [(0, Healthy), (750, Healthy), (751, Degraded), (900, Degraded), (901, Unhealthy)]
    {
        assert_eq!(Status::of_load(used, 1_000), status, "{used}");
    }
    assert_eq!(Status::of_load(u64::MAX, u64::MAX), Unhealthy);
    assert_eq!(Status::of_load(0, 0), Healthy);
}

#[test]
fn some_unavailable_models_degrade_and_all_make_unavailable() {
    use Availability::{Available, Unavailable};
    let all = |models: &[Availability]| Availability::of_all(models.iter().copied());
    assert_eq!(all(&[]), Unavailable);
    assert_eq!(all(&[Available, Available]), Available);
    assert_eq!(all(&[Available, Unavailable]), Availability::Degraded);
    assert_eq!(all(&[Unavailable, Available]), Availability::Degraded);
    assert_eq!(all(&[Available, Availability::Degraded]), Availability::Degraded);
    assert_eq!(all(&[Unavailable, Unavailable]), Unavailable);
    let of = |status: Status| Availability::from(status).as_str();
    assert_eq!(ANSWERS.map(of), ["available", "degraded", "unavailable", "available"]);
}

#[test]
fn words_are_as_in_reports() {
    assert_eq!(ANSWERS.map(Status::as_str), ["healthy", "degraded", "unhealthy", "unknown"]);
    for status in ANSWERS {
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }
    let notes = [Note::AutoHealed, Note::HealingFailed, Note::HealingError].map(Note::as_str);
    assert_eq!(notes, [" [auto-healed]", " [healing failed]", "Healing error"]);
}
