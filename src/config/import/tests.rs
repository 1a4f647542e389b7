//! What becomes of each setting, and that nothing is passed over in silence.

use super::*;

fn made(text: &str) -> Import {
    import("config.yaml", text).unwrap_or_else(|error| panic!("{error}"))
}

/// The findings of a kind, by path.
fn paths(import: &Import, kind: Kind) -> Vec<&str> {
    let of = import.findings.iter().filter(|finding| finding.kind == kind);
    of.map(|finding| finding.path.as_str()).collect()
}

#[track_caller]
fn says(import: &Import, line: &str) {
    assert!(import.sim.lines().any(|it| it.starts_with(line)), "no {line}:\n{}", import.sim);
}

const ONE: &str = "model_list:\n- model_name: a\n  litellm_params: {model: openai/x}\n";

fn with(rest: &str) -> Import {
    made(&format!("{ONE}{rest}"))
}

#[test]
fn what_the_file_does_not_say_is_as_litellm_has_it() {
    let import = made(ONE);
    says(&import, "primary = \"a\" # a (model_list[0])");
    says(&import, "retry = { preset = \"litellm\", attempts = 3 }");
    says(&import, "timeout = \"6000s\"");
    says(
        &import,
        "breaker = { dialect = \"failsafe\", window = { time = \"1m\" }, failure_rate = \"51%\"",
    );
    assert!(!import.sim.contains("strategy"), "{}", import.sim);
    assert_eq!(paths(&import, Kind::Unknown), Vec::<&str>::new());
}

#[test]
fn settings_of_the_router_count() {
    let import = with(
        "router_settings: {num_retries: 0, timeout: 1.5, allowed_fails: 2, cooldown_time: 7}\n\
         litellm_settings: {num_retries: 9, request_timeout: 9}\n",
    );
    says(&import, "retry = { preset = \"litellm\", attempts = 1 } # router_settings.num_retries");
    says(&import, "timeout = \"1500ms\" # router_settings.timeout");
    assert!(import.sim.contains("failures = 3, open_for = \"7s\" }"), "{}", import.sim);
    let ignored = paths(&import, Kind::Ignored);
    assert_eq!(ignored, ["litellm_settings.num_retries", "litellm_settings.request_timeout"]);
}

#[test]
fn cooldowns_can_be_off() {
    assert!(!with("router_settings: {disable_cooldowns: true}\n").sim.contains("breaker"));
    assert!(with("router_settings: {disable_cooldowns: false}\n").sim.contains("breaker"));
}

const THREE: &str = "model_list:\n\
    - {model_name: a, litellm_params: {model: m1, rpm: 30}}\n\
    - {model_name: a, litellm_params: {model: m2, rpm: 10}}\n\
    - {model_name: b, litellm_params: {model: claude-x}, model_info: {id: the-b}}\n";

#[test]
fn a_group_is_drawn_from_by_its_limits_and_a_fallback_never() {
    let import = made(&format!("{THREE}router_settings: {{fallbacks: [{{a: [b]}}]}}\n"));
    says(&import, "primary = \"a\"");
    says(&import, "fallback = [\"a-2\", \"b\"]");
    says(&import, "routes.reasoning = [\"b\"]");
    says(&import, "strategy = \"weighted\"");
    for line in ["weight = 30 ", "weight = 10 ", "weight = 0 ", "requests_per_minute = 30 "] {
        says(&import, line);
    }
    says(&import, "provider = \"anthropic\"");
}

#[test]
fn a_group_that_is_drawn_from_elsewhere_cannot_be_a_fallback() {
    let import = made(&format!("{THREE}router_settings: {{fallbacks: [{{b: [a]}}]}}\n"));
    assert!(!import.sim.contains("strategy ="), "{}", import.sim);
    let about = |finding: &&Finding| finding.path == "router_settings.routing_strategy";
    assert!(import.findings.iter().any(|it| about(&it) && it.kind == Kind::Assumed));
}

