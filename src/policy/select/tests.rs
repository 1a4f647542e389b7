//! Every strategy and every reason, and the rules that hold whatever the candidates are.

use proptest::{
    arbitrary::any,
    collection, option, prop_assert_eq, proptest, sample,
    strategy::{Just, Strategy as Generator},
};

use super::*;
use crate::world::Seed;

const MS: fn(u64) -> Duration = Duration::from_millis;

fn model(provider: &str, tier: u8) -> Candidate<'_> {
    Candidate {
        provider,
        tier,
        weight: 1,
        in_flight: 0,
        latency: Some(MS(100)),
        price: 10,
        availability: Availability::Available,
        circuit_open: false,
        within_budget: true,
    }
}

fn chain() -> [Candidate<'static>; 4] {
    [model("anthropic", 3), model("anthropic", 2), model("openai", 2), model("google", 1)]
}

fn by(strategy: Strategy) -> Wish<'static> {
    Wish { strategy, tier: 2, preferred: None }
}

/// The order, why the first is the first, and why each other is not, in words.
type Told = (Vec<usize>, Option<&'static str>, Vec<(usize, &'static str)>);

fn told(wish: Wish<'_>, candidates: &[Candidate<'_>]) -> Told {
    let selection = wish.select(candidates, &mut Seed(1).stream("select"));
    let passed_over = selection.passed_over().map(|(index, why)| (index, why.as_str()));
    let mut passed_over: Vec<_> = passed_over.collect();
    passed_over.sort_unstable();
    (selection.order().collect(), selection.chosen().map(Chosen::as_str), passed_over)
}

#[test]
fn a_chain_is_asked_as_configured() {
    let later = |index| (index, "later_in_chain");
    let expected = (vec![0, 1, 2, 3], Some("primary"), [1, 2, 3].map(later).to_vec());
    assert_eq!(told(by(Strategy::Chain), &chain()), expected);
    assert_eq!(told(Wish::default(), &chain()), expected);
}

#[test]
fn what_must_not_be_asked_is_left_out_and_says_why() {
    let mut candidates = chain();
    candidates[0].circuit_open = true;
    candidates[1].availability = Availability::Unavailable;
    candidates[2].within_budget = false;
    let barred = vec![(0, "circuit_open"), (1, "unhealthy"), (2, "over_budget")];
    assert_eq!(told(by(Strategy::Chain), &candidates), (vec![3], Some("fallback"), barred.clone()));
    candidates[3].circuit_open = true;
    candidates[3].availability = Availability::Unavailable;
    candidates[3].within_budget = false;
    let all = [barred, vec![(3, "circuit_open")]].concat();
    assert_eq!(told(by(Strategy::Chain), &candidates), (vec![], None, all));
    candidates[3].circuit_open = false;
    assert_eq!(told(by(Strategy::Cost), &candidates).2[3], (3, "unhealthy"));
    assert_eq!(told(by(Strategy::Chain), &[]), (vec![], None, vec![]));
}

#[test]
fn a_degraded_model_may_be_asked() {
    let mut candidates = chain();
    candidates[0].availability = Availability::Degraded;
    assert_eq!(told(by(Strategy::Chain), &candidates).1, Some("primary"));
}

#[test]
fn the_least_tier_that_is_enough_comes_first_and_the_nearest_lower_last() {
    let tier = |tier| Wish { tier, ..by(Strategy::Tier) };
    let (higher, lower, later) = ("higher_tier", "lower_tier", "later_in_chain");
    let passed = vec![(0, higher), (2, later), (3, lower)];
    assert_eq!(told(tier(2), &chain()), (vec![1, 2, 0, 3], Some("tier"), passed));
    let passed = vec![(1, lower), (2, lower), (3, lower)];
    assert_eq!(told(tier(3), &chain()), (vec![0, 1, 2, 3], Some("tier"), passed.clone()));
    assert_eq!(told(tier(4), &chain()), (vec![0, 1, 2, 3], Some("fallback"), passed));
    let passed = vec![(0, higher), (1, higher), (2, higher)];
    assert_eq!(told(tier(1), &chain()), (vec![3, 1, 2, 0], Some("tier"), passed));
    // The highest tier there is is still before one just below the wanted one.
    let extremes = [model("a", 0), model("b", u8::MAX)];
    assert_eq!(told(tier(1), &extremes).0, [1, 0]);
    assert_eq!(told(tier(0), &extremes).0, [0, 1]);
}

