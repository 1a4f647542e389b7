//! What a request asks for, once every part of it was looked at.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    AgentId, AgentType, Code, Cursor, EventType, Fault, Filter, IssueId, Limits, ProjectId,
    Request, RequestId, ResultId, Route, Topic,
    body::{self, Fields},
    query::Query,
    route::Matched,
};

/// How long a wait for events may last if it does not say: the contract's 30 000 ms.
const WAIT: Duration = Duration::from_secs(30);
/// The longest wait that may be asked for, in milliseconds.
const MAX_WAIT_MS: u64 = 300_000;
/// How long an event lives if it does not say, and at most: the contract's retention, 24 h.
const TTL_SECONDS: u32 = 86_400;
/// How many events or results a page has if nobody says: the contract's channel of 100.
const PAGE: u32 = 100;
/// The longest page.
const MAX_PAGE: u64 = 1_000;
/// The longest task of an agent, in bytes.
const MAX_TASK: usize = 64 * 1024;
/// The longest value of an environment variable, in bytes.
const MAX_VALUE: usize = 4 * 1024;
/// At most so many environment variables, or requirements.
const MAX_ENTRIES: usize = 64;

/// One variant per route, each part valid by itself. Whether the caller may is not asked here.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// How is the sidecar?
    Health,
    /// What does it do?
    Status,
    /// What must an agent of this type know about this issue?
    Context {
        /// The issue.
        issue: IssueId,
        /// For whom.
        agent_type: AgentType,
    },
    /// Forget what is cached for this issue.
    ClearCache {
        /// The issue.
        issue: IssueId,
    },
    /// Keep this result.
    StoreResult(NewResult),
    /// Which results are there?
    QueryResults(ResultQuery),
    /// What is this result?
    GetResult {
        /// Which.
        id: ResultId,
    },
    /// Delete this result.
    DeleteResult {
        /// Which.
        id: ResultId,
    },
    /// Tell everyone.
    Publish(PublishEvent),
    /// Wait for something to be told.
    Wait(WaitForEvents),
    /// Start an agent.
    Spawn(SpawnAgent),
    /// How is this agent?
    AgentStatus {
        /// Which.
        agent: AgentId,
    },
}

/// How an agent's work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultStatus {
    /// All of it is done.
    Success,
    /// Some of it is.
    Partial,
    /// It went wrong; `failure` says the same.
    #[serde(alias = "failure")]
    Failed,
}

impl ResultStatus {
    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            ResultStatus::Success => "success",
            ResultStatus::Partial => "partial",
            ResultStatus::Failed => "failed",
        }
    }

    /// The `status` of a result.
    fn of(result: &Map<String, Value>) -> Result<ResultStatus, &'static str> {
        match result.get("status") {
            None | Some(Value::Null) => Err("is missing"),
            Some(Value::String(word)) => ResultStatus::read(word),
            Some(_) => Err("must be a string"),
        }
    }

    fn read(word: &str) -> Result<ResultStatus, &'static str> {
        match word {
            "success" => Ok(ResultStatus::Success),
            "partial" => Ok(ResultStatus::Partial),
            "failed" | "failure" => Ok(ResultStatus::Failed),
            _ => Err("must be `success`, `partial` or `failed`"),
        }
    }
}

/// The body of `POST /api/results`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unread")]
pub struct NewResult {
    /// Whose.
    pub agent_id: AgentId,
    /// Its type.
    pub agent_type: AgentType,
    /// About what.
    pub issue_id: IssueId,
    /// In which project.
    pub project_id: ProjectId,
    /// What came out. Fields that the contract does not name are kept.
    pub result: Map<String, Value>,
    /// When, by the agent's clock.
    pub timestamp: Timestamp,
    /// `status` of `result`.
    #[serde(skip)]
    pub status: ResultStatus,
    /// The header `Idempotency-Key`: requests of the same key are one.
    #[serde(skip)]
    pub key: Option<RequestId>,
}

/// A result whose status nobody has looked for.
#[derive(Deserialize)]
struct Unread {
    agent_id: AgentId,
    agent_type: AgentType,
    issue_id: IssueId,
    project_id: ProjectId,
    result: Map<String, Value>,
    timestamp: Timestamp,
}

impl TryFrom<Unread> for NewResult {
    type Error = &'static str;

    fn try_from(unread: Unread) -> Result<NewResult, &'static str> {
        let Unread { agent_id, agent_type, issue_id, project_id, result, timestamp } = unread;
        let status = ResultStatus::of(&result)?;
        let key = None;
        Ok(NewResult { agent_id, agent_type, issue_id, project_id, result, timestamp, status, key })
    }
}

