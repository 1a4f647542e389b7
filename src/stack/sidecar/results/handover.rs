//! What follows from a result: who should be next, and what the others are told.

use serde_json::json;

use super::{
    super::wire::{
        AgentId, AgentType, EventType, Made as _, NewResult, NextAgent, PublishEvent, RequestId,
        ResultStatus, Role, Topic,
    },
    Stored,
};

/// Who publishes what the sidecar says itself.
const PUBLISHER: &str = "sidecar";
/// For how long it is kept: the contract's day.
const TTL_SECONDS: u32 = 86_400;

/// Who should be next. The contract has examples only, which this keeps to: code is tested and
/// audited, what was tested is reviewed, what was audited is documented. What failed goes back to
/// the architect.
pub(super) fn next_agents(result: &NewResult) -> Vec<NextAgent> {
    let next = |agent_type, priority: &str, reason: &str| NextAgent::Suggested {
        agent_type,
        priority: priority.to_owned(),
        reason: reason.to_owned(),
    };
    if result.status == ResultStatus::Failed {
        return vec![next(AgentType::ChiefArchitect, "high", "the work failed")];
    }
    match result.agent_type.role() {
        Role::Coding => vec![
            next(AgentType::TestEngineer, "high", "code was changed"),
            next(AgentType::SecurityAuditor, "medium", "code was changed"),
        ],
        Role::Quality if result.agent_type == AgentType::CodeReviewer => Vec::new(),
        Role::Quality => vec![next(AgentType::CodeReviewer, "medium", "the tests are done")],
        Role::Security => vec![next(AgentType::DocumentationExpert, "low", "the audit is done")],
        Role::Architect | Role::Documentation | Role::Support => Vec::new(),
    }
}

/// The event that tells of a result: `agent_completed`, or `agent_failed`. Its key is the result,
/// so that it is told once.
pub(super) fn event(stored: &Stored, storage_path: &str) -> PublishEvent {
    let result = &stored.result;
    let failed = result.status == ResultStatus::Failed;
    let topic = match result.agent_type.role() {
        _ if failed => Topic::Error,
        Role::Architect => Topic::Architecture,
        Role::Coding => Topic::Implementation,
        Role::Quality => Topic::Testing,
        Role::Security => Topic::Security,
        Role::Documentation => Topic::Documentation,
        Role::Support => Topic::Coordination,
    };
    PublishEvent {
        event_type: EventType::made(if failed { "agent_failed" } else { "agent_completed" }),
        publisher: AgentId::made(PUBLISHER),
        topic,
        data: json!({
            "agent_id": result.agent_id,
            "agent_type": result.agent_type,
            "issue_id": result.issue_id,
            "status": result.status,
            "result_id": stored.id,
            "storage_path": storage_path,
        }),
        correlation_id: None,
        project_id: None,
        ttl_seconds: TTL_SECONDS,
        key: Some(RequestId::made(&stored.id.to_string())),
    }
}
