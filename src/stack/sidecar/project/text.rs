//! Words, sentences, and the texts of files.

use rand::Rng as _;
use sha2::{Digest as _, Sha256};

use super::{super::json_len, File, FileId, Project};
use crate::world::{Seed, Stream};

const WORDS: [&str; 32] = [
    "account", "batch", "cache", "channel", "cursor", "digest", "event", "filter", "gateway",
    "handler", "index", "journal", "key", "ledger", "metric", "node", "order", "packet", "query",
    "record", "router", "schema", "session", "shard", "signal", "store", "stream", "table",
    "ticket", "token", "window", "worker",
];
const LIBRARIES: [&str; 32] = [
    "archive", "base64", "bytes", "clock", "codec", "config", "crypto", "csv", "diff", "fields",
    "graph", "hash", "http", "json", "locale", "logging", "markup", "mime", "pool", "proto",
    "queue", "regex", "retry", "schema", "socket", "sql", "template", "tls", "trace", "unicode",
    "url", "uuid",
];
const VERBS: [&str; 8] =
    ["add", "bound", "document", "fix", "measure", "remove", "rename", "split"];
const ROLES: [&str; 6] = [
    "backend-engineer",
    "frontend-engineer",
    "maintainer",
    "release-engineer",
    "reviewer",
    "test-engineer",
];

/// A word by its number; numbers go round.
pub(super) fn word(number: u64) -> &'static str {
    WORDS[(number % 32) as usize]
}

fn any<'a>(stream: &mut Stream, words: &[&'a str]) -> &'a str {
    stream.pick(words).copied().unwrap_or_default()
}

/// So many dependencies, each once, in alphabetical order; there are 32.
pub(super) fn dependencies(stream: &mut Stream, count: usize) -> Vec<&'static str> {
    let mut left = LIBRARIES.to_vec();
    while left.len() > count {
        left.remove(stream.below(left.len() as u64) as usize);
    }
    left
}

/// The role of whoever makes a commit.
pub(super) fn author(stream: &mut Stream) -> &'static str {
    any(stream, &ROLES)
}

/// What a commit says.
pub(super) fn message(stream: &mut Stream) -> String {
    let verb = any(stream, &VERBS);
    format!("{verb} the {} of the {}", any(stream, &WORDS), any(stream, &WORDS))
}

/// What an issue asks for: one to four sentences.
pub(super) fn requirements(stream: &mut Stream) -> Vec<String> {
    let count = stream.between(1, 4);
    let mut sentence = |_| {
        let (thing, other) = (any(stream, &WORDS), any(stream, &WORDS));
        let limit = stream.between(1, 500);
        format!("the {thing} must answer the {other} within {limit} ms")
    };
    (0..count).map(&mut sentence).collect()
}

/// What was read of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The first part of its text, or all of it. ASCII.
    pub text: String,
    /// The SHA-256 of all of it, in 64 hexadecimal digits.
    pub checksum: String,
}

/// What the text of a file follows from, as the file was when it was looked at. It is small, however
/// long the text.
#[derive(Clone, Debug)]
pub struct Draft {
    seed: Seed,
    id: FileId,
    edits: u32,
    /// The first line.
    first: String,
    size: u64,
}

impl Project {
    /// Reads the first `most` bytes of a file, and the checksum of all of it. The first line names
    /// the project and the path.
    pub fn read(&self, file: &File, most: u64) -> Contents {
        self.draft(file).read(most)
    }

    /// What the text of a file follows from.
    pub fn draft(&self, file: &File) -> Draft {
        let edits = self.touched.get(&file.id).map_or(0, |touched| touched.edits);
        let comment = file.language.comment();
        let first = format!("{comment} {}: {}\n", self.id.escape_default(), self.path(file));
        Draft { seed: self.seed, id: file.id, edits, first, size: file.size }
    }
}

impl Draft {
    /// All lines but the first follow from it.
    fn stream(&self) -> Stream {
        let FileId { directory, index } = self.id;
        self.seed.stream(&format!("contents/{directory}/{index}/{}", self.edits))
    }

    /// The first line of the first `most` bytes.
    pub fn first_line(&self, most: u64) -> &str {
        head(&self.first, most.min(self.size))
    }

    /// The first `most` bytes, and the checksum of all.
    pub fn read(&self, most: u64) -> Contents {
        let (mut stream, mut line) = (self.stream(), self.first.clone());
        let mut text = String::with_capacity(usize::try_from(self.size.min(most)).unwrap_or(0));
        let mut checksum = Sha256::new();
        let mut left = self.size;
        while left > 0 {
            let part = head(&line, left);
            checksum.update(part.as_bytes());
            text.push_str(head(part, most.saturating_sub(text.len() as u64)));
            left -= part.len() as u64;
            write_line(&mut line, &mut stream);
        }
        Contents { text, checksum: hex(&checksum.finalize()) }
    }

    /// How long the first `most` bytes are as JSON. The text is not made for that.
    pub fn json_len(&self, most: u64) -> u64 {
        let first = self.first_line(most);
        let mut bytes = json_len(first);
        let mut left = self.size.min(most) - first.len() as u64;
        let mut stream = self.stream();
        while left > 0 {
            let line = line_len(stream.next_u64()).min(left + 1);
            // The end of a line is two letters.
            bytes += if line <= left { line + 1 } else { left };
            left = left.saturating_sub(line);
        }
        bytes
    }
}

/// The first bytes of an ASCII text.
fn head(text: &str, most: u64) -> &str {
    usize::try_from(most).ok().and_then(|end| text.get(..end)).unwrap_or(text)
}

/// The next line: an indentation and up to twelve words, from one draw.
fn write_line(line: &mut String, stream: &mut Stream) {
    let mut draw = stream.next_u64();
    line.clear();
    for _ in 0..draw % 4 {
        line.push_str("  ");
    }
    for _ in 0..1 + (draw >> 60) % 12 {
        line.push_str(word(draw));
        line.push(' ');
        draw = draw.rotate_right(5);
    }
    line.push('\n');
}

/// How long the line of this draw is, with its end.
fn line_len(mut draw: u64) -> u64 {
    let mut length = 2 * (draw % 4) + 1;
    for _ in 0..1 + (draw >> 60) % 12 {
        length += word(draw).len() as u64 + 1;
        draw = draw.rotate_right(5);
    }
    length
}

/// As the wire has it: lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
