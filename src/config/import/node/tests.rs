//! What is read, and what is refused, quickly and without a word of what was written.

use super::*;

fn error(text: &str) -> NodeError {
    match parse(text) {
        Ok(node) => panic!("{text:.60}: {node:?}"),
        Err(error) => error,
    }
}

fn place(text: &str) -> (u64, u64) {
    match error(text) {
        NodeError::Syntax { line, column, .. }
        | NodeError::TooMuch { line, column, .. }
        | NodeError::Invisible { line, column, .. } => (line, column),
    }
}

#[test]
fn yaml_and_json_are_one_tree() {
    let yaml = "a: 1\nb: [x, 2.5, true, ~]\nc: {d: \"e\"}\n";
    let json = "{\"a\": 1, \"b\": [\"x\", 2.5, true, null], \"c\": {\"d\": \"e\"}}";
    assert_eq!(parse(yaml), parse(json));
    assert_eq!(parse(&format!("\u{feff}{json}")), parse(json));
}

#[test]
fn json_may_have_comments_and_last_commas() {
    let json5 =
        "// first\n{\"a\": [1, 2, /* , */ ], \"b\": \"// no, /* no */ \\\" ,]\",\n}\n// last";
    let json = "{\"a\": [1, 2], \"b\": \"// no, /* no */ \\\" ,]\"}";
    assert_eq!(parse(json5), parse(json));
    assert_eq!(place("{\"a\": [1,, 2]}"), (1, 10));
    assert_eq!(place("{\n// käse\n\"a\": x}"), (3, 6));
    error("{\"a\": 1 /* for ever");
    error("{\"a\": 1} {}");
}

#[test]
fn a_key_stands_once() {
    assert_eq!(place("{\"a\": 1,\n \"a\": 2}").0, 2);
    assert_eq!(place("a: 1\na: 2\n").0, 2);
    assert_eq!(place("a:\n  b: 1\n  b: 2\n").0, 3);
}

#[test]
fn numbers_are_finite() {
    for text in ["a: .nan", "a: .inf", "a: -.inf", "{\"a\": NaN}", "{\"a\": 1e999}"] {
        error(text);
    }
    let huge = parse("{\"a\": 99999999999999999999}").unwrap();
    assert_eq!(huge, Node::Table(vec![("a".to_owned(), Node::Real(1e20))]));
}

#[test]
fn what_cannot_be_seen_is_refused() {
    for hidden in ["\u{200b}", "\u{202e}", "\u{0}", "\u{1b}", "\u{ad}", "\u{e0041}", "\u{feff}"] {
        assert_eq!(place(&format!("a: 1\nb: x{hidden}y\n")), (2, 5), "{hidden:?}");
        assert_eq!(place(&format!("{{\n\"b\": \"{hidden}\"}}")), (2, 7), "{hidden:?}");
    }
    assert!(parse("a: \"käse 🧀\"\r\n\tb: 1").is_err(), "a tab does not indent");
    assert!(parse("a: \"käse 🧀\"\r\nb: 1\r\n").is_ok());
}

#[test]
fn bombs_are_refused() {
    let deep = |open: &str, close: &str, n| open.repeat(n) + "1" + &close.repeat(n);
    let says = |text: &str, words: &str| {
        let error = error(text);
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.help().contains("alone"), "{error:?}");
    };
    says(&deep("[", "]", 40), "more than 32 deep");
    says(&deep("[", "]", 100_000), "more than 32 deep");
    says(&deep("{\"a\":", "}", 100_000), "more than 32 deep");
    says(&(0..1_000).map(|n| format!("{}a:\n", " ".repeat(n))).collect::<String>(), "32 deep");
    // Ten times as much at each step: a thousand million in the end.
    let mut laughs = "a0: &a0 [1,2,3,4,5,6,7,8,9,10]\n".to_owned();
    for n in 1..9 {
        let refers = vec![format!("*a{}", n - 1); 10].join(",");
        laughs += &format!("a{n}: &a{n} [{refers}]\n");
    }
    says(&laughs, "more than 10000 values");
    error("a: &a [*a]\n");
    says(&"- x\n".repeat(200_000), "more than 100000 values");
    error("a: 1\n---\nb: 2\n");
    error("a: *nobody\n");
}

#[test]
fn an_error_quotes_nothing_but_a_key() {
    for text in ["num_retries: 1\nnum_retries: 2\n", "{\"num_retries\": 1, \"num_retries\": 2}"] {
        assert!(error(text).to_string().contains("num_retries"), "{}", error(text));
    }
    for text in [
        "{\"api_key\": \"planted-secret\" \"x\"}",
        "{\"api_key\": planted-secret}",
        "api_key: \"planted-secret\n",
        "api_key: planted-secret\n  master: [planted-secret\n",
        "api_key: planted-secret: planted-secret\n",
        "a: *planted-secret\n",
        "sk-planted-secret: 1\nsk-planted-secret: 2\n",
        "{\"sk-planted-secret\": 1, \"sk-planted-secret\": 2}",
        "a: !planted-secret {b: 1}\nc: [",
    ] {
        let said = error(text).to_string();
        assert!(!said.contains("planted-secret"), "{said}");
    }
}
