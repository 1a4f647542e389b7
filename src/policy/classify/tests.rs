//! Errors as providers send them.

use super::*;
use Class::{
    CallerFault, Credential, ModelAccess, ModelGone, Quota, RateLimit, RegionBlocked, Transient,
    Unknown,
};
use Provider::{Anthropic, Bedrock, Gemini, Generic, Openai};

fn class(provider: Provider, status: u16, names: (&str, &str), message: &str) -> Class {
    let (error_type, code) = names;
    classify(&Failure { provider, status: Some(status), error_type, code, message })
}

#[track_caller]
fn check(rows: &[(Provider, u16, &str, &str, Class)]) {
    for (provider, status, error_type, message, expected) in rows {
        let row = format!("{provider:?} {status} {error_type:?} {message:?}");
        let class = class(*provider, *status, (error_type, ""), message);
        assert_eq!(class, *expected, "{row}");
    }
}

#[test]
fn no_answer_is_transient() {
    assert_eq!(classify(&Failure::default()), Transient);
}

#[test]
fn anthropic() {
    let low = "Your credit balance is too low to access the Anthropic API.";
    check(&[
        (Anthropic, 400, "invalid_request_error", "messages: field required", CallerFault),
        (Anthropic, 400, "invalid_request_error", low, Quota),
        (Anthropic, 400, "invalid_request_error", "prompt is too long: 201000 tokens", CallerFault),
        (Anthropic, 400, "invalid_request_error", "the model parameter is deprecated", CallerFault),
        (Anthropic, 401, "authentication_error", "invalid x-api-key", Credential),
        (Anthropic, 402, "billing_error", "", Quota),
        (Anthropic, 403, "permission_error", "Your API key lacks permission", ModelAccess),
        (Anthropic, 404, "not_found_error", "model: claude-x not found", ModelAccess),
        (Anthropic, 404, "not_found_error", "Not Found", Unknown),
        (Anthropic, 409, "conflict_error", "", Transient),
        (Anthropic, 413, "request_too_large", "", CallerFault),
        (Anthropic, 429, "rate_limit_error", "Number of request tokens", RateLimit),
        (Anthropic, 429, "rate_limit_error", "You have reached your API usage limits", Quota),
        (Anthropic, 500, "api_error", "", Transient),
        (Anthropic, 504, "timeout_error", "", Transient),
        (Anthropic, 529, "overloaded_error", "Overloaded", Transient),
        (Anthropic, 200, "overloaded_error", "Overloaded", Transient),
        (Anthropic, 200, "rate_limit_error", "", RateLimit),
    ]);
}

#[test]
fn openai() {
    let names = |status, error_type, code| class(Openai, status, (error_type, code), "");
    assert_eq!(names(401, "invalid_request_error", "invalid_api_key"), Credential);
    let region = "unsupported_country_region_territory";
    assert_eq!(names(403, "request_forbidden", region), RegionBlocked);
    assert_eq!(names(404, "invalid_request_error", "model_not_found"), ModelAccess);
    assert_eq!(names(429, "tokens", "rate_limit_exceeded"), RateLimit);
    assert_eq!(names(429, "insufficient_quota", "insufficient_quota"), Quota);
    assert_eq!(names(429, "insufficient_quota", ""), Quota);
    assert_eq!(names(429, "", "credit_balance_exhausted"), Quota);
    assert_eq!(names(429, "", "slow_down"), RateLimit);
    assert_eq!(names(503, "", "slow_down"), RateLimit);
    assert_eq!(names(503, "", "server_is_overloaded"), Transient);
    assert_eq!(names(200, "", "server_is_overloaded"), Transient);
    assert_eq!(names(500, "server_error", ""), Transient);
    assert_eq!(names(400, "invalid_request_error", "context_length_exceeded"), CallerFault);
    assert_eq!(names(500, "", "insufficient_quota"), Transient, "a server that fails");
    let plan = "You exceeded your current quota, please check your plan and billing details.";
    check(&[(Openai, 429, "", plan, Quota), (Gemini, 429, "RESOURCE_EXHAUSTED", plan, RateLimit)]);
    let gone = "The model `gpt-x` has been deprecated";
    assert_eq!(class(Openai, 404, ("", "model_not_found"), gone), ModelGone);
}

