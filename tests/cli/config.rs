//! `seedbed config`: what it says of good and bad configurations, and its exit codes.

use super::Place;

const GOOD: &str =
    "preset = \"production\"\nretry_attempts = 4\n[operations.qa]\nretry_attempts = 6\n";
const BAD: &str = "retry_attempts = 50\nrecovery_timout = 60\n";

#[test]
fn check_tells_all_that_is_wrong_and_what_would_pass() {
    let place = Place::new()
        .file("good.toml", GOOD)
        .file("bad.toml", BAD)
        .file("warned.json", "{\"circuit_breaker_threshold\": 2}")
        .file("broken.json", "{\"retry_attempts\": }");
    let ran = place.run(&["config", "check", "good.toml"]).exits(0);
    assert_eq!(ran.out, "✓ good.toml\n1 configuration, all good\n");
    let ran =
        place.run(&["config", "check", "good.toml", "bad.toml", "warned.json", "broken.json"]);
    let ran = ran.exits(2).prints("✓ good.toml\n✗ bad.toml\n✓ warned.json\n✗ broken.json\n");
    ran.prints("4 configurations, 2 wrong, 2 warnings\n")
        .says("[bad.toml:1:18]")
        .says("it is 1 to 10")
        .says("10 would do")
        .says("did you mean `recovery_timeout`?")
        .says("[broken.json:1:20]")
        .says("warned.json:1:1");
    let json = place.run(&["config", "check", "bad.toml", "--format", "json"]).exits(2).json();
    let problem = &json["files"][0]["problems"][1];
    assert_eq!(json["version"], 1);
    assert_eq!(json["files"][0]["ok"], false);
    assert_eq!((&problem["kind"], &problem["line"]), (&"unknown".into(), &2.into()));
    assert_eq!(problem["key"], "recovery_timout");
    assert_eq!(problem["severity"], "error");
}

#[test]
fn what_no_configuration_can_be_is_refused_quickly() {
    let place = Place::new()
        .file("huge.toml", "x".repeat(10 * 1024 * 1024))
        .file("bomb.json", format!("{}{}", "[".repeat(2_000), "]".repeat(2_000)))
        .file("bytes.toml", [0xff, 0xfe, 0x00]);
    place.run(&["config", "check", "huge.toml"]).exits(2).says("longer than 4096 bytes");
    place.run(&["config", "check", "bomb.json"]).exits(2).says("nested more than 10 deep");
    place.run(&["config", "check", "bytes.toml"]).exits(2).says("not UTF-8");
    place.run(&["config", "check", "nothing.toml"]).exits(2).says("cannot read nothing.toml");
    place.run(&["config", "show", "--file", "huge.toml"]).exits(2).says("longer than 4096 bytes");
}

#[test]
fn show_says_what_is_in_force_and_why() {
    let place = Place::new().file("good.toml", GOOD);
    let ran = place.run(&["config", "show", "--file", "good.toml"]).exits(0);
    ran.prints("preset: production (good.toml:1 preset)").prints("SETTING").prints("summarize");
    let arguments = [
        "config",
        "show",
        "--file",
        "good.toml",
        "--operation",
        "qa",
        "--why",
        "--env",
        "RETRY_MAX_ATTEMPTS=9",
    ];
    let ran = place.run(&arguments).exits(0);
    let lines: Vec<String> = ran
        .out
        .lines()
        .skip_while(|line| !line.contains("retry_attempts"))
        .take(6)
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        lines,
        [
            "retry_attempts 6 good.toml:4 operations.qa.retry_attempts",
            "over 7 preset production",
            "over 9 environment RETRY_MAX_ATTEMPTS (legacy)",
            "over 4 good.toml:2 retry_attempts",
            "over 5 preset production",
            "over 3 default",
        ],
        "{ran:?}"
    );
    ran.says("RETRY_MAX_ATTEMPTS is a variable of old");
    let json =
        place.run(&["config", "show", "--preset", "simple", "--format", "json"]).exits(0).json();
    assert_eq!(json["preset"]["from"], "--preset");
    assert_eq!(json["scopes"][0]["settings"][0]["value"], 3);
    assert_eq!(json["scopes"][0]["settings"][5]["value"], 1.0);
    place
        .run(&["config", "show", "--preset", "prodction"])
        .exits(2)
        .says("did you mean production?");
}

#[test]
fn show_detects_the_environment_and_takes_that_of_the_process() {
    let place = Place::new();
    let ran = place.run(&["config", "show", "--env", "ENVIRONMENT=eu-prod-2"]).exits(0);
    ran.prints("environment: production (75 %)")
        .prints("preset: production (detected from ENVIRONMENT)");
    let ran = place.run(&["config", "show", "--env", "ENVIRONMENT=latest"]).exits(0);
    ran.prints("environment: unknown (40 %)").prints("preset: simple");
    let mut command = place.command(&["config", "show", "--from-env", "--format", "json"]);
    let output = command.env("RESILIENCE_PRESET", "development").output().expect("it starts");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["preset"]["name"], "development");
    assert_eq!(json["preset"]["from"], "environment RESILIENCE_PRESET");
    let mut command = place.command(&["config", "show", "--from-env"]);
    let output = command.env("RESILIENCE_CUSTOM_CONFIG", "{").output().expect("it starts");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn diff_compares_files_and_presets() {
    let place =
        Place::new().file("good.toml", GOOD).file("same.json", "{\"preset\": \"production\"}");
    place.run(&["config", "diff", "production", "same.json"]).exits(0).prints("hold the same");
    let ran = place.run(&["config", "diff", "production", "good.toml"]).exits(1);
    ran.prints("retry_attempts").prints("good.toml:4 operations.qa.retry_attempts");
    let arguments = ["config", "diff", "simple", "good.toml", "--format", "json"];
    let json = place.run(&arguments).exits(1).json();
    assert_eq!(json["equal"], false);
    assert_eq!(json["differences"][0]["key"], "retry_attempts");
    assert_eq!(json["differences"][0]["right"]["value"], 4);
    place.run(&["config", "diff", "simple", "nothing.toml"]).exits(2).says("cannot read");
    place.run(&["config", "diff", "simple", "prodction"]).exits(2).says("did you mean production?");
    place.run(&["config", "diff", "simple", "nope"]).exits(2).says("the presets are simple, ");
    let ran = place.run(&["config", "show", "--operation", "nope"]).exits(0);
    ran.says("\"nope\" has what all others have").says("those that are known: ");
    place.run(&["config", "diff", "good.toml", "good.toml"]).exits(0);
}

#[test]
fn the_schema_and_the_completions_know_configurations() {
    let place = Place::new();
    let schema = place.run(&["config", "schema"]).exits(0).json();
    assert_eq!(schema["properties"]["retry_attempts"]["maximum"], 10);
    place.run(&["completions", "bash"]).exits(0).prints("seedbed__subcmd__config");
}

#[test]
fn the_configuration_in_the_readme_is_good() {
    let readme = include_str!("../../README.md");
    let mut blocks = readme.split("```toml\n").filter_map(|rest| rest.split("```").next());
    let text = blocks.find(|text| text.starts_with("preset")).expect("a configuration");
    let place = Place::new().file("resilience.toml", text);
    let ran = place.run(&["config", "check", "resilience.toml"]).exits(0);
    assert_eq!((ran.out.lines().last(), &*ran.err), (Some("1 configuration, all good"), ""));
}
