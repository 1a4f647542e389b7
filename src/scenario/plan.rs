//! A sim as it is under one seed, written as a plain sim: the faults that chaos drew stand in it as
//! `[[fault]]` tables, and configurations that lie beside it stand in it as `text`.
//!
//! The rest of the text stays as it is, comments included. What is written reads back as exactly the
//! same faults: nothing is rounded.

use std::time::Duration;

use toml_edit::{
    Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value, value as item,
};

use super::model::{
    CallErrors, Connections, ErrorMix, Fault, FaultKind, Partition, RetryAfter, ServiceFault, Sim,
};
use super::units::{PPM, duration_text};
use crate::world::{Delay, LinkPatch, Probability, Seed};

/// Why a sim could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the sim cannot be written as a plan: {0}")]
pub struct PlanError(String);

/// The text of a sim that has the same history under this seed, no chaos, and no configuration beside
/// it. A trace stays a file.
///
/// # Errors
///
/// A [`PlanError`] if the text of the sim is not what a sim is made of.
pub fn plan_text(sim: &Sim, seed: Seed) -> Result<String, PlanError> {
    let text = sim.source_text();
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| PlanError(error.to_string()))?;
    for (name, contents) in &sim.beside {
        put_inside(&mut document, name, contents);
    }
    let Some(chaos) = document.remove("chaos") else {
        // A text that nothing was done to stays as it is, to the last blank.
        let is_whole = sim.beside.is_empty();
        return Ok(if is_whole { text.to_owned() } else { document.to_string() });
    };
    document.insert("seeds", seeds(seed));
    if let Some(healing) = sim.healing {
        let mut table = Table::new();
        table.insert("after", item(duration_text(healing.after)));
        table.insert("within", item(duration_text(healing.within)));
        // Where [chaos] was.
        table.set_position(chaos.as_table().and_then(Table::position));
        document.insert("healing", Item::Table(table));
    }
    let written = document.entry("fault").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let tables = match std::mem::take(written).into_array_of_tables() {
        Ok(mut tables) => {
            let under = sim.under(seed);
            let drawn = under.faults.iter().skip(sim.faults.len());
            drawn.for_each(|fault| tables.push(table(fault)));
            tables
        }
        Err(_) => return Err(PlanError("fault is not a list of tables".to_owned())),
    };
    if tables.is_empty() {
        document.remove("fault");
    } else {
        *written = Item::ArrayOfTables(tables);
    }
    Ok(document.to_string())
}

/// Writes what a configuration beside the sim says into the sim, wherever it is named.
fn put_inside(document: &mut DocumentMut, name: &str, contents: &str) {
    let put = |table: Option<&mut dyn TableLike>| {
        let file = table.and_then(|table| table.get_mut("file")?.as_table_like_mut());
        if let Some(file) = file
            && file.get("name").and_then(Item::as_str) == Some(name)
            && !file.contains_key("text")
        {
            file.insert("text", item(contents));
        }
    };
    put(document.get_mut("resilience").and_then(Item::as_table_like_mut));
    match document.get_mut("change") {
        Some(Item::ArrayOfTables(changes)) => {
            changes.iter_mut().for_each(|change| put(Some(change)));
        }
        Some(Item::Value(Value::Array(changes))) => {
            let tables = changes.iter_mut().filter_map(Value::as_inline_table_mut);
            tables.for_each(|change| put(Some(change)));
        }
        _ => {}
    }
}

fn seeds(seed: Seed) -> Item {
    // TOML's integers have a sign.
    let seed = i64::try_from(seed.0).map_or_else(|_| Value::from(seed.to_string()), Value::from);
    item(Array::from_iter([seed]))
}

/// A fault as a `[[fault]]` table.
fn table(fault: &Fault) -> Table {
    let mut table = Table::new();
    table.insert("at", item(duration_text(fault.at)));
    if let Some(lasts) = fault.r#for {
        table.insert("for", item(duration_text(lasts)));
    }
    table.insert(fault.kind.key(), item(kind(&fault.kind)));
    table
}

