//! Traces: each format, each bad line, and the real ones where they are at hand.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::scenario::{TraceReader, TraceRow};

const AZURE: &str = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
const BURST: &str = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n";

/// Reads a trace from a file named `t`; an error is the item that ends it.
fn read_with(
    bytes: impl AsRef<[u8]>,
    set: impl Fn(TraceReader) -> TraceReader,
) -> (Vec<TraceRow>, Option<String>, u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t");
    fs::write(&path, bytes).expect("a file");
    let place = format!("{}/", folder.path().display());
    let mut reader = match TraceReader::open(&path) {
        Ok(reader) => set(reader),
        Err(error) => return (Vec::new(), Some(error.to_string().replace(&place, "")), 0),
    };
    let (mut rows, mut failed) = (Vec::new(), None);
    for row in &mut reader {
        assert!(failed.is_none(), "nothing comes after an error");
        match row {
            Ok(row) => rows.push(row),
            Err(error) => failed = Some(error.to_string().replace(&place, "")),
        }
    }
    assert!(reader.next().is_none());
    (rows, failed, reader.skipped())
}

#[track_caller]
fn good(bytes: impl AsRef<[u8]>) -> Vec<TraceRow> {
    let (rows, failed, _) = read_with(bytes, |reader| reader);
    assert_eq!(failed, None);
    rows
}

#[track_caller]
fn bad(bytes: impl AsRef<[u8]>, expected: &str) {
    let (_, failed, _) = read_with(bytes, |reader| reader);
    let failed = failed.expect("an error");
    assert!(failed.starts_with(expected), "expected {expected:?}, found {failed:?}");
}

fn row(nanos: u64, input_tokens: u32, output_tokens: u32, failed: bool) -> TraceRow {
    TraceRow { at: Duration::from_nanos(nanos), input_tokens, output_tokens, failed }
}

#[test]
fn azure() {
    let text =
        format!("{AZURE}2023-11-16 23:59:59.9799600,4808,10\n2023-11-17 00:00:00.0319601,3180,8");
    let expected = [row(0, 4808, 10, false), row(52_000_100, 3180, 8, false)];
    assert_eq!(good(&text), expected);
    assert_eq!(good(text.replace('\n', "\r\n")), expected);
    assert_eq!(good(format!("\u{feff}{text}\n\n")), expected);
    let zoned = format!("{AZURE}2024-05-10 00:00:00.009930+00:00,1,2\n2024-05-10 00:00:01Z,3,4\n");
    assert_eq!(good(zoned), [row(0, 1, 2, false), row(990_070_000, 3, 4, false)]);
}

#[test]
fn burst_gpt() {
    let text =
        format!("{BURST}5,ChatGPT,472,18,490,Conversation log\n5.25,GPT-4,1087,0,1087,API log\n");
    assert_eq!(good(text), [row(0, 472, 18, false), row(250_000_000, 1087, 0, true)]);
    let wider = "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n\
                 1,7,0.5,GPT-4,3,4,7,API log\n";
    assert_eq!(good(wider), [row(0, 3, 4, false)]);
}

#[test]
fn mooncake() {
    let text = "{\"timestamp\": 100, \"input_length\": 6758, \"output_length\": 500, \"hash_ids\": [0, 1]}\n\
                {\"timestamp\": 3100, \"input_length\": 1, \"output_length\": 2, \"hash_ids\": []}";
    assert_eq!(good(text), [row(0, 6758, 500, false), row(3_000_000_000, 1, 2, false)]);
}

#[test]
fn no_trace() {
    bad("", "t: no requests");
    bad(AZURE, "t: no requests");
    bad(format!("{BURST}\n\n"), "t: no requests");
    bad("a,b,c\n1,2,3\n", "t:1: not a known trace: expected the header of an Azure trace");
    bad("\u{feff}", "t:1: not a known trace");
    bad([0xff, 0xfe, 0, b'\n'], "t:1: not a known trace");
    bad(vec![b'x'; 3_000_000], "t:1: not a known trace");
    let gone = TraceReader::open(Path::new("nowhere/t.csv")).expect_err("not there");
    assert!(gone.to_string().starts_with("cannot read the trace nowhere/t.csv"));
    let folder = tempfile::tempdir().expect("a folder");
    assert!(TraceReader::open(folder.path()).is_err());
}

