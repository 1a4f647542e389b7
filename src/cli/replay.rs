//! `seedbed replay`: runs one seed again, prints what happens, and checks that it is what happened
//! before.
//!
//! Events are printed as they happen; they are kept only for `--step` and `--state`.

mod step;

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    rc::Rc,
    str::FromStr,
    time::Duration,
};

use clap::{Args, ValueEnum};
use serde_json::{Map, Value};

use super::{
    attempt,
    clock::Stopwatch,
    error::CliError,
    exit::Exit,
    html::{self, Page},
    metrics::Measuring,
    options::{self, HostName, LoadArgs, seed},
    output,
    record::RecordArgs,
    screen::Screen,
    sims::{self, Entry, Place},
    verify,
};
use crate::{
    config::names::nearest,
    explore::{History, Options, SimRun, StackState, Verdict, Witness},
    report::{event, snapshot, text},
    scenario::{EVENTS, Must},
    world::{Observer, Record, Seed, Sighting, Time},
};

/// What to replay, and what to show of it.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// A file, or a name relative to sims/, as in ccr/baseline
    #[arg(value_name = "SIM")]
    sim: PathBuf,
    /// The seed (decimal, or hexadecimal after 0x)
    #[arg(long, value_name = "SEED", value_parser = seed, allow_hyphen_values = true)]
    seed: Seed,
    #[command(flatten)]
    load: LoadArgs,
    /// Poll the actors with this host; the history is the same
    #[arg(long, value_enum, default_value_t = HostName::Native)]
    host: HostName,
    /// Print events up to this virtual time only, as in 12s500ms or 12.5s
    #[arg(long, value_name = "TIME", value_parser = until, allow_hyphen_values = true)]
    until: Option<Time>,
    /// Print events on this node only; may be repeated
    #[arg(long, value_name = "NODE")]
    node: Vec<String>,
    /// Print events of this kind only, as in message_dropped; may be repeated
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// Print no events after the first of this kind, as in breaker_changed or
    /// breaker_changed,to=open; with --step, stop at each; may be repeated
    #[arg(long, value_name = "EVENT")]
    break_on: Vec<Break>,
    /// Go through the events step by step, forwards and backwards
    #[arg(long, conflicts_with_all = ["node", "kind", "log", "html", "metrics"])]
    step: bool,
    /// Then print what the events say of the stack: faults, breakers, open requests, messages under
    /// way; at --until, at the break, or at the end
    #[arg(long, conflicts_with = "step")]
    state: bool,
    /// How to print events
    #[arg(long, value_enum, default_value_t = ReplayFormat::Text)]
    format: ReplayFormat,
    #[command(flatten)]
    record: RecordArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReplayFormat {
    /// A line for each event, in columns
    Text,
    /// A line of JSON for each event
    Jsonl,
}

