//! Which files matter to which agents.

use super::super::{
    project::{File, Kind, Language},
    wire::AgentType,
};

/// What of a project an agent is to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// Everything: who plans or reviews.
    Everything,
    /// Code and tests in a language, and settings: who writes in it.
    Language(Language),
    /// Tests and settings.
    Tests,
    /// Code and settings: who looks for weaknesses.
    Code,
    /// Settings.
    Settings,
    /// Documentation.
    Docs,
    /// Code and documentation: who looks for interfaces.
    Interfaces,
}

impl View {
    /// The view of agents of this type.
    pub const fn of(agent: AgentType) -> View {
        match agent {
            AgentType::ChiefArchitect | AgentType::CodeReviewer => View::Everything,
            AgentType::PythonSpecialist => View::Language(Language::Python),
            AgentType::GoSpecialist => View::Language(Language::Go),
            AgentType::RustSpecialist => View::Language(Language::Rust),
            AgentType::TestEngineer | AgentType::QaEngineer => View::Tests,
            AgentType::SecurityAuditor => View::Code,
            AgentType::DevopsEngineer => View::Settings,
            AgentType::DocumentationExpert => View::Docs,
            AgentType::ApiExplorer => View::Interfaces,
        }
    }

    /// Whether a file is in it.
    pub fn sees(self, file: &File) -> bool {
        match (self, file.kind) {
            (View::Everything, _)
            | (View::Language(_) | View::Tests | View::Code | View::Settings, Kind::Config)
            | (View::Tests, Kind::Test)
            | (View::Code | View::Interfaces, Kind::Source)
            | (View::Docs | View::Interfaces, Kind::Docs) => true,
            (View::Language(language), Kind::Source | Kind::Test) => file.language == language,
            _ => false,
        }
    }
}
