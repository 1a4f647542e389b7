//! A sim in the making, and its text. Beside each value stands where it came from.

use std::{
    collections::BTreeSet,
    fmt::{self, Write as _},
    time::Duration,
};

use super::Gateway;
use crate::config::names::RESERVED;

/// The longest name that is made of a model's, in characters.
const NAME_CHARS_MAX: usize = 40;

/// How many agents ask for each chain.
const AGENTS: u32 = 2;

/// Requests per thousand seconds, if no limit of a model says that it is too many.
const LOAD: u64 = 2_000;

/// How long an agent waits at least and at most: a sim's own default, and what Claude Code has.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(120), Duration::from_secs(600));

/// What requests are about. Each chain has one of them: that is how a sim tells requests apart.
pub(super) const TASKS: [&str; 7] = [
    "general",
    "reasoning",
    "code_generation",
    "long_context",
    "architecture",
    "code_review",
    "formatting",
];

/// A value, and where it came from.
#[derive(Clone, Debug)]
pub(super) struct From<T> {
    pub(super) value: T,
    pub(super) from: String,
}

impl<T> From<T> {
    pub(super) fn new(value: T, from: impl Into<String>) -> From<T> {
        From { value, from: from.into() }
    }
}

/// A model, which becomes a backend.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) name: String,
    /// anthropic, openai or generic.
    pub(super) provider: &'static str,
    /// What it was called, and where.
    pub(super) from: String,
    pub(super) weight: Option<From<u32>>,
    /// Micro-dollars for a million output tokens.
    pub(super) price: Option<From<u64>>,
    pub(super) rpm: Option<From<u32>>,
    pub(super) tpm: Option<From<u32>>,
}

/// Models that are asked one after the other, and who asks.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// One of [`TASKS`]; the first chain's is `general`.
    pub(super) task: &'static str,
    /// What it was called.
    pub(super) label: String,
    /// Places among the models; never empty.
    pub(super) models: Vec<usize>,
    /// Input tokens, from and to.
    pub(super) input: (u32, u32),
    /// Where it came from.
    pub(super) from: String,
}

/// A sim in the making. There is at least one chain.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) models: Vec<Model>,
    pub(super) chains: Vec<Chain>,
    pub(super) strategy: Option<From<&'static str>>,
    /// As an inline table.
    pub(super) retry: Option<From<String>>,
    pub(super) timeout: Option<From<Duration>>,
    /// As an inline table.
    pub(super) breaker: Option<From<String>>,
    /// Requests in hand at once.
    pub(super) concurrent: Option<From<u32>>,
    /// Tokens of a day.
    pub(super) quota: Option<From<u64>>,
}

impl Draft {
    /// The text of the sim.
    pub(super) fn write(&self, gateway: Gateway, file: &str) -> String {
        let mut out = String::new();
        let file = plain(file);
        let whose = gateway.as_str();
        // Writing to a string cannot fail.
        let _ = self.write_to(&mut out, whose, &file);
        out
    }

    fn write_to(&self, out: &mut String, whose: &str, file: &str) -> fmt::Result {
        writeln!(out, "# A configuration of {whose} as a sim, made by `seedbed config import`.")?;
        writeln!(
            out,
            "# Behind each value stands where it came from. The list that was printed says"
        )?;
        writeln!(out, "# what is not in here, or not exactly. No key and no address was copied.")?;
        writeln!(
            out,
            "purpose = \"What {whose} would do as {file} says: its models, chains, retries and \
             cooldowns under faults that are drawn from the seed.\""
        )?;
        writeln!(out, "seeds = [1, 2, 3]")?;
        let patience = self.patience();
        writeln!(out, "\n[limits]\ntime = \"1h\"\n\n[router]")?;
        self.router(out)?;
        for model in &self.models {
            backend(out, model)?;
        }
        if let Some(quota) = &self.quota {
            writeln!(out, "\n[[workspace]]\nname = \"everybody\"")?;
            let tokens = quota.value;
            writeln!(out, "quota = {{ tokens_per_day = {tokens} }} # {}", plain(&quota.from))?;
        }
        self.agents(out, patience)?;
        let load = self.load();
        writeln!(
            out,
            "\n# Not from the file: how much is asked, and what breaks. Change it.\n[load]"
        )?;
        writeln!(
            out,
            "poisson = {{ per_second = {}.{:03}, for = \"2m\" }}",
            load / 1_000,
            load % 1_000
        )?;
        writeln!(out, "\n[chaos]")?;
        writeln!(out, "kinds  = [\"network\", \"crash\", \"pause\", \"provider\"]")?;
        writeln!(out, "from   = \"10s\"\nuntil  = \"70s\"\nfaults = {{ per_minute = 4 }}")?;
        writeln!(out, "\n# What must hold: the built-in checks, and what you write here.")?;
        writeln!(out, "[[expect]]\nmetric   = \"requests.total\"\nat_least = 1")?;
        writeln!(
            out,
            "\n# [[expect]]\n# metric   = \"requests.success_rate\"\n# at_least = \"95%\""
        )
    }

