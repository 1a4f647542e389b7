//! Parts of answers and their times, with every mishap.

use super::*;

fn flow(tokens: u32, mishap: Option<(u32, Mishap)>) -> Flow {
    Flow::new(tokens, 20, 10, mishap)
}

/// The time of each part in milliseconds, and the part.
fn parts(flow: Flow) -> Vec<(u128, Part)> {
    let mut at = Duration::ZERO;
    let timed = flow.map(|(takes, part)| {
        at += takes;
        (at.as_millis(), part)
    });
    timed.collect()
}

fn end(tokens: u32) -> Part {
    Part::End { output_tokens: tokens }
}

#[test]
fn chunks_add_up_to_the_tokens_and_end_with_the_last() {
    use Part::Tokens;
    assert_eq!(
        parts(flow(50, None)),
        [(2_000, Tokens(20)), (4_000, Tokens(20)), (5_000, Tokens(10)), (5_000, end(50))]
    );
    assert_eq!(parts(flow(20, None)), [(2_000, Tokens(20)), (2_000, end(20))]);
    assert_eq!(parts(flow(0, None)), [(0, end(0))]);
}

#[test]
fn nothing_is_lost_to_rounding() {
    let mut at = Duration::ZERO;
    let mut tokens = 0;
    for (takes, part) in Flow::new(100, 1, 3, None) {
        at += takes;
        if let Part::Tokens(more) = part {
            tokens += more;
        }
    }
    assert_eq!((tokens, at), (100, generation(100, 3)));
    assert_eq!(generation(100, 3), Duration::from_nanos(33_333_333_333));
}

#[test]
fn zero_counts_as_one() {
    assert_eq!(parts(Flow::new(1, 0, 0, None)), [(1_000, Part::Tokens(1)), (1_000, end(1))]);
}

#[test]
fn a_cut_stream_has_no_end() {
    use Part::{Closed, Tokens};
    let cut = || Some((30, Mishap::Cut));
    assert_eq!(parts(flow(50, cut())), [(2_000, Tokens(20)), (3_000, Tokens(10)), (3_000, Closed)]);
    assert_eq!(parts(flow(50, Some((0, Mishap::Cut)))), [(0, Closed)]);
    assert_eq!(parts(flow(0, Some((0, Mishap::Cut)))), [(0, Closed)]);
    let whole = flow(50, cut()).whole(Duration::from_secs(1));
    let after = Duration::from_secs(4);
    assert_eq!(whole, Ending { after, generated: 30, result: Outcome::Reset });
}

#[test]
fn a_stall_ends_or_does_not() {
    use Part::Tokens;
    let stall = |pause| Some((20, Mishap::Stall(pause)));
    let ending = stall(Some(Duration::from_secs(60)));
    assert_eq!(
        parts(flow(40, ending.clone())),
        [(2_000, Tokens(20)), (64_000, Tokens(20)), (64_000, end(40))]
    );
    let whole = flow(40, ending).whole(Duration::ZERO);
    let after = Duration::from_secs(64);
    assert_eq!(whole, Ending { after, generated: 40, result: Outcome::Completion });

    let mut endless = flow(40, stall(None));
    assert_eq!(endless.next(), Some((Duration::from_secs(2), Tokens(20))));
    assert_eq!((endless.next(), endless.next(), endless.sent()), (None, None, 20));
    let whole = flow(40, stall(None)).whole(Duration::ZERO);
    assert_eq!((whole.generated, whole.result), (20, Outcome::Never));
}

#[test]
fn an_error_in_the_stream_ends_it() {
    let error = || Some((20, Mishap::Error("body".to_owned())));
    assert_eq!(
        parts(flow(40, error())),
        [(2_000, Part::Tokens(20)), (2_000, Part::Error("body".to_owned()))]
    );
    let whole = flow(40, error()).whole(Duration::ZERO);
    assert_eq!(whole.result, Outcome::Failed(ErrorKind::ErrorInStream));
    assert_eq!((whole.after, whole.generated), (Duration::from_secs(2), 20));
}

#[test]
fn a_malformed_chunk_does_not_end_the_stream() {
    use Part::{Malformed, Tokens};
    let malformed = || Some((25, Mishap::Malformed));
    assert_eq!(
        parts(flow(50, malformed())),
        [
            (2_000, Tokens(20)),
            (2_500, Tokens(5)),
            (4_500, Malformed),
            (5_000, Tokens(5)),
            (5_000, end(50))
        ]
    );
    let whole = flow(50, malformed()).whole(Duration::ZERO);
    assert_eq!((whole.generated, whole.result), (50, Outcome::Malformed));
    assert_eq!(parts(flow(0, Some((0, Mishap::Malformed)))), [(0, Malformed), (0, end(0))]);
}
