//! Streams: HTTP 200 with the first token, then the parts of the answer, each on its way alone.

use std::{rc::Rc, time::Duration};

use actix::{Context, Handler};

use super::{Backend, Charge, flow::Flow};
use crate::{
    stack::{
        message::{Baggage, Chunk, CloseStream, Generated, Part, StreamId, StreamTo},
        router::Router,
        tracer::Span,
    },
    world::{NodeId, Peer, Promise, Timer},
};

/// Whose stream, and which of theirs.
pub(super) type StreamKey = (NodeId, StreamId);

pub(super) fn key(to: &StreamTo) -> StreamKey {
    (to.reader.node(), to.id)
}

/// A stream from the acceptance of its request to its end.
pub(super) struct OpenStream {
    reader: Peer<Router>,
    /// Until the first token.
    head: Option<(Promise<Generated>, Rc<Baggage>)>,
    flow: Flow,
    /// Parts so far.
    number: u32,
    charge: Option<Charge>,
    span: Span,
    /// What comes next; none while it stalls for ever.
    timer: Option<Timer>,
}

impl OpenStream {
    pub(super) fn new(
        reader: Peer<Router>,
        flow: Flow,
        head: (Promise<Generated>, Rc<Baggage>),
        charge: Option<Charge>,
        span: Span,
    ) -> OpenStream {
        OpenStream { reader, head: Some(head), flow, number: 0, charge, span, timer: None }
    }
}

impl Backend {
    pub(super) fn open(&mut self, to: &StreamTo, first_token: Duration, mut stream: OpenStream) {
        let key = key(to);
        stream.timer = Some(self.env.after(first_token, move |backend, _| backend.answer(key)));
        self.streams.insert(key, stream);
    }

    /// HTTP 200 and the headers.
    fn answer(&mut self, key: StreamKey) {
        let mut headers = Vec::new();
        self.limit_headers(&mut headers);
        let Some(stream) = self.streams.get_mut(&key) else { return };
        if let Some((promise, baggage)) = stream.head.take() {
            promise.keep(Generated::Streaming { baggage, headers });
        }
        self.go_on(key);
    }

    /// Says what is due, and sees to the rest.
    fn go_on(&mut self, key: StreamKey) {
        while let Some(stream) = self.streams.get_mut(&key) {
            stream.timer = None;
            let Some((takes, part)) = stream.flow.next() else { return };
            if takes.is_zero() {
                self.say(key, part);
                continue;
            }
            stream.timer = Some(self.env.after(takes, move |backend, _| {
                backend.say(key, part);
                backend.go_on(key);
            }));
            return;
        }
    }

    fn say(&mut self, key: StreamKey, part: Part) {
        let Some(stream) = self.streams.get_mut(&key) else { return };
        let is_last = matches!(part, Part::End { .. } | Part::Error(_) | Part::Closed);
        let error = (!matches!(part, Part::End { .. })).then_some("broken_off");
        self.env.send(&stream.reader, Chunk { stream: key.1, number: stream.number, part });
        stream.number += 1;
        if is_last {
            self.close(key, error);
        }
    }

    fn close(&mut self, key: StreamKey, error: Option<&str>) {
        let Some(stream) = self.streams.remove(&key) else { return };
        if let Some(timer) = &stream.timer {
            self.env.cancel(timer);
        }
        self.end_span(&stream.span, error, stream.flow.sent());
        self.settle(stream.charge, stream.flow.sent());
    }
}

impl Handler<CloseStream> for Backend {
    type Result = ();

    fn handle(&mut self, CloseStream { stream, reader }: CloseStream, _: &mut Context<Self>) {
        self.close((reader.node(), stream), Some("given_up"));
    }
}
