//! Planted failures come down to what they need, whoever tries the candidates and in which order.

use super::{
    planted::{Planted, ROUTED, SMALL},
    *,
};
use crate::scenario::parse;

fn subject(text: String) -> Subject {
    Subject {
        name: "sims/regressions/a.toml".into(),
        origin: "planted".into(),
        text,
        seed: Seed(1),
        reruns_max: RERUNS_MAX,
    }
}

fn one_by_one(
    count: usize,
    work: &(dyn Fn(usize) -> Tried + Sync),
    take: &mut dyn FnMut(usize, Tried) -> ControlFlow<()>,
) {
    let _ = (0..count).try_for_each(|index| take(index, work(index)));
}

/// All at once, the last one first.
fn all_at_once(
    count: usize,
    work: &(dyn Fn(usize) -> Tried + Sync),
    take: &mut dyn FnMut(usize, Tried) -> ControlFlow<()>,
) {
    let all: Vec<Tried> = (0..count).rev().map(work).collect();
    let _ = all.into_iter().rev().enumerate().try_for_each(|(index, tried)| take(index, tried));
}

fn shrunk(subject: &Subject, try_all: &mut TryAll<'_>) -> Shrunk {
    let tools = Tools { try_all, is_over: &|| false, on_smaller: &mut |_| {} };
    shrink(subject, tools).unwrap()
}

/// Everything but the failure goes: no more may be left than half as much again as the smallest sim that
/// fails in this way.
#[track_caller]
fn comes_down(planted: Planted) -> Shrunk {
    let Planted { name, text, smallest } = planted;
    let shrunk = shrunk(&subject(text), &mut one_by_one);
    let document = Document::parse(&smallest).unwrap();
    let sim = parse("sims/a.toml", &smallest).unwrap();
    let signature = signature_of("sims/a.toml", &smallest, Seed(1)).unwrap();
    assert!(signature.is_some(), "{name}: the smallest sim does not fail");
    let smallest = Size::of(&document, &sim);
    let Shrunk { text, after, reruns, .. } = &shrunk;
    assert!(2 * after.total() <= 3 * smallest.total(), "{after:?} {smallest:?} {reruns}\n{text}");
    assert!(*reruns <= RERUNS_MAX && shrunk.is_minimal, "{reruns} runs\n{text}");
    let again = signature_of("sims/a.toml", text, Seed(1)).unwrap();
    assert_eq!(again.as_ref(), Some(&shrunk.signature), "{name}");
    shrunk
}

#[test]
fn a_sim_that_does_not_fail_cannot_be_shrunk() {
    let tools = Tools { try_all: &mut one_by_one, is_over: &|| false, on_smaller: &mut |_| {} };
    assert_eq!(shrink(&subject(ROUTED.to_owned()), tools), Err(ShrinkError::DoesNotFail));
}

#[test]
fn one_fault_among_many() {
    let shrunk = comes_down(planted::one_fault());
    assert_eq!(shrunk.signature.check, "every_request_ends_once");
}

#[test]
fn two_faults_that_only_fail_together() {
    comes_down(planted::two_faults());
}

#[test]
fn three_faults_of_many() {
    comes_down(planted::three_faults());
}

#[test]
fn a_number_of_agents() {
    comes_down(planted::agents());
}

#[test]
fn a_number_of_requests() {
    comes_down(planted::requests());
}

#[test]
fn errors_of_one_backend() {
    comes_down(planted::errors());
}

#[test]
fn a_service_that_is_down_for_one_moment_of_a_long_fault() {
    let shrunk = comes_down(planted::part_of_a_fault());
    let sim = parse("sims/a.toml", &shrunk.text).unwrap();
    let fault = sim.faults.first().unwrap();
    assert!(fault.r#for.unwrap() < std::time::Duration::from_secs(1), "{}", shrunk.text);
    assert!(fault.at >= std::time::Duration::from_secs(7), "{}", shrunk.text);
}

#[test]
fn loss_in_the_network() {
    comes_down(planted::loss());
}

#[test]
fn a_quota() {
    comes_down(planted::quota());
}

#[test]
fn a_page_that_forgets_where_it_was() {
    let page = |runner: &str| {
        format!(
            "purpose = \"p\"\nseeds = [1]\n[dashboard]\nresume = false\n[[runner]]\n\
             name = \"deployer\"\nstream_lasts = \"6s\"\n{runner}"
        )
    };
    let large = "count = 3\ntasks = 6\ntakes = \"2s\"\nheartbeat = \"2s\"\n[approvals]\n[[runner]]\n\
                 name = \"idle\"\ncount = 2\ntasks = 2\n[[reviewer]]\nname = \"lead\"\n\
                 think = \"4s\"\n[[fault]]\nat = \"6s\"\nfor = \"20s\"\n\
                 partition = { between = [\"dashboard\", \"deployer-1\"] }\n";
    let smallest = page("count = 2\ntasks = 5\n[limits]\ntime = \"1m32s\"\n");
    let shrunk = comes_down(Planted { name: "a page that forgets", text: page(large), smallest });
    assert!(shrunk.signature.actors.contains(&"deployer".to_owned()), "{}", shrunk.signature);
    let sim = parse("sims/a.toml", &shrunk.text).unwrap();
    assert!(sim.reviewers.is_empty() && sim.approvals.is_none(), "{}", shrunk.text);
    assert_eq!(sim.runners.len(), 1, "{}", shrunk.text);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let planted = "[[fault]]\nat = \"2s\"\nfor = \"3s\"\npause = { node = \"router\" }\n[[expect]]\n\
                   event = \"request_ended\"\nwhere = { outcome = \"timed_out\" }\nat_most = 0\n";
    let text = format!("{ROUTED}{planted}")
        .replace("name = \"rust\"", "name = \"rust\"\ndeadline = \"1s\"");
    let subject = subject(text);
    let one = shrunk(&subject, &mut one_by_one);
    let many = shrunk(&subject, &mut all_at_once);
    assert_eq!(one, many);
}

#[test]
fn what_runs_out_leaves_the_smallest_so_far() {
    let mut subject =
        subject(format!("{ROUTED}[[expect]]\nmetric = \"requests.total\"\nat_most = 11\n"));
    subject.reruns_max = 12;
    let came = shrunk(&subject, &mut one_by_one);
    assert!(!came.is_minimal && came.reruns <= 13, "{}", came.reruns);
    assert!(came.after.total() < came.before.total());
    // What is left can be shrunk on.
    subject.text = came.text;
    subject.reruns_max = RERUNS_MAX;
    assert!(shrunk(&subject, &mut one_by_one).is_minimal);
}

#[test]
fn less_to_do_is_no_failure() {
    // Twenty requests are expected and one group crashes: with fewer requests the number would be too
    // low as well, for a reason that has nothing to do with it.
    let text = format!(
        "{SMALL}count = 4\nrequests = 5\nthink = \"1s\"\n[[fault]]\nat = \"2s\"\n\
                        crash = {{ node = \"rust-1\" }}\n[[expect]]\nmetric = \"requests.total\"\nequals = 20\n"
    );
    let came = shrunk(&subject(text), &mut one_by_one);
    let sim = parse("sims/a.toml", &came.text).unwrap();
    assert_eq!(sim.faults.len(), 1, "{}", came.text);
    assert_eq!(came.after.requests, 20, "{}", came.text);
}
