//! From a sim to a world: every node, link and fault of it, ready to run.
//!
//! What a sim leaves to chance is drawn here or by the actors, from streams keyed by name. The one
//! thing that is read from outside is a trace, row by row, while the run goes on.

mod flow;
mod service;
mod sidecar;

use std::{
    cell::{Cell, RefCell},
    path::Path,
    rc::Rc,
    time::Duration,
};

use super::{
    AgentGroup, Fault, FaultKind, Load, Partition, Selector, Sim, Stage, TraceError, TraceReader,
};
use crate::{
    stack::{
        self, Agent, AgentParts, Arrival, Arrivals, Backend, BrokenLoad, Model, Operator, Outage,
        Outages, sidecar::pressure::Shortage,
    },
    world::{self, Peer, Stream, Time, World},
};

/// What became of a trace, to be asked after the run.
#[derive(Clone, Debug, Default)]
pub struct TraceState(Rc<RefCell<(u64, Option<TraceError>)>>);

impl TraceState {
    /// How many lines were skipped.
    ///
    /// # Errors
    ///
    /// The error that ended the run, if one did.
    pub fn finish(self) -> Result<u64, TraceError> {
        let (skipped, error) = self.0.take();
        error.map_or(Ok(skipped), Err)
    }
}

/// Builds the world of a sim. `trace` replaces the sim's load; `skip_bad` leaves out its broken
/// lines instead of ending the run.
///
/// # Errors
///
/// A [`TraceError`] if the trace cannot be opened.
pub fn expand(
    world: &mut World,
    sim: &Sim,
    trace: Option<&Path>,
    skip_bad: bool,
) -> Result<TraceState, TraceError> {
    world
        .start_at(sim.start)
        .schedule(sim.schedule)
        .limits(sim.limits)
        .network(sim.network.clone());
    let sidecar = sidecar::sidecar(world, sim);
    let (models, outages) = backends(world, sim);
    let router = sim.has_router().then(|| router(world, sim, &models));
    let services = service::services(world, sim);
    let state = TraceState::default();
    let arrivals = arrivals(world, sim, trace, skip_bad, &state)?;
    let mut agents = Vec::new();
    for group in &sim.agents {
        let parts = AgentParts {
            group: Rc::new(group.clone()),
            router,
            sidecar: sidecar.as_ref().map(|hosted| hosted.parts.clone()),
            left: None,
            leak: sim.leak,
            tracing: sim.tracing.unwrap_or_default(),
        };
        spawn_group(world, group, &parts, arrivals.is_none(), &mut agents);
    }
    let worker = sidecar.as_ref().map(|hosted| hosted.parts.ledger.worker());
    if let Some(hosted) = &sidecar {
        sidecar::users(world, sim, &hosted.parts);
    }
    if let Some(arrivals) = arrivals {
        // Taken once: nothing restarts the load.
        let arrivals = RefCell::new(Some((arrivals, worker)));
        world.spawn("load", move |env| {
            let taken = arrivals.take();
            let (arrivals, worker) = taken.unwrap_or_else(|| (Box::new(Nothing), None));
            stack::Load::new(env, arrivals, agents.clone(), worker)
        });
    }
    service::callers(world, sim, &services, router);
    if let Some(router) = router {
        operators(world, sim, router);
        service::askers(world, sim, router);
    }
    flow::flows(world, sim);
    for link in &sim.links {
        world.link(sim.select(&link.from), sim.select(&link.to), link.both, link.patch.clone());
    }
    for (number, fault) in sim.faults.iter().enumerate() {
        world.fault(to_world(sim, number, fault, &outages, &services, sidecar.as_ref()));
    }
    Ok(state)
}

fn spawn_group(
    world: &mut World,
    group: &AgentGroup,
    parts: &AgentParts,
    is_closed_loop: bool,
    agents: &mut Vec<Peer<Agent>>,
) {
    for name in group.node_names() {
        let left = is_closed_loop.then(|| Rc::new(Cell::new(group.requests)));
        let parts = AgentParts { left, ..parts.clone() };
        agents.push(world.spawn(name, move |env| Agent::new(env, parts.clone())));
    }
}

type NamedOutages = Vec<(String, Outages)>;

