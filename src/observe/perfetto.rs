//! A run as a Perfetto trace, for <https://ui.perfetto.dev>: spans as slices, messages as flows from node to node,
//! drops, crashes and faults where they happened, requests in hand as a counter. It is written as the run goes on,
//! in virtual time, and is never held in memory.
//!
//! Each node is a process. A span is alone on its lane: of those of its node, the first that is free.
//! What goes wrong while writing is told at the end, never to the world.

mod proto;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    io::{self, Write},
    rc::Rc,
};

use self::proto::Proto;
use crate::{
    policy::trace_context::{SpanId, TraceContext, TraceId},
    stack::{Attribute, Event, SpanNote, SpanValue},
    world::{Happening, MessageInfo, Note, Observer, Sighting, Time, is_of_an_instant},
};

/// `TrackEvent.Type`.
#[derive(Clone, Copy)]
enum Type {
    Begin = 1,
    End = 2,
    Instant = 3,
    Counter = 4,
}

/// What a node has.
struct Node {
    process: u64,
    /// Where its messages are, once it has any.
    messages: Option<u64>,
    /// Its lanes, each with whether it is free.
    lanes: Vec<(u64, bool)>,
}

struct Writing<W> {
    output: W,
    tracks: u64,
    packets: u64,
    nodes: BTreeMap<String, Node>,
    /// The lanes of open spans, as node and place.
    open: BTreeMap<(TraceId, SpanId), (String, usize)>,
    faults: BTreeMap<String, u64>,
    counter: Option<u64>,
    in_hand: u64,
    now: Time,
    error: Option<io::Error>,
}

/// Writes a run as a Perfetto trace: an observer, and a handle to ask at the end.
pub struct PerfettoWriter<W: Write>(Rc<RefCell<Writing<W>>>);

impl<W: Write> Clone for PerfettoWriter<W> {
    fn clone(&self) -> PerfettoWriter<W> {
        PerfettoWriter(Rc::clone(&self.0))
    }
}

impl<W: Write> PerfettoWriter<W> {
    /// A trace of nothing yet.
    pub fn new(output: W) -> PerfettoWriter<W> {
        PerfettoWriter(Rc::new(RefCell::new(Writing {
            output,
            tracks: 0,
            packets: 0,
            nodes: BTreeMap::new(),
            open: BTreeMap::new(),
            faults: BTreeMap::new(),
            counter: None,
            in_hand: 0,
            now: Time::ZERO,
            error: None,
        })))
    }

    /// Ends what is open, and flushes.
    ///
    /// # Errors
    ///
    /// The first error that writing met.
    pub fn finish(&self) -> io::Result<()> {
        let mut all = self.0.borrow_mut();
        all.end_spans(|_| true);
        let faults = std::mem::take(&mut all.faults);
        faults.values().for_each(|track| all.event(*track, Type::End, |event| event));
        match all.error.take() {
            Some(error) => Err(error),
            None => all.output.flush(),
        }
    }
}

impl<W: Write> Writing<W> {
    /// `Trace.packet`; everything is of one sequence.
    fn packet(&mut self, packet: Proto) {
        if self.error.is_some() {
            return;
        }
        // The first one says that the sequence begins here (SEQ_INCREMENTAL_STATE_CLEARED).
        let packet = packet.number(10, 1);
        let packet = if self.packets == 0 { packet.number(13, 1) } else { packet };
        self.packets += 1;
        self.error = self.output.write_all(Proto::default().message(1, &packet).as_bytes()).err();
    }

    /// `TracePacket.track_descriptor`.
    fn track(&mut self, parent: Option<u64>, describe: impl FnOnce(Proto) -> Proto) -> u64 {
        self.tracks += 1;
        let track = Proto::default().number(1, self.tracks);
        let track = match parent {
            Some(parent) => track.number(5, parent),
            None => track,
        };
        self.packet(Proto::default().message(60, &describe(track)));
        self.tracks
    }