/// The body of `POST /api/events/:type`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PublishEvent {
    /// What kind of event. The body may leave it out, as the path says it.
    pub event_type: EventType,
    /// Who publishes.
    pub publisher: AgentId,
    /// What it is about.
    pub topic: Topic,
    /// Anything but `null`.
    pub data: Value,
    /// What it belongs to, unchanged from event to event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<RequestId>,
    /// In which project; if it is left out, that of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// For how long it is kept, in seconds: 1 to 86 400.
    pub ttl_seconds: u32,
    /// The header `Idempotency-Key`: requests of the same key are one.
    #[serde(skip)]
    pub key: Option<RequestId>,
}

/// `GET /api/events/wait/:type`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitForEvents {
    /// What kind of event.
    pub event_type: EventType,
    /// `timeout`, in milliseconds on the wire: 0 to 300 000.
    pub timeout: Duration,
    /// `filter`: which of them.
    pub filter: Filter,
    /// `since`: only what came after this place.
    pub since: Option<Cursor>,
    /// `limit`: how many at most, 1 to 1 000.
    pub limit: u32,
}

/// `GET /api/results`: all that is given must be so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultQuery {
    /// In which project; if it is left out, that of the token.
    pub project_id: Option<ProjectId>,
    /// Whose.
    pub agent_id: Option<AgentId>,
    /// Of which type of agent.
    pub agent_type: Option<AgentType>,
    /// About what.
    pub issue_id: Option<IssueId>,
    /// How it ended.
    pub status: Option<ResultStatus>,
    /// Not before this.
    pub from: Option<Timestamp>,
    /// Not after this.
    pub to: Option<Timestamp>,
    /// How many at most, 1 to 1 000.
    pub limit: u32,
    /// Only what comes after this place.
    pub cursor: Option<Cursor>,
}

/// The body of `POST /api/agents/spawn`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpawnAgent {
    /// Which type.
    pub agent_type: AgentType,
    /// For which issue.
    pub issue_id: IssueId,
    /// In which project; if it is left out, that of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// What it shall do.
    pub task: String,
    /// Which parts of the context it needs.
    pub context_requirements: Vec<String>,
    /// Its environment variables.
    pub environment: BTreeMap<String, String>,
}

impl Call {
    /// What a request asks for.
    ///
    /// # Errors
    ///
    /// What is wrong with it, with the contract's code and the field at fault. Sizes are looked at
    /// first, then the path, then the query and the body.
    pub fn read(request: &Request, limits: &Limits) -> Result<Call, Fault> {
        let path = Matched::of(request, limits)?;
        let code = path.route.code();
        body::check_size(&request.headers, &request.body, code, limits)?;
        let has_body = matches!(path.route, Route::StoreResult | Route::Publish | Route::Spawn);
        if !has_body {
            body::none_expected(&request.body, code)?;
        }
        let query = || Query::read(path.query, code);
        let fields = || Fields::read(&request.body, code);
        Ok(match path.route {
            Route::Health => Call::Health,
            Route::Status => Call::Status,
            Route::Context => Call::Context {
                issue: path.id(0, "issue_id", IssueId::new)?,
                agent_type: path.agent_type(1)?,
            },
            Route::ClearCache => Call::ClearCache { issue: path.id(0, "issue_id", IssueId::new)? },
            Route::StoreResult => Call::StoreResult(new_result(fields()?, key(request, code)?)?),
            Route::QueryResults => Call::QueryResults(result_query(&query()?)?),
            Route::GetResult => Call::GetResult { id: path.id(0, "id", ResultId::new)? },
            Route::DeleteResult => Call::DeleteResult { id: path.id(0, "id", ResultId::new)? },
            Route::Publish => {
                let event_type = path.id(0, "type", EventType::new)?;
                Call::Publish(publish(event_type, fields()?, key(request, code)?)?)
            }
            Route::Wait => Call::Wait(wait(path.id(0, "type", EventType::new)?, &query()?)?),
            Route::Spawn => Call::Spawn(spawn(fields()?)?),
            Route::AgentStatus => {
                Call::AgentStatus { agent: path.id(0, "agent_id", AgentId::new)? }
            }
        })
    }
}

fn key(request: &Request, code: Code) -> Result<Option<RequestId>, Fault> {
    let fault =
        |reason: &dyn std::fmt::Display| Fault::field(code, "header.Idempotency-Key", reason);
    let mut keys = request.headers.all("Idempotency-Key");
    let Some(key) = keys.next() else { return Ok(None) };
    if keys.next().is_some() {
        return Err(fault(&"is there twice"));
    }
    RequestId::new(key).map(Some).map_err(|error| fault(&error))
}

/// A field that must be there.
macro_rules! required {
    ($fields:ident.$kind:ident($name:literal $(, $argument:expr)*)) => {{
        let value = $fields.$kind($name $(, $argument)*)?;
        $fields.required($name, value)?
    }};
}

