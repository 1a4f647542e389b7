//! A service, asked by a client at given instants over links that take no time.

use super::*;
use crate::{
    stack::settings::service::{Heal as HealSettings, ServiceKind},
    world::{Fault, FaultKind, LinkRule, Peer, Probability, Seed, World},
};

/// What the client does.
#[derive(Clone, Copy)]
enum Ask {
    Call(&'static str),
    Check,
    Heal,
}
use Ask::{Call as Calls, Check as Checks, Heal as Heals};

type Answers = Rc<RefCell<Vec<(u64, u64, String)>>>;

struct Client {
    env: Env<Client>,
    service: Peer<Service>,
    plan: Vec<(u64, Ask)>,
    answers: Answers,
}

impl Client {
    fn ask(&self, at: u64, ask: Ask) {
        let note = move |client: &mut Client, answer: String| {
            let now = client.env.now().as_nanos() / 1_000_000;
            client.answers.borrow_mut().push((at, now, answer));
        };
        let timeout = Duration::from_secs(1);
        let (env, service) = (&self.env, &self.service);
        match ask {
            Calls(operation) => env
                .call(service, Call { operation: operation.into(), trace: Default::default() })
                .timeout(timeout)
                .then(move |client, answer, _| note(client, format!("{answer:?}"))),
            Checks => env
                .call(service, Probe::default())
                .timeout(timeout)
                .then(move |client, answer, _| note(client, format!("{answer:?}"))),
            Heals => env
                .call(service, super::Heal::default())
                .timeout(timeout)
                .then(move |client, answer, _| note(client, format!("{answer:?}"))),
        };
    }
}

impl Actor for Client {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        for (at, ask) in self.plan.clone() {
            self.env.after(Duration::from_millis(at), move |client, _| client.ask(at, ask));
        }
    }
}

fn settings(kind: ServiceKind) -> settings::Service {
    settings::Service {
        name: "db".into(),
        kind,
        latency: Delay::Fixed(Duration::from_millis(10)),
        errors: CallErrors::default(),
        heal: HealSettings { takes: Duration::from_millis(5), works: HealWorks::Yes },
        check: CheckMode::Works,
    }
}

fn pool(connections: u32, wait: u64) -> ServiceKind {
    let wait = Duration::from_millis(wait);
    ServiceKind::Database(Pool { connections, wait, reconnect_after: None })
}

/// Something that happens to the service, past the network.
#[derive(Clone)]
enum Strike {
    Trouble(Trouble),
    Lose(u32),
}

/// What the client was answered, in order: when it asked, when it knew, what.
fn play(
    settings: settings::Service,
    strikes: &[(u64, Option<u64>, Strike)],
    plan: &[(u64, Ask)],
) -> Vec<(u64, u64, String)> {
    let mut world = World::new(Seed(1));
    world.network(LinkRule::PERFECT);
    let (troubles, settings) = (Troubles::default(), Rc::new(settings));
    let shared = Rc::clone(&troubles);
    let service =
        world.spawn("db", move |env| Service::new(env, Rc::clone(&settings), Rc::clone(&shared)));
    for (number, (at, lasts, strike)) in strikes.iter().cloned().enumerate() {
        let troubles = Rc::clone(&troubles);
        let apply: crate::world::Apply = Rc::new(move |injector, fires| {
            troubles.borrow_mut().retain(|(other, _)| *other != number);
            match &strike {
                Strike::Trouble(trouble) if fires => {
                    troubles.borrow_mut().push((number, trouble.clone()));
                }
                Strike::Lose(count) if fires => injector.inject(&service, LoseConnections(*count)),
                Strike::Lose(_) => injector.inject(&service, Reconnect),
                Strike::Trouble(_) => {}
            }
        });
        let fault = Fault::new(FaultKind::Custom { label: "strike".into(), apply });
        let fault = fault.at(Duration::from_millis(at));
        let lasting = lasts.map(|lasts| fault.clone().lasting(Duration::from_millis(lasts)));
        world.fault(lasting.unwrap_or(fault));
    }
    let (answers, plan) = (Answers::default(), plan.to_vec());
    let noted = Rc::clone(&answers);
    world.spawn("client", move |env| Client {
        env,
        service,
        plan: plan.clone(),
        answers: Rc::clone(&noted),
    });
    world.run().unwrap();
    answers.take()
}

