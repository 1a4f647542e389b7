//! What the README shows works as it stands there.

use seedbed::{
    explore::{Options, judge, simulate},
    scenario::parse,
    world::Seed,
};

/// The fenced blocks of a language, in order.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_sim_in_the_readme_runs_and_passes() {
    let readme = include_str!("../README.md");
    let sims: Vec<&str> =
        blocks(readme, "toml").into_iter().filter(|text| text.contains("purpose")).collect();
    assert_eq!(sims.len(), 1);
    let sim = parse("sims/readme.toml", sims[0]).unwrap();
    for seed in &sim.seeds {
        let run = simulate(&sim, Seed(*seed), &Options::default(), Vec::new()).unwrap();
        assert!(judge(&sim, &run, None).is_good(), "seed {seed}: {:?}", run.failures());
        assert_eq!(run.requests.total, 120);
    }
}

#[test]
fn the_readme_links_only_to_files_that_there_are() {
    let readme = include_str!("../README.md");
    for (_, rest) in readme.match_indices("](").map(|(at, _)| readme.split_at(at + 2)) {
        let target = rest.split(')').next().unwrap();
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(target);
        assert!(target.starts_with("http") || path.exists(), "{target}");
    }
}
