//! How soon chaos finds bugs, and how small failures become, as two tables for the README:
//! `cargo bench --bench finding`; with `SEEDBED_QUICK=1` one start each instead of ten.
//!
//! **Finding**: the sims of known bugs, without what they plant by hand. Faults, errors and their
//! Retry-After go (but not requests that are wrong, which no fault can make), agents are busy for a minute,
//! and a plain `[chaos]` has that minute. A bug is found when a built-in check fails that holds for the
//! same seed of the same sim without the bug.
//!
//! **Shrinking**: planted failures in a sim where much else goes on, beside the smallest sim known to fail
//! so. A size is faults, nodes, requests and values together.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads the machine's clock and prints what it measured"
)]
#![expect(clippy::expect_used, reason = "a benchmark has nobody to report to")]

#[path = "../src/explore/shrink/planted.rs"]
mod planted;

use std::{
    collections::BTreeSet,
    fs,
    ops::ControlFlow,
    path::Path,
    time::{Duration, Instant},
};

use seedbed::{
    check::ALWAYS,
    explore::{
        Options,
        shrink::{RERUNS_MAX, Shrunk, Subject, Tools, shrink},
        simulate,
    },
    scenario::{self, Sim},
    stack::Quirk,
    world::Seed,
};
use toml_edit::{DocumentMut, InlineTable, value};

/// The same as in the `seedbed` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many seeds are tried before a search is given up.
const SEEDS_MAX: u64 = 1_000;
/// How far apart searches start.
const APART: u64 = 1_000_000;
const SCHEDULES: [&str; 3] = ["fifo", "random", "pct"];

/// A sim of a known bug under plain chaos, with its bug or without.
fn under_chaos(text: &str, schedule: &str, has_bug: bool) -> Sim {
    let mut sim: DocumentMut = text.parse().expect("TOML");
    for key in ["fault", "must", "fails_by"] {
        sim.remove(key);
    }
    let tables = |item: Option<&mut toml_edit::Item>, edit: &dyn Fn(&mut toml_edit::Table)| {
        let tables = item.and_then(toml_edit::Item::as_array_of_tables_mut);
        tables.into_iter().flat_map(|tables| tables.iter_mut()).for_each(edit);
    };
    tables(sim.get_mut("backend"), &|backend| {
        // A request that is wrong is what is asked, and no fault: no chaos makes one.
        let bad = backend.get("errors").and_then(|errors| errors.get("bad_request")).cloned();
        backend.remove("errors");
        backend.remove("retry_after");
        if let Some(share) = bad.and_then(|it| it.into_value().ok()) {
            backend["errors"] = value(InlineTable::from_iter([("bad_request", share)]));
        }
    });
    tables(sim.get_mut("agent"), &|agent| {
        agent["requests"] = value(60);
        if !agent.contains_key("think") {
            agent["think"] = value("1s");
        }
    });
    if !has_bug {
        sim["router"].as_table_mut().expect("a router").remove("quirks");
    }
    sim["schedule"] = match schedule {
        "pct" => value(InlineTable::from_iter([("pct", InlineTable::from_iter([("depth", 3)]))])),
        other => value(other),
    };
    sim["chaos"] = value(InlineTable::from_iter([("until", "60s")]));
    scenario::parse("sims/known_bugs/chaos.toml", &sim.to_string()).expect("a valid sim")
}

/// The built-in checks that fail.
fn failing(sim: &Sim, seed: u64) -> BTreeSet<String> {
    let run = simulate(sim, Seed(seed), &Options::default(), Vec::new()).expect("a run");
    let failed = run.checks.into_iter().filter(|check| !check.holds()).map(|check| check.check);
    failed.filter(|check| ALWAYS.contains(&check.as_str())).collect()
}