#[test]
fn fallbacks_of_fallbacks_are_followed_as_deep_as_allowed() {
    let groups: String = ('a'..='h')
        .map(|it| format!("- {{model_name: {it}, litellm_params: {{model: openai/{it}}}}}\n"))
        .collect();
    let fallbacks: String =
        ('a'..'h').map(|it| format!("{{{it}: [{}]}},", (it as u8 + 1) as char)).collect();
    let text = |more: &str| {
        format!("model_list:\n{groups}router_settings: {{fallbacks: [{fallbacks}]{more}}}\n")
    };
    let import = made(&text(""));
    says(&import, "fallback = [\"b\", \"c\", \"d\", \"e\", \"f\"]");
    says(&made(&text(", max_fallbacks: 1")), "fallback = [\"b\"]");
    // Seven kinds of requests can be told apart, and the eighth group is listed.
    let left = import.findings.iter().find(|it| it.path == "model_list[7]");
    assert_eq!(left.map(|it| it.kind), Some(Kind::Assumed));
    // A circle ends where it began.
    let circle = made(&format!("{THREE}router_settings: {{default_fallbacks: [a, the-b, b]}}\n"));
    says(&circle, "fallback = [\"a-2\", \"b\"]");
    says(&circle, "routes.reasoning = [\"b\", \"a\", \"a-2\"]");
}

#[test]
fn a_fallback_that_is_not_there_is_listed() {
    let import = made(&format!(
        "{THREE}router_settings: {{fallbacks: [{{a: [c]}}, {{c: [a]}}, 3], num_retries: two}}\n"
    ));
    let settings = |rest| format!("router_settings.{rest}");
    let invalid = ["num_retries", "fallbacks[0].a[0]", "fallbacks[1].c", "fallbacks[2]"];
    assert_eq!(paths(&import, Kind::Invalid), invalid.map(settings));
}

#[test]
fn a_budget_is_tokens_of_a_day_if_a_price_is_known() {
    let budget = "litellm_settings: {max_budget: 30, budget_duration: 30d}\n";
    let import = with(budget);
    assert_eq!(paths(&import, Kind::Unsupported), ["litellm_settings.max_budget"]);
    let priced = ONE.replace("x}", "x, output_cost_per_token: 2e-06}");
    let import = made(&format!("{priced}{budget}"));
    says(&import, "quota = { tokens_per_day = 500000 } # litellm_settings.max_budget");
    says(&import, "price = \"2.000000\" # model_list[0].litellm_params.output_cost_per_token");
}

#[test]
fn nothing_is_passed_over_in_silence() {
    // Every scalar of a file is in the sim's comments or in a finding, by its path.
    let text = "model_list:\n- {model_name: a, litellm_params: {model: x, unheard: 1}, odd: 2}\n\
                router_settings: {unheard_of: 3, redis_port: 4}\n\
                litellm_settings: {never: 5, cache: true}\ngeneral_settings: {nowhere: 6}\nelse: 7\n";
    let import = made(text);
    let unknown = [
        "model_list[0].litellm_params.unheard",
        "model_list[0].odd",
        "router_settings.unheard_of",
        "litellm_settings.never",
        "general_settings.nowhere",
        "else",
    ];
    assert_eq!(paths(&import, Kind::Unknown), unknown);
    assert_eq!(paths(&import, Kind::Ignored), ["router_settings.redis_port"]);
    assert_eq!(paths(&import, Kind::Unsupported), ["litellm_settings.cache"]);
}

#[test]
fn a_secret_in_a_wrong_place_is_not_copied() {
    let key = "sk-proj-4f9Kq2Lm8Zx1Vb7Nc3Td6Yh0Wj5Rg";
    let import = with(&format!(
        "router_settings: {{{key}: 1, fallbacks: [{{a: [{key}]}}], model_group_alias: {{{key}: a}}}}\n"
    ));
    let model = made(&format!(
        "model_list:\n- model_name: {key}\n  litellm_params: {{model: openai/{key}}}\n"
    ));
    let ccr = made(&format!(
        "{{\"Providers\": [{{\"name\": \"{key}\", \"models\": [\"{key}\"], \"{key}\": 1}}], \
         \"Router\": {{\"default\": \"{key},{key}\", \"{key}\": \"{key}\"}}}}"
    ));
    for import in [import, model, ccr] {
        let said = format!("{}{:?}", import.sim, import.findings).to_lowercase();
        assert!(!said.contains(&key.to_lowercase()), "{said}");
    }
}

