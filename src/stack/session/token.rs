//! Tokens, good ones and others. Whoever starts an agent shares the secret with the sidecar, and
//! goes by its own clock: if that is off, so are its tokens.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Session;
use crate::stack::{
    settings::TokenKind,
    sidecar::{
        auth::{Claims, Keys, TTL},
        wire::Request,
    },
};

impl Session {
    /// The same request with such a token.
    pub(in crate::stack) fn signed(
        &self,
        request: Request,
        token: TokenKind,
        now: Timestamp,
    ) -> Request {
        match self.bearer(token, now) {
            Some(token) => request.bearer(&token),
            None => request,
        }
    }

    /// Such a token; none if there shall be none.
    pub(in crate::stack) fn bearer(&self, token: TokenKind, now: Timestamp) -> Option<String> {
        let good = self.valid(now);
        let apart = SignedDuration::try_from(self.parts.settings.leeway).unwrap_or_default()
            + SignedDuration::from_secs(60);
        let at = |now: Result<Timestamp, jiff::Error>| {
            self.parts.keys.issue(&self.claims(now.unwrap_or(Timestamp::MIN)))
        };
        let ttl = SignedDuration::try_from(TTL).unwrap_or_default();
        Some(match token {
            TokenKind::Missing => return None,
            TokenKind::Valid => good,
            TokenKind::Malformed => good.replace('.', ""),
            TokenKind::Tampered => with_claim(&good, "project_id", "another-project".into()),
            TokenKind::OtherKey => {
                let other = Keys::new(b"somebody else's secret of 32 bytes", TTL);
                other.map_or_else(String::new, |other| other.issue(&self.claims(now)))
            }
            TokenKind::Unsigned => unsigned(&good),
            TokenKind::Expired => at(now.checked_sub(ttl + apart)),
            TokenKind::NotYetValid => at(now.checked_add(apart)),
        })
    }

    fn claims(&self, now: Timestamp) -> Claims {
        let badge = &self.badge;
        Claims::new(self.agent.clone(), badge.agent_type, badge.project.clone(), now)
    }

    /// The one it has, or a new one. One from the future was issued before the clock was set right.
    fn valid(&self, now: Timestamp) -> String {
        let mut token = self.token.borrow_mut();
        match &*token {
            Some((claims, token)) if !claims.is_due(now) && claims.iat <= now.as_second() => {
                token.clone()
            }
            _ => {
                let claims = self.claims(now);
                let issued = self.parts.keys.issue(&claims);
                *token = Some((claims, issued.clone()));
                issued
            }
        }
    }
}

/// A token with another claim and the signature that it had.
pub(in crate::stack) fn with_claim(token: &str, claim: &str, value: Value) -> String {
    let mut parts = token.split('.');
    let (header, claims, signature) = (parts.next(), parts.next(), parts.next());
    let decoded = URL_SAFE_NO_PAD.decode(claims.unwrap_or_default()).unwrap_or_default();
    let mut claims: Value = serde_json::from_slice(&decoded).unwrap_or_default();
    if let Some(claims) = claims.as_object_mut() {
        claims.insert(claim.to_owned(), value);
    }
    let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
    format!("{}.{claims}.{}", header.unwrap_or_default(), signature.unwrap_or_default())
}

/// A token with another header and the signature that it had.
pub(in crate::stack) fn with_header(token: &str, header: &str) -> String {
    let rest = token.split_once('.').map_or("", |(_, rest)| rest);
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header))
}

/// The same claims, with a header that says that no signature is needed, and none.
fn unsigned(token: &str) -> String {
    let token = with_header(token, r#"{"alg":"none","typ":"JWT"}"#);
    let signed = token.rsplit_once('.').map_or("", |(signed, _)| signed);
    format!("{signed}.")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::stack::sidecar::{
        auth::Denied,
        wire::{AgentId, AgentType, ProjectId},
    };

    #[test]
    fn forged_tokens_are_what_they_claim_to_be() {
        let keys = Keys::new(b"the secret of this test, 32 bytes", Duration::ZERO).unwrap();
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let (agent, project) = (AgentId::new("a").unwrap(), ProjectId::new("p").unwrap());
        let good = keys.issue(&Claims::new(agent, AgentType::GoSpecialist, project, now));
        assert!(keys.verify(&good, now).is_ok());
        let forged = with_claim(&good, "project_id", "other".into());
        assert_eq!(keys.verify(&forged, now), Err(Denied::Tampered));
        assert_eq!(keys.verify(&unsigned(&good), now), Err(Denied::Algorithm));
        let other = with_header(&good, r#"{"alg":"HS512","typ":"JWT"}"#);
        assert_eq!(keys.verify(&other, now), Err(Denied::Algorithm));
    }
}
