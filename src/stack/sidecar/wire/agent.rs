//! Types of agents, what they are for, and what they may do.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub enum $name {$(
            $(#[$item_doc])*
            #[serde(rename = $word)]
            $item,
        )*}

        impl $name {
            /// All of them.
            pub const ALL: &[$name] = &[$($name::$item,)*];

            /// As on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$item => $word,)*
                }
            }

            /// The one that is called so on the wire.
            pub fn from_word(word: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|item| item.as_str() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// The types of agents that a sidecar knows.
    AgentType {
        /// Decides and starts the others.
        ChiefArchitect = "chief-architect",
        /// Writes Python.
        PythonSpecialist = "python-specialist",
        /// Writes Go.
        GoSpecialist = "go-specialist",
        /// Writes Rust.
        RustSpecialist = "rust-specialist",
        /// Writes tests.
        TestEngineer = "test-engineer",
        /// Watches over quality.
        QaEngineer = "qa-engineer",
        /// Looks for weaknesses.
        SecurityAuditor = "security-auditor",
        /// Writes pipelines and deployments.
        DevopsEngineer = "devops-engineer",
        /// Writes documentation.
        DocumentationExpert = "documentation-expert",
        /// Reads the interfaces of others.
        ApiExplorer = "api-explorer",
        /// Reads changes.
        CodeReviewer = "code-reviewer",
    }
}

words! {
    /// What an agent is for. Permissions and rate limits go by it.
    Role {
        /// Plans, and starts agents.
        Architect = "architect",
        /// Writes code.
        Coding = "coding",
        /// Tests and reviews.
        Quality = "qa",
        /// Audits.
        Security = "security",
        /// Documents.
        Documentation = "documentation",
        /// Helps the others.
        Support = "support",
    }
}

words! {
    /// What a token allows.
    Permission {
        /// To read what is known in the project.
        ReadContext = "read_context",
        /// To store and delete results.
        WriteResults = "write_results",
        /// To publish events.
        PublishEvents = "publish_events",
        /// To start agents.
        SpawnAgents = "spawn_agents",
    }
}

words! {
    /// What an event is about.
    Topic {
        /// Designs.
        Architecture = "architecture",
        /// Code.
        Implementation = "implementation",
        /// Tests.
        Testing = "testing",
        /// Weaknesses.
        Security = "security",
        /// Deployments.
        Deployment = "deployment",
        /// Documentation.
        Documentation = "documentation",
        /// What went wrong.
        Error = "error",
        /// Agents among each other.
        Coordination = "coordination",
    }
}

impl AgentType {
    /// What it is for. Who writes pipelines writes code, who reviews tests.
    pub const fn role(self) -> Role {
        match self {
            AgentType::ChiefArchitect => Role::Architect,
            AgentType::PythonSpecialist
            | AgentType::GoSpecialist
            | AgentType::RustSpecialist
            | AgentType::DevopsEngineer => Role::Coding,
            AgentType::TestEngineer | AgentType::QaEngineer | AgentType::CodeReviewer => {
                Role::Quality
            }
            AgentType::SecurityAuditor => Role::Security,
            AgentType::DocumentationExpert => Role::Documentation,
            AgentType::ApiExplorer => Role::Support,
        }
    }
}

impl Role {
    /// What a token for it allows if nobody says otherwise: everyone reads; code, tests and
    /// audits have results; all but documentation publish; only the architect starts agents.
    pub const fn permissions(self) -> &'static [Permission] {
        use Permission::{PublishEvents, ReadContext, SpawnAgents, WriteResults};
        match self {
            Role::Architect => &[ReadContext, PublishEvents, SpawnAgents],
            Role::Coding | Role::Quality | Role::Security => {
                &[ReadContext, WriteResults, PublishEvents]
            }
            Role::Documentation => &[ReadContext],
            Role::Support => &[ReadContext, PublishEvents],
        }
    }
}
