//! A migrated configuration as text: for a shell, an env file, a container, or a file of its own.
//!
//! What is written here is read back by the same reader as anybody's, and comes to the same.

use std::fmt::Write as _;

use super::{CUSTOM_CONFIG, Migration, Origin, Overrides, PRESET};

/// How a configuration is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Commands of a POSIX shell.
    Bash,
    /// An env file: a name, a sign and the value as it is, as containers read it.
    Env,
    /// The environment of a container in a compose file.
    Docker,
    /// A configuration file.
    Toml,
}

impl Migration {
    /// The new configuration, with what is worth knowing about it in comments.
    #[must_use]
    pub fn write(&self, form: Form) -> String {
        let mut out = self.comments();
        let custom = self.custom();
        let preset = self.preset;
        // Writing to a string cannot fail.
        match form {
            Form::Bash => {
                for said in self.legacy.detected() {
                    if let Origin::Legacy { variable } = &said.origin {
                        let _ = writeln!(out, "unset {variable}");
                    }
                }
                let _ = writeln!(out, "export {PRESET}='{preset}'");
                if let Some(custom) = custom {
                    let _ = writeln!(out, "export {CUSTOM_CONFIG}='{custom}'");
                }
            }
            Form::Env => {
                let _ = writeln!(out, "{PRESET}={preset}");
                if let Some(custom) = custom {
                    let _ = writeln!(out, "{CUSTOM_CONFIG}={custom}");
                }
            }
            Form::Docker => {
                let _ = writeln!(out, "environment:\n  {PRESET}: '{preset}'");
                if let Some(custom) = custom {
                    let _ = writeln!(out, "  {CUSTOM_CONFIG}: '{custom}'");
                }
            }
            Form::Toml => self.toml(&mut out),
        }
        out
    }

    /// What differs from the preset, as JSON; `None` if nothing does.
    #[must_use]
    pub fn custom(&self) -> Option<String> {
        if self.overrides.is_empty() && self.operations.is_empty() {
            return None;
        }
        let mut keys = fields(&self.overrides);
        let mut rows = Vec::new();
        let mut tables = Vec::new();
        for (name, overrides) in &self.operations {
            match (overrides.strategy, overrides.fields.is_empty()) {
                (Some(strategy), true) => rows.push(format!("\"{name}\":\"{strategy}\"")),
                _ => tables.push(format!("\"{name}\":{{{}}}", fields(overrides).join(","))),
            }
        }
        if !rows.is_empty() {
            keys.push(format!("\"operation_overrides\":{{{}}}", rows.join(",")));
        }
        if !tables.is_empty() {
            keys.push(format!("\"operations\":{{{}}}", tables.join(",")));
        }
        Some(format!("{{{}}}", keys.join(",")))
    }

    fn toml(&self, out: &mut String) {
        let _ = writeln!(out, "preset = \"{}\"", self.preset);
        for (field, value) in &self.overrides.fields {
            let _ = writeln!(out, "{field} = {value}");
        }
        for (name, overrides) in &self.operations {
            // Quoted, as a name may have a point in it.
            let _ = writeln!(out, "\n[operations.\"{name}\"]");
            if let Some(strategy) = overrides.strategy {
                let _ = writeln!(out, "strategy = \"{strategy}\"");
            }
            for (field, value) in &overrides.fields {
                let _ = writeln!(out, "{field} = {value}");
            }
        }
    }

    fn comments(&self) -> String {
        let mut out = format!(
            "# The nearest preset is {}; confidence {}.\n",
            self.preset,
            self.confidence.as_str()
        );
        for skipped in &self.legacy.skipped {
            let _ = writeln!(out, "# {} was left out: {}.", skipped.variable, skipped.why);
        }
        for clamped in &self.clamped {
            let whose = clamped.operation.as_deref().map(|name| format!("{name}: "));
            let whose = whose.unwrap_or_default();
            let (field, was, is) = (clamped.field, clamped.was, clamped.is);
            let _ =
                writeln!(out, "# {whose}{field} was {was}, which is not allowed now: it is {is}.");
        }
        if let Some(refused) = &self.refused {
            let _ = writeln!(out, "# This would not be taken as it is: {refused}.");
        }
        for warning in &self.warnings {
            let _ = writeln!(out, "# {}.", warning.as_str());
        }
        out
    }
}

fn fields(overrides: &Overrides) -> Vec<String> {
    let strategy = overrides.strategy.map(|it| format!("\"strategy\":\"{it}\""));
    let fields = overrides.fields.iter().map(|(field, value)| format!("\"{field}\":{value}"));
    strategy.into_iter().chain(fields).collect()
}