#[test]
fn bad_lines() {
    let first = "2023-11-16 18:17:03.9799600,1,2\n";
    let azure = |line: &str, expected: &str| {
        bad(format!("{AZURE}{first}{line}\n{first}"), &format!("t:3: {expected}"));
    };
    azure("2023-11-16 18:17:03.9799600,1", "expected 3 columns, found 2");
    azure("2023-11-16 18:17:03.9799600,1,2,3", "expected 3 columns, found 4");
    azure("2023-11-16 18:17:04,x,2", "expected a number of tokens in ContextTokens, found \"x\"");
    azure(
        "2023-11-16 18:17:04,1,-2",
        "expected a number of tokens in GeneratedTokens, found \"-2\"",
    );
    azure("2023-11-16 18:17:04,1,4294967296", "expected a number of tokens in GeneratedTokens");
    azure("2023-11-16 18:17:04,1,", "expected a number of tokens in GeneratedTokens, found \"\"");
    for time in [
        "yesterday",
        "2023-11-16",
        "2023-13-16 18:17:03",
        "2023-11-16 18:17:03+02:00",
        "2023-11-16 18:17:03-02:00",
        "2023-11-16 18:17:03[Europe/Berlin]",
    ] {
        azure(
            &format!("{time},1,2"),
            "expected a time such as 2023-11-16 18:17:03.9799600 in TIMESTAMP",
        );
    }
    azure("2023-11-16 18:17:03.9799599,1,2", "earlier than a request before it");
    azure("2193-11-16 18:17:03.9799599,1,2", "more than a hundred years");
    azure(&"9".repeat(2_000_000), "the line is longer than 1024 KiB");
    bad([AZURE.as_bytes(), b"\xff,1,2\n"].concat(), "t:2: expected UTF-8 text");
    let burst =
        |line: &str, expected: &str| bad(format!("{BURST}{line}\n"), &format!("t:2: {expected}"));
    burst(
        "-1,GPT-4,1,2,3,API log",
        "expected seconds, 0 or more with at most 9 decimals, in Timestamp, found \"-1\"",
    );
    burst("1e9,GPT-4,1,2,3,API log", "expected seconds");
    burst("99999999999999999999999999999999,GPT-4,1,2,3,API log", "expected seconds");
    burst("1,GPT-4,1.5,2,3,API log", "expected a number of tokens in Request tokens");
    burst("1,GPT-4,1,,3,API log", "expected a number of tokens in Response tokens");
    burst("1,GPT-4,1,2,3", "expected 6 columns, found 5");
    let mooncake = |line: &str| bad(line, "t:1: expected a JSON object with timestamp (ms)");
    mooncake("{");
    mooncake("{\"timestamp\": 1, \"input_length\": 2}");
    mooncake("{\"timestamp\": -1, \"input_length\": 2, \"output_length\": 3}");
    mooncake("{\"timestamp\": 1, \"input_length\": \"2\", \"output_length\": 3}");
    mooncake(&format!("{{\"hash_ids\": {}", "[".repeat(100_000)));
}

#[test]
fn bad_lines_are_skipped_and_counted() {
    let text = format!(
        "{AZURE}x\n2023-11-16 18:17:03,1,2\n{}\n2023-11-16 18:17:02,1,2\n2023-11-16 18:17:04,3,4\n2023-11-16 18:17:05,3",
        "9".repeat(3_000_000)
    );
    let (rows, failed, skipped) = read_with(text, |reader| reader.skip_bad(true));
    assert_eq!((failed, skipped), (None, 4));
    assert_eq!(rows, [row(0, 1, 2, false), row(1_000_000_000, 3, 4, false)]);
    let (rows, failed, skipped) =
        read_with(format!("{AZURE}x\ny\n"), |reader| reader.skip_bad(true));
    assert_eq!((rows.len(), failed.as_deref(), skipped), (0, Some("t: no requests"), 2));
}

#[test]
fn scaled_and_limited() {
    let text = format!("{BURST}10,m,1,2,3,l\n20,m,1,2,3,l\n30,m,1,2,3,l\n");
    let (rows, _, _) = read_with(&text, |reader| reader.scale(100).limit(2));
    assert_eq!(rows, [row(0, 1, 2, false), row(1_000_000_000, 1, 2, false)]);
    let (rows, failed, _) = read_with(&text, |reader| reader.scale(u64::MAX));
    assert_eq!(rows.len(), 1);
    assert!(failed.expect("too late").contains("too late once scaled"));
}

#[test]
fn the_real_traces() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if !folder.is_dir() {
        println!("skipped: the real traces are not at hand");
        return;
    }
    for (name, requests) in [("code", 8_819), ("conv", 19_366)] {
        let path = folder.join(format!("AzureLLMInferenceTrace_{name}.csv"));
        let rows: Result<Vec<_>, _> = TraceReader::open(&path).expect("a trace").collect();
        let rows = rows.expect("every line is good");
        assert_eq!(rows.len(), requests);
        let last = rows[requests - 1].at;
        assert!(last > Duration::from_secs(3000) && last < Duration::from_secs(3700), "{last:?}");
    }
}