#[test]
fn fewer_in_flight_faster_and_cheaper_come_first() {
    let mut candidates = chain();
    for (candidate, value) in candidates.iter_mut().zip([3_u32, 1, 2, 1]) {
        candidate.in_flight = value;
        candidate.latency = Some(MS(value.into()));
        candidate.price = value.into();
    }
    for (strategy, chosen, word) in [
        (Strategy::LeastBusy, "least_busy", "busier"),
        (Strategy::Latency, "fastest", "slower"),
        (Strategy::Cost, "cheapest", "dearer"),
    ] {
        let passed = vec![(0, word), (2, word), (3, "later_in_chain")];
        assert_eq!(told(by(strategy), &candidates), (vec![1, 3, 2, 0], Some(chosen), passed));
    }
    candidates[0].latency = None;
    assert_eq!(told(by(Strategy::Latency), &candidates).0, [0, 1, 3, 2], "unknown comes first");
    candidates[1].latency = Some(Duration::MAX);
    assert_eq!(told(by(Strategy::Latency), &candidates).0, [0, 3, 2, 1]);
}

#[test]
fn the_preferred_provider_comes_first_or_says_why_not() {
    let wish = Wish { preferred: Some("openai"), ..by(Strategy::Chain) };
    let not = |index| (index, "not_preferred");
    let expected = (vec![2, 0, 1, 3], Some("preferred"), [0, 1, 3].map(not).to_vec());
    assert_eq!(told(wish, &chain()), expected);
    let mut candidates = chain();
    candidates[2].within_budget = false;
    let passed = vec![(1, "later_in_chain"), (2, "over_budget"), (3, "later_in_chain")];
    assert_eq!(told(wish, &candidates), (vec![0, 1, 3], Some("primary"), passed));
    let wish = Wish { preferred: Some("anthropic"), ..by(Strategy::Tier) };
    let passed = vec![(0, "higher_tier"), (2, "not_preferred"), (3, "not_preferred")];
    assert_eq!(told(wish, &chain()), (vec![1, 0, 2, 3], Some("preferred"), passed));
}

fn drawn(wish: Wish<'_>, candidates: &[Candidate<'_>]) -> [u32; 4] {
    let mut draws = Seed(1).stream("select");
    let mut counts = [0; 4];
    for _ in 0..4_000 {
        let selection = wish.select(candidates, &mut draws);
        counts[selection.order().next().unwrap()] += 1;
    }
    counts
}

#[test]
fn weights_are_kept_and_the_rest_follow_the_chain() {
    let mut candidates = chain();
    candidates[0].weight = 0;
    candidates[2].weight = 3;
    candidates[3].circuit_open = true;
    let counts = drawn(by(Strategy::Weighted), &candidates);
    assert_eq!((counts[0], counts[3]), (0, 0));
    assert!((900..1_100).contains(&counts[1]) && counts[1] + counts[2] == 4_000, "{counts:?}");
    let (order, chosen, passed) = told(by(Strategy::Weighted), &candidates);
    let rest: Vec<usize> = [0, 1, 2].into_iter().filter(|index| *index != order[0]).collect();
    assert_eq!((&order[1..], chosen), (&rest[..], Some("weighted")));
    let expected: Vec<_> = rest.into_iter().map(|index| (index, "not_drawn")).collect();
    assert_eq!(passed, [expected, vec![(3, "circuit_open")]].concat());
}

#[test]
fn weights_of_nothing_leave_the_chain() {
    let candidates = chain().map(|candidate| Candidate { weight: 0, ..candidate });
    assert_eq!(drawn(by(Strategy::Weighted), &candidates), [4_000, 0, 0, 0]);
}

#[test]
fn only_preferred_ones_are_drawn_if_any_may_be_asked() {
    let wish = Wish { preferred: Some("anthropic"), ..by(Strategy::Weighted) };
    let counts = drawn(wish, &chain());
    assert!((1_800..2_200).contains(&counts[0]) && counts[0] + counts[1] == 4_000, "{counts:?}");
    let mut candidates = chain();
    candidates[0].circuit_open = true;
    candidates[1].within_budget = false;
    let counts = drawn(wish, &candidates);
    assert!((1_800..2_200).contains(&counts[2]) && counts[2] + counts[3] == 4_000, "{counts:?}");
}

