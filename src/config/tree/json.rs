//! JSON (RFC 8259) with the place of every value, which serde_json does not keep.
//!
//! Keys that come twice are refused: other readers take the first or the last, each as it likes.

use std::ops::Range;

use super::{Broken, Entry, Node, NodeKind};
use crate::config::security::DEPTH_MAX;

/// Reads a whole text.
pub(in crate::config) fn parse(text: &str) -> Result<Node, Vec<Broken>> {
    let mut parser = Parser { text, at: 0, broken: Vec::new() };
    match parser.document() {
        Ok(node) if parser.broken.is_empty() => Ok(node),
        Ok(_) => Err(parser.broken),
        Err(fatal) => {
            parser.broken.push(fatal);
            Err(parser.broken)
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// What is wrong without being in the way.
    broken: Vec<Broken>,
}

const VALUE: &str = "write a number, a text in quotation marks, true, false, or an object";

impl Parser<'_> {
    fn document(&mut self) -> Result<Node, Broken> {
        let node = self.value(0)?;
        self.space();
        if self.at < self.text.len() {
            let rest = self.at..self.text.len();
            return Err(Broken::new("something follows the value", "take it away", rest));
        }
        Ok(node)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// The character here, or the end.
    fn here(&self) -> Range<usize> {
        let next = self.text.get(self.at..).and_then(|rest| rest.chars().next());
        self.at..self.at + next.map_or(0, char::len_utf8)
    }

    /// The last character that can be seen: a place at the end itself could not be pointed at.
    fn last(&self) -> Range<usize> {
        let text = self.text.trim_end();
        let last = text.chars().next_back().map_or(0, char::len_utf8);
        text.len() - last..text.len()
    }

    fn unexpected(&self, wanted: &str) -> Broken {
        let place = self.here();
        let what = match self.text.get(place.clone()) {
            Some(found) if !found.is_empty() => {
                format!("{} where {wanted} is due", super::clipped(found))
            }
            _ => format!("the text ends where {wanted} is due"),
        };
        Broken::new(what, VALUE, if place.is_empty() { self.last() } else { place })
    }

    /// A value inside so many others.
    fn value(&mut self, depth: usize) -> Result<Node, Broken> {
        self.space();
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{' | b'[') if depth >= DEPTH_MAX => return Err(Broken::deep(self.here())),
            Some(b'{') => self.object(depth + 1)?,
            Some(b'[') => self.list(depth + 1)?,
            Some(b'"') => NodeKind::Text(self.string()?),
            Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z') => self.word()?,
            _ => return Err(self.unexpected("a value")),
        };
        Ok(Node { kind, place: start..self.at })
    }

    fn object(&mut self, depth: usize) -> Result<NodeKind, Broken> {
        self.at += 1;
        let mut entries: Vec<Entry> = Vec::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(NodeKind::Table(entries));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a key in quotation marks"));
            }
            let start = self.at;
            let key = self.string()?;
            let key_place = start..self.at;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("a colon"));
            }
            self.at += 1;
            let value = self.value(depth)?;
            if entries.iter().any(|entry| entry.key == key) {
                let what = format!("the key {} comes twice", super::clipped(&key));
                self.broken.push(Broken::new(what, "keep one of the two", key_place));
            } else {
                entries.push(Entry { key, key_place, value });
            }
            if self.ends(b'}')? {
                return Ok(NodeKind::Table(entries));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<NodeKind, Broken> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(NodeKind::List(items));
        }
        loop {
            items.push(self.value(depth)?);
            if self.ends(b']')? {
                return Ok(NodeKind::List(items));
            }
        }
    }

    /// Whether this closes; if not, a comma was read.
    fn ends(&mut self, close: u8) -> Result<bool, Broken> {
        self.space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(false)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(self.unexpected(&format!("a comma or `{}`", char::from(close)))),
        }
    }

    /// A number, `true`, `false`, `null`, or something that people take for one of these.
    fn word(&mut self) -> Result<NodeKind, Broken> {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_alphanumeric() || b"+-._".contains(&b)) {
            self.at += 1;
        }
        let place = start..self.at;
        let word = self.text.get(place.clone()).unwrap_or_default();
        match word {
            "true" => Ok(NodeKind::Bool(true)),
            "false" => Ok(NodeKind::Bool(false)),
            "null" => Ok(NodeKind::Null),
            number if is_number(number) => Ok(NodeKind::Number(number.to_owned())),
            _ => Err(Broken::new(format!("{} is no JSON", super::clip(word)), VALUE, place)),
        }
    }

    fn string(&mut self) -> Result<String, Broken> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(next) = rest.chars().next() else {
                let help = "close it with a quotation mark";
                return Err(Broken::new("a text that does not end", help, start..self.at));
            };
            match next {
                '"' => {
                    self.at += 1;
                    return Ok(text);
                }
                '\\' => text.push(self.escape()?),
                '\0'..'\u{20}' => {
                    let help = "write \\n for a new line, \\t for a tab";
                    let what = "a control character in a text";
                    return Err(Broken::new(what, help, self.here()));
                }
                _ => {
                    text.push(next);
                    self.at += next.len_utf8();
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Broken> {
        let start = self.at;
        self.at += 1;
        let escaped = self.peek();
        self.at += 1;
        let plain = match escaped {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(start),
            _ => {
                self.at = start;
                let help = "write \\\\ for a backslash";
                return Err(Broken::new("an unknown escape", help, self.here()));
            }
        };
        Ok(plain)
    }

    fn unicode(&mut self, start: usize) -> Result<char, Broken> {
        let lone = |at: usize| {
            let help = "write the character itself";
            Broken::new("an escape that stands for no character", help, start..at)
        };
        let first = self.hex().ok_or_else(|| lone(self.at))?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or_else(|| lone(self.at));
        }
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with("\\u")) {
            return Err(lone(self.at));
        }
        self.at += 2;
        let second = self.hex().filter(|it| (0xdc00..0xe000).contains(it));
        let second = second.ok_or_else(|| lone(self.at))?;
        let both = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        char::from_u32(both).ok_or_else(|| lone(self.at))
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

/// Whether a word is a number as JSON has them.
fn is_number(word: &str) -> bool {
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
        }
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let plain = whole == "0" || !whole.starts_with('0');
    plain && digits(whole) && fraction.is_none_or(digits) && exponent.is_none_or(digits)
}
