//! `seedbed config import` and `seedbed config migrate`, as a user runs them.

use std::fs;

use super::{Place, repository};

fn fixture(name: &str) -> String {
    let path = repository().join("tests/config").join(name);
    fs::read_to_string(path).expect("a file")
}

#[test]
fn an_imported_sim_runs() {
    let place = Place::new().file("config.yaml", fixture("litellm_reliable.yaml"));
    let ran = place.run(&["config", "import", "config.yaml", "-o", "sims/made.toml"]);
    ran.exits(2).says("cannot write");
    let place = place.file("sims/requirements.toml", "");
    let ran = place.run(&["config", "import", "config.yaml", "-o", "sims/made.toml"]).exits(0);
    assert_eq!(ran.out, "");
    let ran = ran.says("unsupported: litellm_settings.context_window_fallbacks (a list of 1): ");
    let ran = ran.says("assumed: ").says("unknown: router_settings.surprise (a number): ");
    ran.says("secret: general_settings.master_key (a text): ").says("a configuration of LiteLLM, ");
    place.run(&["run", "sims/made.toml", "--seed", "1"]).exits(0);
    // Without a file for it the sim is what is printed.
    let printed = place.run(&["config", "import", "config.yaml"]).exits(0).out;
    let read = || fs::read_to_string(place.path().join("sims/made.toml")).expect("a sim");
    assert_eq!(printed, read());
    // Nobody's work is lost: neither what was made of it since, nor what it is made of.
    let into = |path: &str| place.run(&["config", "import", "config.yaml", "-o", path]);
    into("sims/made.toml").exits(0);
    let edited = format!("# Mine.\n{printed}");
    fs::write(place.path().join("sims/made.toml"), &edited).expect("a file");
    into("sims/made.toml").exits(2).says("is there already, and says something else");
    assert_eq!(read(), edited);
    into("config.yaml").exits(2).says("which is read");
    into("./sims/../config.yaml").exits(2).says("which is read");
}

#[test]
fn an_import_is_a_document() {
    let place = Place::new().file("config.json", fixture("ccr_many.json"));
    let ran = place.run(&["config", "import", "config.json", "--format", "json"]).exits(0);
    let document = ran.json();
    assert_eq!(
        (&document["version"], &document["gateway"]),
        (&1.into(), &"Claude Code Router".into())
    );
    assert!(document["sim"].as_str().expect("a sim").contains("primary = \"deepseek-chat\""));
    let findings = document["findings"].as_array().expect("findings");
    let of = |path: &str| findings.iter().find(|it| it["path"] == path).expect("a finding");
    assert_eq!(of("transformers")["kind"], "unsupported");
    assert_eq!(of("SURPRISE")["found"], "a list of 2");
    assert_eq!(of("Router.webSearch")["assumed"], "it is asked all the same");
    assert_eq!(ran.err, "");
}

#[test]
fn what_cannot_be_imported_is_said() {
    let place = Place::new()
        .file("broken.yaml", "model_list:\n- a: \"planted-secret\n")
        .file("twice.json", "{\"Providers\": [],\n\"Providers\": []}")
        .file("other.yaml", "services: {}\n")
        .file("huge.yaml", "# x\n".repeat(3_000_000))
        .file("bytes.yaml", [0xff, 0xfe]);
    for (file, says) in [
        ("broken.yaml", "broken.yaml: line "),
        ("twice.json", "twice.json: line 2, column "),
        ("other.yaml", "neither model_list nor Providers"),
        ("huge.yaml", "huge.yaml is larger than 1024 KiB"),
        ("bytes.yaml", "not UTF-8"),
        ("gone.yaml", "cannot read gone.yaml"),
    ] {
        let ran = place.run(&["config", "import", file]).exits(2).says(says).says("help: ");
        assert!(ran.out.is_empty() && !ran.err.contains("planted-secret"), "{ran:?}");
    }
}

const ENV: &str = "# What ran.\nexport RETRY_MAX_ATTEMPTS=5\nCIRCUIT_BREAKER_FAILURE_THRESHOLD=9\n\
    API_KEY=planted-secret\nRETRY_MAX_DELAY=soon\nQA_RESILIENCE_STRATEGY=critical\n";

#[test]
fn old_variables_become_a_preset() {
    let place = Place::new().file("old.env", ENV);
    let ran = place.run(&["config", "migrate", "old.env", "--verify", "--seeds", "5"]).exits(0);
    let ran = ran.prints("preset = \"production\"").prints("circuit_breaker_threshold = 9");
    let ran = ran.says("3 of 15 variables; nearest preset production").says("confidence HIGH");
    let ran = ran.says("skipped: RETRY_MAX_DELAY: it is not a whole number");
    let ran = ran.says("verified: equal over 5 seeds");
    assert!(!format!("{ran:?}").contains("planted-secret"));
    // What was written is taken.
    let place = place.file("new.toml", &ran.out);
    place.run(&["config", "check", "new.toml"]).exits(0);
    for (form, says) in [
        ("bash", "export RESILIENCE_PRESET='production'"),
        ("env", "RESILIENCE_PRESET=production"),
        ("docker", "environment:\n  RESILIENCE_PRESET: 'production'"),
    ] {
        place.run(&["config", "migrate", "old.env", "--to", form]).exits(0).prints(says);
    }
}

#[test]
fn a_migration_that_changes_something_is_seen() {
    let place = Place::new().file("old.env", "CIRCUIT_BREAKER_RECOVERY_TIMEOUT=400\n");
    let arguments = ["config", "migrate", "old.env", "--verify", "--format", "json"];
    let document = place.run(&arguments).exits(1).json();
    assert_eq!(document["verified"]["equal"], false);
    assert_eq!(document["clamped"][0], serde_json::json!(["recovery_timeout", "400", "300"]));
    assert_ne!(document["confidence"], "HIGH");
    place.run(&["config", "migrate"]).exits(2).says("--from-env");
    let none = Place::new().file("notes.md", "# Notes\n").file("bad.env", "RETRY_MAX_DELAY=soon\n");
    for (file, says) in [("notes.md", "in notes.md"), ("bad.env", "skipped: RETRY_MAX_DELAY")] {
        let ran = none.run(&["config", "migrate", file]).exits(4).says(says);
        assert_eq!(ran.says("none of the 15 variables").out, "");
    }
    let open = Place::new().file("old.env", "RETRY_MAX_ATTEMPTS='1\n");
    open.run(&["config", "migrate", "old.env"]).exits(2).says("old.env: line 1: the quotes");
}

#[test]
fn the_process_is_asked_only_if_it_is_told_to() {
    let place = Place::new();
    let mut command = place.command(&["config", "migrate", "--from-env", "--format", "json"]);
    command.env("DEFAULT_RESILIENCE_STRATEGY", "aggressive");
    let output = command.output().expect("it starts");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&document["preset"], &document["detected"]), (&"development".into(), &1.into()));
    assert_eq!(document["warnings"].as_array().map(Vec::len), Some(1));
}