#[test]
fn only_the_weighted_strategy_draws_and_it_draws_once() {
    let next = |strategy| {
        let mut draws = Seed(1).stream("select");
        let _ = by(strategy).select(&chain(), &mut draws);
        draws.below(u64::MAX)
    };
    let mut draws = Seed(1).stream("select");
    let (first, second) = (draws.below(u64::MAX), draws.below(u64::MAX));
    assert_eq!(next(Strategy::Weighted), second);
    assert_eq!(next(Strategy::Cost), first);
}

#[test]
fn words_are_as_in_sims_and_events() {
    let strategies = [Strategy::Chain, Strategy::Tier, Strategy::Weighted, Strategy::LeastBusy];
    let words = strategies.map(Strategy::as_str);
    assert_eq!(words, ["chain", "tier", "weighted", "least_busy"]);
    assert_eq!([Strategy::Latency, Strategy::Cost].map(Strategy::as_str), ["latency", "cost"]);
    for strategy in strategies {
        assert_eq!(serde_json::to_value(strategy).unwrap(), strategy.as_str());
    }
    assert_eq!(serde_json::to_value(Chosen::Fastest).unwrap(), Chosen::Fastest.as_str());
    assert_eq!(serde_json::to_value(PassedOver::LowerTier).unwrap(), "lower_tier");
}

#[test]
fn an_estimate_moves_an_eighth_of_the_way() {
    let mut ewma = Ewma::default();
    assert_eq!(ewma.estimate(), None);
    ewma.observe(MS(800));
    assert_eq!(ewma.estimate(), Some(MS(800)));
    ewma.observe(MS(1_600));
    assert_eq!(ewma.estimate(), Some(MS(900)));
    ewma.observe(MS(100));
    assert_eq!(ewma.estimate(), Some(MS(800)));
    let mut longest = Ewma::default();
    for _ in 0..2 {
        longest.observe(Duration::MAX);
        assert_eq!(longest.estimate(), Some(Duration::from_nanos(u64::MAX)));
    }
}

#[test]
fn complex_tasks_need_a_higher_tier() {
    for task in ["architecture", "code_review", "reasoning"] {
        assert_eq!(tier_for(task), 3, "{task}");
    }
    assert_eq!(tier_for("formatting"), 1);
    for task in ["general", "code_generation", "long_context", ""] {
        assert_eq!(tier_for(task), 2, "{task}");
    }
}

fn any_candidate() -> impl Generator<Value = Candidate<'static>> {
    let numbers = (0_u8..4, 0_u32..3, 0_u32..3, 0_u64..3, option::of(0_u64..3));
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (numbers, flags).prop_map(|((tier, weight, in_flight, price, ms), (open, ill, paid, other))| {
        Candidate {
            provider: if other { "other" } else { "same" },
            tier,
            weight,
            in_flight,
            latency: ms.map(MS),
            price,
            availability: if ill { Availability::Unavailable } else { Availability::Available },
            circuit_open: open,
            within_budget: paid,
        }
    })
}

proptest! {
    #[test]
    fn nobody_is_lost_and_only_the_chosen_has_no_reason(
        candidates in collection::vec(any_candidate(), 0..6),
        strategy in sample::select(vec![
            Strategy::Chain, Strategy::Tier, Strategy::Weighted,
            Strategy::LeastBusy, Strategy::Latency, Strategy::Cost,
        ]),
        preferred in option::of(Just("same")),
    ) {
        let wish = Wish { strategy, tier: 2, preferred };
        let (order, chosen, passed) = told(wish, &candidates);
        let usable: Vec<usize> =
            (0..candidates.len()).filter(|index| candidates[*index].barred().is_none()).collect();
        let mut sorted = order.clone();
        sorted.sort_unstable();
        prop_assert_eq!(&sorted, &usable);
        prop_assert_eq!(chosen.is_some(), !usable.is_empty());
        let others: Vec<usize> =
            (0..candidates.len()).filter(|index| Some(index) != order.first()).collect();
        prop_assert_eq!(passed.iter().map(|(index, _)| *index).collect::<Vec<_>>(), others);
    }
}