    /// `TracePacket.track_event`.
    fn event(&mut self, track: u64, of: Type, describe: impl FnOnce(Proto) -> Proto) {
        let event = Proto::default().number(9, of as u64).number(11, track);
        let packet = Proto::default().number(8, self.now.as_nanos());
        self.packet(packet.message(11, &describe(event)));
    }

    /// The process of a node.
    fn process(&mut self, node: &str) -> u64 {
        if let Some(known) = self.nodes.get(node) {
            return known.process;
        }
        let process = Proto::default().number(1, self.nodes.len() as u64 + 1).text(6, node);
        let process = self.track(None, |track| track.text(2, node).message(3, &process));
        let known = Node { process, messages: None, lanes: Vec::new() };
        self.nodes.insert(node.to_owned(), known);
        process
    }

    fn messages(&mut self, node: &str) -> u64 {
        let process = self.process(node);
        if let Some(track) = self.nodes.get(node).and_then(|node| node.messages) {
            return track;
        }
        let track = self.track(Some(process), |track| track.text(2, "messages"));
        if let Some(node) = self.nodes.get_mut(node) {
            node.messages = Some(track);
        }
        track
    }

    /// The first lane of a node that is free, which then is not.
    fn lane(&mut self, node: &str) -> (u64, usize) {
        let process = self.process(node);
        let lanes = self.nodes.get_mut(node).map(|node| &mut node.lanes);
        let free = lanes.and_then(|lanes| {
            let place = lanes.iter().position(|(_, is_free)| *is_free)?;
            let lane = lanes.get_mut(place)?;
            lane.1 = false;
            Some((lane.0, place))
        });
        if let Some(lane) = free {
            return lane;
        }
        let place = self.nodes.get(node).map_or(0, |node| node.lanes.len());
        let name = format!("spans {}", place + 1);
        let track = self.track(Some(process), |track| track.text(2, &name));
        if let Some(node) = self.nodes.get_mut(node) {
            node.lanes.push((track, false));
        }
        (track, place)
    }

    fn end_span(&mut self, key: (TraceId, SpanId), list: &[Attribute], error: Option<&str>) {
        let Some((node, place)) = self.open.remove(&key) else { return };
        let lane = self.nodes.get_mut(&node).and_then(|node| node.lanes.get_mut(place));
        let Some(lane) = lane else { return };
        lane.1 = true;
        let track = lane.0;
        self.event(track, Type::End, |event| {
            let event = list.iter().fold(event, annotate);
            error.iter().fold(event, |event, error| {
                annotate(event, &("error.type", SpanValue::Text((*error).into())))
            })
        });
    }

    fn end_spans(&mut self, is_meant: impl Fn(&str) -> bool) {
        let meant = self.open.iter().filter(|(_, (node, _))| is_meant(node));
        let keys: Vec<_> = meant.map(|(key, _)| *key).collect();
        keys.into_iter().for_each(|key| self.end_span(key, &[], Some("crashed")));
    }

    fn count(&mut self) {
        let (in_hand, known) = (self.in_hand, self.counter);
        let track = known.unwrap_or_else(|| {
            let world = self.process("world");
            let counter = Proto::default();
            self.track(Some(world), |track| track.text(2, "requests in hand").message(8, &counter))
        });
        self.counter = Some(track);
        self.event(track, Type::Counter, |event| event.number(30, in_hand));
    }

    fn message(&mut self, node: &str, info: &MessageInfo<'_>, what: &str, flow: Option<u32>) {
        let track = self.messages(node);
        self.event(track, Type::Instant, |event| {
            let event = event.text(22, what).text(23, info.label);
            let event = flow.iter().fold(event, |event, field| event.fixed(*field, info.id));
            let between = format!("{} → {}", info.from, info.to);
            annotate(event, &("between", between.into()))
        });
    }

    fn instant(&mut self, node: &str, what: &str, name: &str) {
        let process = self.process(node);
        self.event(process, Type::Instant, |event| event.text(22, what).text(23, name));
    }