/// How many seeds and how long it takes until a bug is found, from a seed on; `None` if it is not.
fn search(buggy: &Sim, sound: &Sim, from: u64) -> Option<(u64, Duration)> {
    let begin = Instant::now();
    (1..=SEEDS_MAX).find_map(|count| {
        let seed = from + count;
        let failed = failing(buggy, seed);
        let is_found = !failed.is_empty() && !failed.is_subset(&failing(sound, seed));
        is_found.then(|| (count, begin.elapsed()))
    })
}

fn finding(starts: u64) {
    println!(
        "\nfinding: seeds (and time) until chaos finds a known bug, median of {starts} starts\n"
    );
    println!("| | {} |\n|---|---|---|---|", SCHEDULES.join(" | "));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sims/known_bugs");
    let (mut most, mut longest, mut missed) = (0, Duration::ZERO, 0);
    for quirk in Quirk::ALL {
        let number = quirk.bug().to_lowercase().replace('-', "");
        let path = folder.join(format!("{number}_{quirk}.toml"));
        let text = fs::read_to_string(path).expect("the sim of the bug");
        let cell = |schedule: &str| {
            let sim = |has_bug| under_chaos(&text, schedule, has_bug);
            let (buggy, sound) = (sim(true), sim(false));
            let mut found: Vec<Option<(u64, Duration)>> =
                (0..starts).map(|start| search(&buggy, &sound, start * APART)).collect();
            // What was not found took longest.
            found.sort_by_key(|found| found.map_or((u64::MAX, Duration::MAX), |found| found));
            for (seeds, time) in found.iter().flatten() {
                (most, longest) = (most.max(*seeds), longest.max(*time));
            }
            missed += found.iter().filter(|found| found.is_none()).count();
            match found[found.len() / 2] {
                Some((seeds, time)) => format!("{seeds} ({})", time_text(time)),
                None => format!("not within {SEEDS_MAX}"),
            }
        };
        println!("| {} `{quirk}` | {} |", quirk.bug(), SCHEDULES.map(cell).join(" | "));
    }
    println!(
        "\nthe longest of all searches: {most} seeds, {}; {missed} found nothing",
        time_text(longest)
    );
    assert!(missed == 0, "every known bug is found");
}

fn time_text(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    if millis < 10.0 { format!("{millis:.1} ms") } else { format!("{millis:.0} ms") }
}

/// Shrinks a text, on one thread.
fn shrunk(text: String, reruns_max: u32) -> Shrunk {
    let subject = Subject {
        name: "sims/regressions/planted.toml".to_owned(),
        origin: "planted".to_owned(),
        text,
        seed: Seed(1),
        reruns_max,
    };
    let tools = Tools {
        try_all: &mut |count, work, take| {
            let _: ControlFlow<()> = (0..count).try_for_each(|index| take(index, work(index)));
        },
        is_over: &|| false,
        on_smaller: &mut |_| {},
    };
    shrink(&subject, tools).expect("a sim that fails")
}

fn shrinking() {
    println!("\nshrinking: planted failures, and the smallest sims known to fail so\n");
    println!("| what has to stay | was | is | smallest known | ratio | runs | time |");
    println!("|---|---|---|---|---|---|---|");
    let all = [
        planted::one_fault(),
        planted::two_faults(),
        planted::three_faults(),
        planted::agents(),
        planted::requests(),
        planted::errors(),
        planted::part_of_a_fault(),
        planted::loss(),
        planted::quota(),
    ];
    for planted::Planted { name, text, smallest } in all {
        // One that may not be made smaller says how large it is.
        let smallest = shrunk(smallest, 0).before.total();
        let begin = Instant::now();
        let shrunk = shrunk(text, RERUNS_MAX);
        let (was, is) = (shrunk.before.total(), shrunk.after.total());
        let ratio = is as f64 / smallest as f64;
        let time = time_text(begin.elapsed());
        println!(
            "| {name} | {was} | {is} | {smallest} | {ratio:.2}x | {} | {time} |",
            shrunk.reruns
        );
    }
}

fn main() {
    // One search each, where it only matters that it works.
    if std::env::var_os("SEEDBED_QUICK").is_some() {
        return finding(1);
    }
    finding(10);
    shrinking();
}
