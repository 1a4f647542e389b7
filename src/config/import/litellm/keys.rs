//! Keys of LiteLLM that are known and of which nothing is made, with the reason.
//!
//! The names are those of LiteLLM's reference of settings.

use super::super::{
    finding::Kind::{Ignored, Secret, Unsupported},
    read::Known,
};

const LOGS: &str = "about logs, alerts or pages";
const ACCESS: &str = "about who may use the proxy";
const CACHE: &str = "a sim has no cache of answers";
const WINDOWS: &str = "models of a sim have no limit on what they can read, and refuse no content";
const SECRET: &str = "a secret, and a sim needs none";
const PLACE: &str = "about where something is, which a sim does not need";
const CONTENT: &str = "about the content of requests, which a sim does not have";
const STORE: &str = "the router of a sim is alone, and keeps its counts itself";
const PER_ERROR: &str = "retries and cooldowns of a sim are the same for all kinds of errors";

/// Outermost tables.
pub(super) const ROOT: &[Known] = &[
    ("environment_variables", Secret, "variables of the proxy; they may be secrets"),
    ("callback_settings", Ignored, LOGS),
    ("guardrails", Unsupported, CONTENT),
    ("mcp_servers", Unsupported, "a sim has no tools"),
    ("finetune_settings", Unsupported, "a sim has chat alone"),
    ("files_settings", Unsupported, "a sim has chat alone"),
    ("vector_store_registry", Unsupported, "a sim has chat alone"),
    ("search_tools", Unsupported, "a sim has no tools"),
    ("include", Unsupported, "other files are not read"),
    ("credential_list", Secret, SECRET),
];

/// `router_settings`.
pub(super) const ROUTER: &[Known] = &[
    ("context_window_fallbacks", Unsupported, WINDOWS),
    ("content_policy_fallbacks", Unsupported, WINDOWS),
    ("enable_pre_call_check*", Unsupported, WINDOWS),
    ("optional_pre_call_checks", Unsupported, WINDOWS),
    ("provider_budget_config", Unsupported, "a quota of a sim is a workspace's, not a provider's"),
    ("retry_policy", Unsupported, PER_ERROR),
    ("model_group_retry_policy", Unsupported, PER_ERROR),
    ("allowed_fails_policy", Unsupported, PER_ERROR),
    ("stream_timeout", Unsupported, "imported sims do not stream"),
    ("enable_tag_filtering", Unsupported, "requests of a sim have no tags"),
    ("tag_filtering_match_any", Unsupported, "requests of a sim have no tags"),
    ("default_max_parallel_requests", Unsupported, "a sim limits requests at the router alone"),
    ("default_priority", Unsupported, "requests of a sim have no priority"),
    ("polling_interval", Unsupported, "requests of a sim have no priority"),
    ("default_litellm_params", Unsupported, CONTENT),
    ("routing_strategy_args", Unsupported, "strategies of a sim have no settings"),
    ("redis_password", Secret, SECRET),
    ("redis_*", Ignored, STORE),
    ("cache_*", Ignored, STORE),
    ("client_ttl", Ignored, STORE),
    ("debug_level", Ignored, LOGS),
    ("set_verbose", Ignored, LOGS),
    ("alerting_config", Ignored, LOGS),
    ("ignore_invalid_deployments", Ignored, "what is invalid is listed"),
];

/// `litellm_settings`.
pub(super) const LIBRARY: &[Known] = &[
    ("context_window_fallbacks", Unsupported, WINDOWS),
    ("content_policy_fallbacks", Unsupported, WINDOWS),
    ("cache", Unsupported, CACHE),
    ("cache_params", Unsupported, CACHE),
    ("max_end_user_budget", Unsupported, "a sim has no end users"),
    ("max_internal_user_budget", Unsupported, "a sim has no end users"),
    ("internal_user_budget_duration", Unsupported, "a sim has no end users"),
    ("default_internal_user_params", Unsupported, "a sim has no end users"),
    ("default_team_settings", Unsupported, "a sim has workspaces, which the file does not name"),
    ("default_team_params", Unsupported, "a sim has workspaces, which the file does not name"),
    ("max_parallel_requests", Unsupported, "a sim limits requests at the router alone"),
    ("stream_timeout", Unsupported, "imported sims do not stream"),
    ("drop_params", Ignored, CONTENT),
    ("modify_params", Ignored, CONTENT),
    ("model_alias_map", Unsupported, "agents of a sim do not ask by name"),
    ("custom_provider_map", Unsupported, "code is not read"),
    ("telemetry", Ignored, LOGS),
    ("set_verbose", Ignored, LOGS),
    ("json_logs", Ignored, LOGS),
    ("turn_off_message_logging", Ignored, LOGS),
    ("redact_*", Ignored, LOGS),
    ("langfuse_*", Ignored, LOGS),
    ("success_callback", Ignored, LOGS),
    ("failure_callback", Ignored, LOGS),
    ("callbacks", Ignored, LOGS),
    ("service_callbacks", Ignored, LOGS),
    ("disable_end_user_cost_tracking*", Ignored, LOGS),
    ("force_ipv4", Ignored, PLACE),
    ("mcp_aliases", Unsupported, "a sim has no tools"),
    ("key_generation_settings", Ignored, ACCESS),
    ("upperbound_key_generate_params", Ignored, ACCESS),
    ("ssl_*", Ignored, PLACE),
];

