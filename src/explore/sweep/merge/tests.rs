//! Merging is a union of sets; hostile files cost nothing but themselves.

use proptest::prelude::*;

use super::*;

fn plan(sims: &[(&str, u64)], seeds: [u64; 2], shard: Option<(u64, u64)>) -> Line {
    let sims = sims.iter().map(|(sim, hash)| PlannedSim {
        sim: (*sim).to_owned(),
        path: format!("sims/{sim}.toml"),
        scenario_hash: Hex(*hash),
        seeds: vec![seeds],
    });
    Line::Plan(PlanLine {
        version: RESULTS_VERSION,
        seedbed: "0.1.0".to_owned(),
        endless_from: None,
        shard: shard.map(|(index, of)| super::super::ShardLine { index, of }),
        arguments: Vec::new(),
        sims: sims.collect(),
    })
}

fn result(sim: &str, hash: u64, seed: u64, fingerprint: u64) -> Line {
    let failed = seed.is_multiple_of(3);
    Line::Finished(Box::new(FinishedLine {
        version: RESULTS_VERSION,
        sim: sim.to_owned(),
        scenario_hash: Hex(hash),
        seed,
        fingerprint: Some(Hex(fingerprint)),
        verdict: if failed { RunVerdict::Fail } else { RunVerdict::Pass },
        signature: failed.then(|| "check: cause".to_owned()),
        failure: failed.then(|| format!("cause {seed}")),
        events: seed,
        virtual_ms: 7,
        wall_us: Some(seed * 31),
        measured: None,
        reached: vec!["x".to_owned()],
        unreached: vec!["y".to_owned()],
    }))
}

/// A result with what its run measured, and without, as results of earlier days are.
fn measured(seed: u64, requests: Option<u64>) -> Line {
    let Line::Finished(line) = result("a", 1, seed, 1) else { panic!("a result") };
    let measured = requests.map(|requests| Measured { requests, ..Measured::default() });
    Line::Finished(Box::new(FinishedLine { measured, ..*line }))
}

#[test]
fn what_was_measured_survives_a_result_that_measured_nothing() {
    let [old, new] = [None, Some(3)].map(|it| text(&[plan(BOTH, [1, 4], None), measured(1, it)]));
    let both = merged(&[old.clone(), new.clone()]);
    assert_eq!(both, merged(std::slice::from_ref(&new)));
    assert_eq!(both, merged(&[new.clone(), old.clone()]));
    assert!(both.contains("\"requests\":3") && merge(&[old, new.clone()]).conflicts().is_empty());
    let other = text(&[measured(1, Some(4))]);
    assert_eq!(merge(&[new, other]).conflicts().len(), 1);
}

fn started(sim: &str, seed: u64) -> Line {
    Line::Started(super::super::StartedLine { version: RESULTS_VERSION, sim: sim.to_owned(), seed })
}

fn text(lines: &[Line]) -> String {
    lines.iter().map(|line| line.to_text().unwrap()).collect()
}

fn merge(files: &[String]) -> Merge {
    let mut merge = Merge::new();
    for (index, file) in files.iter().enumerate() {
        merge.read(&format!("file{index}"), file.as_bytes()).unwrap();
    }
    merge
}

