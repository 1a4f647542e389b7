//! Two settings, and two versions, compared as a user does.

use super::common::{FLAKY, GOOD, Place};

/// As `good`, and slower by a second.
fn slow() -> String {
    GOOD.replace("name = \"opus\"", "name = \"opus\"\nfirst_token = \"1500ms\"")
}

fn row(document: &serde_json::Value, sim: usize, metric: &str) -> serde_json::Value {
    let rows = document["sims"][sim]["rows"].as_array().expect("rows");
    rows.iter().find(|row| row["metric"] == metric).expect("a row").clone()
}

#[test]
fn two_settings_are_compared_seed_by_seed() {
    let place = Place::new();
    place.write("sims/slow.toml", slow());
    let compare = ["compare", "good", "slow", "--seeds", "20"];
    let ran = place.run(&compare).exits(0).prints("A is sims/good.toml").prints("95% INTERVAL");
    ran.prints("latency.p50").prints("worse").prints("the same in every seed");
    let json = |jobs: &str| {
        place.run(&[&compare[..], &["--format", "json", "--jobs", jobs]].concat()).exits(0)
    };
    let document = json("1").json();
    assert_eq!(json("3").out, json("1").out, "on any number of threads");
    let latency = row(&document, 0, "latency.p50");
    assert_eq!(latency["finding"], "worse");
    assert_eq!(latency["seeds"], 20);
    let low = latency["interval"][0].as_f64().expect("a number");
    assert!(low > 100_000.0, "{latency}");
    assert_eq!(row(&document, 0, "requests.success_rate")["finding"], "same");
    // The other way round it is better, and a sim is no different from itself.
    let back = place.run(&["compare", "slow", "good", "--seeds", "20", "--format", "json"]);
    assert_eq!(row(&back.exits(0).json(), 0, "latency.p50")["finding"], "better");
    let same = place.run(&["compare", "flaky", "flaky", "--seeds", "9"]).exits(0);
    same.prints("no difference can be shown at 9 seeds");
    // Five seeds show nothing.
    let few = place.run(&["compare", "good", "slow", "--seeds", "5", "--format", "json"]);
    assert_eq!(row(&few.exits(0).json(), 0, "latency.p50")["finding"], "not_shown");
}

#[test]
fn what_is_worse_fails_only_if_that_is_asked_for() {
    let place = Place::new();
    place.write("sims/slow.toml", slow());
    let compare =
        |more: &[&str]| place.run(&[&["compare", "good", "slow", "--seeds", "8"], more].concat());
    compare(&["--fail-if-worse", "latency.p50"]).exits(1).says("worse: latency.p50 of");
    compare(&["--fail-if-worse", "requests.success_rate"]).exits(0);
    compare(&["--fail-if-worse", "speed"]).exits(2).says("requests.success_rate");
}

#[test]
fn results_of_two_versions_are_compared_and_old_ones_as_far_as_they_go() {
    let place = Place::new();
    let sweep = |seeds: &str, from: &str, file: &str| {
        let ran = place.run(&["sweep", "--seeds", seeds, "--from", from, "--results", file]);
        assert!(matches!(ran.code, Some(0 | 1)), "{ran:?}");
    };
    sweep("30", "1", "one");
    sweep("30", "11", "two");
    let one = place.read("one");
    assert!(one.contains("\"measured\":{\"requests\":8,"), "{one}");
    place.write("two", place.read("two").replacen("\"seedbed\":\"", "\"seedbed\":\"9.", 1));
    let ran = place.run(&["compare", "one", "two", "--format", "json"]).exits(0);
    let document = ran.json();
    assert_eq!(document["b"]["seedbed"].as_str().expect("a version").get(..2), Some("9."));
    let sim = &document["sims"][0];
    assert_eq!(
        (&sim["sim"], &sim["seeds"], &sim["alone"]),
        (&"flaky".into(), &20.into(), &20.into())
    );
    assert_eq!(row(&document, 0, "latency.p95")["finding"], "same");
    assert!((document["confidence"].as_f64().expect("a number") - 0.975).abs() < 1e-9);
    // As files were before anything was measured.
    let old: Vec<String> = one
        .lines()
        .map(|line| match line.split_once(",\"measured\":{") {
            Some((before, after)) => {
                let (_, after) = after.split_once('}').expect("an end");
                format!("{before}{after}\n")
            }
            None => format!("{line}\n"),
        })
        .collect();
    place.write("old", old.concat());
    let ran = place.run(&["compare", "old", "one"]).exits(0);
    ran.prints("only whether it passed is compared").prints("runs.passed");
    let judged = ["compare", "old", "one", "--fail-if-worse", "latency.p50"];
    place.run(&judged).exits(4).says("latency.p50 cannot be judged");
    assert_eq!(place.merged(&["old", "one"]), place.merged(&["one"]));
}

#[test]
fn what_cannot_be_compared_is_named() {
    let place = Place::new();
    let sweep = |from: &str, file: &str| {
        place.run(&["sweep", "flaky", "--seeds", "9", "--from", from, "--results", file]);
    };
    sweep("1", "old");
    sweep("100", "far");
    place.run(&["compare", "old", "far"]).exits(4).says("have no seed of a sim in common");
    place.write("sims/flaky.toml", FLAKY.replace("10%", "12%"));
    sweep("1", "new");
    place.run(&["compare", "old", "new"]).exits(2).says("different texts of the sim flaky");
    place.run(&["compare", "old", "good"]).exits(2).says("old is no sim");
    place.run(&["compare", "old", "old", "--seeds", "5"]).exits(2).says("are for sims");
    place.run(&["compare", "good", "god"]).exits(2).says("did you mean");
    place.run(&["compare", "sims", "good"]).exits(2).says("sims holds 2 sims");
    place.write("later", place.read("old").replace("\"version\":1", "\"version\":2"));
    place
        .run(&["compare", "old", "later"])
        .exits(2)
        .says("later:1: these are results of version 2");
    place.write("noise", [0xff; 3_000]);
    place.run(&["compare", "noise", "old"]).exits(2).says("no results of a sweep");
    let huge = ["compare", "good", "flaky", "--from", "18446744073709551615"];
    place.run(&huge).exits(2).says("not so many seeds");
}

#[test]
fn the_page_is_one_file_and_a_folder_is_refused() {
    let place = Place::new();
    let compare = ["compare", "good", "flaky", "--seeds", "6", "--html"];
    place.run(&[&compare[..], &["page.html"]].concat()).exits(0);
    let page = place.read("page.html");
    assert!(page.contains("\"metric\":\"latency.p50\"") && !page.contains("src="));
    assert_eq!(page.matches("</script>").count(), 3);
    place.run(&[&compare[..], &["sims"]].concat()).exits(2).says("cannot write sims");
}
