//! `seedbed explain`: where two histories part and what made the difference, or what each fault of a
//! plan does.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use clap::{ArgGroup, Args};

use super::{
    error::CliError,
    exit::Exit,
    list::pretty,
    options::{Format, seed},
    screen::Screen,
    shrink::concrete,
    sims::{self, Entry},
    sweep::told::clean,
};
use crate::{
    explore::{
        Explanation, Glance, History, Options, Origin, RunError, Side, Without, explain, recorded,
        without_each_fault,
    },
    observe::LINE_BYTES_MAX,
    report::{
        event,
        text::{counted, mark},
    },
    scenario::{self, duration_text},
    world::{LOG_VERSION, Record, Seed, Time},
};

/// What to explain.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["against", "faults"]))]
pub(super) struct ExplainArgs {
    /// A file, or a name relative to sims/, as in ccr/baseline
    #[arg(value_name = "SIM")]
    sim: PathBuf,
    /// The seed (decimal, or hexadecimal after 0x)
    #[arg(long, value_name = "SEED", value_parser = seed, allow_hyphen_values = true)]
    seed: Seed,
    /// Compare with this: another seed, another sim with the same seed, or a recorded history, a
    /// file that ends in .jsonl or .zst
    #[arg(long, value_name = "WHAT")]
    against: Option<String>,
    /// Run the seed again without each fault of the plan, and rank them by what that changes
    #[arg(long)]
    faults: bool,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(args: ExplainArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let entry = sims::load_one(&args.sim)?;
    let Some(against) = &args.against else { return faults(&entry, &args, screen) };
    let left = history(&entry, args.seed)?;
    let left_name = format!("{} seed {}", entry.sim.name, args.seed);
    let (right, right_name) = other(&entry, args.seed, against)?;
    let found = explain(&left, &right);
    match args.format {
        Format::Json => screen.data(&pretty(&found)?)?,
        Format::Text => screen.data(&told(&found, (&left_name, &right_name)))?,
    }
    if left_name == right_name && found.difference.is_some() {
        screen.talk(&format!("{left_name} has two histories; `seedbed verify` says more\n"));
        return Ok(Exit::Nondeterminism);
    }
    Ok(Exit::Ok)
}

fn history(entry: &Entry, seed: Seed) -> Result<History, CliError> {
    let options = Options::default();
    let failed = |error: RunError| CliError::Run { error, replay: entry.replay(seed, &options) };
    recorded(&entry.sim, seed, &options).map(|(_, history)| history).map_err(failed)
}

/// What a history is compared with, and what it is called.
fn other(entry: &Entry, of: Seed, against: &str) -> Result<(History, String), CliError> {
    if let Ok(other) = seed(against) {
        return Ok((history(entry, other)?, format!("{} seed {other}", entry.sim.name)));
    }
    let path = Path::new(against);
    if path.extension().is_some_and(|extension| extension == "jsonl" || extension == "zst") {
        let (history, of) = read(path)?;
        return Ok((history, format!("{against}{of}")));
    }
    let other = sims::load_one(path)?;
    Ok((history(&other, of)?, format!("{} seed {of}", other.sim.name)))
}

/// Reads a history that `replay` has written, with its heading or without; the heading says whose it
/// is.
fn read(path: &Path) -> Result<(History, String), CliError> {
    let wrong = |message: String| {
        CliError::usage(
            format!("{}: {message}", path.display()),
            "record one with `seedbed replay SIM --seed S --log FILE`",
        )
    };
    let file = File::open(path).map_err(|error| wrong(error.to_string()))?;
    let plain: Box<dyn Read> = if path.extension().is_some_and(|extension| extension == "zst") {
        Box::new(zstd::Decoder::new(file).map_err(|error| wrong(error.to_string()))?)
    } else {
        Box::new(file)
    };
    let mut input = BufReader::new(plain);
    let (mut history, mut number, mut of) = (History::default(), 0_u64, String::new());
    loop {
        number += 1;
        let mut line = Vec::new();
        let mut bounded = input.by_ref().take(LINE_BYTES_MAX + 1);
        let length = bounded.read_until(b'\n', &mut line);
        if length.map_err(|error| wrong(format!("line {number}: {error}")))? == 0 {
            break;
        }
        if line.len() as u64 > LINE_BYTES_MAX {
            return Err(wrong(format!("line {number}: longer than {LINE_BYTES_MAX} bytes")));
        }
        if number == 1
            && let Some(whose) = heading(&line).map_err(wrong)?
        {
            of = whose;
            continue;
        }
        let record: Record = serde_json::from_slice(&line)
            .map_err(|error| wrong(format!("line {number}: {error}")))?;
        if record.seq != history.records.len() as u64 + 1 && !history.is_cut {
            return Err(wrong(format!("line {number}: event {} is out of place", record.seq)));
        }
        history.push(|| record);
    }
    if history.records.is_empty() {
        Err(wrong("there is no event in it".into()))
    } else {
        Ok((history, of))
    }
}

/// Whose history it is, if a line is a heading of a version that can be read.
fn heading(line: &[u8]) -> Result<Option<String>, String> {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(line) else { return Ok(None) };
    match value.get("version").map(serde_json::Value::as_u64) {
        None => Ok(None),
        Some(Some(version)) if version == u64::from(LOG_VERSION) => {
            let sim = value.get("sim").and_then(serde_json::Value::as_str);
            let seed = value.get("seed").map(|seed| clean(&seed.to_string()));
            let of = sim.zip(seed).map(|(sim, seed)| format!(", of {} seed {seed}", clean(sim)));
            Ok(Some(of.unwrap_or_default()))
        }
        Some(_) => Err(format!("line 1: only version {LOG_VERSION} of logs can be read")),
    }
}

fn told(found: &Explanation, (left, right): (&str, &str)) -> String {
    let mut text = format!("left   {left}\nright  {right}\n");
    for (side, plans) in [("left", &found.only_left_plans), ("right", &found.only_right_plans)] {
        for plan in plans {
            text += &format!("only the {side} plans: {plan}\n");
        }
    }
    if found.is_cut {
        text += "a history was too long to be kept whole: this is its beginning\n";
    }
    let Some(difference) = &found.difference else {
        return text + &format!("no difference in {}\n", counted(found.same, "event"));
    };
    text += &format!(
        "same for {}, until {}\n",
        counted(found.same, "event"),
        Time::from_nanos(found.same_until_ns)
    );
    if let Some(origin) = &found.origin {
        text += &format!("{}\n", origin_text(origin));
    }
    text += &format!("differs: {}\n", difference.differs.join(", "));
    for (side, chain) in [("left", &found.led_left), ("right", &found.led_right)] {
        text += &format!("\n{side}, and what led to it:\n");
        if chain.is_empty() {
            text += "  it has ended\n";
        }
        for record in chain {
            text += &format!("  #{} {}\n", record.seq, event::line(record, 0));
        }
    }
    match &found.first_other_deed {
        None => text += "\nonly times differ: what is done is the same to the end\n",
        Some(deed) if deed != difference => {
            text += "\nthe first thing that is done otherwise:\n";
            for (side, record) in [("left", &deed.left), ("right", &deed.right)] {
                let line = record.as_ref().map(|it| format!("#{} {}", it.seq, event::line(it, 0)));
                text += &format!("  {side:<5}  {}\n", line.as_deref().unwrap_or("it has ended"));
            }
        }
        Some(_) => {}
    }
    text
}

fn origin_text(origin: &Origin) -> String {
    let side = |side: &Side| match side {
        Side::Left => "left",
        Side::Right => "right",
    };
    match origin {
        Origin::Fault { fault } => format!("it begins with the fault: {fault}"),
        Origin::Link { from, to, differs } => {
            format!("it begins on the link {from} → {to}: another {}", differs.join(", "))
        }
        Origin::Pause { node, event, first_on, by_ns } => format!(
            "it begins with a delay on {node}: {event} comes {} later than on the {}",
            duration_text(std::time::Duration::from_nanos(*by_ns)),
            side(first_on)
        ),
        Origin::Decision { node, event, differs } => {
            format!("it begins with what {node} does: {event} with another {}", differs.join(", "))
        }
        Origin::OneSided { side: on, node, event } => {
            format!("it begins with {event} on {node}, which only happens on the {}", side(on))
        }
    }
}

/// What each fault of the plan does.
fn faults(entry: &Entry, args: &ExplainArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let options = Options::default();
    let name = entry.place.argument();
    let plan = scenario::parse(&name, &concrete(entry, args.seed)?)
        .map_err(|error| CliError::Scenarios(vec![error]))?;
    let (base, all) = without_each_fault(&plan, &name, args.seed, &options)
        .map_err(|error| CliError::Run { error, replay: entry.replay(args.seed, &options) })?;
    if args.format == Format::Json {
        let document = serde_json::json!({"sim": entry.sim.name, "seed": args.seed,
            "with_all": base, "without": all});
        screen.data(&pretty(&document)?)?;
        return Ok(Exit::Ok);
    }
    screen.data(&format!("with all {}\n", glance(&base)))?;
    if all.is_empty() {
        screen.data("the plan has no fault\n")?;
    }
    for one in &all {
        screen.data(&without(one, &base))?;
    }
    Ok(Exit::Ok)
}

fn glance(glance: &Glance) -> String {
    let requests = &glance.requests;
    let failure = glance.failures.first().map_or("nothing fails", String::as_str);
    format!("{} of {} answered; {failure}", requests.ok, counted(requests.total, "request"))
}

fn without(one: &Without, base: &Glance) -> String {
    let at = Time::from_nanos(one.planned_ns);
    let heading = format!("without fault {}, {} at {at}", one.number, one.fault);
    let Some(found) = &one.glance else {
        return format!("  {heading}: the sim cannot be run\n");
    };
    let what = if base.fingerprint == found.fingerprint {
        "nothing changes".to_owned()
    } else {
        glance(found)
    };
    format!("{} {heading}: {what}\n", mark(!one.still_fails || base.failures.is_empty()))
}