pub(super) fn replay(args: ReplayArgs, screen: &mut Screen) -> Result<Exit, CliError> {
    let entry = sims::load_one(&args.sim)?;
    let options = args.load.options(args.host.into())?;
    let filter = Filter::new(&args, &entry)?;
    output::allow(output::inputs(std::slice::from_ref(&entry), &options), &args.record.outputs())?;
    args.record.write_plan(&entry, args.seed)?;
    let log = output::create_log(args.record.log.as_deref())?;
    let page = args.record.html.create()?;
    if let Some(flag) = args.record.exports.flag().filter(|_| args.step) {
        let help = "leave out --step: a file is written of a whole run";
        return Err(CliError::usage(format!("{flag} and --step do not go together"), help));
    }
    let (exporting, exporters) = args.record.exports.create()?.begin();
    let mut measuring = Measuring::begin(&args.record.metrics, None, 1, screen)?;
    screen.talk(&format!("{} seed {} on {}\n", entry.sim.name, args.seed, options.host.name()));
    if args.step {
        return stepped(&entry, &args, &options, filter.node_width, screen);
    }
    let printer = Rc::new(RefCell::new(Printer {
        screen: Screen::new(),
        filter,
        format: args.format,
        may_exit: log.is_none()
            && page.is_none()
            && exporters.is_empty()
            && !measuring.is_asked_for()
            && !args.state,
        kept: args.state.then(History::default),
        has_broken: false,
        error: None,
    }));
    let mut observers = vec![observer(&printer)];
    observers.extend(measuring.observer(0, &entry, args.seed)?);
    let recording = page.as_ref().map(|_| html::record(&entry, args.seed)).transpose()?;
    observers.extend(recording.iter().map(html::Recording::observer));
    observers.extend(exporters);
    let log = log.map(|log| {
        let path = log.path().to_owned();
        let (log, observer) = log.begin(&entry.sim, args.seed);
        observers.push(observer);
        (log, path)
    });
    let watch = Stopwatch::start();
    let run = attempt::once(&entry, args.seed, &options, observers);
    let wall = watch.elapsed();
    let printed = printer.borrow_mut().finish();
    let mut unwritten = Vec::new();
    if let Some((log, path)) = log {
        let written = log.finish();
        unwritten.extend(written.map_err(|source| CliError::Output { path, source }).err());
    }
    printed?;
    unwritten.extend(measuring.write().err());
    let run = run?;
    unwritten.extend(exporting.finish(&entry.sim));
    let printer = printer.borrow();
    for never in args.break_on.iter().filter(|_| !printer.has_broken) {
        let until = if args.until.is_some() { " until then" } else { "" };
        screen.talk(&format!("{never} never came{until}\n"));
    }
    if let Some(kept) = &printer.kept {
        let cut =
            if kept.is_cut { "there were more events than are kept: it is older\n" } else { "" };
        let state = format!("{cut}{}", step::state_text(&StackState::after(&kept.records)));
        match args.format {
            ReplayFormat::Text => screen.data(&state)?,
            // Every line of the data is JSON.
            ReplayFormat::Jsonl => screen.talk(&state),
        }
    }
    end(&entry, &args, &options, (run, wall), (page.zip(recording), unwritten), screen)
}

/// Goes through the events of a run step by step.
fn stepped(
    entry: &Entry,
    args: &ReplayArgs,
    options: &Options,
    node_width: usize,
    screen: &mut Screen,
) -> Result<Exit, CliError> {
    let history = Rc::new(RefCell::new(History::default()));
    let shared = Rc::clone(&history);
    let until = args.until;
    let keep: Box<dyn Observer> = Box::new(move |sighting: &Sighting<'_>| {
        if until.is_none_or(|until| sighting.at <= until) {
            shared.borrow_mut().push(|| sighting.to_record());
        }
    });
    let watch = Stopwatch::start();
    let run = attempt::once(entry, args.seed, options, vec![keep])?;
    let wall = watch.elapsed();
    let history = history.take();
    step::Stepper::new(&history, &args.break_on, node_width)
        .run(std::io::stdin().lock(), screen)?;
    end(entry, args, options, (run, wall), (None, Vec::new()), screen)
}

/// Runs the seed once more, and says what it came to; then which files could not be written.
fn end(
    entry: &Entry,
    args: &ReplayArgs,
    options: &Options,
    (run, wall): (SimRun, Duration),
    (page, mut unwritten): (Option<(Page, html::Recording)>, Vec<CliError>),
    screen: &mut Screen,
) -> Result<Exit, CliError> {
    let again = attempt::once(entry, args.seed, options, Vec::new())?;
    let finished = attempt::finish(entry, run.clone(), Some(&again), wall, options);
    let ended = compare(entry, &run, &again, args, options, screen)?;
    let ended = ended.max(verdict(&finished.verdict, &finished.reasons(), screen));
    let page = page.map(|(page, recording)| page.write(recording, entry, &finished));
    match page.transpose() {
        Ok(page) => args.record.html.tell(page, screen),
        Err(error) => unwritten.push(error),
    }
    for error in &unwritten {
        screen.talk(&error.report());
    }
    if ended != Exit::Ok {
        screen.talk(&format!("{}\n", finished.replay));
    }
    Ok(unwritten.iter().map(CliError::exit).fold(ended, Exit::max))
}

/// Says what the run came to.
fn verdict(verdict: &Verdict, reasons: &[String], screen: &mut Screen) -> Exit {
    let said = match verdict {
        Verdict::Passed => "passed",
        Verdict::FailedAsItMust => "failed, as it must",
        Verdict::DivergedAsItMust => "diverged, as it must",
        Verdict::Failed { .. } => "failed",
    };
    screen.talk(&format!("{} {said}\n", text::mark(verdict.is_good())));
    for reason in reasons {
        screen.talk(&format!("{}\n", text::wrap("    ", reason, 6)));
    }
    if verdict.is_good() { Exit::Ok } else { Exit::Failed }
}

