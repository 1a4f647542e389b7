//! A model backend: it takes its time, and goes wrong the way its provider does.
//!
//! Statuses and error names are those of the providers' own documentation: Anthropic's errors page
//! (`rate_limit_error` 429, `api_error` 500, `overloaded_error` 529) and OpenAI's error codes
//! (`rate_limit_exceeded` 429, `server_error` 500, `server_is_overloaded` 503).

use std::{cell::RefCell, rc::Rc, time::Duration};

use actix::{Actor, Context, Handler};

use super::{
    message::{Generate, Generated, HttpError, Prompt},
    settings::{self, ErrorMix, Provider},
};
use crate::world::{Delay, Env, Later, Promise, Stream, Time};

/// An outage: what a backend does differently while it lasts.
#[derive(Clone, Debug, Default)]
pub struct Outage {
    /// Replaces the error mix.
    pub errors: Option<ErrorMix>,
    /// Replaces the Retry-After.
    pub retry_after: Option<Duration>,
    /// Replaces the time to the first token.
    pub first_token: Option<Delay>,
}

/// The outages that a backend is in, the latest last. They belong to the provider, not to the
/// process, so a restart does not end them.
pub type Outages = Rc<RefCell<Vec<(usize, Outage)>>>;

/// The actor.
pub struct Backend {
    env: Env<Backend>,
    settings: Rc<settings::Backend>,
    outages: Outages,
    first_tokens: Stream,
    errors: Stream,
    minute: Minute,
    /// Calls that will never be answered.
    silent: Vec<Promise<Generated>>,
}

/// What was admitted in the current minute of the backend's clock.
#[derive(Default)]
struct Minute {
    number: u64,
    requests: u64,
    tokens: u64,
}

const MINUTE: Duration = Duration::from_secs(60);

impl Backend {
    /// A backend with these settings.
    pub fn new(env: Env<Backend>, settings: Rc<settings::Backend>, outages: Outages) -> Backend {
        Backend {
            settings,
            outages,
            first_tokens: env.stream("first_token"),
            errors: env.stream("errors"),
            env,
            minute: Minute::default(),
            silent: Vec::new(),
        }
    }

    /// The last outage that says something about `part`.
    fn in_outage<T>(&self, part: impl Fn(&Outage) -> Option<T>) -> Option<T> {
        self.outages.borrow().iter().rev().find_map(|(_, outage)| part(outage))
    }

    /// Admits a request, or says how long until the next minute.
    fn admit(&mut self, prompt: &Prompt) -> Result<(), Duration> {
        let now = self.env.now();
        let number = now.as_nanos() / MINUTE.as_nanos() as u64;
        if number != self.minute.number {
            self.minute = Minute { number, ..Minute::default() };
        }
        let tokens = u64::from(prompt.input_tokens) + u64::from(prompt.output_tokens);
        let exceeds = |limit: Option<u64>, used: u64| limit.is_some_and(|limit| used > limit);
        if exceeds(self.settings.requests_per_minute, self.minute.requests + 1)
            || exceeds(self.settings.tokens_per_minute, self.minute.tokens + tokens)
        {
            let next = Time::from_nanos((number + 1) * MINUTE.as_nanos() as u64);
            return Err(next - now);
        }
        self.minute.requests += 1;
        self.minute.tokens += tokens;
        Ok(())
    }

    /// What goes wrong with the next request on its own, by the error mix.
    fn draw_error(&mut self) -> Option<&'static str> {
        let mix = self.in_outage(|outage| outage.errors).unwrap_or(self.settings.errors);
        let mut drawn = self.errors.below(1_000_000) as u32;
        for (error, probability) in mix.parts() {
            match drawn.checked_sub(probability.as_ppm()) {
                Some(rest) => drawn = rest,
                None => return Some(error),
            }
        }
        None
    }

    fn error(&self, kind: &str, retry_after: Option<Duration>) -> Generated {
        let (status, error_type) = match (self.settings.provider, kind) {
            (Provider::Anthropic, "rate_limited") => (429, "rate_limit_error"),
            (Provider::Anthropic, "overloaded") => (529, "overloaded_error"),
            (Provider::Anthropic, _) => (500, "api_error"),
            (Provider::Openai, "rate_limited") => (429, "rate_limit_exceeded"),
            (Provider::Openai, "overloaded") => (503, "server_is_overloaded"),
            (Provider::Openai, _) => (500, "server_error"),
            (_, "rate_limited") => (429, "too_many_requests"),
            (_, "overloaded") => (503, "overloaded"),
            (_, _) => (500, "internal_error"),
        };
        let mut headers = Vec::new();
        if let Some(wait) = retry_after {
            headers.push(("retry-after", wait.as_secs().to_string()));
        }
        let body = format!("{{\"error\":{{\"type\":\"{error_type}\"}}}}");
        Generated::Error(HttpError { status, headers, body })
    }
}

impl Actor for Backend {
    type Context = Context<Self>;
}

impl Handler<Generate> for Backend {
    type Result = Later<Generated>;

    fn handle(&mut self, Generate { prompt, .. }: Generate, _: &mut Context<Self>) -> Self::Result {
        let (promise, later) = Later::promise();
        let retry_after = self.in_outage(|outage| outage.retry_after).or(self.settings.retry_after);
        // Drawn for every request, so that what happens to one changes nothing for the next.
        let first_token = self.in_outage(|outage| outage.first_token.clone());
        let first_token = first_token.as_ref().unwrap_or(&self.settings.first_token);
        let first_token = self.first_tokens.delay(first_token);
        let error = self.draw_error();
        if let Err(next_minute) = self.admit(&prompt) {
            promise.keep(self.error("rate_limited", Some(retry_after.unwrap_or(next_minute))));
            return later;
        }
        let generation = Duration::from_secs(u64::from(prompt.output_tokens))
            / self.settings.tokens_per_second.max(1);
        match error {
            None => {
                let completion = Generated::Completion {
                    output_tokens: prompt.output_tokens,
                    baggage: prompt.baggage,
                    headers: Vec::new(),
                };
                self.env.after(first_token + generation, move |_, _| promise.keep(completion));
            }
            Some("malformed") => {
                self.env.after(first_token + generation, move |_, _| {
                    promise.keep(Generated::Malformed);
                });
            }
            Some("silence") => self.silent.push(promise),
            // The connection breaks after a while.
            Some("reset") => {
                self.env.after(first_token, move |_, _| drop(promise));
            }
            Some("server_error") => {
                let error = self.error("server_error", None);
                self.env.after(first_token, move |_, _| promise.keep(error));
            }
            // Refused at the door.
            Some(kind) => promise.keep(self.error(kind, retry_after)),
        }
        later
    }
}

impl Handler<super::Probe> for Backend {
    type Result = actix::MessageResult<super::Probe>;
    fn handle(&mut self, _: super::Probe, _: &mut Context<Self>) -> Self::Result {
        actix::MessageResult(crate::policy::health::Status::Healthy)
    }
}
impl Handler<super::CloseStream> for Backend {
    type Result = ();
    fn handle(&mut self, _: super::CloseStream, _: &mut Context<Self>) {}
}