fn texts(answers: &[(u64, u64, String)]) -> Vec<(u64, u64, &str)> {
    answers.iter().map(|(asked, known, text)| (*asked, *known, text.as_str())).collect()
}

fn down() -> Strike {
    Strike::Trouble(Trouble { down: true, ..Trouble::default() })
}

const OK: &str = "Ok(Ok(()))";
const LOST: &str = "Ok(Err(ConnectionLost))";
const EXHAUSTED: &str = "Ok(Err(PoolExhausted))";
const UNAVAILABLE: &str = "Ok(Err(Unavailable))";

#[test]
fn a_call_takes_its_time() {
    let answers = play(settings(ServiceKind::Rpc), &[], &[(1, Calls("a")), (2, Calls("a"))]);
    assert_eq!(texts(&answers), [(1, 11, OK), (2, 12, OK)]);
}

#[test]
fn a_call_waits_for_a_connection_but_not_for_ever() {
    let plan = [(0, Calls("a")), (1, Calls("b")), (2, Calls("c")), (20, Calls("d"))];
    let answers = play(settings(pool(1, 12)), &[], &plan);
    let expected = [(0, 10, OK), (2, 14, EXHAUSTED), (1, 20, OK), (20, 30, OK)];
    assert_eq!(texts(&answers), expected);
}

#[test]
fn a_service_that_is_down_says_so_until_it_is_healed_or_the_fault_ends() {
    let plan = [(0, Checks), (6, Calls("a")), (7, Checks), (8, Heals), (14, Calls("a"))];
    let answers = play(settings(ServiceKind::Rpc), &[(5, None, down())], &plan);
    let expected = [
        (0, 0, "Ok(Healthy)"),
        (6, 6, UNAVAILABLE),
        (7, 7, "Ok(Unhealthy)"),
        (8, 13, "Ok(Healed)"),
        (14, 24, OK),
    ];
    assert_eq!(texts(&answers), expected);
    let plan = [(6, Calls("a")), (9, Calls("a"))];
    let answers = play(settings(ServiceKind::Rpc), &[(5, Some(3), down())], &plan);
    assert_eq!(texts(&answers), [(6, 6, UNAVAILABLE), (9, 19, OK)]);
}

#[test]
fn healing_that_does_not_work_changes_nothing() {
    for (works, answer) in [(HealWorks::No, "Ok(Refused)"), (HealWorks::Error, "Ok(Errored)")] {
        let mut settings = settings(ServiceKind::Rpc);
        settings.heal.works = works;
        let answers = play(settings, &[(0, None, down())], &[(1, Heals), (9, Checks)]);
        assert_eq!(texts(&answers), [(1, 6, answer), (9, 9, "Ok(Unhealthy)")]);
    }
}

#[test]
fn a_service_that_hangs_answers_nothing_at_all() {
    let hang = Strike::Trouble(Trouble { hang: true, ..Trouble::default() });
    let plan = [(1, Calls("a")), (1, Checks), (1, Heals), (1_500, Calls("a"))];
    let answers = play(settings(ServiceKind::Rpc), &[(0, Some(1_400), hang)], &plan);
    let silent = (1, 1_001, "Err(TimedOut)");
    assert_eq!(texts(&answers), [silent, silent, silent, (1_500, 1_510, OK)]);
}

#[test]
fn a_check_that_errors_says_nothing_of_the_service() {
    let settings = settings::Service { check: CheckMode::Errors, ..settings(ServiceKind::Rpc) };
    let answers = play(settings, &[], &[(0, Checks), (1, Calls("a"))]);
    assert_eq!(texts(&answers), [(0, 0, "Err(Reset)"), (1, 11, OK)]);
}

