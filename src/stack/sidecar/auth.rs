//! Who may do what: tokens, permissions, projects and rate limits.
//!
//! A token decides for which project and with which permissions its bearer acts; nothing else that
//! a request says does. No answer of a refused request has anything of what it asked for.
//!
//! Start at [`Gate::admit`], which every request passes; `token` is the JWT, `limits` the rates.

mod limits;
#[cfg(test)]
mod tests;
mod token;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use self::{
    limits::{Allowance, Quota, RateLimits},
    token::{Claims, Keys, LEEWAY, REFRESH_BEFORE, TTL},
};
use super::wire::{
    AgentId, Call, Code, Fault, Headers, Limits, Permission, ProjectId, Request, Route, Status,
};
use crate::world::Time;

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No token.
    #[error("a bearer token is needed")]
    Missing,
    /// What is there is no token, or not one token.
    #[error("the token is malformed")]
    Malformed,
    /// Signed in another way than HS256, or not at all.
    #[error("the token is not signed with HS256")]
    Algorithm,
    /// The signature is not of this header, these claims and this key.
    #[error("the signature of the token is wrong")]
    Tampered,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not begun.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// It is for another project.
    #[error("the token is for another project")]
    OtherProject,
    /// It is of another agent than the one that is named.
    #[error("the token is of another agent")]
    OtherAgent,
    /// It does not allow this.
    #[error("the token lacks the permission `{0}`")]
    Permission(Permission),
}

impl Denied {
    /// The contract's code: one that cannot be believed, one out of its time, one not allowed to.
    pub const fn code(self) -> Code {
        match self {
            Denied::Missing | Denied::Malformed | Denied::Algorithm | Denied::Tampered => {
                Code::Token
            }
            Denied::Expired | Denied::NotYetValid => Code::TokenTime,
            Denied::OtherProject | Denied::OtherAgent | Denied::Permission(_) => Code::NotAllowed,
        }
    }

    /// `401` for a token that is not believed now, `403` for one that is, and does not allow it.
    pub const fn status(self) -> Status {
        match self.code() {
            Code::NotAllowed => Status::Forbidden,
            _ => Status::Unauthorized,
        }
    }
}

impl From<Denied> for Fault {
    fn from(denied: Denied) -> Fault {
        Fault::new(denied.status(), denied.code(), denied.to_string())
    }
}

/// The token of a request: the one `Authorization: Bearer …`.
///
/// # Errors
///
/// [`Denied::Missing`] if there is none, [`Denied::Malformed`] if there is another scheme or more
/// than one.
pub fn bearer(headers: &Headers) -> Result<&str, Denied> {
    let mut values = headers.all("Authorization");
    let value = values.next().ok_or(Denied::Missing)?;
    if values.next().is_some() {
        return Err(Denied::Malformed);
    }
    let (scheme, token) = value.trim().split_once(' ').ok_or(Denied::Malformed)?;
    // Schemes are compared without regard to case (RFC 9110, 11.1).
    if scheme.eq_ignore_ascii_case("Bearer") {
        Ok(token.trim_start())
    } else {
        Err(Denied::Malformed)
    }
}

