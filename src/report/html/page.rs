//! The page: the template, with style, script and data put in.
//!
//! Nothing of a run is ever written as HTML but the title, which is escaped; all else is JSON in a
//! data block, in which no `<`, `>` or `&` is left, so that nothing in it can end the block.

use std::io::{self, BufWriter, Write};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

const TEMPLATE: &str = include_str!("assets/report.html");

/// In the order in which they apply.
const STYLES: &[&str] = &[
    include_str!("assets/base.css"),
    include_str!("assets/panels.css"),
    include_str!("assets/widgets.css"),
];

/// What shows the head of the page, in the order in which it is read.
pub(super) const FIRST_SCRIPTS: &[&str] = &[
    include_str!("assets/text.js"),
    include_str!("assets/dom.js"),
    include_str!("assets/widgets.js"),
    include_str!("assets/head.js"),
];

/// The rest, which reads the events: it begins once the head has been painted.
pub(super) const SCRIPTS: &[&str] = &[
    include_str!("assets/data.js"),
    include_str!("assets/model.js"),
    include_str!("assets/filter.js"),
    include_str!("assets/scene.js"),
    include_str!("assets/paint.js"),
    include_str!("assets/diagram.js"),
    include_str!("assets/scrubber.js"),
    include_str!("assets/detail.js"),
    include_str!("assets/requests.js"),
    include_str!("assets/charts.js"),
    include_str!("assets/checks.js"),
    include_str!("assets/now.js"),
    include_str!("assets/events.js"),
    include_str!("assets/main.js"),
];

/// Begins with the rest after the next frame or, where there are no frames, after a while.
const BEGIN: &str = "
let hasBegun = false;
const begin = () => { if (!hasBegun) { hasBegun = true; rest(); } };
if (showHead()) { requestAnimationFrame(() => setTimeout(begin)); setTimeout(begin, 500); }
";

/// What is put in, in the order in which it stands in the template.
const PLACES: [&str; 6] =
    ["{{policy}}", "{{title}}", "{{style}}", "{{run}}", "{{events}}", "{{script}}"];

/// The scripts of a page of many runs.
pub(super) const SWEEP_SCRIPTS: &[&str] = &[
    include_str!("assets/text.js"),
    include_str!("assets/dom.js"),
    include_str!("assets/paint.js"),
    include_str!("assets/sweep.js"),
];

/// The scripts of a page of a comparison.
pub(super) const COMPARE_SCRIPTS: &[&str] = &[
    include_str!("assets/text.js"),
    include_str!("assets/dom.js"),
    include_str!("assets/compare.js"),
];

/// The whole script of a page of one run.
pub(super) fn run_script() -> String {
    let (first, rest) = (FIRST_SCRIPTS.concat(), SCRIPTS.concat());
    closed(&format!("{first}\nconst rest = () => {{\n{rest}}};\n{BEGIN}"))
}

/// The whole script of a page of many runs.
pub(super) fn sweep_script() -> String {
    closed(&SWEEP_SCRIPTS.concat())
}

/// The whole script of a page of a comparison.
pub(super) fn compare_script() -> String {
    closed(&COMPARE_SCRIPTS.concat())
}

/// A script that leaves nothing behind.
fn closed(script: &str) -> String {
    format!("(() => {{\n\"use strict\";\n{script}}})();\n")
}

/// Writes a page: its title, its script, and what the script reads.
pub(super) fn write(
    title: &str,
    script: &str,
    (head, events): (&impl Serialize, &impl Serialize),
    output: impl Write,
) -> io::Result<()> {
    let style = STYLES.concat();
    // Nothing may be fetched, and no other script or style may run, wherever it came from.
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        digest(&style),
        digest(script)
    );
    let mut output = BufWriter::new(output);
    let mut rest = TEMPLATE;
    for place in PLACES {
        let (before, after) = rest.split_once(place).unwrap_or((rest, ""));
        output.write_all(before.as_bytes())?;
        rest = after;
        match place {
            "{{policy}}" => output.write_all(policy.as_bytes())?,
            "{{title}}" => output.write_all(escaped(title).as_bytes())?,
            "{{style}}" => output.write_all(style.as_bytes())?,
            "{{script}}" => output.write_all(script.as_bytes())?,
            "{{run}}" => serde_json::to_writer(Escaping(&mut output), head)?,
            _ => serde_json::to_writer(Escaping(&mut output), events)?,
        }
    }
    output.write_all(rest.as_bytes())?;
    output.flush()
}

fn digest(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// A text as HTML.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            character => html.push(character),
        }
    }
    html
}

/// Writes JSON so that it can stand in a data block of HTML: in JSON, `<`, `>` and `&` are found in
/// texts only, where they can be written otherwise.
pub(super) struct Escaping<W>(pub(super) W);

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while let Some(place) = rest.iter().position(|byte| matches!(byte, b'<' | b'>' | b'&')) {
            let (before, from) = rest.split_at(place);
            self.0.write_all(before)?;
            let Some((byte, after)) = from.split_first() else { break };
            write!(self.0, "\\u{:04x}", u32::from(*byte))?;
            rest = after;
        }
        self.0.write_all(rest)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
