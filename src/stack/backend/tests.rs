//! Each error with and without a stream, streams, limits, probes: as a caller sees them.

mod limits;

use std::rc::Rc;

use super::*;
use crate::{
    policy::meter,
    stack::{
        CloseStream, Router, StreamId, StreamTo, TraceHeader,
        settings::{Provider, Task},
    },
    world::{
        CallError, Delay, Fault, FaultKind, LinkRule, Peer, Probability, Record, Seed, Sighting,
        World,
    },
};

/// The first token after a second, ten tokens per second, chunks of twenty.
fn settings(provider: Provider, errors: ErrorMix) -> settings::Backend {
    settings::Backend {
        name: "opus".to_owned(),
        provider,
        tier: 1,
        weight: 1,
        price_micros: 0,
        first_token: Delay::Fixed(Duration::from_secs(1)),
        tokens_per_second: 10,
        chunk_tokens: 20,
        errors,
        retry_after: None,
        limits: meter::Settings::default(),
    }
}

fn always(kind: ErrorKind) -> ErrorMix {
    let sure = Probability::ALWAYS;
    let mut mix = ErrorMix::default();
    match kind {
        ErrorKind::RateLimited => mix.rate_limited = sure,
        ErrorKind::Overloaded => mix.overloaded = sure,
        ErrorKind::ServerError => mix.server_error = sure,
        ErrorKind::Silence => mix.silence = sure,
        ErrorKind::Reset => mix.reset = sure,
        ErrorKind::Malformed => mix.malformed = sure,
        ErrorKind::BadRequest => mix.bad_request = sure,
        ErrorKind::Credential => mix.credential = sure,
        ErrorKind::Forbidden => mix.forbidden = sure,
        ErrorKind::NotFound => mix.not_found = sure,
        ErrorKind::Timeout => mix.timeout = sure,
        ErrorKind::Conflict => mix.conflict = sure,
        ErrorKind::Quota => mix.quota = sure,
        ErrorKind::AcceptedThenOverloaded => mix.accepted_then_overloaded = sure,
        ErrorKind::Cut => mix.cut = sure,
        ErrorKind::Stall => mix.stall = sure,
        ErrorKind::ErrorInStream => mix.error_in_stream = sure,
        ErrorKind::MalformedChunk => mix.malformed_chunk = sure,
    }
    mix
}

/// Who reads streams: what is sent to it is seen in the history.
struct Nobody;

impl Actor for Nobody {
    type Context = Context<Self>;
}

type Act = Rc<dyn Fn(&Client)>;

/// Does what a test says, and takes down what comes of it.
struct Client {
    env: Env<Client>,
    act: Act,
    backend: Peer<Backend>,
    reader: Peer<Router>,
}

impl Actor for Client {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        let act = Rc::clone(&self.act);
        act(self);
    }
}

impl Client {
    /// Asks for 40 tokens, or as many as are said, after a while.
    fn ask(&self, after: u64, output_tokens: u32, stream: Option<u64>) {
        let number = after as u32 + 1;
        let prompt = Prompt {
            request: RequestId { agent: "rust".into(), number },
            task: Task::General,
            operation: None,
            workspace: "".into(),
            baggage: Rc::default(),
            input_tokens: 100,
            output_tokens,
        };
        let stream = stream.map(|id| StreamTo { reader: self.reader, id: StreamId(id) });
        let generate = Generate { prompt, stream, trace: TraceHeader::Missing };
        self.env.after(Duration::from_millis(after), move |client, _| {
            let call = client.env.call(&client.backend, generate).duplicable();
            call.timeout(LONG).then(|client, result, _| client.note(&result));
        });
    }

    fn probe(&self) {
        let call = self.env.call(&self.backend, Probe::default()).timeout(LONG);
        call.then(|client, result, _| client.env.emit("answered", format!("{result:?}")));
    }

    fn note(&self, result: &Result<Generated, CallError>) {
        let text = match result {
            Ok(Generated::Completion { output_tokens, .. }) => format!("{output_tokens} tokens"),
            Ok(Generated::Streaming { .. }) => "streaming".to_owned(),
            Ok(Generated::Error(error)) => error.status.to_string(),
            Ok(Generated::Malformed) => "malformed".to_owned(),
            Err(error) => error.to_string(),
        };
        let headers = match result {
            Ok(
                Generated::Completion { headers, .. }
                | Generated::Streaming { headers, .. }
                | Generated::Error(HttpError { headers, .. }),
            ) => headers.clone(),
            _ => Vec::new(),
        };
        let headers: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        self.env.emit("answered", text);
        self.env.emit("headers", headers.join("\n"));
    }
}

