//! Model backends: what they are like, what goes wrong with them, and their outages.

use std::time::Duration;

use super::Builder;
use crate::policy::meter;
use crate::scenario::field::{At, Field, ScalarOr};
use crate::scenario::model::{Backend, ErrorMix, FaultKind, RetryAfter, Sim};
use crate::scenario::raw::{RawBackend, RawBackendFault, RawErrors, RawRetryAfter};
use crate::scenario::units::PPM;
use crate::scenario::values::{MicroDollars, Weight, Whole};
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
            weight: self.read(raw.weight, Weight(1)).0,
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
                requests_per_minute: self.limit(raw.requests_per_minute),
                input_tokens_per_minute: self.limit(raw.input_tokens_per_minute),
                output_tokens_per_minute: self.limit(raw.output_tokens_per_minute),
                tokens_per_minute: self.limit(raw.tokens_per_minute),
            },
        }
    }

    fn limit(&mut self, raw: Option<Field<Whole>>) -> Option<u64> {
        self.optional(raw).map(|Whole(limit)| limit)
    }

    fn errors(&mut self, At { value: raw, span }: At<RawErrors>) -> ErrorMix {
        let mut share = |raw| self.read(raw, Probability::NEVER);
        let mix = ErrorMix {
            rate_limited: share(raw.rate_limited),
            overloaded: share(raw.overloaded),
            server_error: share(raw.server_error),
            silence: share(raw.silence),
            reset: share(raw.reset),
            malformed: share(raw.malformed),
            bad_request: share(raw.bad_request),
            credential: share(raw.credential),
            forbidden: share(raw.forbidden),
            not_found: share(raw.not_found),
            timeout: share(raw.timeout),
            conflict: share(raw.conflict),
            quota: share(raw.quota),
            accepted_then_overloaded: share(raw.accepted_then_overloaded),
            cut: share(raw.cut),
            stall: share(raw.stall),
            error_in_stream: share(raw.error_in_stream),
            malformed_chunk: share(raw.malformed_chunk),
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
        heals: bool,
    ) -> FaultKind {
        let tells_end = raw.tells_end.unwrap_or(false);
        if tells_end && raw.retry_after.is_some() {
            let help = "keep retry_after or tells_end";
            self.error(span, "", "a Retry-After is said in exactly one way", help);
        } else if tells_end && !heals {
            let help = "set for, or remove tells_end";
            self.error(span, "never ends", "an outage without an end cannot tell it", help);
        }
        if raw.errors.is_none()
            && !tells_end
            && raw.retry_after.is_none()
            && raw.first_token.is_none()
        {
            let message = "the backend stays as it is";
            self.error(span, "", message, "set errors, retry_after, tells_end or first_token");
        }
        FaultKind::Backend {
            name: self.backend_reference(sim, raw.name),
            errors: raw.errors.map(|raw| self.errors(raw)),
            retry_after: raw.retry_after.and_then(|raw| self.retry_after(raw)),
            tells_end,
            first_token: self.optional_delay(raw.first_token),
        }
    }
}
