//! The lines of results, as they are written and read back: the wire types of a sweep.
//!
//! A file of results is JSON Lines: a `plan`, then `started` and `finished` lines in any order. A
//! change that renames or removes anything raises [`RESULTS_VERSION`]; a field that may be absent does
//! not, so that results of earlier days are still read.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{Measured, Shard};

/// The version of these lines.
pub const RESULTS_VERSION: u32 = 1;

/// 64 bits, as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hex(pub u64);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hex, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = is_hex.then(|| u64::from_str_radix(&text, 16).ok()).flatten();
        number.map(Hex).ok_or_else(|| D::Error::custom("should be 16 hexadecimal digits"))
    }
}

/// One line of results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Line {
    /// What is to be run. The lines after it belong to it.
    Plan(PlanLine),
    /// A run was begun.
    Started(StartedLine),
    /// A run came to its end.
    Finished(Box<FinishedLine>),
}

/// What a sweep, or several that were merged, is to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanLine {
    /// [`RESULTS_VERSION`].
    pub version: u32,
    /// The version of seedbed: another one may have other histories.
    pub seedbed: String,
    /// The first seed, if seeds are run from there on without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endless_from: Option<u64>,
    /// Which part of it these results are; `None` for merged ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<ShardLine>,
    /// What a replay needs besides sim and seed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// The sims, by name.
    pub sims: Vec<PlannedSim>,
}

/// A part of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardLine {
    /// Which one, from 1.
    pub index: u64,
    /// How many there are.
    pub of: u64,
}

/// A sim of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedSim {
    /// Its name.
    pub sim: String,
    /// How it is named on the command line.
    pub path: String,
    /// The hash of its text, and of its trace.
    pub scenario_hash: Hex,
    /// First and last seed of each range to be run, all shards together.
    pub seeds: Vec<[u64; 2]>,
}

/// A run was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartedLine {
    /// [`RESULTS_VERSION`].
    pub version: u32,
    /// The name of the sim.
    pub sim: String,
    /// The seed.
    pub seed: u64,
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FinishedLine {
    /// [`RESULTS_VERSION`].
    pub version: u32,
    /// The name of the sim.
    pub sim: String,
    /// As in the plan.
    pub scenario_hash: Hex,
    /// The seed.
    pub seed: u64,
    /// What the history came to; `None` if a panic broke it off, or if it must differ each time.
    pub fingerprint: Option<Hex>,
    /// Whether that is what the sim must come to.
    pub verdict: RunVerdict,
    /// What failures that are alike have in common.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Why it failed, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// How many events there were.
    pub events: u64,
    /// Virtual time at the end, in whole milliseconds.
    pub virtual_ms: u64,
    /// Time on the machine, in microseconds; not in merged results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_us: Option<u64>,
    /// What it measured; `None` if it has no single history, and in results of earlier days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
    /// The checks that were evaluated at least once.
    pub reached: Vec<String>,
    /// The checks that were not.
    pub unreached: Vec<String>,
}

/// Whether a run came to what its sim must come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunVerdict {
    /// Every check held.
    Pass,
    /// A canary failed, as it must.
    FailedAsItMust,
    /// Two runs of a canary differed, as they must.
    DivergedAsItMust,
    /// It did not.
    Fail,
    /// One seed had two histories.
    Nondeterminism,
}

impl RunVerdict {
    /// Whether all is as it must be.
    pub fn is_good(self) -> bool {
        !matches!(self, RunVerdict::Fail | RunVerdict::Nondeterminism)
    }
}

/// Why a line is not one of results.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// It is not even JSON, or not of this shape.
    #[error("this is no line of results: {0}")]
    Malformed(String),
    /// It is of a version of the format that is not read here.
    #[error("these are results of version {0}, and version {RESULTS_VERSION} is read here")]
    Version(u64),
    /// It is longer than any line of results.
    #[error("this line is longer than {} bytes", super::LINE_BYTES_MAX)]
    TooLong,
}

impl Line {
    /// Reads a line, with or without its newline.
    ///
    /// # Errors
    ///
    /// A [`BadLine`].
    pub fn parse(bytes: &[u8]) -> Result<Line, BadLine> {
        #[derive(Deserialize)]
        struct Probe {
            version: u64,
        }
        let line = serde_json::from_slice::<Line>(bytes);
        let version = match &line {
            Ok(Line::Plan(line)) => u64::from(line.version),
            Ok(Line::Started(line)) => u64::from(line.version),
            Ok(Line::Finished(line)) => u64::from(line.version),
            Err(_) => serde_json::from_slice::<Probe>(bytes)
                .map_or(u64::from(RESULTS_VERSION), |probe| probe.version),
        };
        if version != u64::from(RESULTS_VERSION) {
            return Err(BadLine::Version(version));
        }
        let line = line.map_err(|error| BadLine::Malformed(error.to_string()))?;
        if let Line::Plan(PlanLine { shard: Some(ShardLine { index, of }), .. }) = &line {
            Shard::new(*index, *of).map_err(|error| BadLine::Malformed(error.to_string()))?;
        }
        Ok(line)
    }

