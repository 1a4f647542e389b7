//! Which environment this is, and which preset goes with it, with the reasons.
//!
//! Names are compared word by word: the source project looks for parts of words, and so takes
//! "latest" for a test and "domain-7" for production. Nothing here reads the environment or the
//! name of the machine; they come in as arguments.

use std::{collections::BTreeMap, fmt};

use super::preset::Preset;

/// What an environment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Environment {
    /// Somebody's own machine, or a test.
    Development,
    /// As production, without its users.
    Staging,
    /// What users see.
    Production,
    /// Nothing says.
    Unknown,
}

impl Environment {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Environment::Development => "development",
            Environment::Staging => "staging",
            Environment::Production => "production",
            Environment::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What can tell which environment this is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Signals<'a> {
    /// Environment variables.
    pub variables: Option<&'a BTreeMap<String, String>>,
    /// The name of the machine.
    pub hostname: Option<&'a str>,
    /// Files that lie where the service runs, by name.
    pub files: &'a [&'a str],
}

/// One sign of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What it points to.
    pub environment: Environment,
    /// How sure it is, in percent.
    pub confidence: u8,
    /// Where it was seen: a variable, `hostname`, a file.
    pub source: String,
    /// What was seen there.
    pub seen: String,
}

/// Which environment it is, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detection {
    /// The environment.
    pub environment: Environment,
    /// The preset that goes with it.
    pub preset: Preset,
    /// How sure it is, in percent.
    pub confidence: u8,
    /// Every sign, the surest first; of equals the one that was looked at first.
    pub reasons: Vec<Reason>,
}

impl Detection {
    /// Signs that point elsewhere.
    pub fn against(&self) -> impl Iterator<Item = &Reason> {
        self.reasons.iter().filter(|reason| reason.environment != self.environment)
    }
}

impl fmt::Display for Detection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Detection { environment, preset, confidence, reasons } = self;
        write!(f, "{environment} ({confidence} %), so preset {preset}")?;
        match reasons.first() {
            Some(first) => {
                write!(f, ": {} is {}", first.source, super::tree::clipped(&first.seen))?
            }
            None => f.write_str(": nothing says which environment it is")?,
        }
        for other in self.against() {
            let Reason { environment, confidence, source, .. } = other;
            write!(f, "; {source} says {environment} ({confidence} %)")?;
        }
        Ok(())
    }
}

/// Variables that name an environment, and how sure they are in percent. `ENVIRONMENT` is .95 and
/// others .85 in the source project.
const VARIABLES: [(&str, u8); 8] = [
    ("ENVIRONMENT", 95),
    ("NODE_ENV", 85),
    ("FLASK_ENV", 85),
    ("APP_ENV", 85),
    ("ENV", 85),
    ("DEPLOYMENT_ENV", 85),
    ("DJANGO_SETTINGS_MODULE", 85),
    ("RAILS_ENV", 85),
];

/// Signs of the system: a variable or a file, its value, what it points to, and how sure it is (.70
/// for development and .75 for production in the source project).
const SYSTEM: [(&str, &str, Environment, u8); 6] = [
    ("DEBUG", "true", Environment::Development, 70),
    ("DEBUG", "1", Environment::Development, 70),
    ("PRODUCTION", "true", Environment::Production, 75),
    ("PROD", "true", Environment::Production, 75),
    ("DEBUG", "false", Environment::Production, 75),
    ("DEBUG", "0", Environment::Production, 75),
];
const FILES: [(&str, Environment, u8); 5] = [
    (".env", Environment::Development, 70),
    (".git", Environment::Development, 70),
    ("docker-compose.dev.yml", Environment::Development, 70),
    ("docker-compose.prod.yml", Environment::Production, 75),
    (".production", Environment::Production, 75),
];

/// Names that are known as they are: environment, preset, confidence in percent.
const NAMES: [(&str, Environment, Preset, u8); 9] = [
    ("development", Environment::Development, Preset::Development, 95),
    ("dev", Environment::Development, Preset::Development, 90),
    ("testing", Environment::Development, Preset::Development, 85),
    ("test", Environment::Development, Preset::Development, 85),
    ("staging", Environment::Staging, Preset::Production, 90),
    ("stage", Environment::Staging, Preset::Production, 85),
    ("production", Environment::Production, Preset::Production, 95),
    ("prod", Environment::Production, Preset::Production, 90),
    ("live", Environment::Production, Preset::Production, 85),
];