fn backends(world: &mut World, sim: &Sim) -> (Vec<Model>, NamedOutages) {
    let mut models = Vec::new();
    let mut all_outages = Vec::new();
    for settings in &sim.backends {
        let outages = Outages::default();
        all_outages.push((settings.name.clone(), Rc::clone(&outages)));
        let own = Rc::new(settings.clone());
        let backend = world.spawn(settings.name.clone(), move |env| {
            Backend::new(env, Rc::clone(&own), Rc::clone(&outages))
        });
        let settings = Rc::new(settings.clone());
        models.push(Model { name: settings.name.as_str().into(), settings, backend });
    }
    (models, all_outages)
}

fn router(world: &mut World, sim: &Sim, models: &[Model]) -> Peer<stack::Router> {
    let settings = Rc::new(sim.router.clone());
    let (models, workspaces) = (models.to_vec(), sim.workspaces.clone());
    world.spawn("router", move |env| {
        stack::Router::new(env, Rc::clone(&settings), &models, &workspaces)
    })
}

/// Those who change the configuration of the router.
fn operators(world: &mut World, sim: &Sim, router: Peer<stack::Router>) {
    for operator in &sim.operators {
        let (own, settled) = (Rc::new(operator.clone()), Rc::new(Cell::new(0)));
        let tracing = sim.tracing.unwrap_or_default();
        world.spawn(operator.name.clone(), move |env| {
            Operator::new(env, Rc::clone(&own), router, Rc::clone(&settled), tracing)
        });
    }
}