/// Compares the run with another one now, and with what is recorded.
fn compare(
    entry: &Entry,
    run: &SimRun,
    again: &SimRun,
    args: &ReplayArgs,
    options: &Options,
    screen: &mut Screen,
) -> Result<Exit, CliError> {
    let (seed, fingerprint) = (args.seed, run.outcome.fingerprint);
    if let Some(why) = Witness::of(run).woken_from_outside {
        screen.talk(&format!("{why}\n"));
        return Ok(Exit::Nondeterminism);
    }
    if fingerprint != again.outcome.fingerprint {
        let other = again.outcome.fingerprint;
        screen.talk(&format!("two runs of this seed differ: {fingerprint} and {other}\n"));
        verify::tell_difference(entry, seed, options, ("first", "second"), screen)?;
        return Ok(Exit::Nondeterminism);
    }
    screen.talk(&format!("fingerprint {fingerprint}, the same in a second run\n"));
    if options.trace.is_some() || entry.sim.must == Must::Diverge {
        return Ok(Exit::Ok);
    }
    let Some((path, summary)) = committed(&entry.place, &entry.sim.name) else {
        return Ok(Exit::Ok);
    };
    match snapshot::recorded(&summary, seed) {
        Some(recorded) if recorded != fingerprint.to_string() => {
            let path = path.display();
            screen.talk(&format!("the recorded history was another one: {recorded} in {path}\n"));
            let hash = format!("text_hash: {:016x}", entry.sim.text_hash());
            if !summary.lines().any(|line| line == hash) {
                screen.talk("  the sim has been edited since it was recorded\n");
            }
            Ok(Exit::Failed)
        }
        Some(_) => {
            screen.talk(&format!("as recorded in {}\n", path.display()));
            Ok(Exit::Ok)
        }
        None => Ok(Exit::Ok),
    }
}

/// The committed summary of a sim: `snapshots/` stands next to `sims/`.
fn committed(place: &Place, sim: &str) -> Option<(PathBuf, String)> {
    let Place::File(file) = place else { return None };
    let sims = file.ancestors().find(|folder| folder.file_name().is_some_and(|n| n == "sims"))?;
    let root = sims.parent().unwrap_or(Path::new(""));
    let path = root.join("snapshots").join(sim).join("summary.snap");
    let text = std::fs::read_to_string(&path).ok()?;
    Some((path, text))
}

/// An event to stop at: its kind, and fields with the values that they must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Break {
    kind: String,
    fields: Vec<(String, String)>,
}

impl FromStr for Break {
    type Err = String;

    fn from_str(text: &str) -> Result<Break, String> {
        let mut parts = text.split(',');
        let kind = parts.next().unwrap_or_default().to_owned();
        let Some(event) = EVENTS.iter().find(|event| event.name == kind) else {
            let meant = nearest(&kind, EVENTS.iter().map(|event| event.name));
            let meant = meant.map(|name| format!("; did you mean {name}?")).unwrap_or_default();
            return Err(format!("there is no kind of event called {kind}{meant}"));
        };
        let field = |part: &str| {
            let (name, value) = part.split_once('=').ok_or("write fields as name=value")?;
            if let Some(fields) = event.fields.filter(|fields| !fields.contains(&name)) {
                let fields = fields.join(", ");
                return Err(format!("{kind} has no field {name}; its fields are {fields}"));
            }
            Ok((name.to_owned(), value.to_owned()))
        };
        let fields = parts.map(field).collect::<Result<_, String>>()?;
        Ok(Break { kind, fields })
    }
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        self.fields.iter().try_for_each(|(name, value)| write!(f, ",{name}={value}"))
    }
}

impl Break {
    fn matches(&self, kind: &str, fields: &Map<String, Value>) -> bool {
        let holds = |(name, wanted): &(String, String)| match fields.get(name) {
            Some(Value::String(text)) => text == wanted,
            Some(other) => serde_json::from_str(wanted).is_ok_and(|wanted: Value| wanted == *other),
            None => false,
        };
        self.kind == kind && self.fields.iter().all(holds)
    }
}

