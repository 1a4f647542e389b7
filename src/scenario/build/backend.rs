//! Model backends: what they are like, what goes wrong with them, and their outages.

use std::time::Duration;

use super::Builder;
use crate::policy::meter;
use crate::scenario::field::{At, ScalarOr};
use crate::scenario::model::{Backend, ErrorMix, FaultKind, RetryAfter, Sim};
use crate::scenario::raw::{RawBackend, RawBackendFault, RawErrors, RawRetryAfter};
use crate::scenario::units::PPM;
use crate::scenario::values::MicroDollars;
use crate::world::{Delay, Probability};

/// The longest raw Retry-After, in characters.
const RAW_MAX: usize = 256;

impl Builder {
    pub(super) fn backend(&mut self, raw: RawBackend) -> Backend {
        let first_token =
            Delay::LogNormal { p50: Duration::from_millis(400), p99: Duration::from_secs(3) };
        Backend {
            name: raw.name.value,
            provider: raw.provider.unwrap_or_default(),
            tier: raw.tier.unwrap_or(1),
            weight: self.whole_up_to(raw.weight, 1, 1_000_000, "the weight"),
            price_micros: self.read(raw.price, MicroDollars(0)).0,
            first_token: self.delay(raw.first_token, first_token),
            tokens_per_second: self.whole_up_to(
                raw.tokens_per_second,
                60,
                1_000_000_000,
                "tokens per second",
            ),
            chunk_tokens: self.whole_up_to(raw.chunk_tokens, 20, 1_000_000, "tokens in a chunk"),
            errors: raw.errors.map(|raw| self.errors(raw)).unwrap_or_default(),
            retry_after: raw.retry_after.and_then(|raw| self.retry_after(raw)),
            limits: meter::Settings {
                requests_per_minute: self.optional(raw.requests_per_minute).map(|limit| limit.0),
                input_tokens_per_minute: self
                    .optional(raw.input_tokens_per_minute)
                    .map(|limit| limit.0),
                output_tokens_per_minute: self
                    .optional(raw.output_tokens_per_minute)
                    .map(|limit| limit.0),
                tokens_per_minute: self.optional(raw.tokens_per_minute).map(|limit| limit.0),
            },
        }
    }

    fn errors(&mut self, At { value: raw, span }: At<RawErrors>) -> ErrorMix {
        let mix = ErrorMix {
            rate_limited: self.read(raw.rate_limited, Probability::NEVER),
            overloaded: self.read(raw.overloaded, Probability::NEVER),
            server_error: self.read(raw.server_error, Probability::NEVER),
            silence: self.read(raw.silence, Probability::NEVER),
            reset: self.read(raw.reset, Probability::NEVER),
            malformed: self.read(raw.malformed, Probability::NEVER),
            bad_request: self.read(raw.bad_request, Probability::NEVER),
            credential: self.read(raw.credential, Probability::NEVER),
            forbidden: self.read(raw.forbidden, Probability::NEVER),
            not_found: self.read(raw.not_found, Probability::NEVER),
            timeout: self.read(raw.timeout, Probability::NEVER),
            conflict: self.read(raw.conflict, Probability::NEVER),
            quota: self.read(raw.quota, Probability::NEVER),
            accepted_then_overloaded: self.read(raw.accepted_then_overloaded, Probability::NEVER),
            cut: self.read(raw.cut, Probability::NEVER),
            stall: self.read(raw.stall, Probability::NEVER),
            error_in_stream: self.read(raw.error_in_stream, Probability::NEVER),
            malformed_chunk: self.read(raw.malformed_chunk, Probability::NEVER),
        };
        let sum: u32 = mix.parts().iter().map(|(_, probability)| probability.as_ppm()).sum();
        if sum > PPM {
            let message = format!("the errors add up to more than 100%: {}%", sum / (PPM / 100));
            self.error(span, "", &message, "lower them; the rest to 100% is success");
        }
        mix
    }

    fn retry_after(&mut self, At { value: raw, span }: At<RawRetryAfter>) -> Option<RetryAfter> {
        let form = match raw {
            ScalarOr::Scalar(value) => {
                return self.value(At { value, span }).map(RetryAfter::Seconds);
            }
            ScalarOr::Table(form) => form,
        };
        match (form.ms, form.date, form.raw) {
            (Some(ms), None, None) => self.value(ms).map(RetryAfter::Millis),
            (None, Some(date), None) => self.value(date).map(RetryAfter::Date),
            (None, None, Some(At { value: text, span })) => {
                let is_printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
                if !is_printable || text.len() > RAW_MAX {
                    let message = "this cannot stand in a header";
                    let help = format!("use at most {RAW_MAX} printable ASCII characters");
                    self.error(span, "", message, &help);
                }
                Some(RetryAfter::Raw(text))
            }
            _ => {
                let help = "write \"20s\", { ms = \"1500ms\" }, { date = \"20s\" } or \
                            { raw = \"soon\" }";
                self.error(span, "", "a Retry-After is said in exactly one way", help);
                None
            }
        }
    }

    pub(super) fn backend_fault(
        &mut self,
        sim: &Sim,
        At { value: raw, span }: At<RawBackendFault>,
    ) -> FaultKind {
        if raw.errors.is_none() && raw.retry_after.is_none() && raw.first_token.is_none() {
            let message = "the backend stays as it is";
            self.error(span, "", message, "set errors, retry_after or first_token");
        }
        FaultKind::Backend {
            name: self.backend_reference(sim, raw.name),
            errors: raw.errors.map(|raw| self.errors(raw)),
            retry_after: raw.retry_after.and_then(|raw| self.retry_after(raw)),
            first_token: self.optional_delay(raw.first_token),
        }
    }
}
