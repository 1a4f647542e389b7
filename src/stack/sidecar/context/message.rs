//! The answer to a request for context, as on the wire.

use std::rc::Rc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    super::wire::{AgentType, IssueId},
    file::FileInfo,
};

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContextResponse {
    /// The issue that was asked for.
    pub issue_id: IssueId,
    /// The type of agent it is for.
    pub agent_type: AgentType,
    /// What the agent is told.
    #[serde(default)]
    pub context: Rc<Context>,
    /// Whether anything was left out or shortened.
    pub truncated: bool,
    /// How it was decided what: `priority`, or `none` if nothing was.
    pub truncation_strategy: Rc<str>,
    /// What was left out or shortened, by priority.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut: Vec<Cut>,
    /// The bytes of `context` as JSON.
    #[serde(default)]
    pub total_size_bytes: u64,
    /// How many files it brings.
    #[serde(default)]
    pub file_count: u64,
    /// When it was put together.
    pub timestamp: Timestamp,
    /// Whether it is an answer of before, given again.
    #[serde(default)]
    pub cache_hit: bool,
}

/// What an agent is told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Context {
    /// The tree.
    pub project_structure: Rc<ProjectStructure>,
    /// Files that matter to the agent, the most important first.
    pub relevant_files: Vec<Rc<FileInfo>>,
    /// What git knows.
    pub git_context: GitContext,
    /// What agents have found out before.
    pub previous_agent_outputs: Vec<Rc<AgentOutput>>,
    /// What else is known.
    pub metadata: ProjectMetadata,
}

/// The tree of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProjectStructure {
    /// Where it begins.
    pub root: String,
    /// Paths of files, from the root on.
    pub files: Vec<Rc<str>>,
    /// Paths of directories, from the root on.
    pub directories: Vec<Rc<str>>,
    /// How many files there are, listed or not.
    #[serde(default)]
    pub total_files: u64,
    /// The bytes of all files.
    #[serde(default)]
    pub total_size_bytes: u64,
}

/// What git knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GitContext {
    /// What is checked out.
    pub branch: String,
    /// The last commits, newest first.
    pub recent_commits: Vec<Rc<CommitInfo>>,
    /// Lines of `git status --porcelain`.
    pub uncommitted_changes: Vec<Rc<str>>,
    /// The name of the remote repository.
    #[serde(default)]
    pub remote: Option<String>,
    /// Where that is.
    #[serde(default)]
    pub remote_url: Option<String>,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitInfo {
    /// Its hash.
    pub hash: String,
    /// What it says it does.
    pub message: String,
    /// Who made it.
    pub author: String,
    /// When.
    pub timestamp: Timestamp,
    /// Paths of the files it changed.
    #[serde(default)]
    pub files: Vec<String>,
}

/// What an agent has found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentOutput {
    /// The agent.
    pub agent: String,
    /// Its type.
    #[serde(default)]
    pub agent_type: String,
    /// When.
    pub timestamp: Timestamp,
    /// What it decided.
    pub decision: String,
    /// Why.
    #[serde(default)]
    pub rationale: String,
    /// Which files that concerns.
    #[serde(default)]
    pub files_affected: Vec<String>,
}

/// What else is known of a project and an issue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProjectMetadata {
    /// What it is written in.
    pub project_type: String,
    /// What it depends on.
    pub dependencies: Rc<[String]>,
    /// How much of it its tests cover, in percent, if anybody knows.
    pub test_coverage: Option<f64>,
    /// How the last build ended, if there was one.
    pub last_build_status: Option<String>,
    /// What the issue asks for.
    #[serde(default)]
    pub task_requirements: Vec<Rc<str>>,
}

/// What is kept first when not all fits. The contract names those up to the history, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// What the issue asks for.
    Requirements,
    /// What agents have decided.
    Decisions,
    /// What was changed in the last 24 hours or is not committed.
    Changed,
    /// Tests.
    Tests,
    /// Settings.
    Config,
    /// Documentation.
    Docs,
    /// Commits.
    History,
    /// Code that nobody has changed lately.
    Source,
    /// The list of all directories and files.
    Listing,
}

impl Priority {
    /// As on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Priority::Requirements => "requirements",
            Priority::Decisions => "decisions",
            Priority::Changed => "changed",
            Priority::Tests => "tests",
            Priority::Config => "config",
            Priority::Docs => "docs",
            Priority::History => "history",
            Priority::Source => "source",
            Priority::Listing => "listing",
        }
    }
}

/// What was cut of one priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Of what.
    pub what: Priority,
    /// How many were left out.
    pub left_out: u64,
    /// Of how many the end is missing.
    pub shortened: u64,
}