/// Which events are printed.
struct Filter {
    until: Option<Time>,
    breaks: Vec<Break>,
    nodes: BTreeSet<String>,
    kinds: BTreeSet<String>,
    node_width: usize,
}

impl Filter {
    fn new(args: &ReplayArgs, entry: &Entry) -> Result<Filter, CliError> {
        let mut known: BTreeSet<String> = entry.sim.node_names().into_iter().collect();
        known.insert("world".to_owned());
        if entry.sim.load.is_some() || args.load.trace.is_some() {
            known.insert("load".to_owned());
        }
        if let Some(node) = args.node.iter().find(|node| !known.contains(*node)) {
            let mut some: Vec<&str> = known.iter().map(String::as_str).take(12).collect();
            if known.len() > some.len() {
                some.push("…");
            }
            return Err(CliError::usage(
                format!("{} has no node called {node}", entry.sim.name),
                format!("its nodes are {}", some.join(", ")),
            ));
        }
        let kinds = || EVENTS.iter().map(|event| event.name);
        if let Some(kind) = args.kind.iter().find(|kind| !kinds().any(|known| known == **kind)) {
            return Err(CliError::usage(
                format!("there is no kind of event called {kind}"),
                format!("the kinds are {}", kinds().collect::<Vec<_>>().join(", ")),
            ));
        }
        let widest = known.iter().map(|node| node.chars().count()).max().unwrap_or(0);
        Ok(Filter {
            until: args.until,
            breaks: args.break_on.clone(),
            nodes: args.node.iter().cloned().collect(),
            kinds: args.kind.iter().cloned().collect(),
            node_width: widest.min(event::NODE_WIDTH_MAX),
        })
    }

    fn breaks(&self, sighting: &Sighting<'_>) -> bool {
        let kind = sighting.what.kind();
        self.breaks.iter().any(|wanted| wanted.kind == kind)
            && self.breaks.iter().any(|wanted| wanted.matches(kind, &sighting.what.fields()))
    }

    fn shows(&self, sighting: &Sighting<'_>) -> bool {
        (self.nodes.is_empty() || self.nodes.contains(sighting.node))
            && (self.kinds.is_empty() || self.kinds.contains(sighting.what.kind()))
    }
}

struct Printer {
    screen: Screen,
    filter: Filter,
    format: ReplayFormat,
    /// Whether nothing but printing is going on, so that there is nothing to complete once nobody
    /// reads on.
    may_exit: bool,
    /// The events up to here, if the state is asked for.
    kept: Option<History>,
    /// Whether the event to stop at has been.
    has_broken: bool,
    error: Option<CliError>,
}

impl Printer {
    fn see(&mut self, sighting: &Sighting<'_>) {
        let is_past = self.filter.until.is_some_and(|until| sighting.at > until);
        if self.has_broken || is_past {
            return;
        }
        self.has_broken = self.filter.breaks(sighting);
        if let Some(kept) = &mut self.kept {
            kept.push(|| sighting.to_record());
        }
        if self.error.is_none() && (self.has_broken || self.filter.shows(sighting)) {
            let record = sighting.to_record();
            self.error = self.print(&record).err();
            if self.may_exit && matches!(self.error, Some(CliError::Closed)) {
                std::process::exit(i32::from(Exit::Closed.code()));
            }
        }
    }

    fn print(&mut self, record: &Record) -> Result<(), CliError> {
        let line = match self.format {
            ReplayFormat::Text => event::line(record, self.filter.node_width),
            ReplayFormat::Jsonl => match serde_json::to_string(record) {
                Ok(line) => line,
                Err(error) => error.to_string(),
            },
        };
        self.screen.stream(&line)?;
        self.screen.stream("\n")
    }

    fn finish(&mut self) -> Result<(), CliError> {
        self.error.take().map_or(Ok(()), Err)?;
        self.screen.flush()
    }
}

fn observer(printer: &Rc<RefCell<Printer>>) -> Box<dyn Observer> {
    let printer = Rc::clone(printer);
    Box::new(move |sighting: &Sighting<'_>| printer.borrow_mut().see(sighting))
}

/// Reads a virtual time: a duration as in a sim, since the start.
fn until(text: &str) -> Result<Time, String> {
    options::time(text).map(|duration| Time::ZERO + duration)
}