fn kind(kind: &FaultKind) -> InlineTable {
    match kind {
        FaultKind::Partition(Partition::Between(one, other)) => {
            let sides = Array::from_iter([one.as_str(), other.as_str()]);
            inline([("between", Some(sides.into()))])
        }
        FaultKind::Partition(Partition::OneWay { from, to }) => {
            inline([("from", Some(from.as_str().into())), ("to", Some(to.as_str().into()))])
        }
        FaultKind::Partition(Partition::Isolate(node)) => {
            inline([("isolate", Some(node.as_str().into()))])
        }
        FaultKind::Crash { node }
        | FaultKind::Pause { node }
        | FaultKind::DiskFull { node }
        | FaultKind::DiskLost { node } => inline([("node", Some(node.as_str().into()))]),
        FaultKind::Clock { node, skew_ns, drift_ppm } => {
            let sign = if *skew_ns < 0 { "-" } else { "" };
            let skew = duration_text(Duration::from_nanos(skew_ns.unsigned_abs()));
            let drift = i64::from(*drift_ppm);
            inline([
                ("node", Some(node.as_str().into())),
                ("skew", (*skew_ns != 0 || drift == 0).then(|| format!("{sign}{skew}").into())),
                ("drift_ppm", (drift != 0).then(|| drift.into())),
            ])
        }
        FaultKind::Link { from, to, both, patch } => {
            let ends = [
                ("from", Some(from.as_str().into())),
                ("to", Some(to.as_str().into())),
                ("both", Some((*both).into())),
            ];
            inline(ends.into_iter().chain(link(patch)))
        }
        FaultKind::Backend { name, errors, retry_after, tells_end, first_token } => inline([
            ("name", Some(name.as_str().into())),
            ("errors", errors.as_ref().map(|errors| mix(errors).into())),
            ("retry_after", retry_after.as_ref().map(come_back)),
            ("tells_end", tells_end.then(|| true.into())),
            ("first_token", first_token.as_ref().map(delay)),
        ]),
        FaultKind::Service(fault) => service(fault),
        FaultKind::Sidecar { memory, connections } => inline([
            ("memory", memory.map(|bytes| format!("{bytes}B").into())),
            ("connections", connections.map(|count| i64::from(count).into())),
        ]),
        FaultKind::Dns { node } => inline([("node", Some(node.as_str().into()))]),
        FaultKind::Point { site, rate } => {
            inline([("site", Some(site.as_str().into())), ("rate", Some(percent(*rate)))])
        }
    }
}

fn link(patch: &LinkPatch) -> [(&'static str, Option<Value>); 6] {
    let LinkPatch { latency, loss, duplicate, reorder, corrupt, bandwidth } = patch;
    [
        ("latency", latency.as_ref().map(delay)),
        ("loss", loss.map(percent)),
        ("duplicate", duplicate.map(percent)),
        ("reorder", reorder.map(percent)),
        ("corrupt", corrupt.map(percent)),
        ("bandwidth", bandwidth.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX).into())),
    ]
}

fn mix(errors: &ErrorMix) -> InlineTable {
    let parts = errors.parts();
    let some = parts.iter().filter(|(_, share)| *share != Probability::NEVER);
    inline(some.map(|(kind, share)| (kind.as_str(), Some(percent(*share)))))
}

fn come_back(retry_after: &RetryAfter) -> Value {
    match retry_after {
        RetryAfter::Seconds(wait) => duration_text(*wait).into(),
        RetryAfter::Millis(wait) => inline([("ms", Some(duration_text(*wait).into()))]).into(),
        RetryAfter::Date(wait) => inline([("date", Some(duration_text(*wait).into()))]).into(),
        RetryAfter::Raw(text) => inline([("raw", Some(text.as_str().into()))]).into(),
    }
}

fn service(fault: &ServiceFault) -> InlineTable {
    let ServiceFault { name, operation, down, hang, lose_connections, errors, latency } = fault;
    inline([
        ("name", Some(name.as_str().into())),
        ("operation", operation.as_deref().map(Value::from)),
        ("down", down.then(|| true.into())),
        ("hang", hang.then(|| true.into())),
        (
            "lose_connections",
            lose_connections.map(|lost| match lost {
                Connections::All => true.into(),
                Connections::Some(count) => i64::from(count).into(),
            }),
        ),
        (
            "errors",
            errors.map(|CallErrors { failure, silence, reset }| {
                let shares = [("failure", failure), ("silence", silence), ("reset", reset)];
                let some = shares.into_iter().filter(|(_, share)| *share != Probability::NEVER);
                inline(some.map(|(name, share)| (name, Some(percent(share))))).into()
            }),
        ),
        ("latency", latency.as_ref().map(delay)),
    ])
}

fn delay(delay: &Delay) -> Value {
    let text = |duration: &Duration| Value::from(duration_text(*duration));
    match delay {
        Delay::Fixed(fixed) => text(fixed),
        Delay::Uniform { min, max } => {
            inline([("uniform", Some(Array::from_iter([text(min), text(max)]).into()))]).into()
        }
        Delay::LogNormal { p50, p99 } => {
            let percentiles = inline([("p50", Some(text(p50))), ("p99", Some(text(p99)))]);
            inline([("lognormal", Some(percentiles.into()))]).into()
        }
        Delay::Empirical(values) => {
            inline([("empirical", Some(values.iter().map(text).collect::<Array>().into()))]).into()
        }
    }
}

/// `12.5%`: four decimals are a part per million.
fn percent(share: Probability) -> Value {
    let (whole, rest) = (share.as_ppm() / (PPM / 100), share.as_ppm() % (PPM / 100));
    let decimals = format!("{rest:04}");
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{whole}{point}{decimals}%").into()
}

