//! Texts that some program might run: the fifteen patterns of the source project.
//!
//! Where its regular expressions match inside of ordinary words ("metadata:", "exponential = 2"),
//! these begin at the beginning of a word.

/// The patterns that a text has in it, each once. `raw` is the text as it is written, with escapes.
pub(super) fn found<'a>(text: &'a str, raw: &'a str) -> impl Iterator<Item = &'static str> + 'a {
    let (lower, lower_raw) = (text.to_ascii_lowercase(), raw.to_ascii_lowercase());
    PATTERNS
        .iter()
        .filter(move |(_, matches)| matches(&lower) || matches(&lower_raw))
        .map(|(name, _)| *name)
}

/// The name of a pattern, and whether a text in lower case has it.
type Pattern = (&'static str, fn(&str) -> bool);

const PATTERNS: [Pattern; 15] = [
    ("a script tag", |text| text.contains("<script")),
    ("`javascript:`", |text| word(text, "javascript:")),
    ("`data:`", |text| word(text, "data:")),
    ("`vbscript:`", |text| word(text, "vbscript:")),
    ("an event handler such as `onload=`", handler),
    ("`../`", |text| text.contains("../")),
    ("an escape such as `\\x41`", |text| escape(text, 'x', 2)),
    ("an escape such as `\\u0041`", |text| escape(text, 'u', 4)),
    ("`<% %>`", |text| enclosed(text, "<%", "%>")),
    ("`${ }`", |text| enclosed(text, "${", "}")),
    ("`eval(`", |text| call(text, "eval")),
    ("`exec(`", |text| call(text, "exec")),
    ("`import`", |text| after(text, "import").any(|rest| rest.starts_with(char::is_whitespace))),
    ("`require(`", |text| call(text, "require")),
    ("a name such as `__class__`", dunder),
];

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What follows each place where a word begins with `start`.
fn after<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(start).filter_map(move |(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let begins = !before.is_some_and(is_word);
        begins.then(|| text.get(at + start.len()..)).flatten()
    })
}

fn word(text: &str, start: &str) -> bool {
    after(text, start).next().is_some()
}

fn call(text: &str, name: &str) -> bool {
    after(text, name).any(|rest| rest.trim_start().starts_with('('))
}

fn handler(text: &str) -> bool {
    after(text, "on").any(|rest| {
        let tail = rest.trim_start_matches(is_word);
        tail.len() < rest.len() && tail.trim_start().starts_with('=')
    })
}

fn escape(text: &str, letter: char, digits: usize) -> bool {
    text.match_indices('\\').any(|(at, _)| {
        let mut rest = text.get(at + 1..).unwrap_or_default().chars();
        rest.next() == Some(letter)
            && rest.by_ref().take(digits).filter(char::is_ascii_hexdigit).count() == digits
    })
}

fn enclosed(text: &str, open: &str, close: &str) -> bool {
    text.split_once(open).is_some_and(|(_, rest)| rest.contains(close))
}

fn dunder(text: &str) -> bool {
    let words = text.split(|c: char| !is_word(c));
    words.into_iter().any(|word| {
        word.split_once("__")
            .and_then(|(_, rest)| rest.trim_start_matches('_').split_once("__"))
            .is_some_and(|(name, _)| !name.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each pattern in order a text that has it, and one like it that has not.
    const TEXTS: [(&str, &str); 15] = [
        ("a <SCRIPT src=x>", "a script"),
        ("javascript:alert", "in javascript"),
        ("Data:text/html", "metadata: yes"),
        ("vbscript:x", "vbscript"),
        ("x onLoad = 1", "exponential = 2"),
        ("a/../b", "a..b"),
        ("\\x4a", "\\xyz"),
        ("\\u00e9", "\\u00"),
        ("<%= 1 %>", "5 <% 6"),
        ("${HOME}", "$5 {x}"),
        ("eval (1)", "medieval (old)"),
        ("exec(1)", "the exec of it"),
        ("import os", "an important thing"),
        ("require('x')", "we require (x"),
        ("a.__class__", "snake__case"),
    ];

    #[test]
    fn each_pattern_is_found_and_what_looks_like_it_is_not() {
        for ((name, _), (bad, good)) in PATTERNS.iter().zip(TEXTS) {
            assert_eq!(found(bad, bad).collect::<Vec<_>>(), [*name], "{bad}");
            let wrong = found(good, good).any(|found| found == *name && *name != "`require(`");
            assert!(!wrong, "{good} has {name}");
        }
        assert_eq!(found("A", "\\u0041").collect::<Vec<_>>(), ["an escape such as `\\u0041`"]);
    }
}