fn new_result(mut fields: Fields, key: Option<RequestId>) -> Result<NewResult, Fault> {
    let agent_id = required!(fields.text("agent_id", AgentId::new));
    let agent_type = required!(fields.agent_type("agent_type"));
    let issue_id = required!(fields.text("issue_id", IssueId::new));
    let project_id = required!(fields.text("project_id", ProjectId::new));
    let result = required!(fields.object("result"));
    let timestamp = required!(fields.instant("timestamp"));
    let status = ResultStatus::of(&result);
    let status = status.map_err(|reason| fields.fault("result.status", reason))?;
    Ok(NewResult { agent_id, agent_type, issue_id, project_id, result, timestamp, status, key })
}

fn publish(
    event_type: EventType,
    mut fields: Fields,
    key: Option<RequestId>,
) -> Result<PublishEvent, Fault> {
    let said = fields.text("event_type", EventType::new)?;
    if said.is_some_and(|said| said != event_type) {
        return Err(fields.fault("event_type", "is not the one of the path"));
    }
    let publisher = required!(fields.text("publisher", AgentId::new));
    let topic = |word: &str| Topic::from_word(word).ok_or("is no topic of the contract");
    let topic = required!(fields.text("topic", topic));
    let data = fields.take("data");
    let data = fields.required("data", data)?;
    Ok(PublishEvent {
        event_type,
        publisher,
        topic,
        data,
        correlation_id: fields.text("correlation_id", RequestId::new)?,
        project_id: fields.text("project_id", ProjectId::new)?,
        ttl_seconds: fields.number("ttl_seconds", 1, TTL_SECONDS)?.unwrap_or(TTL_SECONDS),
        key,
    })
}

fn wait(event_type: EventType, query: &Query) -> Result<WaitForEvents, Fault> {
    Ok(WaitForEvents {
        event_type,
        timeout: query.number("timeout", 0, MAX_WAIT_MS)?.map_or(WAIT, Duration::from_millis),
        filter: query.get("filter", Filter::read)?.unwrap_or_default(),
        since: query.get("since", Cursor::new)?,
        limit: page(query)?,
    })
}

fn page(query: &Query) -> Result<u32, Fault> {
    let limit = query.number("limit", 1, MAX_PAGE)?;
    Ok(limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(PAGE))
}

fn result_query(query: &Query) -> Result<ResultQuery, Fault> {
    let agent_type = query.get("agent_type", |word| {
        AgentType::from_word(word).ok_or(super::route::UNKNOWN_AGENT_TYPE)
    });
    let found = ResultQuery {
        project_id: query.get("project_id", ProjectId::new)?,
        agent_id: query.get("agent_id", AgentId::new)?,
        agent_type: agent_type.map_err(|fault| Fault { code: Code::Agent, ..fault })?,
        issue_id: query.get("issue_id", IssueId::new)?,
        status: query.get("status", ResultStatus::read)?,
        from: query.get("from", body::instant)?,
        to: query.get("to", body::instant)?,
        limit: page(query)?,
        cursor: query.get("cursor", Cursor::new)?,
    };
    match (found.from, found.to) {
        (Some(from), Some(to)) if to < from => {
            Err(Fault::field(Code::Result, "query.to", "is before `query.from`"))
        }
        _ => Ok(found),
    }
}

fn spawn(mut fields: Fields) -> Result<SpawnAgent, Fault> {
    let agent_type = required!(fields.agent_type("agent_type"));
    let issue_id = required!(fields.text("issue_id", IssueId::new));
    let task = required!(fields.text("task", |task| printable(task, 1, MAX_TASK)));
    let project_id = fields.text("project_id", ProjectId::new)?;
    let short = |text: &str| printable(text, 1, MAX_VALUE);
    let context_requirements = fields.texts("context_requirements", MAX_ENTRIES, short)?;
    let variables = fields.object("environment")?.unwrap_or_default();
    if variables.len() > MAX_ENTRIES {
        return Err(
            fields.fault("environment", format_args!("has more than {MAX_ENTRIES} entries"))
        );
    }
    let mut environment = BTreeMap::new();
    for (name, value) in variables {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let digit_first = name.bytes().next().is_none_or(|byte| byte.is_ascii_digit());
        if digit_first || name.len() > super::id::MAX_ID || !name.bytes().all(letter) {
            return Err(fields.fault("environment", "has a name that is none of a variable"));
        }
        let text = value.as_str().ok_or("must be a string");
        let text = text.map_err(str::to_owned).and_then(|text| printable(text, 0, MAX_VALUE));
        let text = text.map_err(|error| fields.fault(&format!("environment.{name}"), error))?;
        environment.insert(name, text);
    }
    Ok(SpawnAgent { agent_type, issue_id, project_id, task, context_requirements, environment })
}

/// A text of so many bytes without control characters other than tab and line ends.
fn printable(text: &str, least: usize, most: usize) -> Result<String, String> {
    if text.len() < least {
        return Err("is empty".to_owned());
    }
    if text.len() > most {
        return Err(format!("is longer than {most} bytes"));
    }
    let control = |letter: char| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r');
    if text.chars().any(control) {
        return Err("has control characters".to_owned());
    }
    Ok(text.to_owned())
}