/// Whether a token allows a call: its permission, its project and its agent, wherever the call
/// names one. What names no project is for the token's.
///
/// # Errors
///
/// [`Denied::Permission`], [`Denied::OtherProject`] or [`Denied::OtherAgent`].
pub fn authorize(claims: &Claims, route: Route, call: &Call) -> Result<(), Denied> {
    if let Some(needed) = route.needs()
        && !claims.allows(needed)
    {
        return Err(Denied::Permission(needed));
    }
    let (project, agent): (Option<&ProjectId>, Option<&AgentId>) = match call {
        Call::StoreResult(result) => {
            if result.agent_type != claims.agent_type {
                return Err(Denied::OtherAgent);
            }
            (Some(&result.project_id), Some(&result.agent_id))
        }
        Call::Publish(event) => (event.project_id.as_ref(), Some(&event.publisher)),
        Call::QueryResults(query) => (query.project_id.as_ref(), None),
        Call::Spawn(spawn) => (spawn.project_id.as_ref(), None),
        Call::Health
        | Call::Status
        | Call::Context { .. }
        | Call::ClearCache { .. }
        | Call::GetResult { .. }
        | Call::DeleteResult { .. }
        | Call::Wait(_)
        | Call::AgentStatus { .. } => (None, None),
    };
    if project.is_some_and(|project| *project != claims.project_id) {
        return Err(Denied::OtherProject);
    }
    if agent.is_some_and(|agent| *agent != claims.sub) {
        return Err(Denied::OtherAgent);
    }
    Ok(())
}

/// A request that was let in.
#[derive(Clone, Debug, PartialEq)]
pub struct Admitted {
    /// What it asks for.
    pub call: Call,
    /// Who asks; nobody in particular for the health.
    pub claims: Option<Claims>,
    /// What is left of its rate limit; nothing if it has none.
    pub quota: Option<Quota>,
}

/// A request that was not let in, and what its answer says of the rate limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub fault: Fault,
    /// What is left, if it is known who asks and there is a limit.
    pub quota: Option<Quota>,
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        Refusal { fault, quota: None }
    }
}

/// What every request passes.
#[derive(Clone, Debug)]
pub struct Gate {
    keys: Keys,
    limits: Limits,
    rates: RateLimits,
    /// What tokens say whose signature was found right, by their text. Their time is looked at
    /// whenever they come.
    believed: BTreeMap<String, Claims>,
}

/// So many tokens are remembered; when there are more all are forgotten.
const BELIEVED: usize = 4_096;

impl Gate {
    /// A gate that believes these keys.
    pub fn new(keys: Keys, limits: Limits, rates: RateLimits) -> Gate {
        Gate { keys, limits, rates, believed: BTreeMap::new() }
    }

    /// The keys, to issue tokens.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// What a token says, if it can be believed now.
    fn believe(&mut self, token: &str, wall: Timestamp) -> Result<Claims, Denied> {
        if let Some(claims) = self.believed.get(token) {
            return self.keys.check_time(claims, wall).map(|()| claims.clone());
        }
        let claims = self.keys.verify(token, wall)?;
        if self.believed.len() >= BELIEVED {
            self.believed.clear();
        }
        self.believed.insert(token.to_owned(), claims.clone());
        Ok(claims)
    }

    /// Lets a request in or says why not: is there such a path, is the token good, is the rate
    /// kept, is the request valid, is it allowed. So nobody without a token learns what is valid,
    /// and requests that are not valid count against the rate.
    ///
    /// `wall` is the node's wall clock, `now` its monotonic one.
    ///
    /// # Errors
    ///
    /// The first of these that is not so.
    pub fn admit(
        &mut self,
        request: &Request,
        wall: Timestamp,
        now: Time,
    ) -> Result<Admitted, Refusal> {
        let route = Route::of(request, &self.limits)?;
        if route.is_open() {
            let call = Call::read(request, &self.limits)?;
            return Ok(Admitted { call, claims: None, quota: None });
        }
        let claims = bearer(&request.headers)
            .and_then(|token| self.believe(token, wall))
            .map_err(Fault::from)?;
        let quota = match self.rates.take(&claims, wall, now) {
            Ok(quota) => quota,
            Err((quota, wait)) => {
                let fault = Fault::rate(quota.limit, wait);
                return Err(Refusal { fault, quota: Some(quota) });
            }
        };
        let refuse = |fault| Refusal { fault, quota };
        let call = Call::read(request, &self.limits).map_err(refuse)?;
        authorize(&claims, route, &call).map_err(|denied| refuse(denied.into()))?;
        Ok(Admitted { call, claims: Some(claims), quota })
    }
}
