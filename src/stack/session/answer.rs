//! What is made of an answer: how it ended, and of which projects it has data.
//!
//! It looks at what the answer says, never at what was asked for: that is how a leak shows.

use std::{collections::BTreeSet, rc::Rc, time::Duration};

use crate::stack::SidecarEvent;
use crate::stack::sidecar::{
    context::ContextResponse,
    message::{Answer, Reply},
    wire::{Code, ErrorBody, Limits, Request, Route},
};

/// A request that brought nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stack) struct Refusal {
    /// HTTP's status; 0 if there was no answer.
    pub(in crate::stack) status: u16,
    /// The contract's code, or why there was no answer.
    pub(in crate::stack) cause: &'static str,
    /// When it may make sense to ask again, if the sidecar says.
    pub(in crate::stack) retry_after: Option<Duration>,
}

impl Refusal {
    /// Whether the same request would be refused again, whenever it comes. Over the rate limit, and
    /// out of a token's time, it need not be.
    pub(in crate::stack) fn is_final(self) -> bool {
        (400..500).contains(&self.status)
            && !matches!(self.cause, code if code == Code::Rate.as_str() || code == Code::TokenTime.as_str())
    }

    /// Whether the sidecar is there, and does its work.
    pub(in crate::stack) fn is_answer(self) -> bool {
        (400..500).contains(&self.status)
    }
}

/// How a request ended, as an event says it, and what its user gets.
pub(super) struct Heard {
    pub(super) result: Result<Reply, Refusal>,
    pub(super) status: u16,
    pub(super) error: &'static str,
    pub(super) field: Rc<str>,
    pub(super) shows: Rc<str>,
    pub(super) count: u64,
}

impl Heard {
    /// There was no answer.
    pub(super) fn none(cause: &'static str) -> Heard {
        let refusal = Refusal { status: 0, cause, retry_after: None };
        Heard {
            result: Err(refusal),
            status: 0,
            error: cause,
            field: "".into(),
            shows: "".into(),
            count: 0,
        }
    }

    /// There was this one.
    pub(super) fn of(answer: Answer) -> Heard {
        let status = answer.status.as_u16();
        let (shows, count) = shows(&answer.body);
        let (error, field) = match &answer.body {
            Reply::Fault(fault) => (fault.code.as_str(), field(fault)),
            _ => ("", ""),
        };
        let field = field.into();
        let retry_after = answer.headers.get("Retry-After").and_then(|text| text.parse().ok());
        let retry_after = retry_after.map(Duration::from_secs);
        let result = match answer.body {
            Reply::Fault(_) => Err(Refusal { status, cause: error, retry_after }),
            reply => Ok(reply),
        };
        Heard { result, status, error, field, shows, count }
    }
}

fn field(fault: &ErrorBody) -> &str {
    fault.details.get("field").and_then(|field| field.as_str()).unwrap_or_default()
}

/// The projects of which an answer has data, with commas between, and how many files, results or
/// events it has.
fn shows(reply: &Reply) -> (Rc<str>, u64) {
    let (projects, count): (BTreeSet<&str>, usize) = match reply {
        Reply::Context(context) => (in_context(context), context.context.relevant_files.len()),
        Reply::Result(result) => ([result.project_id.as_str()].into(), 1),
        Reply::Results(page) => {
            let of = page.results.iter().map(|result| result.project_id.as_str());
            (of.collect(), page.results.len())
        }
        Reply::Stored(stored) => (stored.storage_path.split('/').nth(1).into_iter().collect(), 1),
        Reply::Events(page) => {
            let of = page.events.iter().filter_map(|event| event.project_id.as_ref());
            (of.map(|project| project.as_str()).collect(), page.events.len())
        }
        Reply::Status(status) => return ("".into(), status.storage.results_stored),
        Reply::Health(_)
        | Reply::CacheCleared(_)
        | Reply::Deleted(_)
        | Reply::Published(_)
        | Reply::Spawned(_)
        | Reply::Agent(_)
        | Reply::Fault(_) => (BTreeSet::new(), 0),
    };
    (list(projects), number(count))
}

/// With commas between.
fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> Rc<str> {
    names.into_iter().collect::<Vec<_>>().join(",").into()
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// What a context shows.
pub(super) fn shown(who: Rc<str>, project: Rc<str>, response: &ContextResponse) -> SidecarEvent {
    let context = &*response.context;
    let parts = [
        ("project_structure", context.project_structure.total_files > 0),
        ("relevant_files", !context.relevant_files.is_empty()),
        ("git_context", !context.git_context.branch.is_empty()),
        ("previous_agent_outputs", !context.previous_agent_outputs.is_empty()),
        ("metadata", !context.metadata.project_type.is_empty()),
    ];
    SidecarEvent::ContextShown {
        who,
        agent_type: response.agent_type.as_str(),
        project,
        parts: list(parts.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name)),
        files: number(context.relevant_files.len()),
        outputs: number(context.previous_agent_outputs.len()),
        bytes: response.total_size_bytes,
        truncated: response.truncated,
        cut: list(response.cut.iter().map(|cut| cut.what.as_str())),
        cache_hit: response.cache_hit,
    }
}

/// Whose root it is, whose files they are (their first line says it), and whose results.
fn in_context(response: &ContextResponse) -> BTreeSet<&str> {
    let context = &*response.context;
    let root = context.project_structure.root.strip_prefix("/projects/");
    let files = context.relevant_files.iter().filter_map(|file| {
        let (_, rest) = file.body.first_line().split_once(' ')?;
        rest.split_once(": ").map(|(project, _)| project)
    });
    let results = context.previous_agent_outputs.iter().filter_map(|output| {
        let (project, _) =
            output.decision.strip_prefix(super::report::DECISION)?.split_once(": ")?;
        Some(project)
    });
    root.into_iter().chain(files).chain(results).collect()
}

/// What a request asks for, as events name it.
pub(super) fn route(request: &Request, limits: &Limits) -> &'static str {
    Route::of(request, limits).map_or("none", Route::as_str)
}