fn merged(files: &[String]) -> String {
    let mut bytes = Vec::new();
    merge(files).write(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn refusal(files: &[String]) -> MergeError {
    let mut merge = Merge::new();
    let refused = files.iter().find_map(|file| merge.read("file", file.as_bytes()).err());
    refused.expect("a refusal")
}

const BOTH: &[(&str, u64)] = &[("a", 1), ("b", 2)];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn order_repetition_and_grouping_do_not_matter(
        lines in prop::collection::vec((any::<bool>(), 1_u64..12, 0_u64..2, 0_usize..4), 0..40),
        order in Just([0_usize, 1, 2, 3]).prop_shuffle(),
    ) {
        let mut files = vec![vec![plan(BOTH, [1, 12], None)]; 4];
        for (is_a, seed, fingerprint, file) in lines {
            let (sim, hash) = if is_a { BOTH[0] } else { BOTH[1] };
            files[file].push(started(sim, seed));
            files[file].push(result(sim, hash, seed, fingerprint));
        }
        let files: Vec<String> = files.iter().map(|lines| text(lines)).collect();
        let once = merged(&files);
        let shuffled: Vec<String> = order.iter().map(|index| files[*index].clone()).collect();
        prop_assert_eq!(&merged(&shuffled), &once);
        prop_assert_eq!(&merged(&[files.clone(), shuffled].concat()), &once);
        prop_assert_eq!(&merged(std::slice::from_ref(&once)), &once);
        let halves = [merged(&files[..2]), merged(&files[2..])];
        prop_assert_eq!(&merged(&halves), &once);
        // One after the other in one file, as `cat` does.
        prop_assert_eq!(&merged(&[files.concat()]), &once);
        prop_assert!(!once.contains("wall_us") && !once.contains("started"));
    }

    #[test]
    fn no_bytes_at_all_break_it(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut merge = Merge::new();
        let good = text(&[plan(BOTH, [1, 3], None), result("a", 1, 2, 5)]);
        merge.read("good", good.as_bytes()).unwrap();
        merge.read("noise", bytes.as_slice()).unwrap();
        prop_assert_eq!(merge.results().count(), 1);
    }

    #[test]
    fn a_file_cut_anywhere_loses_only_what_was_cut(end in 0_usize..1_500) {
        let lines =
            [plan(BOTH, [1, 3], None), result("a", 1, 1, 1), started("a", 2), result("a", 1, 2, 1)];
        let whole = text(&lines);
        let cut = &whole[..end.min(whole.len())];
        let mut merge = Merge::new();
        merge.read("plan", text(&lines[..1]).as_bytes()).unwrap();
        merge.read("cut", cut.as_bytes()).unwrap();
        let ends = |count: usize| text(&lines[..count]).len() - 1;
        let expected = usize::from(cut.len() >= ends(2)) + usize::from(cut.len() >= ends(4));
        prop_assert_eq!(merge.results().count(), expected);
    }
}

#[test]
fn what_is_missing_is_listed() {
    let first = text(&[plan(BOTH, [1, 4], Some((1, 3))), result("a", 1, 1, 1), started("b", 1)]);
    let merge = merge(&[first]);
    let missing: Vec<(&str, Vec<(u64, u64)>)> =
        merge.missing().into_iter().map(|(sim, seeds)| (sim, seeds.iter().collect())).collect();
    assert_eq!(missing, [("a", vec![(2, 4)]), ("b", vec![(1, 4)])]);
    assert_eq!(merge.missing_shards(9), (2, vec![(2, 3), (3, 3)]));
    assert_eq!(merge.missing_shards(1), (2, vec![(2, 3)]));
    assert_eq!(merge.unfinished(), [("b", 1)]);
    let all = (1..=4).map(|seed| result("a", 1, seed, 1));
    let all: Vec<Line> = std::iter::once(plan(&BOTH[..1], [1, 4], None)).chain(all).collect();
    let merge = self::merge(&[text(&all)]);
    assert!(merge.missing().is_empty() && merge.missing_shards(9).0 == 0);
}

#[test]
fn two_histories_of_one_seed_are_both_kept_and_named() {
    let one = text(&[plan(BOTH, [1, 4], None), result("a", 1, 2, 10), result("a", 1, 3, 10)]);
    let two = text(&[plan(BOTH, [1, 4], None), result("a", 1, 2, 11), result("a", 1, 3, 10)]);
    let merge = merge(&[one, two]);
    let fingerprints = vec![Some(Hex(10)), Some(Hex(11))];
    let expected = [Conflict { sim: "a".to_owned(), seed: 2, fingerprints }];
    assert_eq!(merge.conflicts(), expected);
    assert_eq!(merge.results().count(), 3);
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let ours = text(&[plan(BOTH, [1, 4], None)]);
    let other_text = text(&[plan(&[("b", 77)], [1, 4], None)]);
    let error = refusal(&[ours.clone(), other_text]);
    assert!(matches!(&error, MergeError::Scenario { sim, .. } if sim == "b"), "{error}");
    let error = refusal(&[ours.clone(), ours.replace("0.1.0", "0.0.9")]);
    assert!(matches!(error, MergeError::Seedbed { .. }));
    let error = refusal(&[ours.replace("\"version\":1", "\"version\":2")]);
    assert!(matches!(error, MergeError::Version { line: 1, .. }));
    assert!(matches!(merge(&[]).merged_plan(), Err(MergeError::NoPlan)));
}

#[test]
fn what_no_plan_has_is_left_out_and_counted() {
    let lines = [
        plan(BOTH, [1, 4], None),
        result("a", 1, 1, 1),
        result("a", 1, 5, 1),
        result("a", 9, 1, 1),
        result("c", 1, 1, 1),
    ];
    let merge = merge(&[text(&lines)]);
    assert_eq!((merge.results().count(), merge.unplanned()), (1, 3));
}

#[test]
fn results_without_a_plan_count_if_another_file_has_it() {
    let mut merge = Merge::new();
    let complaints = merge.read("late", text(&[result("a", 1, 1, 1)]).as_bytes()).unwrap();
    assert!(complaints[0].contains("late has no plan"), "{complaints:?}");
    merge.read("plan", text(&[plan(BOTH, [1, 4], None)]).as_bytes()).unwrap();
    assert_eq!(merge.results().count(), 1);
    let complaints = merge.read("none", "".as_bytes()).unwrap();
    assert_eq!(complaints, ["none is empty"]);
}

#[test]
fn many_bad_lines_are_counted_and_few_are_named() {
    let mut merge = Merge::new();
    let file = text(&[plan(BOTH, [1, 4], None)]) + &"nonsense\n".repeat(50);
    let complaints = merge.read("f", file.as_bytes()).unwrap();
    assert_eq!(complaints.len(), 11);
    assert!(complaints[0].starts_with("f:2: this is no line of results"));
    assert_eq!(complaints[10], "f: 40 more lines are no results");
}

#[test]
fn shards_without_number_take_no_room() {
    let mut merge = Merge::new();
    let plan = |of: u64| {
        format!(
            "{{\"kind\":\"plan\",\"version\":1,\"seedbed\":\"0.1.0\",\"shard\":{{\"index\":1,\"of\":{of}}},\
             \"sims\":[]}}\n"
        )
    };
    let text: String = (0..2_000).map(|one| plan(u64::MAX - one)).collect();
    assert_eq!(merge.read("a", text.as_bytes()).unwrap(), Vec::<String>::new());
    let (count, first) = merge.missing_shards(3);
    assert_eq!((count, first.len()), (u64::MAX, 3));
}