/// A fault of a sim as one of the world.
fn to_world(
    sim: &Sim,
    number: usize,
    fault: &Fault,
    outages: &NamedOutages,
    services: &[service::Hosted],
    hosted: Option<&sidecar::Hosted>,
) -> world::Fault {
    let nodes = |selector: &Selector| sim.select(selector);
    let kind = match &fault.kind {
        FaultKind::Partition(Partition::Between(a, b)) => {
            world::FaultKind::Partition { a: nodes(a), b: nodes(b) }
        }
        FaultKind::Partition(Partition::OneWay { from, to }) => {
            world::FaultKind::PartitionOneWay { from: nodes(from), to: nodes(to) }
        }
        FaultKind::Partition(Partition::Isolate(node)) => {
            world::FaultKind::Isolate { nodes: nodes(node) }
        }
        FaultKind::Crash { node } => world::FaultKind::Crash { nodes: nodes(node) },
        FaultKind::Pause { node } => world::FaultKind::Pause { nodes: nodes(node) },
        FaultKind::Clock { node, skew_ns, drift_ppm } => {
            world::FaultKind::Clock { nodes: nodes(node), skew_ns: *skew_ns, drift_ppm: *drift_ppm }
        }
        FaultKind::DiskFull { node } => world::FaultKind::DiskFull { nodes: nodes(node) },
        FaultKind::DiskLost { node } => world::FaultKind::DiskLost { nodes: nodes(node) },
        FaultKind::Link { from, to, both, patch } => world::FaultKind::Link {
            from: nodes(from),
            to: nodes(to),
            both_ways: *both,
            patch: patch.clone(),
        },
        FaultKind::Backend { name, errors, retry_after, tells_end, first_token } => {
            let outage = Outage {
                errors: *errors,
                retry_after: retry_after.clone(),
                tells_end: tells_end
                    .then(|| Time::ZERO + fault.at + fault.r#for.unwrap_or_default()),
                first_token: first_token.clone(),
            };
            let of_backend = outages.iter().find(|(other, _)| other == name);
            let outages = of_backend.map(|(_, outages)| Rc::clone(outages)).unwrap_or_default();
            world::FaultKind::Custom {
                label: format!("outage of {name}"),
                apply: Rc::new(move |_, fires| {
                    let mut outages = outages.borrow_mut();
                    outages.retain(|(other, _)| *other != number);
                    if fires {
                        outages.push((number, outage.clone()));
                    }
                }),
            }
        }
        FaultKind::Service(fault) => service::fault(fault, number, services),
        FaultKind::Sidecar { memory, connections } => {
            let shortage = Shortage { memory: *memory, connections: *connections };
            sidecar::shortage(shortage, number, hosted)
        }
        FaultKind::Dns { node } => sidecar::unresolved(node.as_str(), nodes(node), number, hosted),
        FaultKind::Point { site, rate } => {
            world::FaultKind::Point { site: site.clone(), rate: *rate }
        }
    };
    world::Fault { at: fault.at, lasts: fault.r#for, kind }
}

fn arrivals(
    world: &World,
    sim: &Sim,
    trace: Option<&Path>,
    skip_bad: bool,
    state: &TraceState,
) -> Result<Option<Box<dyn Arrivals>>, TraceError> {
    let open = |path: &Path| -> Result<TraceReader, TraceError> {
        Ok(TraceReader::open(path)?.skip_bad(skip_bad))
    };
    let of_trace = |reader: TraceReader| -> Box<dyn Arrivals> {
        Box::new(Rows { reader, state: state.clone() })
    };
    if let Some(path) = trace {
        // A trace from the command line keeps the time scale of the one that it replaces.
        let reader = match &sim.load {
            Some(Load::Trace { scale_permille, limit, .. }) => {
                let reader = open(path)?.scale(*scale_permille);
                limit.iter().fold(reader, |reader, limit| reader.limit(*limit))
            }
            _ => open(path)?,
        };
        return Ok(Some(of_trace(reader)));
    }
    let draws = world.stream("load");
    Ok(match &sim.load {
        None => None,
        Some(Load::Poisson { per_kilosecond, r#for }) => Some(Box::new(Ramp {
            draws,
            stages: vec![Stage { r#for: *r#for, to_per_kilosecond: *per_kilosecond }],
            begins_at: *per_kilosecond,
            at: Duration::ZERO,
        })),
        Some(Load::Stages(stages)) => {
            Some(Box::new(Ramp { draws, stages: stages.clone(), begins_at: 0, at: Duration::ZERO }))
        }
        Some(Load::Trace { file, scale_permille, limit, .. }) => {
            let reader = open(file)?.scale(*scale_permille);
            let reader = limit.iter().fold(reader, |reader, limit| reader.limit(*limit));
            Some(of_trace(reader))
        }
    })
}

/// The rows of a trace, read as they are due.
struct Rows {
    reader: TraceReader,
    state: TraceState,
}

impl Arrivals for Rows {
    fn next_arrival(&mut self) -> Result<Option<Arrival>, BrokenLoad> {
        let row = self.reader.next().transpose();
        self.state.0.borrow_mut().0 = self.reader.skipped();
        match row {
            Ok(row) => Ok(row.map(|row| Arrival {
                at: row.at,
                tokens: Some((row.input_tokens, row.output_tokens)),
            })),
            Err(error) => {
                self.state.0.borrow_mut().1 = Some(error);
                Err(BrokenLoad)
            }
        }
    }
}

/// A Poisson process whose rate goes linearly from stage to stage.
///
/// Candidates come at the highest rate there is; each is kept with the probability by which the
/// rate of its instant is lower (thinning: Lewis and Shedler, 1979).
struct Ramp {
    draws: Stream,
    stages: Vec<Stage>,
    begins_at: u64,
    at: Duration,
}

impl Ramp {
    /// Arrivals per 1000 seconds at an instant; `None` after the last stage.
    fn rate(&self, at: Duration) -> Option<u64> {
        let (mut begin, mut rate) = (Duration::ZERO, self.begins_at);
        for stage in &self.stages {
            let end = begin + stage.r#for;
            if at < end {
                let (into, length) = ((at - begin).as_nanos(), stage.r#for.as_nanos());
                let (from, to) = (u128::from(rate), u128::from(stage.to_per_kilosecond));
                let now = (from * (length - into) + to * into) / length.max(1);
                return u64::try_from(now).ok();
            }
            (begin, rate) = (end, stage.to_per_kilosecond);
        }
        None
    }
}

impl Arrivals for Ramp {
    fn next_arrival(&mut self) -> Result<Option<Arrival>, BrokenLoad> {
        let highest = self.stages.iter().map(|stage| stage.to_per_kilosecond).max();
        let highest = highest.unwrap_or(0).max(self.begins_at);
        let Some(mean) = 1_000_000_000_000_u64.checked_div(highest) else { return Ok(None) };
        loop {
            self.at += self.draws.exponential(Duration::from_nanos(mean));
            match self.rate(self.at) {
                None => return Ok(None),
                Some(rate) if self.draws.below(highest) < rate => {
                    return Ok(Some(Arrival { at: self.at, tokens: None }));
                }
                Some(_) => {}
            }
        }
    }
}

struct Nothing;

impl Arrivals for Nothing {
    fn next_arrival(&mut self) -> Result<Option<Arrival>, BrokenLoad> {
        Ok(None)
    }
}
