//! Configurations of real gateways: each becomes a sim, which runs under chaos, and what has no
//! counterpart in it is listed. The files have the shape of those that LiteLLM and Claude Code Router
//! document.

use std::{fs, path::Path};

use seedbed::{
    config::import::{Gateway, Import, Kind, import},
    explore::judge,
    scenario::{self, Must},
};

use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};

use super::chaos::run;

/// The files, and what must be in each list: paths of what has no counterpart, and of secrets.
const FILES: [(&str, Gateway, &[&str], &[&str]); 5] = [
    (
        "litellm_balanced.yaml",
        Gateway::Litellm,
        &[],
        &["model_list[0].litellm_params.api_key", "router_settings.redis_password"],
    ),
    (
        "litellm_reliable.yaml",
        Gateway::Litellm,
        &[
            "model_list[3].litellm_params.stream_timeout",
            "model_list[3].litellm_params.max_retries",
            "litellm_settings.context_window_fallbacks",
            "litellm_settings.content_policy_fallbacks",
            "router_settings.enable_pre_call_checks",
            "router_settings.retry_policy",
            "router_settings.allowed_fails_policy",
            "general_settings.background_health_checks",
        ],
        &["general_settings.master_key", "general_settings.database_url"],
    ),
    (
        "litellm_budgets.yaml",
        Gateway::Litellm,
        &[
            "model_list[0].model_info.input_cost_per_token",
            "model_list[1].litellm_params.max_parallel_requests",
            "model_list[4].model_info.mode",
            "litellm_settings.cache",
            "litellm_settings.cache_params",
            "router_settings.provider_budget_config",
        ],
        &["environment_variables", "model_list[0].litellm_params.aws_access_key_id"],
    ),
    (
        "ccr_many.json",
        Gateway::Ccr,
        &["Providers[0].transformer", "transformers", "CUSTOM_ROUTER_PATH"],
        &["Providers[0].api_key", "Providers[1].api_key", "APIKEY", "PROXY_URL"],
    ),
    (
        "ccr_v3.json",
        Gateway::Ccr,
        &["Providers[0].credentials", "Router.rules", "virtualModelProfiles"],
        &["Providers[1].apikey", "APIKEYS"],
    ),
];

fn imported(file: &str) -> Import {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(file);
    let text = fs::read_to_string(path).expect("a file");
    import(file, &text).expect("an import")
}

#[test]
fn documented_configurations_run_under_chaos() {
    for (file, gateway, _, _) in FILES {
        let import = imported(file);
        assert_eq!(import.gateway, gateway);
        let sim = scenario::parse("sims/imported.toml", &import.sim)
            .unwrap_or_else(|error| panic!("{file}: {error}\n{}", import.sim));
        assert!(sim.chaos.is_some() && sim.must == Must::Pass);
        let (mut answered, mut faults) = (0, 0);
        for seed in 1..=3 {
            let run = run(&sim, seed);
            assert!(judge(&sim, &run, None).is_good(), "{file}, seed {seed}: {:?}", run.failures());
            answered += run.requests.ok;
            faults += run.faults.len();
        }
        assert!(answered > 30 && faults > 3, "{file}: {answered} answered, {faults} faults");
    }
}

#[test]
fn what_has_no_counterpart_is_listed() {
    for (file, _, unsupported, secret) in FILES {
        let import = imported(file);
        let has =
            |kind, path: &str| import.findings.iter().any(|it| it.kind == kind && it.path == path);
        for (kind, paths) in [(Kind::Unsupported, unsupported), (Kind::Secret, secret)] {
            for path in paths {
                assert!(has(kind, path), "{file}: {path}\n{:#?}", import.findings);
            }
        }
        let surprises = import.findings.iter().filter(|it| it.kind == Kind::Unknown);
        let surprises: Vec<&str> = surprises.map(|it| it.path.as_str()).collect();
        let planted: &[&str] = match file {
            "litellm_reliable.yaml" => &["router_settings.surprise"],
            "ccr_many.json" => &["SURPRISE"],
            _ => &[],
        };
        assert_eq!(surprises, planted, "{file}");
    }
}

#[test]
fn no_secret_leaves_the_file() {
    for (file, ..) in FILES {
        let import = imported(file);
        let said = format!("{}{:?}", import.sim, import.findings);
        for secret in ["planted-secret", "example.net", "localhost", "https://", "OPENAI_API_KEY"] {
            assert!(!said.contains(secret), "{file}: {secret}");
        }
    }
}

#[test]
fn the_same_file_makes_the_same_sim() {
    for (file, ..) in FILES {
        assert_eq!(imported(file), imported(file));
    }
}

/// What people and machines write by mistake, or to do harm.
const MISTAKES: [&str; 18] = [
    "",
    "0",
    "-1",
    "1e999",
    "999999999999999999999",
    ".nan",
    "null",
    "[]",
    "{}",
    "\"",
    "'",
    ":",
    ",",
    "*a",
    "\n",
    "\u{202e}",
    "router",
    "x\n[[fault]]\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// A file with mistakes in it is refused, or makes a sim that can be read: never a panic, never a
    /// sim that is none.
    #[test]
    fn a_file_with_mistakes_makes_a_sim_or_none(
        file in 0..FILES.len(),
        mistakes in proptest::collection::vec((any::<u16>(), 0..12_usize, 0..MISTAKES.len()), 1..4),
    ) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(FILES[file].0);
        let mut letters: Vec<char> = fs::read_to_string(path).expect("a file").chars().collect();
        for (place, length, mistake) in mistakes {
            let from = usize::from(place) % letters.len().max(1);
            let to = (from + length).min(letters.len());
            letters.splice(from..to, MISTAKES[mistake].chars());
        }
        let text: String = letters.into_iter().collect();
        if let Ok(import) = import("x", &text) {
            let sim = scenario::parse("sims/imported.toml", &import.sim);
            prop_assert!(sim.is_ok(), "{:?}\n{}\n{}", sim.err(), text, import.sim);
        }
    }

    /// The same of any bytes.
    #[test]
    fn any_bytes_make_a_sim_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        for before in ["", "{", "model_list:\n- model_name: a\n  litellm_params: {model: b}\n"] {
            let _ = import("x", &format!("{before}{text}"));
        }
    }
}
