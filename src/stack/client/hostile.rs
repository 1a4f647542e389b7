//! Hostile requests, drawn from the seed: each is one that a sidecar must refuse, or answer as if
//! nothing were there. It must never draw one that is merely unusual, or a refusal proves nothing.

use std::rc::Rc;

use serde_json::{Map, Value, json};

use crate::{
    stack::{
        session::{Report, encoded, with_claim, with_header},
        settings::TokenKind,
        sidecar::wire::{Cursor, Limits, Method, ProjectId, Request},
    },
    world::Stream,
};

/// What there is to attack.
pub(super) struct Targets<'a> {
    /// A good result of its own.
    pub(super) report: &'a Report,
    /// A good token of its own.
    pub(super) token: String,
    /// A project that is not its own.
    pub(super) project: &'a str,
    /// A stored result with its project and key, most likely somebody else's.
    pub(super) result: Option<(ProjectId, Rc<str>, Rc<str>)>,
    /// A place in somebody's list.
    pub(super) cursor: Option<Cursor>,
    /// How much a request may bring.
    pub(super) limits: &'a Limits,
}

/// A hostile request, without its token.
#[derive(Clone, Debug)]
pub(super) struct Attack {
    pub(super) request: Request,
    /// What is wrong with the token.
    pub(super) token: TokenKind,
    /// The token, if it is one of a kind.
    pub(super) bearer: Option<String>,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident,)*) => {
        /// What is hostile about a request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Kind {$(
            $(#[$doc])*
            $kind,
        )*}

        impl Kind {
            /// All of them.
            pub(super) const ALL: &[Kind] = &[$(Kind::$kind,)*];
        }
    };
}

kinds! {
    /// A good request with a token of a bad kind.
    BadToken,
    /// A token with another project and the old signature.
    ProjectSwapped,
    /// With another agent.
    AgentSwapped,
    /// With every permission.
    PermissionsAdded,
    /// With an end that is far away.
    EndMoved,
    /// With `none` for its algorithm, and the old signature.
    AlgorithmNone,
    /// With another algorithm.
    AlgorithmOther,
    /// With the algorithm in lower case.
    AlgorithmCase,
    /// With half a signature.
    SignatureCut,
    /// Two good tokens.
    TokenTwice,
    /// A good token under another scheme.
    OtherScheme,
    /// An id that is none, in the path.
    IdInPath,
    /// An id that is none, in a result.
    IdInBody,
    /// An id that is none, in a query.
    IdInQuery,
    /// A path that leaves the API.
    PathTraversal,
    /// A result in another project.
    OtherProjectInBody,
    /// The results of another project.
    OtherProjectInQuery,
    /// A result of another agent.
    OtherAgentInBody,
    /// An event of another publisher.
    OtherPublisher,
    /// An event in another project.
    OtherProjectInEvent,
    /// Somebody's result.
    ResultOfOther,
    /// Somebody's result, to be deleted.
    DeleteOfOther,
    /// A place in somebody's list.
    CursorOfOther,
    /// An agent that is not its own.
    AgentOfOther,
    /// The key of somebody's result, with other contents.
    KeyReplayed,
    /// Two keys.
    KeyTwice,
    /// A key that is none.
    KeyBroken,
    /// A path that is used otherwise.
    WrongMethod,
    /// A path that is not there.
    NoSuchPath,
    /// A path that is longer than is read.
    LongPath,
    /// JSON that is cut.
    BrokenJson,
    /// JSON that nests deeper than is read.
    DeepJson,
    /// Bytes that are no text.
    NoText,
    /// A field of another type.
    WrongType,
    /// A field that is not there.
    MissingField,
    /// A number that is too large.
    HugeNumber,
    /// More bytes than are read.
    TooLarge,
    /// A length that is not that of the body.
    LengthLie,
    /// Two lengths.
    LengthTwice,
    /// A filter that is none.
    BrokenFilter,
}

