//! Exact bodies and headers, what the router makes of them, and bodies that are not what they should be.

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::{
    policy::{
        classify::{Class, Failure, classify},
        meter::Reading,
    },
    stack::{message::Headers, settings::RetryAfter},
};

const ALL: [ErrorKind; 10] = [
    ErrorKind::RateLimited,
    ErrorKind::Overloaded,
    ErrorKind::ServerError,
    ErrorKind::BadRequest,
    ErrorKind::Credential,
    ErrorKind::Forbidden,
    ErrorKind::NotFound,
    ErrorKind::Timeout,
    ErrorKind::Conflict,
    ErrorKind::Quota,
];

fn http_of(provider: Provider, kind: ErrorKind, meter: Option<Meter>) -> HttpError {
    let request = RequestId { agent: "rust-3".into(), number: 17 };
    Problem { provider, kind, meter, model: "opus", request: &request }.http()
}

fn http(provider: Provider, kind: ErrorKind) -> HttpError {
    http_of(provider, kind, None)
}

#[test]
fn anthropic() {
    let error = http(Provider::Anthropic, ErrorKind::Overloaded);
    assert_eq!(error.status, 529);
    assert_eq!(error.headers, [("request-id", "req_rust-3-17".to_owned())]);
    assert_eq!(
        error.body,
        r#"{"type":"error","error":{"type":"overloaded_error","message":"overloaded, try again later"},"request_id":"req_rust-3-17"}"#
    );
    let kinds: Vec<(u16, String, String)> = ALL
        .into_iter()
        .map(|kind| {
            let error = http(Provider::Anthropic, kind);
            let parts = read_error(Provider::Anthropic, &error);
            (error.status, parts.error_type, parts.code)
        })
        .collect();
    let expected = [
        (429, "rate_limit_error"),
        (529, "overloaded_error"),
        (500, "api_error"),
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (408, "timeout_error"),
        (409, "conflict_error"),
        (400, "invalid_request_error"),
    ];
    for (kind, (status, error_type)) in kinds.iter().zip(expected) {
        assert_eq!(*kind, (status, error_type.to_owned(), String::new()));
    }
    let empty = http(Provider::Anthropic, ErrorKind::Quota);
    assert!(read_error(Provider::Anthropic, &empty).message.contains("credit balance"));
}

#[test]
fn openai() {
    let error = http(Provider::Openai, ErrorKind::RateLimited);
    assert_eq!(error.status, 429);
    assert_eq!(error.headers, [("x-request-id", "req_rust-3-17".to_owned())]);
    assert_eq!(
        error.body,
        r#"{"error":{"message":"rate limit of requests per minute reached for opus","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#
    );
    let tokens = http_of(Provider::Openai, ErrorKind::RateLimited, Some(Meter::Tokens));
    assert_eq!(read_error(Provider::Openai, &tokens).error_type, "tokens");
    let bad = http(Provider::Openai, ErrorKind::BadRequest);
    assert_eq!(
        bad.body,
        r#"{"error":{"message":"the request is not valid","type":"invalid_request_error","param":null,"code":null}}"#
    );
    let expected = [
        (429, "requests", "rate_limit_exceeded"),
        (503, "server_error", "server_is_overloaded"),
        (500, "server_error", ""),
        (400, "invalid_request_error", ""),
        (401, "invalid_request_error", "invalid_api_key"),
        (403, "request_forbidden", "unsupported_country_region_territory"),
        (404, "invalid_request_error", "model_not_found"),
        (408, "timeout", "request_timeout"),
        (409, "conflict", "conflict"),
        (429, "insufficient_quota", "insufficient_quota"),
    ];
    for (kind, (status, error_type, code)) in ALL.into_iter().zip(expected) {
        let error = http(Provider::Openai, kind);
        let parts = read_error(Provider::Openai, &error);
        assert_eq!((error.status, &*parts.error_type, &*parts.code), (status, error_type, code));
    }
}

