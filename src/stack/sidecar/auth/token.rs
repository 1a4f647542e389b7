//! JSON Web Tokens, signed with HS256: RFC 7519, 7515 and 7518 as far as the contract uses them.
//!
//! `hmac`, `sha2` and `base64` are all it takes: pure Rust, without a clock, and the comparison of
//! signatures in constant time is `hmac`'s own. A JWT library would bring other algorithms and its
//! own look at the machine's clock, both of which would have to be turned off.

use std::{collections::BTreeSet, fmt, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::Sha256;

use super::Denied;
use crate::stack::sidecar::wire::{AgentId, AgentType, Permission, ProjectId};

/// How long a token is valid: the contract's hour.
pub const TTL: Duration = Duration::from_secs(3_600);
/// How long before its end a token should be refreshed: the contract's five minutes.
pub const REFRESH_BEFORE: Duration = Duration::from_secs(300);
/// How far clocks may be apart. RFC 7519 leaves it open, "usually no more than a few minutes"; a
/// minute is the default of most libraries.
pub const LEEWAY: Duration = Duration::from_secs(60);
/// The longest token that is looked at, in bytes: what servers take as one header.
const MAX_TOKEN: usize = 8 * 1024;

/// What a token says of its bearer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Which agent.
    pub sub: AgentId,
    /// Of which type.
    pub agent_type: AgentType,
    /// In which project it acts, and in no other.
    pub project_id: ProjectId,
    /// What it may do. Words that the contract does not have allow nothing.
    #[serde(deserialize_with = "known_permissions")]
    pub permissions: BTreeSet<Permission>,
    /// From when on it is not valid any more, in seconds since 1970.
    pub exp: i64,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// From when on it is valid, in seconds since 1970; from ever, if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
}

fn known_permissions<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeSet<Permission>, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    Ok(words.iter().filter_map(|word| Permission::from_word(word)).collect())
}

impl Claims {
    /// Those of an agent with the permissions of its type, valid from now on for [`TTL`]. Seconds
    /// are cut, so a token is never valid for longer.
    pub fn new(
        sub: AgentId,
        agent_type: AgentType,
        project_id: ProjectId,
        now: Timestamp,
    ) -> Claims {
        let permissions = agent_type.role().permissions().iter().copied().collect();
        let iat = whole_second(now);
        let exp = iat.saturating_add(seconds(TTL));
        Claims { sub, agent_type, project_id, permissions, exp, iat, nbf: Some(iat) }
    }

    /// Whether it allows this.
    pub fn allows(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// Whether it ends within [`REFRESH_BEFORE`], or has.
    pub fn is_due(&self, now: Timestamp) -> bool {
        nanos(self.exp).saturating_sub(now.as_nanosecond()) <= of(REFRESH_BEFORE)
    }

    /// The same for another [`TTL`] from now on.
    #[must_use]
    pub fn refreshed(&self, now: Timestamp) -> Claims {
        let iat = whole_second(now);
        let exp = iat.saturating_add(seconds(TTL));
        Claims { exp, iat, nbf: Some(iat), ..self.clone() }
    }

    /// Whether it is valid at `now`, by a clock that may be `leeway` off. The end does not belong
    /// to its time (RFC 7519, 4.1.4), the beginning does (4.1.5).
    fn check_time(&self, now: Timestamp, leeway: Duration) -> Result<(), Denied> {
        let (now, leeway) = (now.as_nanosecond(), of(leeway));
        if now >= nanos(self.exp) + leeway {
            return Err(Denied::Expired);
        }
        match self.nbf {
            Some(nbf) if now + leeway < nanos(nbf) => Err(Denied::NotYetValid),
            _ => Ok(()),
        }
    }
}

/// The second an instant is in.
fn whole_second(now: Timestamp) -> i64 {
    now.as_second() - i64::from(now.subsec_nanosecond() < 0)
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

fn nanos(second: i64) -> i128 {
    i128::from(second) * 1_000_000_000
}

fn of(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX >> 1)
}

/// The header of a token.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    typ: Option<String>,
    /// Extensions that whoever does not know them must refuse (RFC 7515, 4.1.11); we know none.
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

/// The key that tokens are signed with, and how far the clocks of those who do may be off.
#[derive(Clone)]
pub struct Keys {
    mac: Hmac<Sha256>,
    leeway: Duration,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("leeway", &self.leeway).finish_non_exhaustive()
    }
}

impl Keys {
    /// Keys of this secret. RFC 7518, 3.2 asks for 32 bytes at least; fewer make weaker tokens,
    /// not other ones. `None` only if the MAC takes no key of this length, which HMAC always does.
    pub fn new(secret: &[u8], leeway: Duration) -> Option<Keys> {
        Hmac::new_from_slice(secret).ok().map(|mac| Keys { mac, leeway })
    }

    /// Whether it is the time of claims that were believed before.
    ///
    /// # Errors
    ///
    /// [`Denied::Expired`] or [`Denied::NotYetValid`].
    pub fn check_time(&self, claims: &Claims, now: Timestamp) -> Result<(), Denied> {
        claims.check_time(now, self.leeway)
    }

    /// A token with these claims.
    pub fn issue(&self, claims: &Claims) -> String {
        let claims = serde_json::to_vec(claims).unwrap_or_default();
        self.sign(br#"{"alg":"HS256","typ":"JWT"}"#, &claims)
    }

    /// A token of any header and claims, good or bad, with a good signature.
    pub(crate) fn sign(&self, header: &[u8], claims: &[u8]) -> String {
        let mut token = URL_SAFE_NO_PAD.encode(header);
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(claims));
        let mut mac = self.mac.clone();
        mac.update(token.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        token.push('.');
        token.push_str(&signature);
        token
    }

    /// What a token says, if it can be believed at `now`. Nothing of the claims is read before the
    /// signature is known to be right.
    ///
    /// # Errors
    ///
    /// [`Denied::Missing`] for an empty one, [`Denied::Malformed`], [`Denied::Algorithm`],
    /// [`Denied::Tampered`], [`Denied::Expired`] or [`Denied::NotYetValid`].
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, Denied> {
        if token.is_empty() {
            return Err(Denied::Missing);
        }
        if token.len() > MAX_TOKEN {
            return Err(Denied::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Denied::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Denied::Malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Denied::Malformed);
        let header: Header =
            serde_json::from_slice(&decode(header)?).map_err(|_| Denied::Malformed)?;
        if header.alg != "HS256" {
            return Err(Denied::Algorithm);
        }
        let is_jwt = header.typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
        if !is_jwt || header.crit.is_some() {
            return Err(Denied::Malformed);
        }
        let mut mac = self.mac.clone();
        mac.update(signed.as_bytes());
        mac.verify_slice(&decode(signature)?).map_err(|_| Denied::Tampered)?;
        let claims: Claims =
            serde_json::from_slice(&decode(claims)?).map_err(|_| Denied::Malformed)?;
        claims.check_time(now, self.leeway)?;
        Ok(claims)
    }
}

#[cfg(test)]
pub(super) fn sign(keys: &Keys, header: &str, claims: &str) -> String {
    keys.sign(header.as_bytes(), claims.as_bytes())
}
