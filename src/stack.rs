//! The simulated stack: agents, the orchestration sidecar, the model router, model backends.
//!
//! A request starts at an `agent`, which asks the `sidecar` for context and then the `router`; the
//! router asks one `backend` after the other; the agent hands its result to the sidecar. Beside them
//! are `service`s, each with `caller`s that have circuit breakers, a `monitor` that checks and heals,
//! and `asker`s of the router's health. Around all that are `runner`s of tasks, the queue of
//! `approvals` with its `reviewer`s, and the `dashboard` that shows them. All of them are actors on nodes of a world, and know of each
//! other only what crosses the links.
//!
//! Nothing here reads a file, a clock or the command line. What an actor is told is in `settings`,
//! what it says to others in `message`, what it says of itself in `event`.

mod agent;
mod approvals;
mod asker;
mod auditor;
mod backend;
mod caller;
mod client;
mod dashboard;
mod event;
mod leak;
mod load;
mod message;
mod monitor;
mod operator;
mod point;
mod quirk;
mod reviewer;
mod router;
mod runner;
mod service;
mod session;
pub mod settings;
pub mod sidecar;
mod subscriber;
mod tracer;
mod wire;

pub use agent::{Agent, AgentParts};
pub use approvals::Approvals;
pub use asker::Asker;
pub use auditor::Auditor;
pub use backend::{Backend, Outage, Outages};
pub use caller::{BreakerQuery, Caller, CallerParts, breaker_names};
pub use client::Client;
pub use dashboard::{Dashboard, DashboardParts};
pub use event::{
    Alternatives, ConfigEvent, Event, FlowEvent, RequestId, RequestOutcome, SidecarEvent, Utc,
};
pub use leak::Leak;
pub use load::{Arrival, Arrivals, BrokenLoad, Load};
pub use message::{
    Alternative, Answer, Arrive, Baggage, BreakerHealth, ChangeConfig, ChangeError, Chunk,
    CloseStream, Generate, Generated, Headers, HealthQuery, HealthReport, HttpError, ModelHealth,
    Part, Probe, Prompt, ReadTrail, RouteError, RouteRequest, Settled, StreamId, StreamTo,
};
pub use monitor::{Component, Monitor};
pub use operator::Operator;
pub use point::FAULT_POINTS;
pub use quirk::{Quirk, Quirks};
pub use reviewer::Reviewer;
pub use router::{Model, Router};
pub use runner::{OpenTasks, Runner};
pub use service::{
    Call, Heal, LoseConnections, Reconnect, Service, ServiceError, Trouble, Troubles,
};
pub use session::{Ledger, Resolver, SidecarParts, Worker};
pub use sidecar::{
    Gateway,
    auth::Keys,
    message::{Answer as SidecarAnswer, Ask, Reply},
};
pub use subscriber::Subscriber;
pub use tracer::{
    Attribute, Span, SpanEnded, SpanKind, SpanName, SpanNote, SpanStarted, SpanValue, TraceHeader,
};
pub use wire::{ErrorParts, read_error, read_error_body};