    fn router(&self, out: &mut String) -> fmt::Result {
        for (index, chain) in self.chains.iter().enumerate() {
            let names: Vec<&str> = chain
                .models
                .iter()
                .filter_map(|it| Some(self.models.get(*it)?.name.as_str()))
                .collect();
            let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
            let from = format!("# {} ({})", plain(&chain.label), plain(&chain.from));
            match (index, quoted.split_first()) {
                (0, Some((primary, fallback))) => {
                    writeln!(out, "primary = {primary} {from}")?;
                    if !fallback.is_empty() {
                        writeln!(out, "fallback = [{}]", fallback.join(", "))?;
                    }
                }
                _ => writeln!(out, "routes.{} = [{}] {from}", chain.task, quoted.join(", "))?,
            }
        }
        if let Some(strategy) = &self.strategy {
            writeln!(out, "strategy = \"{}\" # {}", strategy.value, plain(&strategy.from))?;
        }
        if let Some(timeout) = &self.timeout {
            let text = duration(timeout.value);
            writeln!(out, "timeout = \"{text}\" # {}", plain(&timeout.from))?;
        }
        if let Some(retry) = &self.retry {
            writeln!(out, "retry = {} # {}", retry.value, plain(&retry.from))?;
        }
        if let Some(breaker) = &self.breaker {
            writeln!(out, "breaker = {} # {}", breaker.value, plain(&breaker.from))?;
        }
        if let Some(at_once) = &self.concurrent {
            let from = plain(&at_once.from);
            writeln!(out, "bulkhead = {{ concurrent = {} }} # {from}", at_once.value)?;
        }
        Ok(())
    }

    fn agents(&self, out: &mut String, patience: Duration) -> fmt::Result {
        for chain in &self.chains {
            writeln!(out, "\n# Whoever asks for {}.", plain(&chain.label))?;
            writeln!(
                out,
                "[[agent]]\nname = \"asks-{}\"\ncount = {AGENTS}",
                chain.task.replace('_', "-")
            )?;
            writeln!(out, "task = \"{}\"", chain.task)?;
            if self.quota.is_some() {
                writeln!(out, "workspace = \"everybody\"")?;
            }
            writeln!(out, "input_tokens = {{ uniform = [{}, {}] }}", chain.input.0, chain.input.1)?;
            writeln!(out, "output_tokens = {{ uniform = [50, 400] }}")?;
            writeln!(out, "deadline = \"{}\"", duration(patience))?;
        }
        Ok(())
    }

    fn patience(&self) -> Duration {
        let timeout = self.timeout.as_ref().map_or(PATIENCE.0, |timeout| timeout.value);
        timeout.clamp(PATIENCE.0, PATIENCE.1)
    }

    /// Requests per thousand seconds: half of what the models take, if all have a limit.
    fn load(&self) -> u64 {
        let limits: Option<Vec<u64>> = self
            .models
            .iter()
            .map(|model| model.rpm.as_ref().map(|rpm| u64::from(rpm.value)))
            .collect();
        let capacity = limits.map_or(u64::MAX, |limits| limits.iter().sum());
        (capacity.saturating_mul(1_000) / 60 / 2).clamp(50, LOAD)
    }
}

fn backend(out: &mut String, model: &Model) -> fmt::Result {
    writeln!(out, "\n# {}", plain(&model.from))?;
    writeln!(out, "[[backend]]\nname = \"{}\"", model.name)?;
    writeln!(out, "provider = \"{}\"", model.provider)?;
    if let Some(weight) = &model.weight {
        writeln!(out, "weight = {} # {}", weight.value, plain(&weight.from))?;
    }
    if let Some(price) = &model.price {
        let (whole, part) = (price.value / 1_000_000, price.value % 1_000_000);
        writeln!(out, "price = \"{whole}.{part:06}\" # {}", plain(&price.from))?;
    }
    if let Some(rpm) = &model.rpm {
        writeln!(out, "requests_per_minute = {} # {}", rpm.value, plain(&rpm.from))?;
    }
    if let Some(tpm) = &model.tpm {
        writeln!(out, "tokens_per_minute = {} # {}", tpm.value, plain(&tpm.from))?;
    }
    Ok(())
}

/// A text in a comment or between quotes: one line, nothing that ends either.
fn plain(text: &str) -> String {
    text.chars().filter(|it| !it.is_control() && *it != '"' && *it != '\\').take(160).collect()
}

/// A time as a sim writes it.
pub(super) fn duration(time: Duration) -> String {
    let millis = time.as_millis();
    if millis.is_multiple_of(1_000) {
        format!("{}s", millis / 1_000)
    } else {
        format!("{millis}ms")
    }
}

/// The names that were given out, so that each is given once.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// A name as sims want it, made of another: small letters, digits, `.`, `_` and `-`.
    pub(super) fn make(&mut self, wanted: &str) -> String {
        let mut name = String::new();
        for letter in wanted.chars() {
            let letter = letter.to_ascii_lowercase();
            if letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_.".contains(letter) {
                name.push(letter);
            } else if !name.ends_with('-') {
                name.push('-');
            }
            if name.len() >= NAME_CHARS_MAX {
                break;
            }
        }
        let name = name.trim_matches(|it| "-_.".contains(it));
        let name = if name.is_empty() { "model" } else { name };
        // Agents are called asks-…, and so is nobody else.
        let taken = |name: &str| RESERVED.contains(&name) || name.starts_with("asks-");
        let name = if taken(name) { format!("model-{name}") } else { name.to_owned() };
        let mut unique = name.clone();
        let mut number = 1;
        while !self.0.insert(unique.clone()) {
            number += 1;
            unique = format!("{name}-{number}");
        }
        unique
    }
}
