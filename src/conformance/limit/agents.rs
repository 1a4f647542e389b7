//! Limits per type of agent, as the sidecar's reference has them: a token bucket each.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Fields, Seen, Subject, Unsupported, first_whole, tell, tell_duration, unknown_event};
use crate::{
    policy::limit::{Limiter, Rate, TokenBucket},
    world::Time,
};

/// By type of agent; one without a limit has no bucket.
struct Agents(BTreeMap<String, TokenBucket>);

const TYPES: [&str; 10] = [
    "chief_architect",
    "architect",
    "coding",
    "qa_security",
    "qa",
    "security",
    "documentation",
    "docs",
    "support",
    "default",
];

/// Words in an agent's name, and the types of agent that they tell, first found first told. The
/// names are those of the sidecar's reference: `documentation-expert`, `security-auditor`,
/// `python-specialist`, `chief-architect`, ….
const FAMILIES: [(&[&str], &[&str]); 5] = [
    (&["architect"], &["chief_architect", "architect"]),
    (&["documentation", "docs", "writer"], &["documentation", "docs"]),
    (&["qa", "test", "security", "auditor", "penetration"], &["qa_security", "qa", "security"]),
    (&["support", "credential", "credentials"], &["support"]),
    (
        &["coding", "specialist", "expert", "developer", "coder", "programmer", "engineer"],
        &["coding"],
    ),
];

/// The names under which a case may limit this agent's type.
fn family(agent: &str) -> Option<&'static [&'static str]> {
    let has = |word: &&str| agent.split(['-', '_', ' ']).any(|part| part == *word);
    FAMILIES.iter().find(|(words, _)| words.iter().any(has)).map(|(_, kinds)| *kinds)
}

pub(super) fn subject(config: &mut Fields) -> Result<Box<dyn Subject>, Unsupported> {
    let mut buckets = BTreeMap::new();
    for agent in TYPES {
        let Some(Value::Object(limit)) = config.take(agent) else { continue };
        let mut limit = Fields::new(agent, limit);
        let rate = first_whole(&mut limit, &["per_min", "per_minute", "rate_per_min"])?;
        let burst = first_whole(&mut limit, &["burst", "capacity"])?;
        limit.finish()?;
        let rate = rate.ok_or_else(|| Unsupported(format!("{agent:?} has no rate")))?;
        let bucket = TokenBucket::new(burst.unwrap_or(rate), Rate::per_minute(rate));
        buckets.insert(agent.to_owned(), bucket);
    }
    Ok(Box::new(Agents(buckets)))
}

impl Subject for Agents {
    fn step(&mut self, now: Time, event: &str, step: &mut Fields) -> Result<Seen, Unsupported> {
        if event != "request" {
            return Err(unknown_event(event));
        }
        let agent = super::first_text(step, &["agent", "agent_type"])?;
        let agent = agent.ok_or_else(|| Unsupported("a request is of no agent".to_owned()))?;
        let times = first_whole(step, &["times", "n"])?.unwrap_or(1);
        let family = family(&agent)
            .ok_or_else(|| Unsupported(format!("nobody knows what type of agent {agent:?} is")))?;
        let bucket =
            self.0.iter_mut().find(|(kind, _)| family.contains(&kind.as_str()) || *kind == &agent);
        let mut seen = Seen::new();
        let mut refused = None;
        let (mut limit, mut remaining) = (None, None);
        if let Some((_, bucket)) = bucket {
            for _ in 0..times {
                refused = bucket.try_acquire(now, 1).err();
            }
            limit = Some(bucket.rate().permits());
            remaining = Some(bucket.available(now).max(0));
        }
        let ok = refused.is_none();
        tell(&mut seen, &["status"], if ok { 200 } else { 429 });
        tell(&mut seen, &["ok", "permitted", "allowed"], ok);
        tell(&mut seen, &["code"], if ok { json!(null) } else { json!("RATE_001") });
        tell(&mut seen, &["limit"], limit);
        tell(&mut seen, &["remaining"], remaining);
        let headers = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"];
        tell(&mut seen, &["headers"], json!(if limit.is_some() { &headers[..] } else { &[] }));
        let body = ["error", "message", "code", "retry_after_seconds", "limit", "timestamp"];
        tell(&mut seen, &["body_fields"], json!(if ok { &[] } else { &body[..] }));
        let wait = refused.map_or(Some(std::time::Duration::ZERO), |refused| refused.wait());
        tell_duration(&mut seen, &["retry_after"], wait);
        let seconds = wait.map(|wait| wait.as_nanos().div_ceil(1_000_000_000) as u64);
        tell(&mut seen, &["retry_after_seconds"], seconds);
        Ok(seen)
    }
}