#[test]
fn generic() {
    let error = http(Provider::Generic, ErrorKind::NotFound);
    assert_eq!((error.status, error.headers.len()), (404, 0));
    assert_eq!(error.body, r#"{"error":{"code":"not_found","message":"model not found: opus"}}"#);
    let expected = [
        (429, "too_many_requests"),
        (503, "overloaded"),
        (500, "internal_error"),
        (400, "bad_request"),
        (401, "unauthorized"),
        (403, "forbidden"),
        (404, "not_found"),
        (408, "request_timeout"),
        (409, "conflict"),
        (402, "payment_required"),
    ];
    for (kind, (status, code)) in ALL.into_iter().zip(expected) {
        let error = http(Provider::Generic, kind);
        let parts = read_error(Provider::Generic, &error);
        assert_eq!((error.status, &*parts.error_type, &*parts.code), (status, "", code));
    }
}

#[test]
fn an_overload_looks_the_same_whenever_it_comes() {
    for provider in [Provider::Anthropic, Provider::Openai, Provider::Generic] {
        let overload = http(provider, ErrorKind::Overloaded);
        assert_eq!(http(provider, ErrorKind::AcceptedThenOverloaded), overload);
        assert_eq!(http(provider, ErrorKind::ErrorInStream), overload);
    }
}

/// What the router makes of each error, in the order of [`ALL`].
#[test]
fn classes() {
    let of = |provider| {
        ALL.map(|kind| {
            let error = http(provider, kind);
            let ErrorParts { error_type, code, message } = read_error(provider, &error);
            classify(&Failure {
                provider: provider.api(),
                status: Some(error.status),
                error_type: &error_type,
                code: &code,
                message: &message,
            })
        })
    };
    let with = |forbidden, not_found| {
        [
            Class::RateLimit,
            Class::Transient,
            Class::Transient,
            Class::CallerFault,
            Class::Credential,
            forbidden,
            not_found,
            Class::Transient,
            Class::Transient,
            Class::Quota,
        ]
    };
    assert_eq!(of(Provider::Anthropic), with(Class::ModelAccess, Class::ModelAccess));
    assert_eq!(of(Provider::Openai), with(Class::RegionBlocked, Class::ModelAccess));
    assert_eq!(of(Provider::Generic), with(Class::Credential, Class::ModelAccess));
}

#[test]
fn whatever_a_body_is_it_is_read() {
    let read = |body: &str| read_error_body(Provider::Generic, body);
    let nothing = ErrorParts::default();
    for body in ["", "<html>", "null", "7", "[]", "{\"error\":7}", "{\"error\":null}", "{"] {
        assert_eq!(read(body), nothing, "{body}");
    }
    assert_eq!(read(&"[".repeat(60_000)), nothing, "nested without end");
    let code = |body: &str| read(body).code;
    assert_eq!(code(r#"{"error":{"code":400,"message":null}}"#), "400");
    assert_eq!(code(r#"{"error":{"code":["x"]}}"#), "");
    let of_length = |length: usize| format!(r#"{{"error":{{"code":"x"}}}}{}"#, " ".repeat(length));
    assert_eq!(code(&of_length(BODY_MAX - 22)), "x");
    assert_eq!(code(&of_length(BODY_MAX - 21)), "");
    let long = format!(r#"{{"error":{{"message":"{}"}}}}"#, "ö".repeat(2_000));
    assert_eq!(read(&long).message.chars().count(), PART_MAX);
    let body = r#"{"error":{"type":"overloaded_error","code":"x"}}"#;
    assert_eq!(read_error_body(Provider::Anthropic, body).code, "");
    assert_eq!(read_error_body(Provider::Openai, body).code, "x");
}

fn utc() -> Timestamp {
    Timestamp::constant(784_111_777, 0)
}

#[test]
fn when_to_come_back() {
    let said = |setting: RetryAfter, utc: Timestamp| {
        let (name, value) = retry_after(&setting, utc);
        format!("{name}: {value}")
    };
    let ms = Duration::from_millis;
    assert_eq!(said(RetryAfter::Seconds(ms(20_000)), utc()), "retry-after: 20");
    assert_eq!(said(RetryAfter::Seconds(ms(20_001)), utc()), "retry-after: 21");
    assert_eq!(said(RetryAfter::Millis(ms(1_500)), utc()), "retry-after-ms: 1500");
    assert_eq!(
        said(RetryAfter::Millis(Duration::from_nanos(1)), utc()),
        "retry-after-ms: 1",
        "rounded up"
    );
    let date = |wait| said(RetryAfter::Date(wait), utc());
    assert_eq!(date(ms(0)), "retry-after: Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(date(ms(20_000)), "retry-after: Sun, 06 Nov 1994 08:49:57 GMT");
    assert_eq!(date(ms(1)), "retry-after: Sun, 06 Nov 1994 08:49:38 GMT", "rounded up");
    assert_eq!(said(RetryAfter::Raw("soon".into()), utc()), "retry-after: soon");

    let truth = |provider, wait| {
        let mut headers = Headers::new();
        true_retry_after(provider, wait, &mut headers);
        headers
    };
    assert_eq!(truth(Provider::Anthropic, ms(1_200)), [("retry-after", "2".to_owned())]);
    let both = [("retry-after", "2".to_owned()), ("retry-after-ms", "1200".to_owned())];
    assert_eq!(truth(Provider::Openai, ms(1_200)), both);
}

#[test]
fn limits_as_headers() {
    let reading = Reading {
        limit: 50,
        remaining: 49,
        full_in: Duration::from_millis(1_200),
        next_in: Some(Duration::ZERO),
    };
    let told = |provider, meter, reading| {
        let mut headers = Headers::new();
        limits(provider, meter, reading, utc(), &mut headers);
        headers.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
    };
    assert_eq!(
        told(Provider::Anthropic, Meter::InputTokens, reading),
        [
            "anthropic-ratelimit-input-tokens-limit: 50",
            "anthropic-ratelimit-input-tokens-remaining: 49",
            "anthropic-ratelimit-input-tokens-reset: 1994-11-06T08:49:39Z",
        ]
    );
    assert_eq!(
        told(Provider::Openai, Meter::Requests, reading),
        [
            "x-ratelimit-limit-requests: 50",
            "x-ratelimit-remaining-requests: 49",
            "x-ratelimit-reset-requests: 1.2s",
        ]
    );
    for meter in Meter::ALL {
        let prefix = format!("anthropic-ratelimit-{meter}-");
        let anthropic = told(Provider::Anthropic, meter, reading);
        assert!(anthropic.len() == 3 && anthropic.iter().all(|line| line.starts_with(&prefix)));
        assert!(told(Provider::Generic, meter, reading).is_empty());
        let openai = told(Provider::Openai, meter, reading);
        let has = matches!(meter, Meter::Requests | Meter::Tokens);
        assert_eq!(openai.len(), if has { 3 } else { 0 });
        assert!(openai.iter().all(|line| line.contains(&format!("-{meter}: "))));
    }
    let reset = |millis| {
        let full_in = Duration::from_millis(millis);
        told(Provider::Openai, Meter::Tokens, Reading { full_in, ..reading }).swap_remove(2)
    };
    for (millis, text) in [
        (0, "0s"),
        (12, "12ms"),
        (999, "999ms"),
        (1_000, "1s"),
        (1_050, "1.05s"),
        (59_999, "59.999s"),
        (360_000, "6m0s"),
        (3_600_000, "1h0m0s"),
        (3_661_001, "1h1m1.001s"),
    ] {
        assert_eq!(reset(millis), format!("x-ratelimit-reset-tokens: {text}"));
    }
}