/// `general_settings`.
pub(super) const GENERAL: &[Known] = &[
    ("master_key", Secret, SECRET),
    ("database_url", Secret, SECRET),
    ("database_*", Ignored, STORE),
    ("max_parallel_requests", Unsupported, "a sim limits requests at the router alone"),
    ("completion_model", Unsupported, "agents of a sim do not ask by name"),
    ("infer_model_from_keys", Unsupported, "models that the file does not name are not known"),
    ("store_model_in_db", Unsupported, "models that are kept in a database are not in the file"),
    ("supported_db_objects", Ignored, STORE),
    ("background_health_checks", Unsupported, "LiteLLM routes by health only if it is told to"),
    ("health_check_*", Unsupported, "LiteLLM routes by health only if it is told to"),
    ("enable_health_check_routing", Unsupported, "health checks of a sim are set by hand"),
    ("max_request_size_mb", Unsupported, CONTENT),
    ("max_response_size_mb", Unsupported, CONTENT),
    ("pass_through_endpoints", Unsupported, "a sim has chat alone"),
    ("proxy_budget_rescheduler_*", Unsupported, "a quota of a sim is renewed at midnight"),
    ("proxy_batch_write_at", Ignored, STORE),
    ("disable_reset_budget", Unsupported, "a quota of a sim is renewed at midnight"),
    ("disable_spend_*", Ignored, STORE),
    ("alert*", Ignored, LOGS),
    ("spend_report_frequency", Ignored, LOGS),
    ("store_prompts_in_spend_logs", Ignored, LOGS),
    ("maximum_spend_logs_*", Ignored, LOGS),
    ("forward_*", Ignored, CONTENT),
    ("allowed_*", Ignored, ACCESS),
    ("public_routes", Ignored, ACCESS),
    ("admin_only_routes", Ignored, ACCESS),
    ("custom_*", Unsupported, "code is not read"),
    ("enable_*", Ignored, ACCESS),
    ("enforce*", Ignored, ACCESS),
    ("ui_*", Ignored, LOGS),
    ("use_*", Ignored, ACCESS),
    ("key_management_*", Ignored, ACCESS),
    ("default_team_disabled", Ignored, ACCESS),
    ("reject_clientside_metadata_tags", Ignored, ACCESS),
];

/// `litellm_params` of a model.
pub(super) const PARAMS: &[Known] = &[
    ("api_key", Secret, SECRET),
    ("aws_*", Secret, SECRET),
    ("s3_*", Secret, SECRET),
    ("vertex_*", Secret, SECRET),
    ("azure_*", Secret, SECRET),
    ("litellm_credential_name", Ignored, PLACE),
    ("api_base", Ignored, PLACE),
    ("base_url", Ignored, PLACE),
    ("api_version", Ignored, PLACE),
    ("api_type", Ignored, PLACE),
    ("region_name", Ignored, PLACE),
    ("organization", Ignored, PLACE),
    ("use_in_pass_through", Ignored, "a sim has chat alone"),
    ("stream_timeout", Unsupported, "imported sims do not stream"),
    ("max_retries", Unsupported, "the SDK's own retries below the router's are not in a sim"),
    ("num_retries", Unsupported, "retries of a sim are the same for all models"),
    ("max_parallel_requests", Unsupported, "a sim limits requests at the router alone"),
    ("cooldown_time", Unsupported, "cooldowns of a sim are the same for all models"),
    ("order", Unsupported, "the models of a group have no order of their own"),
    ("tags", Unsupported, "requests of a sim have no tags"),
    ("max_budget", Unsupported, "a quota of a sim is a workspace's, not a model's"),
    ("budget_duration", Unsupported, "a quota of a sim is a workspace's, not a model's"),
    ("input_cost_per_token", Unsupported, "a sim prices output alone"),
    ("mock_*", Unsupported, "answers of a sim have no content"),
    ("temperature", Ignored, CONTENT),
    ("top_p", Ignored, CONTENT),
    ("max_tokens", Ignored, "how much is answered is up to the agents of the sim"),
    ("seed", Ignored, CONTENT),
    ("stop", Ignored, CONTENT),
    ("drop_params", Ignored, CONTENT),
    ("extra_headers", Secret, "headers may hold secrets"),
    ("headers", Secret, "headers may hold secrets"),
    ("initial_prompt_value", Ignored, CONTENT),
    ("roles", Ignored, CONTENT),
    ("thinking", Ignored, CONTENT),
    ("reasoning_effort", Ignored, CONTENT),
];

/// `model_info` of a model, and the entry of the list itself.
pub(super) const INFO: &[Known] = &[
    ("base_model", Ignored, "about prices and sizes that LiteLLM knows"),
    ("input_cost_per_*", Unsupported, "a sim prices output alone"),
    ("output_cost_per_*", Unsupported, "a sim prices output tokens alone"),
    ("max_*tokens", Unsupported, WINDOWS),
    ("max_tokens", Unsupported, WINDOWS),
    ("max_input_tokens", Unsupported, WINDOWS),
    ("max_output_tokens", Unsupported, WINDOWS),
    ("supports_*", Ignored, CONTENT),
    ("metadata", Ignored, LOGS),
    ("access_groups", Ignored, ACCESS),
    ("description", Ignored, LOGS),
    ("health_check_*", Unsupported, "health checks of a sim are set by hand"),
    ("team_id", Ignored, ACCESS),
    ("litellm_provider", Ignored, PLACE),
];