/// Texts that are no ids.
const NO_IDS: [&str; 14] = [
    "..",
    "../../etc/passwd",
    "a/../b",
    "%2e%2e%2f",
    ".hidden",
    "a\0b",
    "it's",
    "a\"b",
    "a;rm -rf",
    "a b",
    "p\u{440}oject",
    "\u{ff0e}\u{ff0e}\u{ff0f}",
    "\u{202e}a",
    "",
];
/// How long an id is that is too long.
const LONG: usize = 10_000;

/// One hostile request.
pub(super) fn draw(stream: &mut Stream, targets: &Targets<'_>) -> Attack {
    let kind = pick(stream);
    of(kind, stream, targets)
}

fn pick(stream: &mut Stream) -> Kind {
    stream.pick(Kind::ALL).copied().unwrap_or(Kind::BadToken)
}

/// One of this kind.
fn of(kind: Kind, stream: &mut Stream, targets: &Targets<'_>) -> Attack {
    let good = &targets.token;
    let (token, bearer) = match kind {
        Kind::BadToken => {
            let bad = TokenKind::ALL.get(1..).unwrap_or_default();
            (stream.pick(bad).copied().unwrap_or(TokenKind::Missing), None)
        }
        Kind::ProjectSwapped => {
            (TokenKind::Tampered, Some(with_claim(good, "project_id", targets.project.into())))
        }
        Kind::AgentSwapped => (TokenKind::Tampered, Some(with_claim(good, "sub", "admin".into()))),
        Kind::PermissionsAdded => {
            let all = json!(["read_context", "write_results", "publish_events", "spawn_agents"]);
            (TokenKind::Tampered, Some(with_claim(good, "permissions", all)))
        }
        Kind::EndMoved => {
            (TokenKind::Tampered, Some(with_claim(good, "exp", 99_999_999_999_i64.into())))
        }
        Kind::AlgorithmNone => {
            (TokenKind::Unsigned, Some(with_header(good, r#"{"alg":"none","typ":"JWT"}"#)))
        }
        Kind::AlgorithmOther => {
            (TokenKind::Tampered, Some(with_header(good, r#"{"alg":"HS512","typ":"JWT"}"#)))
        }
        Kind::AlgorithmCase => {
            (TokenKind::Tampered, Some(with_header(good, r#"{"alg":"hs256","typ":"JWT"}"#)))
        }
        Kind::SignatureCut => {
            let end = good.len().saturating_sub(20);
            (TokenKind::Malformed, Some(good.get(..end).unwrap_or_default().to_owned()))
        }
        // The second one comes with the request.
        Kind::TokenTwice | Kind::OtherScheme => (TokenKind::Malformed, Some(good.clone())),
        _ => (TokenKind::Valid, None),
    };
    let request = request(kind, stream, targets);
    Attack { request, token, bearer }
}

fn request(kind: Kind, stream: &mut Stream, targets: &Targets<'_>) -> Request {
    match kind {
        Kind::BadToken
        | Kind::ProjectSwapped
        | Kind::AgentSwapped
        | Kind::PermissionsAdded
        | Kind::EndMoved
        | Kind::AlgorithmNone
        | Kind::AlgorithmOther
        | Kind::AlgorithmCase
        | Kind::SignatureCut => innocent(stream, targets),
        Kind::TokenTwice => innocent(stream, targets).bearer(&targets.token),
        Kind::OtherScheme => {
            innocent(stream, targets).header("authorization", &format!("Basic {}", targets.token))
        }
        Kind::IdInPath | Kind::IdInQuery | Kind::IdInBody => bad_id(kind, stream, targets),
        Kind::PathTraversal => {
            let paths = [
                "/api/context/../../etc/passwd",
                "/api/results/..%2f..%2fsecret",
                "/api/results/%2e%2e",
                "/../results",
                "//api/results",
                "/api/agents/%2e%2e%2f%2e%2e/status",
                "/api/context/issue-1%00/rust-specialist",
                "/api/results/%zz",
            ];
            get(stream.pick(&paths).copied().unwrap_or("//"))
        }
        Kind::OtherProjectInBody => post(report_with(targets, "project_id", targets.project)),
        Kind::OtherAgentInBody => post(report_with(targets, "agent_id", "somebody-else")),
        Kind::OtherProjectInQuery => {
            get(&format!("/api/results?project_id={}", encoded(targets.project)))
        }
        Kind::OtherPublisher => publish(event(targets, "publisher", "somebody-else".into())),
        Kind::OtherProjectInEvent => publish(event(targets, "project_id", targets.project.into())),
        Kind::ResultOfOther => get(&format!("/api/results/{}", result_of_other(targets))),
        Kind::DeleteOfOther => {
            let path = format!("/api/results/{}", result_of_other(targets));
            Request::new(Method::Delete, path)
        }
        Kind::CursorOfOther => {
            let cursor = targets.cursor.as_ref().map_or("1.2.3", |cursor| cursor.as_str());
            let list = stream.below(2) == 0;
            let path = if list { "results?cursor" } else { "events/wait/done?timeout=0&since" };
            get(&format!("/api/{path}={}", encoded(cursor)))
        }
        Kind::AgentOfOther => get("/api/agents/somebody-else/status"),
        Kind::KeyReplayed => {
            let key = targets.result.as_ref().map_or("none", |(_, _, key)| key);
            post(fields(targets)).header("Idempotency-Key", key)
        }
        Kind::KeyTwice => {
            post(fields(targets)).header("Idempotency-Key", "one").header("idempotency-key", "two")
        }
        Kind::KeyBroken => {
            let key = stream.pick(&NO_IDS).copied().unwrap_or_default();
            post(fields(targets)).header("Idempotency-Key", key)
        }
        Kind::WrongMethod => {
            let paths = [
                (Method::Delete, "/status"),
                (Method::Post, "/health"),
                (Method::Delete, "/api/results"),
                (Method::Get, "/api/agents/spawn"),
                (Method::Post, "/api/context/issue-1/rust-specialist"),
                (Method::Get, "/api/events/done"),
            ];
            let (method, path) = stream.pick(&paths).copied().unwrap_or((Method::Post, "/health"));
            Request::new(method, path)
        }
        Kind::NoSuchPath => {
            let paths = ["/", "", "/api", "/admin", "/api/results/a/b", "/health/", "health", "*"];
            get(stream.pick(&paths).copied().unwrap_or("/"))
        }
        Kind::LongPath => {
            get(&format!("/api/results?agent_id={}", "a".repeat(targets.limits.path)))
        }
        _ => bad_body(kind, stream, targets),
    }
}

/// A request that nothing is wrong with.
fn innocent(stream: &mut Stream, targets: &Targets<'_>) -> Request {
    let Report { issue_id, agent_type, .. } = targets.report;
    match stream.below(7) {
        0 => get(&format!("/api/context/{issue_id}/{agent_type}")),
        1 => get("/api/results"),
        2 => get("/status"),
        3 => post(fields(targets)),
        4 => publish(event(targets, "topic", "error".into())),
        5 => get("/api/events/wait/done?timeout=0"),
        _ => get(&format!("/api/results/{}", result_of_other(targets))),
    }
}

fn bad_id(kind: Kind, stream: &mut Stream, targets: &Targets<'_>) -> Request {
    let long = "a".repeat(LONG);
    let drawn = usize::try_from(stream.below(NO_IDS.len() as u64 + 1)).unwrap_or(0);
    let id = NO_IDS.get(drawn).copied().unwrap_or(&long);
    let which = stream.below(5);
    match (kind, which) {
        (Kind::IdInPath, 0) => get(&format!("/api/context/{}/rust-specialist", encoded(id))),
        (Kind::IdInPath, 1) => get(&format!("/api/results/{}", encoded(id))),
        (Kind::IdInPath, 2) => get(&format!("/api/agents/{}/status", encoded(id))),
        (Kind::IdInPath, 3) => {
            Request::new(Method::Delete, format!("/api/cache/context/{}", encoded(id)))
        }
        (Kind::IdInPath, _) => get(&format!("/api/events/wait/{}?timeout=0", encoded(id))),
        (Kind::IdInQuery, which) => {
            let name = ["project_id", "agent_id", "issue_id", "cursor", "agent_type"];
            let name = usize::try_from(which).ok().and_then(|which| name.get(which));
            get(&format!("/api/results?{}={}", name.unwrap_or(&"cursor"), encoded(id)))
        }
        (_, which) => {
            let name = ["agent_id", "agent_type", "issue_id", "project_id", "timestamp"];
            let name = usize::try_from(which).ok().and_then(|which| name.get(which));
            post(report_with(targets, name.unwrap_or(&"agent_id"), id))
        }
    }
}

fn bad_body(kind: Kind, stream: &mut Stream, targets: &Targets<'_>) -> Request {
    let whole = Value::Object(fields(targets)).to_string();
    let raw = |body: Vec<u8>| {
        let mut request = Request::new(Method::Post, "/api/results");
        request.body = body;
        request.header("Content-Type", "application/json")
    };
    match kind {
        Kind::BrokenJson => {
            let end = usize::try_from(stream.below(whole.len() as u64)).unwrap_or(0);
            raw(whole.into_bytes().into_iter().take(end).collect())
        }
        Kind::DeepJson => raw(["[".repeat(100_000), "]".repeat(100_000)].concat().into_bytes()),
        Kind::NoText => raw(vec![0xff, 0xfe, 0x00, 0x80]),
        Kind::HugeNumber => {
            let times = if stream.below(2) == 0 { "99999999999999999999999" } else { "-1" };
            get(&format!("/api/events/wait/done?timeout={times}"))
        }
        Kind::TooLarge => raw(vec![b' '; targets.limits.body.saturating_add(1)]),
        Kind::LengthLie => {
            let length = ["0", "18446744073709551616", "-1", "1e3"];
            let length = stream.pick(&length).copied().unwrap_or("0");
            raw(whole.into_bytes()).header("Content-Length", length)
        }
        Kind::LengthTwice => {
            let length = whole.len().to_string();
            raw(whole.into_bytes()).header("Content-Length", &length).header("content-length", "7")
        }
        Kind::BrokenFilter => {
            let filters = ["a", ":", "a:", "..:b", "a:b,,", "a'b:c"];
            let filter = stream.pick(&filters).copied().unwrap_or("a");
            get(&format!("/api/events/wait/done?timeout=0&filter={}", encoded(filter)))
        }
        _ => {
            let mut body = fields(targets);
            let names: Vec<String> = body.keys().cloned().collect();
            let name = stream.pick(&names).cloned().unwrap_or_default();
            if kind == Kind::MissingField {
                body.remove(&name);
            } else {
                let wrong = [json!(7), json!(true), json!([]), json!(1e300), json!([{}])];
                body.insert(name, stream.pick(&wrong).cloned().unwrap_or_default());
            }
            post(body)
        }
    }
}

fn get(path: &str) -> Request {
    Request::new(Method::Get, path)
}

fn post(body: Map<String, Value>) -> Request {
    Request::new(Method::Post, "/api/results").json(&body)
}

fn publish(body: Map<String, Value>) -> Request {
    Request::new(Method::Post, "/api/events/done").json(&body)
}

/// The fields of a good result.
fn fields(targets: &Targets<'_>) -> Map<String, Value> {
    match serde_json::to_value(targets.report) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn report_with(targets: &Targets<'_>, name: &str, value: &str) -> Map<String, Value> {
    let mut body = fields(targets);
    body.insert(name.to_owned(), value.into());
    body
}

/// An event of its own, with one field as it shall be.
fn event(targets: &Targets<'_>, name: &str, value: Value) -> Map<String, Value> {
    let publisher = Value::from(targets.report.agent_id.as_str());
    let mut body = Map::new();
    body.insert("publisher".to_owned(), publisher);
    body.insert("topic".to_owned(), "error".into());
    body.insert("data".to_owned(), json!({ "hostile": true }));
    body.insert(name.to_owned(), value);
    body
}

/// The id of a stored result of another project, or one that nobody has.
fn result_of_other(targets: &Targets<'_>) -> String {
    let other = |(project, result, _): &(ProjectId, Rc<str>, Rc<str>)| {
        (*project != targets.report.project_id).then(|| result.to_string())
    };
    targets.result.as_ref().and_then(other).unwrap_or_else(|| "0".repeat(32))
}

#[cfg(test)]
mod tests;