const LONG: Duration = Duration::from_secs(200);

/// What happened.
struct Run(Vec<Record>);

impl Run {
    fn texts(&self, kind: &str) -> Vec<(u64, String)> {
        let of_kind = self.0.iter().filter(|record| record.kind == kind);
        of_kind
            .map(|it| (it.at_ns / 1_000_000, it.fields["value"].as_str().unwrap().to_owned()))
            .collect()
    }

    /// When each answer came, in milliseconds, and what it was.
    fn answers(&self) -> Vec<(u64, String)> {
        self.texts("answered")
    }

    fn answer(&self) -> (u64, String) {
        let mut answers = self.answers();
        assert_eq!(answers.len(), 1);
        answers.swap_remove(0)
    }

    /// The headers of an answer.
    fn headers(&self, answer: usize) -> String {
        self.texts("headers").swap_remove(answer).1
    }

    /// When chunks came, in milliseconds.
    fn chunks(&self) -> Vec<u64> {
        let is_chunk = |it: &&Record| it.kind == "message_sent" && it.fields["label"] == "Chunk";
        self.0.iter().filter(is_chunk).map(|it| it.at_ns / 1_000_000).collect()
    }
}

/// A world of a backend, a reader of streams and a client; messages take no time.
struct Setup {
    settings: settings::Backend,
    outages: Outages,
    duplicate: Probability,
    faults: Vec<Fault>,
}

impl Setup {
    fn new(settings: settings::Backend) -> Setup {
        let (outages, duplicate, faults) = Default::default();
        Setup { settings, outages, duplicate, faults }
    }
}