#[test]
fn lost_connections_take_their_calls_with_them() {
    let plan = [(0, Calls("a")), (5, Calls("b")), (6, Calls("c")), (9, Checks), (20, Calls("d"))];
    // Both connections are busy, c waits; a is on the one that breaks.
    let answers = play(settings(pool(2, 50)), &[(8, None, Strike::Lose(1))], &plan);
    let degraded = (9, 9, "Ok(Degraded)");
    let expected = [(0, 8, LOST), degraded, (5, 15, OK), (6, 25, OK), (20, 35, OK)];
    assert_eq!(texts(&answers), expected);
    // With the last connection those who wait lose all hope.
    let answers = play(settings(pool(2, 50)), &[(8, None, Strike::Lose(9))], &plan);
    let unhealthy = (9, 9, "Ok(Unhealthy)");
    let expected = [(0, 8, LOST), (5, 8, LOST), (6, 8, LOST), unhealthy, (20, 20, LOST)];
    assert_eq!(texts(&answers), expected);
}

#[test]
fn connections_come_back_by_healing_by_themselves_and_with_the_end_of_the_fault() {
    let lost = |lasts| [(1, lasts, Strike::Lose(2))];
    let answers = play(settings(pool(2, 50)), &lost(None), &[(2, Heals), (8, Calls("a"))]);
    assert_eq!(texts(&answers), [(2, 7, "Ok(Healed)"), (8, 18, OK)]);
    let plan = [(10, Calls("a")), (12, Calls("a"))];
    let answers = play(settings(pool(2, 50)), &lost(Some(10)), &plan);
    assert_eq!(texts(&answers), [(10, 10, LOST), (12, 22, OK)]);
    let mut by_itself = settings(pool(2, 50));
    if let ServiceKind::Database(pool) = &mut by_itself.kind {
        pool.reconnect_after = Some(Duration::from_millis(10));
    }
    // Lost again at 6 ms: the ten begin anew.
    let strikes = [(1, None, Strike::Lose(1)), (6, None, Strike::Lose(1))];
    let answers = play(by_itself, &strikes, &[(11, Calls("a")), (15, Checks), (17, Checks)]);
    let expected = [(11, 11, LOST), (15, 15, "Ok(Unhealthy)"), (17, 17, "Ok(Healthy)")];
    assert_eq!(texts(&answers), expected);
}

#[test]
fn trouble_may_be_about_one_operation() {
    let errors = CallErrors { reset: Probability::ALWAYS, ..CallErrors::default() };
    let latency = Some(Delay::Fixed(Duration::from_millis(3)));
    let trouble = Trouble {
        operation: Some("write".into()),
        errors: Some(errors),
        latency,
        ..Trouble::default()
    };
    let plan = [(1, Calls("read")), (1, Calls("write")), (2, Checks)];
    let answers = play(settings(ServiceKind::Rpc), &[(0, None, Strike::Trouble(trouble))], &plan);
    let expected = [(2, 2, "Ok(Healthy)"), (1, 4, "Err(Reset)"), (1, 11, OK)];
    assert_eq!(texts(&answers), expected);
}

#[test]
fn a_call_without_an_answer_keeps_its_connection() {
    let errors = CallErrors { silence: Probability::ALWAYS, ..CallErrors::default() };
    let silent = Strike::Trouble(Trouble { errors: Some(errors), ..Trouble::default() });
    let plan = [(1, Calls("a")), (1_100, Calls("b"))];
    let answers = play(settings(pool(1, 20)), &[(0, Some(1_000), silent)], &plan);
    assert_eq!(texts(&answers), [(1, 1_001, "Err(TimedOut)"), (1_100, 1_120, EXHAUSTED)]);
}

/// What happens to one call changes nothing for the next.
#[test]
fn trouble_does_not_move_what_is_drawn_later() {
    let mut random = settings(ServiceKind::Rpc);
    random.latency =
        Delay::Uniform { min: Duration::from_millis(1), max: Duration::from_millis(100) };
    random.errors.failure = Probability::percent(30);
    let plan: Vec<(u64, Ask)> = (0..40).map(|number| (number * 200, Calls("a"))).collect();
    let calm = play(random.clone(), &[], &plan);
    let struck = play(random, &[(0, Some(3_900), down())], &plan);
    assert_eq!(calm[20..], struck[20..]);
    assert!(struck[..20].iter().all(|(_, _, answer)| answer == UNAVAILABLE));
    assert!(calm.iter().any(|(_, _, answer)| answer == "Ok(Err(Failed))"));
}
