//! What the README shows works as it stands there.

use seedbed::{
    check::metric_text,
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
    let readme = include_str!("../../README.md");
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
    let readme = include_str!("../../README.md");
    for (_, rest) in readme.match_indices("](").map(|(at, _)| readme.split_at(at + 2)) {
        let target = rest.split(')').next().unwrap();
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(target);
        let is_heading = target.strip_prefix('#').is_some_and(|name| {
            let words = |line: &str| line.trim_start_matches('#').trim().to_lowercase();
            let mut headings = readme.lines().filter(|line| line.starts_with('#'));
            headings.any(|line| words(line).replace(' ', "-") == name)
        });
        assert!(target.starts_with("http") || is_heading || path.exists(), "{target}");
    }
}

#[test]
fn what_the_agents_saw_in_the_dark_is_what_they_see() {
    let readme = include_str!("../../README.md");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let shown = blocks(readme, "console").into_iter().find(|text| text.contains("--show")).unwrap();
    let names: Vec<&str> =
        shown.split("--show ").nth(1).unwrap().lines().next().unwrap().split(',').collect();
    let settings: Vec<&str> =
        blocks(readme, "toml").into_iter().filter(|text| text.starts_with("[router]")).collect();
    for (name, settings) in ["patient", "guarded"].into_iter().zip(settings) {
        let path = root.join(format!("sims/dark/{name}.toml"));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(settings), "the README shows other settings than {name}.toml has");
        let sim = parse(&format!("sims/dark/{name}.toml"), &text).unwrap();
        let run = simulate(&sim, Seed(1), &Options::default(), Vec::new()).unwrap();
        let values = names.iter().map(|name| metric_text(name, run.metrics.values[name]));
        let values: Vec<String> = ["1".to_owned()].into_iter().chain(values).collect();
        let row = shown.lines().find(|line| line.contains(&format!("dark/{name}"))).unwrap();
        let shown: Vec<&str> = row.split_whitespace().skip(1).collect();
        assert_eq!(shown, values);
    }
}