    fn see(&mut self, sighting: &Sighting<'_>) {
        /// `TrackEvent.flow_ids` and `terminating_flow_ids`.
        const FLOW: (u32, u32) = (47, 48);
        let (node, kind) = (sighting.node, sighting.what.kind());
        self.now = sighting.at;
        match sighting.what {
            Happening::MessageSent { message, .. } => {
                self.message(node, &message, kind, Some(FLOW.0));
            }
            Happening::MessageDelivered { message } => {
                self.message(node, &message, kind, Some(FLOW.1));
            }
            Happening::MessageDropped { message, .. }
            | Happening::MessageDuplicated { message }
            | Happening::MessageCorrupted { message }
            | Happening::CallTimedOut { message }
            | Happening::LateAnswer { message } => self.message(node, &message, kind, None),
            Happening::NodeCrashed { .. } => {
                self.instant(node, "node", kind);
                self.end_spans(|other| other == node);
            }
            Happening::NodeStarted { .. } | Happening::NodePaused | Happening::NodeResumed => {
                self.instant(node, "node", kind);
            }
            Happening::FaultFired { fault } => {
                let world = self.process("world");
                let track = self.track(Some(world), |track| track.text(2, "faults"));
                self.event(track, Type::Begin, |event| event.text(22, "fault").text(23, fault));
                let ended = match is_of_an_instant(fault) {
                    true => Some(track),
                    false => self.faults.insert(fault.to_owned(), track),
                };
                if let Some(ended) = ended {
                    self.event(ended, Type::End, |event| event);
                }
            }
            Happening::FaultHealed { fault } => {
                if let Some(track) = self.faults.remove(fault) {
                    self.event(track, Type::End, |event| event);
                }
            }
            Happening::Emitted { payload, .. } => match payload.as_any().downcast_ref::<Event>() {
                Some(Event::RequestStarted { .. }) => {
                    self.in_hand += 1;
                    self.count();
                }
                Some(Event::RequestEnded { .. }) => {
                    self.in_hand = self.in_hand.saturating_sub(1);
                    self.count();
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn hear(&mut self, note: &Note<'_>) {
        self.now = note.at;
        match note.what.downcast_ref::<SpanNote>() {
            Some(SpanNote::Started(started)) => {
                let (track, place) = self.lane(note.node);
                let TraceContext { trace, span, .. } = started.span.context;
                self.open.insert((trace, span), (note.node.to_owned(), place));
                self.event(track, Type::Begin, |event| {
                    let event = event.text(22, "span").text(23, &started.name.to_string());
                    let event = annotate(event, &("trace_id", trace.to_string().into()));
                    let event = annotate(event, &("span_id", span.to_string().into()));
                    started.attributes.iter().fold(event, annotate)
                });
            }
            Some(SpanNote::Ended(ended)) => {
                let TraceContext { trace, span, .. } = ended.context;
                self.end_span((trace, span), &ended.attributes, ended.error.as_deref());
            }
            None => {}
        }
    }
}

/// `TrackEvent.debug_annotations`.
fn annotate(event: Proto, (name, value): &Attribute) -> Proto {
    let note = Proto::default().text(10, name);
    let note = match value {
        SpanValue::Fixed(text) => note.text(6, text),
        SpanValue::Text(text) => note.text(6, text),
        SpanValue::Request(request) => note.text(6, &request.to_string()),
        SpanValue::Number(number) => note.number(3, *number),
        SpanValue::Flag(flag) => note.number(2, u64::from(*flag)),
        SpanValue::Hundredths(number) => note.fixed(5, (*number as f64 / 100.0).to_bits()),
        SpanValue::List(texts) => note.text(6, &texts.join(", ")),
    };
    event.message(4, &note)
}

impl<W: Write> Observer for PerfettoWriter<W> {
    fn see(&mut self, sighting: &Sighting<'_>) {
        self.0.borrow_mut().see(sighting);
    }

    fn wants_notes(&self) -> bool {
        true
    }

    fn note(&mut self, note: &Note<'_>) {
        self.0.borrow_mut().hear(note);
    }
}
