//! `seedbed explain`: where two histories part and what made the difference, or what each fault of a
//! plan does.

use std::{
    fs::File,
    io::{BufReader, Read},
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
    observe::LogHeader,
    report::{
        event,
        text::{counted, mark},
    },
    scenario::{self, duration_text},
    world::{Seed, Time},
};

/// The longest name of a sim that is believed of a log, in characters.
const NAME_CHARS_MAX: usize = 200;

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
    let (right, right_name) = other(&entry, args.seed, against, screen)?;
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
fn other(
    entry: &Entry,
    of: Seed,
    against: &str,
    screen: &mut Screen,
) -> Result<(History, String), CliError> {
    if let Ok(other) = seed(against) {
        return Ok((history(entry, other)?, format!("{} seed {other}", entry.sim.name)));
    }
    let path = Path::new(against);
    if path.extension().is_some_and(|extension| extension == "jsonl" || extension == "zst") {
        return read(path, &entry.sim.name, screen);
    }
    let other = sims::load_one(path)?;
    Ok((history(&other, of)?, format!("{} seed {of}", other.sim.name)))
}

/// Reads a history that `replay` has written, with its heading or without, and says what it is of.
fn read(path: &Path, sim: &str, screen: &mut Screen) -> Result<(History, String), CliError> {
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
    let (history, header) = History::read(BufReader::new(plain)).map_err(wrong)?;
    let mut name = path.display().to_string();
    if let Some(LogHeader { sim: Some(of), seed, .. }) = header {
        let of: String = clean(&of).chars().take(NAME_CHARS_MAX).collect();
        if of != sim {
            screen.talk(&format!("{name} is a log of {of}, and is compared with a run of {sim}\n"));
        }
        name += &format!(", a log of {of} seed {seed}");
    }
    Ok((history, name))
}

fn told(found: &Explanation, (left, right): (&str, &str)) -> String {
    let mut text = format!("left   {left}\nright  {right}\n");
    for (side, plans) in [("left", &found.only_left_plans), ("right", &found.only_right_plans)] {
        for plan in plans {
            text += &format!("only the {side} plans: {plan}\n");
        }
    }
    if found.is_cut {
        text += "a history is not there to its end: this is its beginning\n";
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
    for (side, record) in [("left", &difference.left), ("right", &difference.right)] {
        if record.is_none() {
            text += &format!("the {side} ends here; a log may have been cut off\n");
        }
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
