//! Single flight, timeouts, rounds; the rest of the monitor is tested by the sims of healing.

use std::cell::RefCell;

use super::*;
use crate::{
    stack::{
        Trouble, Troubles,
        settings::service::{CallErrors, CheckMode, Heal as HealSettings, HealWorks, ServiceKind},
    },
    world::{Delay, Happening, Limits, LinkRule, Seed, Sighting, World},
};

/// One healthy service and one that hangs, checked every second for this long: what was said.
fn play(timeout: u64, seconds: u64) -> Vec<(u64, String)> {
    let mut world = World::new(Seed(1));
    world
        .network(LinkRule::PERFECT)
        .limits(Limits { time: Duration::from_millis(seconds * 1_000 + 500), ..Limits::default() });
    let mut components = Vec::new();
    for (name, hang) in [("silent", true), ("well", false)] {
        let settings = Rc::new(crate::stack::settings::service::Service {
            name: name.into(),
            kind: ServiceKind::Rpc,
            latency: Delay::ZERO,
            errors: CallErrors::default(),
            heal: HealSettings { takes: Duration::ZERO, works: HealWorks::Yes },
            check: CheckMode::Works,
        });
        let troubles = Troubles::default();
        troubles.borrow_mut().push((0, Trouble { hang, ..Trouble::default() }));
        let service = world
            .spawn(name, move |env| Service::new(env, Rc::clone(&settings), Rc::clone(&troubles)));
        components.push((Rc::from(name), Component::Service(service)));
    }
    let settings = Rc::new(settings::Monitor {
        interval: Duration::from_secs(1),
        timeout: Duration::from_millis(timeout),
        auto_heal: true,
        unhealthy_after: 2,
        watch: None,
    });
    world.spawn("monitor", move |env| {
        Monitor::new(env, Rc::clone(&settings), &components, Tracing::default())
    });
    let said = Rc::new(RefCell::new(Vec::new()));
    let sink = Rc::clone(&said);
    world.observe(move |sighting: &Sighting<'_>| {
        if let Happening::Emitted { payload, .. } = sighting.what
            && let Some(event) = payload.as_any().downcast_ref::<Event>()
        {
            let text = match event {
                Event::HealthChecked { component, status, .. } => format!("{component} {status}"),
                Event::HealthReported { parts, .. } => parts.clone(),
                Event::HealthChanged { component, to, .. } => format!("{component} is {to}"),
                other => other.name().to_owned(),
            };
            sink.borrow_mut().push((sighting.at.as_nanos() / 1_000_000, text));
        }
    });
    world.run().unwrap();
    said.take()
}

fn times(said: &[(u64, String)], text: &str) -> Vec<u64> {
    said.iter().filter(|(_, other)| other == text).map(|(at, _)| *at).collect()
}

#[test]
fn a_component_is_not_checked_twice_at_once() {
    let said = play(1_500, 6);
    assert_eq!(times(&said, "well healthy"), [1_000, 2_000, 3_000, 4_000, 5_000, 6_000]);
    // Begun at 1, 3 and 5 s: at 2, 4 and 6 s the check before still ran.
    assert_eq!(times(&said, "silent timed_out"), [2_500, 4_500, 6_500]);
    assert_eq!(times(&said, "silent is degraded"), [2_500]);
    assert_eq!(times(&said, "silent is unhealthy"), [4_500], "the second in a row");
    assert!(times(&said, "heal_started").is_empty(), "silence is no reason to heal");
}

#[test]
fn a_round_is_reported_when_its_last_check_is_over() {
    let said = play(1_500, 6);
    let known = "silent=degraded, well=healthy";
    // The round of 2 s, of one check alone, is over before that of 1 s; so is that of 4 s.
    assert_eq!(times(&said, "silent=unknown, well=healthy"), [2_000]);
    assert_eq!(times(&said, known), [2_500, 4_000]);
    assert_eq!(times(&said, "silent=unhealthy, well=healthy"), [4_500, 6_000, 6_500]);
}