/// Words inside of longer names, in the order in which they are looked for.
const WORDS: [(&[&str], Environment, Preset, u8); 3] = [
    (
        &["stag", "stage", "staging", "stg", "preprod", "uat", "integration"],
        Environment::Staging,
        Preset::Production,
        70,
    ),
    (
        &[
            "dev",
            "develop",
            "development",
            "local",
            "localhost",
            "test",
            "tests",
            "testing",
            "sandbox",
            "demo",
        ],
        Environment::Development,
        Preset::Development,
        75,
    ),
    (
        &["prod", "production", "live", "release", "stable", "main", "master"],
        Environment::Production,
        Preset::Production,
        75,
    ),
];

/// How sure a guess must be, in percent, to be more than `simple`.
const SURE: u8 = 50;
/// How sure `simple` is where nothing is known.
const UNSURE: u8 = 40;
/// The longest name that is looked at, in characters.
const NAME_MAX: usize = 200;

/// What the name of an environment means: the environment, the preset, and how sure that is in
/// percent. A name that means nothing is `simple`, 40 %.
#[must_use]
pub fn recommend(name: &str) -> (Environment, Preset, u8) {
    let unknown = (Environment::Unknown, Preset::Simple, UNSURE);
    let name = name.trim().to_lowercase();
    if name.chars().count() > NAME_MAX {
        return unknown;
    }
    if let Some((_, environment, preset, confidence)) = NAMES.iter().find(|row| row.0 == name) {
        return (*environment, *preset, *confidence);
    }
    let words = words(&name);
    for (known, environment, preset, confidence) in WORDS {
        let pre_production = |two: &[&str]| matches!(two, ["pre", "prod" | "production"]);
        let is_pre_production = || words.windows(2).any(pre_production);
        let has = words.iter().any(|word| known.contains(word));
        if has || (environment == Environment::Staging && is_pre_production()) {
            return (environment, preset, confidence);
        }
    }
    unknown
}

/// The words of a name: what stands between anything that is no letter.
fn words(name: &str) -> Vec<&str> {
    name.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect()
}

/// Which environment it is. The surest sign counts; a guess that is half sure or less and does not
/// point to a real environment is `simple`.
#[must_use]
pub fn detect(signals: &Signals<'_>) -> Detection {
    let mut reasons = Vec::new();
    let value = |name: &str| signals.variables.and_then(|all| all.get(name)).map(String::as_str);
    for (variable, sure) in VARIABLES {
        let Some(seen) = value(variable).filter(|seen| !seen.trim().is_empty()) else { continue };
        let (environment, _, named) = recommend(seen);
        let confidence = sure.min(named);
        reasons.push(reason(environment, confidence, variable, seen));
    }
    for (variable, wanted, environment, confidence) in SYSTEM {
        if let Some(seen) = value(variable).filter(|seen| seen.trim().eq_ignore_ascii_case(wanted))
        {
            reasons.push(reason(environment, confidence, variable, seen));
        }
    }
    for (file, environment, confidence) in FILES {
        if signals.files.contains(&file) {
            reasons.push(reason(environment, confidence, file, "there"));
        }
    }
    if let Some(host) = signals.hostname {
        let (environment, _, _) = recommend(host);
        // How sure the name of a machine is in the source project.
        let confidence = match environment {
            Environment::Development => 60,
            Environment::Staging => 65,
            Environment::Production => 70,
            Environment::Unknown => 0,
        };
        if confidence > 0 {
            reasons.push(reason(environment, confidence, "hostname", host));
        }
    }
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.confidence));
    let (environment, confidence) = match reasons.first() {
        Some(first) => (first.environment, first.confidence),
        None => (Environment::Unknown, UNSURE),
    };
    let preset = match environment {
        Environment::Unknown => Preset::Simple,
        Environment::Development if confidence <= SURE => Preset::Simple,
        Environment::Development => Preset::Development,
        Environment::Staging | Environment::Production => Preset::Production,
    };
    Detection { environment, preset, confidence, reasons }
}

fn reason(environment: Environment, confidence: u8, source: &str, seen: &str) -> Reason {
    let seen = seen.chars().take(NAME_MAX).collect();
    Reason { environment, confidence, source: source.to_owned(), seen }
}

#[cfg(test)]
mod tests;