fn play_in(setup: Setup, act: impl Fn(&Client) + 'static) -> Run {
    let Setup { settings, outages, duplicate, faults } = setup;
    let act: Act = Rc::new(act);
    let records = Rc::new(RefCell::new(Vec::new()));
    let mut world = World::new(Seed(1));
    let links = LinkRule { duplicate, ..LinkRule::with_latency(Delay::Fixed(Duration::ZERO)) };
    world.network(links).start_at(jiff::Timestamp::constant(784_111_777, 0));
    let all = Rc::clone(&records);
    world.observe(move |sighting: &Sighting<'_>| all.borrow_mut().push(sighting.to_record()));
    let settings = Rc::new(settings);
    let backend = world
        .spawn("opus", move |env| Backend::new(env, Rc::clone(&settings), Rc::clone(&outages)));
    let nobody = world.spawn("reader", |_| Nobody);
    let reader = Peer::new(nobody.node(), 0);
    world.spawn("client", move |env| Client { env, act: Rc::clone(&act), backend, reader });
    for fault in faults {
        world.fault(fault);
    }
    world.run().unwrap();
    Run(records.take())
}

fn play(settings: settings::Backend, act: impl Fn(&Client) + 'static) -> Run {
    play_in(Setup::new(settings), act)
}

/// What comes of one request for 40 tokens, whole or as a stream.
fn ask(provider: Provider, errors: ErrorMix, stream: Option<u64>) -> Run {
    play(settings(provider, errors), move |client| client.ask(0, 40, stream))
}

const KINDS: [ErrorKind; 18] = [
    ErrorKind::RateLimited,
    ErrorKind::Overloaded,
    ErrorKind::ServerError,
    ErrorKind::Silence,
    ErrorKind::Reset,
    ErrorKind::Malformed,
    ErrorKind::BadRequest,
    ErrorKind::Credential,
    ErrorKind::Forbidden,
    ErrorKind::NotFound,
    ErrorKind::Timeout,
    ErrorKind::Conflict,
    ErrorKind::Quota,
    ErrorKind::AcceptedThenOverloaded,
    ErrorKind::Cut,
    ErrorKind::Stall,
    ErrorKind::ErrorInStream,
    ErrorKind::MalformedChunk,
];

#[test]
fn without_errors() {
    let whole = ask(Provider::Generic, ErrorMix::default(), None);
    assert_eq!(whole.answer(), (5_000, "40 tokens".to_owned()));
    assert_eq!((whole.headers(0), whole.chunks()), (String::new(), Vec::new()));
    let stream = ask(Provider::Generic, ErrorMix::default(), Some(1));
    assert_eq!(stream.answer(), (1_000, "streaming".to_owned()));
    assert_eq!(stream.chunks(), [3_000, 5_000, 5_000], "two of tokens, and the end");
    let nothing = play(settings(Provider::Generic, ErrorMix::default()), |client| {
        client.ask(0, 0, Some(1));
        client.ask(0, 0, None);
    });
    assert_eq!(nothing.chunks(), [1_000]);
    assert_eq!(nothing.answers()[1], (1_000, "0 tokens".to_owned()));
}

#[test]
fn an_error_that_shows_before_the_first_token_is_the_same_with_and_without_a_stream() {
    for (kind, at, answer) in [
        (ErrorKind::RateLimited, 0, "429"),
        (ErrorKind::Overloaded, 0, "529"),
        (ErrorKind::BadRequest, 0, "400"),
        (ErrorKind::Credential, 0, "401"),
        (ErrorKind::Forbidden, 0, "403"),
        (ErrorKind::NotFound, 0, "404"),
        (ErrorKind::Conflict, 0, "409"),
        (ErrorKind::Quota, 0, "400"),
        (ErrorKind::ServerError, 1_000, "500"),
        (ErrorKind::Timeout, 1_000, "408"),
        (ErrorKind::Reset, 1_000, "reset"),
        (ErrorKind::Silence, 200_000, "timed out"),
    ] {
        for stream in [None, Some(1)] {
            let run = ask(Provider::Anthropic, always(kind), stream);
            assert_eq!(run.answer(), (at, answer.to_owned()), "{kind:?} {stream:?}");
            assert!(run.chunks().is_empty());
        }
    }
    let accepted = |stream| {
        ask(Provider::Anthropic, always(ErrorKind::AcceptedThenOverloaded), stream).answer()
    };
    assert_eq!(accepted(None), accepted(Some(1)));
    assert!((14_000..18_000).contains(&accepted(None).0));
    assert_eq!(accepted(None).1, "529");
}

#[test]
fn an_error_in_the_middle_of_a_stream_has_its_likeness_without_one() {
    let answers = |kind| {
        let (whole, stream) = (
            ask(Provider::Openai, always(kind), None).answer(),
            ask(Provider::Openai, always(kind), Some(1)),
        );
        assert_eq!(stream.answer(), (1_000, "streaming".to_owned()), "{kind:?}");
        (whole, stream.chunks())
    };
    for (kind, answer) in [(ErrorKind::Cut, "reset"), (ErrorKind::ErrorInStream, "503")] {
        let (whole, chunks) = answers(kind);
        assert_eq!((whole.1.as_str(), chunks.last()), (answer, Some(&whole.0)), "{kind:?}");
        assert!((1_000..5_000).contains(&whole.0));
    }
    let (whole, chunks) = answers(ErrorKind::MalformedChunk);
    assert_eq!(whole, (5_000, "malformed".to_owned()));
    assert_eq!(chunks.last(), Some(&5_000), "it goes on to its end");
    let (whole, chunks) = answers(ErrorKind::Stall);
    if whole.1 == "timed out" {
        assert!(chunks.iter().all(|at| *at < 5_000));
    } else {
        assert!((55_000..75_000).contains(&whole.0), "{whole:?}");
        assert_eq!(chunks.last(), Some(&whole.0));
    }
    let malformed = |stream| ask(Provider::Openai, always(ErrorKind::Malformed), stream).answer();
    assert_eq!(malformed(None), (5_000, "malformed".to_owned()));
    assert_eq!(malformed(Some(1)), (1_000, "malformed".to_owned()), "there is no stream to see");
}

/// A stream of 40 tokens that is closed after so many milliseconds.
fn closed(at: u64, id: u64) -> Run {
    play(settings(Provider::Generic, ErrorMix::default()), move |client| {
        client.ask(0, 40, Some(1));
        client.env.after(Duration::from_millis(at), move |client, _| {
            let close = CloseStream { stream: StreamId(id), reader: client.reader };
            client.env.send(&client.backend, close);
        });
    })
}

#[test]
fn a_closed_stream_says_nothing_more() {
    assert_eq!(closed(3_500, 1).chunks(), [3_000]);
    assert_eq!(closed(6_000, 1).chunks(), [3_000, 5_000, 5_000], "it was over");
    assert_eq!(closed(3_500, 2).chunks(), [3_000, 5_000, 5_000], "it was another one");
    let early = closed(500, 1);
    assert_eq!(early.answer(), (500, "reset".to_owned()));
    assert!(early.chunks().is_empty());
}

#[test]
fn the_second_copy_of_a_request_is_no_second_stream() {
    let mut setup = Setup::new(settings(Provider::Generic, ErrorMix::default()));
    setup.duplicate = Probability::ALWAYS;
    let run = play_in(setup, |client| client.ask(0, 40, Some(1)));
    assert_eq!(run.answer(), (1_000, "streaming".to_owned()));
    assert_eq!(run.chunks(), [3_000, 5_000, 5_000]);
}

#[test]
fn streams_of_one_reader_do_not_disturb_each_other() {
    let run = play(settings(Provider::Generic, ErrorMix::default()), |client| {
        client.ask(0, 40, Some(1));
        client.ask(500, 20, Some(2));
    });
    assert_eq!(run.chunks(), [3_000, 3_500, 3_500, 5_000, 5_000]);
}

#[test]
fn a_crash_takes_what_is_in_flight_with_it() {
    let mut setup = Setup::new(settings(Provider::Generic, ErrorMix::default()));
    setup.faults.push(Fault {
        at: Duration::from_millis(3_500),
        lasts: Some(Duration::from_millis(100)),
        kind: FaultKind::Crash { nodes: vec!["opus".into()] },
    });
    setup.outages.borrow_mut().push((
        0,
        Outage { first_token: Some(Delay::Fixed(Duration::from_secs(2))), ..Outage::default() },
    ));
    let run = play_in(setup, |client| {
        client.ask(0, 20, Some(1));
        client.ask(0, 40, None);
        client.ask(10_000, 10, None);
    });
    assert!(run.chunks().is_empty(), "the first chunk was due at 4 s");
    let answers = run.answers();
    assert_eq!(answers[0], (2_000, "streaming".to_owned()));
    assert_eq!(answers[1], (3_500, "reset".to_owned()));
    assert_eq!(answers[2], (13_000, "10 tokens".to_owned()), "the outage goes on");
}

#[test]
fn what_happens_to_one_request_changes_nothing_for_the_next() {
    let mut mix = ErrorMix::default();
    for share in [&mut mix.cut, &mut mix.server_error, &mut mix.accepted_then_overloaded] {
        *share = Probability::percent(20);
    }
    let mut settings = settings(Provider::Generic, mix);
    settings.first_token =
        Delay::Uniform { min: Duration::from_secs(1), max: Duration::from_secs(2) };
    let run = |stream: Option<u64>, limited: bool| {
        let setup = Setup::new(settings.clone());
        if limited {
            let errors = Some(always(ErrorKind::Credential));
            setup.outages.borrow_mut().push((0, Outage { errors, ..Outage::default() }));
        }
        let outages = Rc::clone(&setup.outages);
        let mut rest = play_in(setup, move |client| {
            client.ask(0, 40, stream);
            let outages = Rc::clone(&outages);
            client.env.after(Duration::from_millis(1), move |_, _| outages.borrow_mut().clear());
            for number in 1..20 {
                client.ask(100_000 * number, 40, None);
            }
        })
        .answers();
        rest.remove(0);
        rest
    };
    let rest = run(None, false);
    assert_eq!(rest.len(), 19);
    assert!(rest.iter().any(|(_, answer)| answer != "40 tokens"));
    assert_eq!(rest, run(Some(1), false));
    assert_eq!(rest, run(None, true));
}

#[test]
fn probes() {
    let probe = |errors| play(settings(Provider::Generic, errors), Client::probe).answer();
    assert_eq!(probe(ErrorMix::default()), (0, "Ok(Healthy)".to_owned()));
    for kind in KINDS {
        let expected = match kind {
            ErrorKind::RateLimited | ErrorKind::Overloaded | ErrorKind::AcceptedThenOverloaded => {
                (0, "Ok(Degraded)")
            }
            ErrorKind::Silence | ErrorKind::Stall => (200_000, "Err(TimedOut)"),
            ErrorKind::Reset => (0, "Err(Reset)"),
            ErrorKind::Malformed
            | ErrorKind::Cut
            | ErrorKind::ErrorInStream
            | ErrorKind::MalformedChunk => (0, "Ok(Healthy)"),
            _ => (0, "Ok(Unhealthy)"),
        };
        assert_eq!(probe(always(kind)), (expected.0, expected.1.to_owned()), "{kind:?}");
    }
}

#[test]
fn a_probe_draws_for_itself() {
    let errors = ErrorMix { server_error: Probability::percent(50), ..ErrorMix::default() };
    let run = |probes: u32| {
        play(settings(Provider::Generic, errors), move |client| {
            for _ in 0..probes {
                client.probe();
            }
            for number in 0..20 {
                client.ask(10_000 * number + 1, 40, None);
            }
        })
        .answers()
    };
    let (without, with) = (run(0), run(7));
    assert_eq!(with.len(), without.len() + 7);
    assert_eq!(with[7..], without);
}