#[test]
fn gemini() {
    check(&[
        (Gemini, 400, "INVALID_ARGUMENT", "API key not valid. Please pass one.", Credential),
        (Gemini, 400, "INVALID_ARGUMENT", "Invalid value at 'contents'", CallerFault),
        (Gemini, 400, "FAILED_PRECONDITION", "User location is not supported", RegionBlocked),
        (Gemini, 403, "PERMISSION_DENIED", "Project has no access", Credential),
        (Gemini, 404, "NOT_FOUND", "models/gemini-x is not found for API version", ModelAccess),
        (Gemini, 429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted", Quota),
        (Gemini, 503, "UNAVAILABLE", "The model is overloaded.", Transient),
        (Gemini, 504, "DEADLINE_EXCEEDED", "", Transient),
    ]);
}

#[test]
fn bedrock() {
    let retired = "This model version has reached the end of its life.";
    check(&[
        (Bedrock, 400, "ValidationException", retired, ModelGone),
        (Bedrock, 404, "ResourceNotFoundException", retired, ModelGone),
        (Bedrock, 200, "", retired, Unknown),
        (Bedrock, 399, "", retired, Unknown),
        (
            Bedrock,
            400,
            "ValidationException",
            "The provided model identifier is invalid",
            ModelAccess,
        ),
        (Bedrock, 400, "ValidationException", "use an inference profile", ModelAccess),
        (Bedrock, 400, "ValidationException", "Input is too long for requested model", CallerFault),
        (Anthropic, 400, "ValidationException", retired, CallerFault),
        (Bedrock, 400, "ThrottlingException", "Too many tokens", RateLimit),
        (Bedrock, 403, "UnrecognizedClientException", "", Credential),
        (Bedrock, 403, "AccessDeniedException", "no access to the model", ModelAccess),
        (Bedrock, 403, "AccessDeniedException", "The security token is invalid", Credential),
        (Bedrock, 424, "ModelErrorException", "", Transient),
        (Bedrock, 400, "ServiceQuotaExceededException", "", Quota),
        (
            Bedrock,
            403,
            "ValidationException",
            "Access is not allowed from unsupported countries",
            RegionBlocked,
        ),
    ]);
}

#[test]
fn a_status_alone() {
    let alone = |status| class(Generic, status, ("", ""), "");
    let caller = [400, 405, 406, 413, 415, 422, 451, 499];
    assert!(caller.into_iter().all(|status| alone(status) == CallerFault));
    let transient = [408, 409, 425, 500, 502, 503, 504, 529, 599, 600];
    assert!(transient.into_iter().all(|status| alone(status) == Transient));
    assert_eq!([alone(401), alone(402), alone(403)], [Credential, Quota, Credential]);
    assert_eq!([alone(404), alone(410), alone(429)], [Unknown, ModelGone, RateLimit]);
    assert_eq!([alone(100), alone(200), alone(302), alone(399)], [Unknown; 4]);
}

#[test]
fn words_count_where_they_can_be_true() {
    check(&[
        (Generic, 404, "", "The model does not exist", ModelAccess),
        (Generic, 404, "", "The model is retired", ModelGone),
        (Generic, 404, "", "The file was not found", Unknown),
        (Generic, 404, "", "Which model?", Unknown),
        (Generic, 404, "", "API key not valid", Unknown),
        (Generic, 403, "", "not available in your region", RegionBlocked),
        (Generic, 403, "", "spend limit reached", Quota),
        (Generic, 404, "", "spend limit reached", Unknown),
        (Generic, 422, "", "spend limit reached", CallerFault),
        (Generic, 200, "", "The model is retired", Unknown),
        (Generic, 400, "model_decommissioned", "", ModelGone),
        (Generic, 400, "invalid_api_key", "", Credential),
        (Generic, 403, "invalid_api_key", "", Credential),
        (Generic, 404, "invalid_request_error", "", CallerFault),
        (Generic, 200, "context_length_exceeded", "", CallerFault),
    ]);
}

#[test]
fn every_name_is_known() {
    let known = [
        (
            Transient,
            "overloaded_error api_error timeout_error conflict_error server_error \
          server_is_overloaded internal_error overloaded UNAVAILABLE INTERNAL DEADLINE_EXCEEDED \
          ABORTED ServiceUnavailableException InternalServerException ModelTimeoutException \
          ModelNotReadyException ModelErrorException ModelStreamErrorException",
        ),
        (
            RateLimit,
            "rate_limit_error rate_limit_exceeded slow_down too_many_requests \
          RESOURCE_EXHAUSTED ThrottlingException TooManyRequestsException",
        ),
        (
            Quota,
            "insufficient_quota credit_balance_exhausted billing_error \
          billing_hard_limit_reached budget_exceeded ServiceQuotaExceededException",
        ),
        (
            Credential,
            "authentication_error invalid_api_key API_KEY_INVALID UNAUTHENTICATED \
          UnrecognizedClientException InvalidSignatureException ExpiredTokenException \
          IncompleteSignatureException",
        ),
        (ModelAccess, "model_not_found invalid_model permission_error AccessDeniedException"),
        (ModelGone, "model_decommissioned model_deprecated"),
        (RegionBlocked, "unsupported_country_region_territory"),
        (
            CallerFault,
            "context_length_exceeded string_above_max_length request_too_large \
          content_policy_violation content_filter invalid_request_error",
        ),
    ];
    for (class, names) in known {
        for name in names.split_whitespace() {
            assert_eq!(named(name), Some(class), "{name}");
        }
    }
    assert_eq!([named(""), named("weird"), named("ValidationException")], [None; 3]);
}

#[test]
fn classes_say_what_follows() {
    let classes = [
        (Transient, "transient", true, true, true),
        (RateLimit, "rate_limit", true, true, true),
        (Quota, "quota", false, true, false),
        (Credential, "credential", false, true, false),
        (ModelAccess, "model_access", false, true, true),
        (ModelGone, "model_gone", false, true, true),
        (RegionBlocked, "region_blocked", false, true, true),
        (CallerFault, "caller_fault", false, false, false),
        (Unknown, "unknown", false, true, true),
    ];
    for (class, name, retryable, fall_back, counts) in classes {
        assert_eq!(class.as_str(), name);
        assert_eq!(class.is_retryable(), retryable, "{name}");
        assert_eq!(class.may_fall_back(), fall_back, "{name}");
        assert_eq!(class.counts_against_model(), counts, "{name}");
    }
    let names = [Anthropic, Openai, Generic, Gemini, Bedrock].map(Provider::as_str);
    assert_eq!(names, ["anthropic", "openai", "generic", "gemini", "bedrock"]);
}