fn inline<'a>(fields: impl IntoIterator<Item = (&'a str, Option<Value>)>) -> InlineTable {
    let fields = fields.into_iter();
    fields.filter_map(|(name, value)| Some((name, value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    const STACK: &str = r#"# Stays.
purpose = "p" # stays too
seeds = [1, 2]
[sidecar]
[router]
primary = "opus"
fallback = ["gpt"]
[[backend]]
name = "opus"
[[backend]]
name = "gpt"
[[agent]]
name = "rust"
count = 5
[[service]]
name = "db"
kind = "database"
[[service]]
name = "rpc"
[[caller]]
name = "reader"
service = "db"
operations = ["read"]
"#;

    #[test]
    fn what_is_drawn_reads_back_as_it_was() {
        let chaos = "[[fault]]\nat = \"1s\"\nfor = \"2s\"\npause = { node = \"gpt\" }\n\
                     [chaos]\nuntil = \"90s\"\nheal_within = \"30s\"\nat_once = 100\n\
                     faults = { per_minute = 20 }\npoints = { arm = \"50%\", rate = \"0.5%\" }\n";
        let sim = parse("sims/a.toml", &format!("{STACK}{chaos}")).unwrap();
        for seed in (0..40).chain([u64::MAX]).map(Seed) {
            let text = plan_text(&sim, seed).unwrap();
            let plain = parse("sims/a.toml", &text).unwrap_or_else(|error| panic!("{error:?}"));
            assert_eq!(plain.faults, sim.under(seed).faults, "{seed}");
            assert_eq!((plain.chaos, plain.healing), (None, sim.healing));
            assert_eq!(plain.seeds, [seed.0]);
            assert!(text.starts_with("# Stays.\npurpose = \"p\" # stays too\n"), "{text}");
        }
    }

    #[test]
    fn every_shape_of_a_fault_reads_back_as_it_was() {
        let faults = r#"
[chaos]
until = "1m"
[[fault]]
at = "1s"
partition = { between = ["router", "opus"] }
[[fault]]
at = "1s"
for = "1.5s"
partition = { isolate = "opus" }
[[fault]]
at = "1s"
clock = { node = "rust", skew = "-1.5s", drift_ppm = -7 }
[[fault]]
at = "1s"
clock = { node = "rust", skew = "0s" }
[[fault]]
at = "1s"
link = { from = "rust-*", to = "router", both = false, bandwidth = 100, loss = "0.0001%", latency = { lognormal = { p50 = "1ms", p99 = "3ms" } } }
[[fault]]
at = "1s"
link = { from = "rust", to = "router", latency = { empirical = ["1ms", "2us"] } }
[[fault]]
at = "1s"
backend = { name = "opus", errors = { cut = "12.5%", stall = "1%" }, retry_after = { date = "3s" }, first_token = "1s" }
[[fault]]
at = "1s"
backend = { name = "opus", retry_after = { raw = "so\"on" } }
[[fault]]
at = "1s"
backend = { name = "opus", retry_after = { ms = "1ns" } }
[[fault]]
at = "1s"
service = { name = "db", lose_connections = 3, latency = "1s" }
[[fault]]
at = "1s"
service = { name = "db", lose_connections = true }
[[fault]]
at = "1s"
service = { name = "db", operation = "read", down = true, hang = true, errors = { failure = "1%", reset = "2%" } }
"#;
        let sim = parse("sims/a.toml", &format!("{STACK}{faults}")).unwrap();
        for fault in &sim.faults {
            let mut document = DocumentMut::new();
            document.insert("fault", Item::ArrayOfTables(ArrayOfTables::from_iter([table(fault)])));
            let text = format!("{STACK}{document}");
            let plain =
                parse("sims/a.toml", &text).unwrap_or_else(|error| panic!("{text}\n{error:?}"));
            assert_eq!(plain.faults, std::slice::from_ref(fault));
        }
    }

    #[test]
    fn a_configuration_beside_the_sim_is_put_inside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("x.toml", "# \"\"\" and '''\nretry_attempts = 6\n");
        write("y.json", "{");
        let tables = "[resilience]\nfile = { name = \"x.toml\" }\n\
                      [[change]]\nat = \"1s\"\n[change.file]\nname = \"y.json\"\n\
                      [[change]]\nat = \"2s\"\nfile = { name = \"x.toml\", text = \"a = 1\" }\n";
        write("a.toml", &format!("{STACK}{tables}"));
        let sim = crate::scenario::load(&path).unwrap();
        assert_eq!(sim.beside.len(), 2);
        let text = plan_text(&sim, Seed(1)).unwrap();
        let plain = parse("sims/a.toml", &text).unwrap_or_else(|error| panic!("{text}\n{error:?}"));
        assert_eq!(plain.operators, sim.operators);
        let attempts =
            |sim: &Sim| sim.router.resilience.as_ref().unwrap().config().operation("qa").attempts;
        assert_eq!((attempts(&plain), attempts(&sim)), (6, 6));
        assert!(plain.beside.is_empty());
        // As a text alone it cannot be read, and says why.
        let error = format!("{:?}", parse("sims/a.toml", sim.source_text()).unwrap_err());
        assert!(error.contains("lies beside a sim") && error.contains("load the sim"), "{error}");
    }

    #[test]
    fn a_sim_without_chaos_stays_as_it_is() {
        let sim = parse("sims/a.toml", STACK).unwrap();
        assert_eq!(plan_text(&sim, Seed(1)).unwrap(), STACK);
    }
}
