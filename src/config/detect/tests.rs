//! Names of environments, whole words only, and what counts when signs disagree.

use super::*;

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn detected(pairs: &[(&str, &str)], hostname: Option<&str>) -> Detection {
    let variables = map(pairs);
    detect(&Signals { variables: Some(&variables), hostname, files: &[] })
}

#[test]
fn known_names_have_the_confidence_of_the_source() {
    use Environment::{Development, Production, Staging};
    for (name, environment, preset, confidence) in [
        ("development", Development, Preset::Development, 95),
        ("dev", Development, Preset::Development, 90),
        ("testing", Development, Preset::Development, 85),
        ("test", Development, Preset::Development, 85),
        ("staging", Staging, Preset::Production, 90),
        ("stage", Staging, Preset::Production, 85),
        ("production", Production, Preset::Production, 95),
        (" PROD ", Production, Preset::Production, 90),
        ("live", Production, Preset::Production, 85),
        ("eu-uat-2", Staging, Preset::Production, 70),
        ("pre-prod", Staging, Preset::Production, 70),
        ("pre_production", Staging, Preset::Production, 70),
        ("preprod", Staging, Preset::Production, 70),
        ("dev-42", Development, Preset::Development, 75),
        ("my sandbox", Development, Preset::Development, 75),
        ("eu-west1.prod", Production, Preset::Production, 75),
        ("prod01", Production, Preset::Production, 75),
        ("release/5", Production, Preset::Production, 75),
    ] {
        assert_eq!(recommend(name), (environment, preset, confidence), "{name}");
    }
}

#[test]
fn parts_of_words_are_no_words() {
    let unknown = (Environment::Unknown, Preset::Simple, 40);
    for name in [
        "latest",
        "domain-7",
        "contest",
        "greatest",
        "delivery",
        "olive",
        "device",
        "reproduce",
        "unstable",
        "maintenance",
        "mastermind",
        "backstage",
        "demon",
        "",
        "-",
        "pre",
        "42",
    ] {
        assert_eq!(recommend(name), unknown, "{name}");
    }
    assert_eq!(recommend(&"dev ".repeat(100)), unknown, "too long to be a name");
}

#[test]
fn the_surest_sign_counts_and_the_others_are_told() {
    let found = detected(&[("NODE_ENV", "production"), ("ENVIRONMENT", "dev")], Some("web-prod-3"));
    assert_eq!((found.environment, found.confidence), (Environment::Development, 90));
    assert_eq!(found.preset, Preset::Development);
    let against: Vec<_> = found.against().map(|it| (it.source.as_str(), it.confidence)).collect();
    assert_eq!(against, [("NODE_ENV", 85), ("hostname", 70)]);
    let text = found.to_string();
    assert!(
        text.contains("ENVIRONMENT is \"dev\"") && text.contains("NODE_ENV says production (85 %)"),
        "{text}"
    );
}

#[test]
fn the_machine_and_its_files_are_the_weakest_signs() {
    assert_eq!(detected(&[], Some("stage-1")).confidence, 65);
    assert_eq!(detected(&[], Some("my-laptop")).preset, Preset::Simple);
    assert_eq!(
        detected(&[("DEBUG", "true")], Some("web-prod")).environment,
        Environment::Development
    );
    let files = [".git", "docker-compose.prod.yml"];
    let found = detect(&Signals { variables: None, hostname: None, files: &files });
    assert_eq!((found.environment, found.confidence), (Environment::Production, 75));
    let nothing = detected(&[("ENVIRONMENT", "")], None);
    assert_eq!((nothing.preset, nothing.confidence), (Preset::Simple, 40));
    assert!(nothing.to_string().contains("nothing says"));
    let odd = detected(&[("ENVIRONMENT", "latest")], None);
    assert_eq!((odd.preset, odd.confidence), (Preset::Simple, 40));
}
