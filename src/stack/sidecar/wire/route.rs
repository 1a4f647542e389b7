//! Paths: which of them there are, and what a token must allow for each.
//!
//! The contract has eight routes. Beyond it are what its report asks for (results by id, by query,
//! and their deletion) and the path that a spawned agent's `webhook_url` names.

use super::{AgentType, Code, Fault, Limits, Method, Permission, Request, Status, query};

/// A path with a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Route {
    /// `GET /health`
    Health,
    /// `GET /status`
    Status,
    /// `GET /api/context/:issue_id/:agent_type`
    Context,
    /// `DELETE /api/cache/context/:issue_id`
    ClearCache,
    /// `POST /api/results`
    StoreResult,
    /// `GET /api/results`
    QueryResults,
    /// `GET /api/results/:id`
    GetResult,
    /// `DELETE /api/results/:id`
    DeleteResult,
    /// `POST /api/events/:type`
    Publish,
    /// `GET /api/events/wait/:type`
    Wait,
    /// `POST /api/agents/spawn`
    Spawn,
    /// `GET /api/agents/:agent_id/status`
    AgentStatus,
}

impl Route {
    /// The route of a request.
    ///
    /// # Errors
    ///
    /// `404` for no such path, `405` for a path that is used otherwise, `414` for one that is too
    /// long.
    pub fn of(request: &Request, limits: &Limits) -> Result<Route, Fault> {
        Matched::of(request, limits).map(|matched| matched.route)
    }

    /// Its name in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Route::Health => "health",
            Route::Status => "status",
            Route::Context => "context",
            Route::ClearCache => "clear_cache",
            Route::StoreResult => "store_result",
            Route::QueryResults => "query_results",
            Route::GetResult => "get_result",
            Route::DeleteResult => "delete_result",
            Route::Publish => "publish",
            Route::Wait => "wait",
            Route::Spawn => "spawn",
            Route::AgentStatus => "agent_status",
        }
    }

    /// Whether anyone may use it, without a token: health only.
    pub const fn is_open(self) -> bool {
        matches!(self, Route::Health)
    }

    /// What a token must allow for it. The status needs a token, whatever it allows.
    pub const fn needs(self) -> Option<Permission> {
        match self {
            Route::Health | Route::Status => None,
            Route::Context
            | Route::ClearCache
            | Route::QueryResults
            | Route::GetResult
            | Route::Wait
            | Route::AgentStatus => Some(Permission::ReadContext),
            Route::StoreResult | Route::DeleteResult => Some(Permission::WriteResults),
            Route::Publish => Some(Permission::PublishEvents),
            Route::Spawn => Some(Permission::SpawnAgents),
        }
    }

    /// The code of a request to it that cannot be served now: the second of its pair. The contract
    /// has none for a context that cannot be assembled now, so that is the one of contexts.
    pub const fn busy_code(self) -> Code {
        match self.code() {
            Code::Result => Code::Storage,
            Code::Event => Code::EventBus,
            Code::Agent => Code::Spawn,
            code => code,
        }
    }

    /// The code of a request to it that is not valid.
    pub const fn code(self) -> Code {
        match self {
            Route::Health | Route::Status => Code::Http,
            Route::Context | Route::ClearCache => Code::Context,
            Route::StoreResult | Route::QueryResults | Route::GetResult | Route::DeleteResult => {
                Code::Result
            }
            Route::Publish | Route::Wait => Code::Event,
            Route::Spawn | Route::AgentStatus => Code::Agent,
        }
    }
}

/// A path that was recognised.
pub(super) struct Matched<'a> {
    pub(super) route: Route,
    /// The variable segments, still encoded.
    segments: Vec<&'a str>,
    /// What stands behind the `?`.
    pub(super) query: &'a str,
}

impl<'a> Matched<'a> {
    /// The route of a request, with its parts.
    pub(super) fn of(request: &'a Request, limits: &Limits) -> Result<Matched<'a>, Fault> {
        if request.path.len() > limits.path {
            let message = format!("the path has more than {} bytes", limits.path);
            return Err(Fault::new(Status::UriTooLong, Code::Http, message));
        }
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let unknown = || Fault::new(Status::NotFound, Code::Http, "no such path");
        let path = path.strip_prefix('/').ok_or_else(unknown)?;
        let parts: Vec<&str> = path.split('/').collect();
        let (routes, segments) = routes(&parts).ok_or_else(unknown)?;
        let other = || {
            let message = format!("{} is not for this path", request.method.as_str());
            Fault::new(Status::MethodNotAllowed, Code::Http, message)
        };
        let of_method = |(method, _): &&(Method, Route)| *method == request.method;
        let (_, route) = *routes.iter().find(of_method).ok_or_else(other)?;
        Ok(Matched { route, segments, query })
    }

    /// A variable segment as an id; `name` is what the contract calls it.
    pub(super) fn id<T, E: std::fmt::Display>(
        &self,
        place: usize,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Fault> {
        let fault = |reason: &dyn std::fmt::Display| {
            Fault::field(self.route.code(), format!("path.{name}"), reason)
        };
        let encoded = self.segments.get(place).copied().unwrap_or_default();
        let text = query::decode(encoded, false);
        let text = text.ok_or_else(|| fault(&"is not percent-encoded UTF-8"))?;
        parse(&text).map_err(|error| fault(&error))
    }

    /// A variable segment as a type of agent.
    pub(super) fn agent_type(&self, place: usize) -> Result<AgentType, Fault> {
        let encoded = self.segments.get(place).copied().unwrap_or_default();
        query::decode(encoded, false)
            .and_then(|word| AgentType::from_word(&word))
            .ok_or_else(|| Fault::field(Code::Agent, "path.agent_type", UNKNOWN_AGENT_TYPE))
    }
}

/// What is said of a type that is not in the contract.
pub(super) const UNKNOWN_AGENT_TYPE: &str = "is no type of agent that the sidecar knows";

type Routes = &'static [(Method, Route)];

/// What may be done with a path, and its variable segments.
fn routes<'a>(parts: &[&'a str]) -> Option<(Routes, Vec<&'a str>)> {
    use Method::{Delete, Get, Post};
    Some(match *parts {
        ["health"] => (&[(Get, Route::Health)], vec![]),
        ["status"] => (&[(Get, Route::Status)], vec![]),
        ["api", "context", issue, agent] => (&[(Get, Route::Context)], vec![issue, agent]),
        ["api", "cache", "context", issue] => (&[(Delete, Route::ClearCache)], vec![issue]),
        ["api", "results"] => (&[(Post, Route::StoreResult), (Get, Route::QueryResults)], vec![]),
        ["api", "results", id] => {
            (&[(Get, Route::GetResult), (Delete, Route::DeleteResult)], vec![id])
        }
        ["api", "events", kind] => (&[(Post, Route::Publish)], vec![kind]),
        ["api", "events", "wait", kind] => (&[(Get, Route::Wait)], vec![kind]),
        ["api", "agents", "spawn"] => (&[(Post, Route::Spawn)], vec![]),
        ["api", "agents", agent, "status"] => (&[(Get, Route::AgentStatus)], vec![agent]),
        _ => return None,
    })
}
