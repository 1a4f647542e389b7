//! Trouble of a provider of models, of one model or, in a regional outage, of all that it has.

use super::target::Targets;
use super::{millis, percent};
use crate::scenario::model::{Backend, ErrorMix, FaultKind, RetryAfter};
use crate::world::{Delay, Probability, Stream};

/// What a provider does while it lasts.
struct Trouble {
    errors: Option<ErrorMix>,
    retry_after: Option<RetryAfter>,
    tells_end: bool,
    first_token: Option<Delay>,
}

impl Trouble {
    fn of(&self, backend: &Backend) -> FaultKind {
        FaultKind::Backend {
            name: backend.name.clone(),
            errors: self.errors,
            retry_after: self.retry_after.clone(),
            tells_end: self.tells_end,
            first_token: self.first_token.clone(),
        }
    }
}

fn errors(errors: ErrorMix) -> Trouble {
    Trouble { errors: Some(errors), retry_after: None, tells_end: false, first_token: None }
}

pub(super) fn draw(targets: &Targets<'_>, draws: &mut Stream) -> Option<Vec<FaultKind>> {
    let backend = *draws.pick(&targets.backends)?;
    let (kind, share) = (draws.below(13), percent(draws, 20, 100));
    let (no, all) = (ErrorMix::default(), Probability::ALWAYS);
    let limited = errors(ErrorMix { rate_limited: all, ..no });
    let trouble = match kind {
        0 => errors(by_status(share, draws)),
        1 => Trouble { tells_end: true, ..limited },
        2 => Trouble { retry_after: Some(lie(draws)), ..limited },
        3 => errors(ErrorMix { quota: all, ..no }),
        4 => {
            let first_token = Some(Delay::Fixed(millis(draws, 5_000, 40_000)));
            Trouble { errors: None, retry_after: None, tells_end: false, first_token }
        }
        5 => errors(ErrorMix { stall: share, ..no }),
        6 => errors(ErrorMix { cut: share, ..no }),
        7 => errors(ErrorMix { malformed_chunk: share, ..no }),
        8 => errors(ErrorMix { malformed: share, ..no }),
        9 => errors(ErrorMix { accepted_then_overloaded: share, ..no }),
        10 => errors(ErrorMix { error_in_stream: share, ..no }),
        // A credential that was revoked serves nobody until there is a new one.
        11 => errors(ErrorMix { credential: all, ..no }),
        _ => {
            let trouble = errors(match draws.below(3) {
                0 => ErrorMix { overloaded: all, ..no },
                1 => ErrorMix { silence: all, ..no },
                _ => ErrorMix { reset: all, ..no },
            });
            let region = targets.backends.iter().filter(|it| it.provider == backend.provider);
            return Some(region.map(|it| trouble.of(it)).collect());
        }
    };
    Some(vec![trouble.of(backend)])
}

/// One error that a provider answers with. Those that blame the request are left out: a request of
/// this stack is never wrong.
fn by_status(share: Probability, draws: &mut Stream) -> ErrorMix {
    let no = ErrorMix::default();
    match draws.below(7) {
        0 => ErrorMix { server_error: share, ..no },
        1 => ErrorMix { overloaded: share, ..no },
        2 => ErrorMix { timeout: share, ..no },
        3 => ErrorMix { silence: share, ..no },
        4 => ErrorMix { reset: share, ..no },
        5 => ErrorMix { forbidden: share, ..no },
        _ => ErrorMix { not_found: share, ..no },
    }
}

/// A Retry-After that is not true: too soon, much too late, or no time at all.
fn lie(draws: &mut Stream) -> RetryAfter {
    let kind = draws.below(4);
    let soon = millis(draws, 1, 1_000);
    match kind {
        0 => RetryAfter::Seconds(std::time::Duration::ZERO),
        1 => RetryAfter::Millis(soon),
        2 => RetryAfter::Seconds(std::time::Duration::from_secs(86_400)),
        _ => RetryAfter::Raw("soon".to_owned()),
    }
}
