//! Shards together are the whole, and what does not belong together is refused.

use super::common::{FLAKY, Place};

/// A sweep of 90 seeds in so many shards; the files.
fn shards(place: &Place, of: u64) -> Vec<String> {
    let one = |index: u64| {
        let (shard, file) = (format!("{index}/{of}"), format!("shard-{index}-{of}.jsonl"));
        let arguments =
            ["sweep", "--seeds", "90", "--shard", &shard, "--results", &file, "--jobs", "2"];
        let ran = place.run(&arguments);
        assert!(matches!(ran.code, Some(0 | 1)), "{ran:?}");
        file
    };
    (1..=of).map(one).collect()
}

#[test]
fn four_shards_merged_are_one_sweep() {
    let place = Place::new();
    let whole = shards(&place, 1);
    let four = shards(&place, 4);
    let mut files: Vec<&str> = four.iter().map(String::as_str).collect();
    let merged = place.merged(&[&whole[0]]);
    assert_eq!(place.merged(&files), merged);
    files.reverse();
    assert_eq!(place.merged(&files), merged, "in any order");
    files.extend([four[2].as_str(), &whole[0]]);
    assert_eq!(place.merged(&files), merged, "however often");
    // Merged results can be merged again, onto themselves.
    assert_eq!(place.merged(&["merged.jsonl"]), merged);
    let printed = place.run(&["merge", "merged.jsonl", "--format", "jsonl"]).exits(1);
    assert_eq!(printed.out, merged);
    let alone = place.run(&["sweep", "--seeds", "90"]).exits(1);
    let told = place.run(&["merge", "merged.jsonl"]).exits(1);
    let failures = |text: &str| text.split("runs of").next().map(str::to_owned);
    assert_eq!(failures(&told.out), failures(&alone.out));
    assert_eq!(told.out.lines().last(), alone.out.lines().last());
}

#[test]
fn a_page_shows_every_run_however_the_results_came() {
    let place = Place::new();
    let sweep = ["sweep", "--seeds", "40", "--html"];
    let ran = |more: &[&str]| place.run(&[&sweep, more].concat()).exits(1);
    ran(&["one.html", "--jobs", "1", "--results", "r.jsonl"]);
    ran(&["two.html", "--jobs", "2"]);
    let page = place.read("one.html");
    assert!(page == place.read("two.html"), "on any number of threads");
    ran(&["again.html", "--results", "r.jsonl", "--resume"]);
    assert!(page == place.read("again.html"), "also of what was there before");
    assert_eq!(page.matches("\"40\"").count(), 2, "the last seed of both sims");
    place.run(&["merge", "r.jsonl", "--html", "merged.html"]).exits(1);
    let runs = |page: &str| page.split("id=\"events-data\">").nth(1).map(str::to_owned);
    assert!(runs(&page).is_some() && runs(&page) == runs(&place.read("merged.html")));
    for arguments in [["sweep", "good", "--html", "sims"], ["merge", "r.jsonl", "--html", "sims"]] {
        place.run(&arguments).exits(2).says("cannot write sims");
    }
}

#[test]
fn what_is_missing_is_listed() {
    let place = Place::new();
    let files = shards(&place, 3);
    let ran = place.run(&["merge", &files[0], &files[2]]).exits(1);
    let ran = ran.prints("no results of shard 2/3").prints("missing: 30 seeds of flaky: 2, 5, 8,");
    ran.prints("missing: 30 seeds of good");
    let document = place.run(&["merge", &files[1], "--format", "json"]).json();
    assert_eq!(document["missing"], 120);
    assert_eq!(document["missing_shards"], serde_json::json!(["1/3", "3/3"]));
    assert_eq!(document["missing_seeds"]["good"][0], serde_json::json!([1, 1]));
    assert_eq!(document["missing_seeds"]["good"][1], serde_json::json!([3, 4]));
    // All is well as far as it goes, but it does not go far enough.
    let arguments = ["sweep", "good", "--seeds", "9", "--shard", "1/2", "--results", "r"];
    place.run(&arguments).exits(0);
    place.run(&["merge", "r"]).exits(4).prints("missing: 4 seeds of good: 2, 4, 6, 8");
}

#[test]
fn two_results_of_one_seed_that_differ_are_named() {
    let place = Place::new();
    let arguments = ["sweep", "good", "--seeds", "5", "--jobs", "1", "--results"];
    place.run(&[&arguments[..], &["one"]].concat()).exits(0);
    let text = place.read("one");
    let line = text.lines().find(|line| line.contains("\"seed\":3,\"fing")).expect("a result");
    let fingerprint = line.split("\"fingerprint\":\"").nth(1).expect("one").get(..16).expect("one");
    place.write("two", text.replace(fingerprint, "00000000000000aa"));
    let ran = place.run(&["merge", "one", "two", "-o", "both"]).exits(3);
    ran.prints("good seed 3 has two results, with fingerprints 00000000000000aa and");
    // It is not forgotten.
    place.run(&["merge", "both"]).exits(3).prints("good seed 3 has two results");
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let place = Place::new();
    let arguments = ["sweep", "flaky", "--seeds", "9", "--results"];
    place.run(&[&arguments[..], &["old"]].concat());
    place.write("sims/flaky.toml", FLAKY.replace("10%", "12%"));
    place.run(&[&arguments[..], &["new"]].concat());
    place.write("out", "precious");
    let ran = place.run(&["merge", "old", "new", "-o", "out"]).exits(2);
    ran.says("new and old were made from different texts of the sim flaky");
    assert_eq!(place.read("out"), "precious");
    let old = place.read("old");
    place.write("later", old.replace("\"version\":1", "\"version\":2"));
    place.run(&["merge", "later"]).exits(2).says("later:1: these are results of version 2");
    place.write("other", old.replacen("\"seedbed\":\"", "\"seedbed\":\"9.", 1));
    place.run(&["merge", "old", "other"]).exits(2).says("is of seedbed 9.");
    place.write("noise", [0xff; 3_000]);
    place.run(&["merge", "noise"]).exits(2).says("no results of a sweep");
    place.write("empty", "");
    place.run(&["merge", "empty"]).exits(2).says("empty is empty");
}

#[test]
fn damaged_files_give_what_is_whole_in_them() {
    let place = Place::new();
    let files = shards(&place, 1);
    let (text, merged) = (place.read(&files[0]), place.merged(&[&files[0]]));
    let mut lines: Vec<&str> = text.lines().collect();
    let result = |line: &&str| line.contains("\"finished\"");
    let at = lines.iter().position(result).expect("a result");
    let long = "x".repeat(3_000_000);
    lines[at] = &long;
    lines.push("{\"kind\":\"finished\",\"vers");
    place.write("damaged", lines.join("\n"));
    let ran = place.run(&["merge", "damaged", "--format", "json"]).exits(1);
    let ran = ran.says(&format!("damaged:{}: this line is longer than", at + 1));
    assert_eq!(ran.says("this line was not written to its end").json()["missing"], 1);
    // What one file lost another may have.
    assert_eq!(place.merged(&["damaged", &files[0]]), merged);
}
