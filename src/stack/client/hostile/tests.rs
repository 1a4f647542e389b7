//! Hostile requests are hostile, all of them, and nothing that they meet panics.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;

use super::*;
use crate::{
    stack::sidecar::{
        auth::{Claims, Gate, Keys, RateLimits},
        wire::{AgentId, AgentType, Call, IssueId, Role, Status},
    },
    world::{Seed, Time},
};

const LIMITS: Limits = Limits { body: 10_000, path: 8_192 };

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn keys() -> Keys {
    Keys::new(b"the secret of this test, 32 bytes", Duration::ZERO).unwrap()
}

/// So many attacks of each kind, and what a sidecar's gate says to each.
fn attacks(times: u64, mut judge: impl FnMut(Kind, &Attack, Result<Call, Status>)) {
    let report = Report {
        agent_id: AgentId::new("hostile-1").unwrap(),
        agent_type: AgentType::RustSpecialist,
        issue_id: IssueId::new("issue-1").unwrap(),
        project_id: ProjectId::new("own").unwrap(),
        result: json!({ "status": "success" }).as_object().unwrap().clone(),
        timestamp: now(),
    };
    let claims =
        Claims::new(report.agent_id.clone(), report.agent_type, report.project_id.clone(), now());
    let targets = Targets {
        report: &report,
        token: keys().issue(&claims),
        project: "other",
        result: Some((ProjectId::new("other").unwrap(), "7".repeat(32).into(), "go-1.3".into())),
        cursor: Some(Cursor::new("0.17").unwrap()),
        limits: &LIMITS,
    };
    let rates = RateLimits::default().with(Role::Coding, None);
    let mut gate = Gate::new(keys(), LIMITS, rates);
    let mut stream = Seed(7).stream("hostile");
    let all = (0..times).flat_map(|_| Kind::ALL.iter().copied());
    for kind in all {
        let attack = of(kind, &mut stream, &targets);
        let _ = Call::read(&attack.request, &LIMITS);
        let mut request = attack.request.clone();
        match (&attack.bearer, attack.token) {
            (Some(bearer), _) => request = request.bearer(bearer),
            (None, TokenKind::Valid) => request = request.bearer(&targets.token),
            (None, _) => {}
        }
        let said = gate.admit(&request, now(), Time::ZERO);
        judge(kind, &attack, said.map(|said| said.call).map_err(|refusal| refusal.fault.status));
    }
}

#[test]
fn every_kind_is_drawn() {
    let mut stream = Seed(7).stream("hostile");
    let drawn: BTreeSet<Kind> = (0..1_000).map(|_| pick(&mut stream)).collect();
    assert_eq!(drawn, Kind::ALL.iter().copied().collect());
}

#[test]
fn none_is_let_in_but_those_that_find_nothing() {
    attacks(50, |kind, attack, said| match kind {
        // Of these the gate cannot know that they are of others.
        Kind::ResultOfOther
        | Kind::DeleteOfOther
        | Kind::CursorOfOther
        | Kind::AgentOfOther
        | Kind::KeyReplayed => assert!(said.is_ok(), "{attack:?}"),
        _ => assert!(said.is_err(), "{attack:?}"),
    });
}

#[test]
fn a_bad_token_is_what_is_refused() {
    attacks(50, |_, attack, said| {
        if attack.token != TokenKind::Valid {
            assert_eq!(said, Err(Status::Unauthorized), "{attack:?}");
        }
    });
}

#[test]
fn one_seed_draws_the_same() {
    let all = || {
        let mut all = Vec::new();
        attacks(3, |_, attack, _| all.push(attack.request.clone()));
        all
    };
    assert_eq!(all(), all());
}