#[test]
fn a_comment_cannot_be_left() {
    let import = made(
        "model_list:\n- model_name: \"a\\n[[fault]] \\\"\"\n  litellm_params: {model: \"x\\ny = 1\"}\n",
    );
    assert!(
        !import.sim.lines().any(|line| line.starts_with("[[fault]]") || line.starts_with("y ="))
    );
}

#[test]
fn names_are_made_unique() {
    let entry =
        |name: &str| format!("- {{model_name: {name}, litellm_params: {{model: openai/x}}}}\n");
    let names =
        ["router", "A/B", "a_b", "a-b", "\"*\"", "asks-general", "\"…\""].map(entry).concat();
    let import = made(&format!("model_list:\n{names}"));
    for name in ["model-router", "a-b", "a_b", "a-b-2", "model", "model-asks-general", "model-2"] {
        says(&import, &format!("name = \"{name}\""));
    }
}

const CCR: &str = "{\"Providers\": [{\"name\": \"p\", \"models\": [\"m\", \"n\"]}], \"Router\": ";

#[test]
fn routes_are_chains() {
    let import = made(&format!(
        "{CCR}{{\"default\": \"p,m\", \"longContext\": \"p,n\", \"longContextThreshold\": 9000, \
         \"think\": \"p\", \"background\": 3}}, \"API_TIMEOUT_MS\": 2500}}"
    ));
    assert_eq!(import.gateway, Gateway::Ccr);
    says(&import, "primary = \"m\" # default: any request (Router.default)");
    says(&import, "routes.long_context = [\"n\"]");
    says(&import, "input_tokens = { uniform = [9000, 18000] }");
    says(&import, "timeout = \"2500ms\" # API_TIMEOUT_MS");
    assert!(!import.sim.contains("retry ="), "version 2 asks once");
    assert_eq!(paths(&import, Kind::Invalid), ["Router.think", "Router.background"]);
}

#[test]
fn version_3_goes_on_in_one_way() {
    let fallback = |it: &str| made(&format!("{CCR}{{\"default\": \"p/m\", \"fallback\": {it}}}}}"));
    let retry = fallback("{\"mode\": \"retry\", \"retryCount\": 4, \"models\": []}");
    says(&retry, "retry = { preset = \"ccr\", attempts = 5 } # Router.fallback.mode");
    let chain = fallback("{\"mode\": \"model-chain\", \"models\": [\"p/n\", \"p/m\"]}");
    says(&chain, "fallback = [\"n\"]");
    let off = fallback("{\"mode\": \"off\", \"models\": [\"p/n\"]}");
    assert!(!off.sim.contains("fallback ="));
    assert!(paths(&off, Kind::Ignored).contains(&"Router.fallback.models"));
    let wrong = fallback("{\"mode\": \"on\"}");
    assert_eq!(paths(&wrong, Kind::Invalid), ["Router.fallback.mode"]);
}

#[test]
fn without_a_default_the_first_model_is_asked() {
    let import = made(&format!("{CCR}{{}}}}"));
    says(&import, "primary = \"m\"");
    let about = import.findings.iter().find(|it| it.path == "Router.default");
    assert_eq!(about.map(|it| it.kind), Some(Kind::Assumed));
}

#[test]
fn what_is_no_configuration_is_refused() {
    let error = |text: &str| import("x.yaml", text).expect_err("refused");
    for text in ["", "3", "[1]", "text", "a: 1", "{}", "{\"Router\": {}}"] {
        assert!(matches!(error(text), ImportError::Unknown { .. }), "{text:?}");
    }
    for text in [
        "model_list: []",
        "model_list: 3",
        "router_settings: {}",
        "model_list: [{}]",
        "{\"Providers\": []}",
        "{\"Providers\": [{\"name\": \"p\"}]}",
        "{\"Providers\": [{\"models\": [\"m\"]}]}",
    ] {
        assert!(matches!(error(text), ImportError::Nothing { .. }), "{text:?}");
    }
    let huge = "#".repeat(10 * 1024 * 1024);
    assert!(matches!(error(&huge), ImportError::TooLarge { .. }));
    let error = error("model_list:\n- model_name: [a\n");
    assert!(error.to_string().starts_with("x.yaml: line "), "{error}");
    assert!(!error.help().is_empty());
}