    /// The line, with its newline.
    ///
    /// # Errors
    ///
    /// None that is known: every part can be written as JSON.
    pub fn to_text(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string(self)? + "\n")
    }

    /// Adds [`to_text`](Line::to_text) to others.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn write(&self, lines: &mut Vec<u8>) -> serde_json::Result<()> {
        serde_json::to_writer(&mut *lines, self)?;
        lines.push(b'\n');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINISHED: &str = concat!(
        r#"{"kind":"finished","version":1,"sim":"a/b","scenario_hash":"00000000000000ff","seed":7,"#,
        r#""fingerprint":"0123456789abcdef","verdict":"fail","signature":"s","failure":"f","#,
        r#""events":3,"virtual_ms":4,"wall_us":5,"reached":["x"],"unreached":[]}"#
    );

    #[test]
    fn lines_are_what_they_always_were() {
        let line = Line::parse(FINISHED.as_bytes()).unwrap();
        assert_eq!(line.to_text().unwrap(), format!("{FINISHED}\n"));
        let mut lines = b"before\n".to_vec();
        line.write(&mut lines).unwrap();
        assert_eq!(lines, format!("before\n{FINISHED}\n").into_bytes());
        let started = r#"{"kind":"started","version":1,"sim":"a/b","seed":7}"#;
        assert_eq!(Line::parse(started.as_bytes()).unwrap().to_text().unwrap().trim(), started);
        let plan = concat!(
            r#"{"kind":"plan","version":1,"seedbed":"0.1.0","shard":{"index":1,"of":2},"#,
            r#""sims":[{"sim":"a/b","path":"p","scenario_hash":"00000000000000ff","seeds":[[1,9]]}]}"#
        );
        assert_eq!(Line::parse(plan.as_bytes()).unwrap().to_text().unwrap().trim(), plan);
        for shard in [r#""index":0,"of":2"#, r#""index":3,"of":2"#, r#""index":0,"of":0"#] {
            let none = plan.replace(r#""index":1,"of":2"#, shard);
            assert!(matches!(Line::parse(none.as_bytes()), Err(BadLine::Malformed(_))), "{none}");
        }
    }

    #[test]
    fn what_was_measured_is_kept_and_may_be_absent() {
        let measured = Measured { requests: 3, ok: 2, p50_us: Some(7), ..Measured::default() };
        let Line::Finished(old) = Line::parse(FINISHED.as_bytes()).unwrap() else { panic!() };
        assert_eq!(old.measured, None);
        let new = Line::Finished(Box::new(FinishedLine { measured: Some(measured), ..*old }));
        let text = new.to_text().unwrap();
        assert!(text.contains(r#""measured":{"requests":3,"ok":2,"#) && !text.contains("p95"));
        assert_eq!(Line::parse(text.as_bytes()), Ok(new));
        let odd = text.replace("\"ok\":2", "\"ok\":-2");
        assert!(matches!(Line::parse(odd.as_bytes()), Err(BadLine::Malformed(_))));
    }

    #[test]
    fn every_torn_line_is_recognised() {
        for end in 0..FINISHED.len() {
            assert!(Line::parse(&FINISHED.as_bytes()[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn hostile_lines_are_refused() {
        let bad = |text: &str| Line::parse(text.as_bytes()).unwrap_err();
        let other = FINISHED.replace("\"version\":1", "\"version\":2");
        assert_eq!(bad(&other), BadLine::Version(2));
        assert_eq!(bad(r#"{"version":9,"what":"ever"}"#), BadLine::Version(9));
        let deep = "[".repeat(100_000);
        for text in [
            "",
            "null",
            "[]",
            &deep,
            r#"{"kind":"finished","version":1}"#,
            r#"{"kind":"begun","version":1}"#,
            &FINISHED.replace("\"seed\":7", "\"seed\":-7"),
            &FINISHED.replace("00000000000000ff", "+0000000000000ff"),
            &FINISHED.replace("00000000000000ff", "ff"),
            &FINISHED.replace("\"events\":3", "\"events\":3,\"more\":1"),
        ] {
            assert!(matches!(bad(text), BadLine::Malformed(_)), "{text}");
        }
    }
}
