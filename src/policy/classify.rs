//! What kind of error it is, provider by provider.
//!
//! The status alone lies: one provider rejects a bad key with 400, another reports an empty balance
//! as 429, a third a retired model as 400. So the names in the error's body come first, then its
//! words where the names are shared by several facts, then the status. It decides nothing about
//! retries beyond what a class is. Start at [`classify`].

mod words;

use words::Words;

/// Whose API and error shapes a backend has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provider {
    /// Anthropic's.
    Anthropic,
    /// OpenAI's.
    Openai,
    /// Nobody's in particular.
    #[default]
    Generic,
    /// Google's Gemini API.
    Gemini,
    /// Amazon Bedrock's.
    Bedrock,
}

impl Provider {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Provider::Anthropic => "anthropic",
            Provider::Openai => "openai",
            Provider::Generic => "generic",
            Provider::Gemini => "gemini",
            Provider::Bedrock => "bedrock",
        }
    }
}

/// A failed attempt, as far as the caller can see.
#[derive(Clone, Copy, Debug, Default)]
pub struct Failure<'a> {
    /// Whose API it was.
    pub provider: Provider,
    /// The HTTP status; none if there was no answer at all.
    pub status: Option<u16>,
    /// The type in the error's body (the exception for Bedrock, the status word for Gemini), or
    /// nothing.
    pub error_type: &'a str,
    /// The code in the error's body, or nothing.
    pub code: &'a str,
    /// The message in the error's body, or nothing.
    pub message: &'a str,
}

/// What kind of error it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// It may be gone the next time: the network, the server, too much load for everybody.
    Transient,
    /// Too many requests or tokens from this caller.
    RateLimit,
    /// The account has no money or no allowance left.
    Quota,
    /// The key is not accepted.
    Credential,
    /// The model is not there for this key, or not there at all.
    ModelAccess,
    /// The model has been withdrawn.
    ModelGone,
    /// The caller's place is not served.
    RegionBlocked,
    /// The request itself is at fault: no model will take it.
    CallerFault,
    /// None of the above.
    Unknown,
}

impl Class {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Class::Transient => "transient",
            Class::RateLimit => "rate_limit",
            Class::Quota => "quota",
            Class::Credential => "credential",
            Class::ModelAccess => "model_access",
            Class::ModelGone => "model_gone",
            Class::RegionBlocked => "region_blocked",
            Class::CallerFault => "caller_fault",
            Class::Unknown => "unknown",
        }
    }

    /// Whether the same request may succeed at the same place a little later.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Class::Transient | Class::RateLimit)
    }

    /// Whether another model may do better. Only what the caller did wrong stays wrong.
    #[must_use]
    pub const fn may_fall_back(self) -> bool {
        !matches!(self, Class::CallerFault)
    }

    /// Whether it says something about the model, so that a circuit breaker should record it: not
    /// if it is the caller's fault, or the caller's own key or account.
    #[must_use]
    pub const fn counts_against_model(self) -> bool {
        !matches!(self, Class::CallerFault | Class::Credential | Class::Quota)
    }
}

/// What kind of error it is. No allocation; one pass over the message, and only where the names and
/// the status leave it open.
#[must_use]
pub fn classify(failure: &Failure<'_>) -> Class {
    let Some(status) = failure.status else { return Class::Transient };
    let named = named(failure.code).or_else(|| named(failure.error_type));
    match (status, named) {
        // A server that fails is not believed about anything but its own load.
        (500.., Some(Class::RateLimit)) => Class::RateLimit,
        (500.., _) => Class::Transient,
        (402, _) => Class::Quota,
        (_, Some(class @ (Class::Transient | Class::Quota | Class::RegionBlocked))) => class,
        (401, _) => Class::Credential,
        (_, named) => by_words(failure, status, named),
    }
}

fn by_words(failure: &Failure<'_>, status: u16, named: Option<Class>) -> Class {
    let words = Words::read(failure.message);
    let bedrock = failure.provider == Provider::Bedrock;
    // Gemini words every rate limit like an exceeded quota.
    let quota =
        words.has(Words::QUOTA) || words.has(Words::PLAN) && failure.provider != Provider::Gemini;
    let gone = words.has(Words::GONE);
    let model = match named {
        Some(Class::ModelAccess | Class::ModelGone) => true,
        _ if status == 404 => words.has(Words::MODEL) && (words.has(Words::MISSING) || gone),
        // Bedrock's ValidationException is about the request, unless it is about the model.
        _ => bedrock && (words.has(Words::MODEL_ID) || words.has(Words::MODEL) && gone),
    };
    match status {
        200..400 if named.is_none() => Class::Unknown,
        400..=403 | 429 if quota => Class::Quota,
        429 => Class::RateLimit,
        _ if named == Some(Class::RateLimit) => Class::RateLimit,
        400 | 403 if words.has(Words::REGION) => Class::RegionBlocked,
        400 | 403 if words.has(Words::KEY) => Class::Credential,
        _ if named == Some(Class::Credential) => Class::Credential,
        410 => Class::ModelGone,
        _ if named == Some(Class::ModelGone) || model && gone => Class::ModelGone,
        _ if model => Class::ModelAccess,
        403 => Class::Credential,
        // Request timeout, conflict, too early: what the SDKs of OpenAI and Anthropic retry.
        408 | 409 | 425 => Class::Transient,
        404 => named.unwrap_or(Class::Unknown),
        400..500 => Class::CallerFault,
        _ => named.unwrap_or(Class::Unknown),
    }
}

/// What a type or code means where it means one thing only.
fn named(name: &str) -> Option<Class> {
    Some(match name {
        // Anthropic, OpenAI
        "overloaded_error" | "api_error" | "timeout_error" | "conflict_error" | "server_error"
        | "server_is_overloaded" | "internal_error" | "overloaded"
        // Gemini
        | "UNAVAILABLE" | "INTERNAL" | "DEADLINE_EXCEEDED" | "ABORTED"
        // Bedrock
        | "ServiceUnavailableException" | "InternalServerException" | "ModelTimeoutException"
        | "ModelNotReadyException" | "ModelErrorException" | "ModelStreamErrorException" => {
            Class::Transient
        }
        "rate_limit_error" | "rate_limit_exceeded" | "slow_down" | "too_many_requests"
        | "RESOURCE_EXHAUSTED" | "ThrottlingException" | "TooManyRequestsException" => {
            Class::RateLimit
        }
        "insufficient_quota" | "credit_balance_exhausted" | "billing_error"
        | "billing_hard_limit_reached" | "budget_exceeded" | "ServiceQuotaExceededException" => {
            Class::Quota
        }
        "authentication_error" | "invalid_api_key" | "API_KEY_INVALID" | "UNAUTHENTICATED"
        | "UnrecognizedClientException" | "InvalidSignatureException" | "ExpiredTokenException"
        | "IncompleteSignatureException" => Class::Credential,
        "model_not_found" | "invalid_model" | "permission_error" | "AccessDeniedException" => {
            Class::ModelAccess
        }
        "model_decommissioned" | "model_deprecated" => Class::ModelGone,
        "unsupported_country_region_territory" => Class::RegionBlocked,
        "context_length_exceeded" | "string_above_max_length" | "request_too_large"
        | "content_policy_violation" | "content_filter" | "invalid_request_error" => {
            Class::CallerFault
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
