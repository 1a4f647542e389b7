//! Whether what is in force goes together: rules over several fields, and over the limits as a
//! whole. Ranges of single fields are looked at where they are read.

use std::time::Duration;

use super::{
    Config, OPERATIONS_MAX, Scope,
    field::Field,
    origin::{Layer, Origin},
    preset::{Preset, Template},
    problem::{Kind, PROBLEMS_MAX, Problem},
    source::Source,
    statement::Statement,
    strategy::{Strategy, Tuning},
};

/// The most calls a minute that an open breaker may let through to a model that does not answer.
/// Our own bound; it is the source project's limit for validations.
pub(super) const PROBES_PER_MINUTE_MAX: u64 = 60;

/// The longest that the pauses of one request may be together. Our own bound; it is the largest
/// `max_delay_seconds` that the source project allows.
pub(super) const PAUSES_MAX: Duration = Duration::from_secs(600);

/// What is wrong with a configuration as a whole.
pub(super) fn check(config: &Config, sources: &[Source]) -> Vec<Problem> {
    let mut checker = Checker { sources, operation: None, problems: Vec::new() };
    checker.scope(config.default_scope(), None);
    checker.preset(config);
    for (operation, scope) in config.operations() {
        checker.operation = Some(operation);
        checker.scope(scope, Some(config.default_scope()));
    }
    checker.problems.truncate(PROBLEMS_MAX);
    checker.problems
}

/// What is said of an operation that there was no room for.
pub(super) fn left_out(
    config: &Config,
    statements: &[Statement],
    sources: &[Source],
) -> Option<Problem> {
    let is_left_out = |it: &&Statement| {
        it.operation.as_ref().is_some_and(|name| !config.operations.contains_key(name))
    };
    let origin = &statements.iter().find(is_left_out)?.origin;
    let checker = Checker { sources, operation: None, problems: Vec::new() };
    let (source, place) = checker.place(origin);
    Some(Problem {
        kind: Kind::TooLarge,
        is_warning: false,
        key: "operations".to_owned(),
        what: format!("more than {OPERATIONS_MAX} operations"),
        why: "each has a breaker and a line in every report".to_owned(),
        help: "say something of fewer; all others have what holds for all".to_owned(),
        source,
        place,
    })
}

struct Checker<'a> {
    sources: &'a [Source],
    operation: Option<&'a str>,
    problems: Vec<Problem>,
}

/// A rule that is broken.
struct Broken {
    kind: Kind,
    is_warning: bool,
    what: String,
    why: &'static str,
    help: String,
}

impl Checker<'_> {
    /// The rules over the fields of one scope; a scope that differs from all others' in nothing
    /// that a rule looks at is not told again.
    fn scope(&mut self, scope: &Scope, default: Option<&Scope>) {
        for (fields, rule) in RULES {
            let is_inherited = default.is_some_and(|default| {
                fields.iter().all(|field| last(scope, *field) == last(default, *field))
            });
            if is_inherited {
                continue;
            }
            if let Some(broken) = rule(scope.tuning()) {
                self.tell(scope, fields, broken);
            }
        }
    }

    /// What a preset's name promises.
    fn preset(&mut self, config: &Config) {
        let scope = config.default_scope();
        let (Some((preset, _)), Some((strategy, _))) = (config.chosen_preset(), scope.strategy())
        else {
            return;
        };
        let broken = match (preset, strategy) {
            (Preset::Production, Strategy::Aggressive) => Broken {
                kind: Kind::Unusual,
                is_warning: true,
                what: "the strategy of `production` is aggressive".to_owned(),
                why: "it gives up after two attempts, which users will see",
                help: "\"balanced\" or \"conservative\" would do".to_owned(),
            },
            (Preset::Development, Strategy::Conservative) if scope.tuning().attempts > 3 => {
                Broken {
                    kind: Kind::Unusual,
                    is_warning: true,
                    what: format!(
                        "`development` is conservative and makes {} attempts",
                        scope.tuning().attempts
                    ),
                    why: "whoever develops waits for minutes to see an error",
                    help: "\"aggressive\" would do, or `retry_attempts = 3`".to_owned(),
                }
            }
            _ => return,
        };
        self.tell(scope, &[Field::RetryAttempts], broken);
    }

    /// A rule is told where somebody said something last; presets and strategies that nobody
    /// changed are what they are.
    fn tell(&mut self, scope: &Scope, fields: &[Field], broken: Broken) {
        let said = fields.iter().filter_map(|field| {
            let said = scope.why(*field).next_back()?;
            (said.origin.layer() > Layer::Preset).then_some((*field, &said.origin))
        });
        let when = |origin: &Origin| match origin {
            Origin::File { line, .. } => (origin.order(), *line),
            _ => (origin.order(), 0),
        };
        let Some((field, origin)) = said.max_by_key(|(_, origin)| when(origin)) else { return };
        let (source, place) = self.place(origin);
        let key = match (origin, self.operation) {
            (Origin::File { key, .. } | Origin::Sim { key }, _) => key.to_string(),
            (Origin::Env { key: Some(key), .. }, _) => key.to_string(),
            (_, Some(operation)) => format!("operations.{operation}.{field}"),
            (_, None) => field.to_string(),
        };
        let what = match self.operation {
            Some(operation) => format!("for `{operation}`, {}", broken.what),
            None => broken.what,
        };
        self.problems.push(Problem {
            kind: broken.kind,
            is_warning: broken.is_warning,
            key,
            what,
            why: broken.why.to_owned(),
            help: broken.help,
            source,
            place,
        });
    }

    fn place(&self, origin: &Origin) -> (Source, std::ops::Range<usize>) {
        let name = origin.text_name();
        let Some(source) = self.sources.iter().find(|source| source.name() == name) else {
            return (Source::new(&name, ""), 0..0);
        };
        let place = match origin {
            Origin::File { line, .. } => source.line(*line),
            _ => 0..source.text().len(),
        };
        (source.clone(), place)
    }
}

/// What holds of a field, and who said so.
fn last(scope: &Scope, field: Field) -> Option<(super::Value, &Origin)> {
    scope.why(field).next_back().map(|said| (said.value, &said.origin))
}

type Rule = (&'static [Field], fn(&Tuning) -> Option<Broken>);

/// The rules, and the fields that each looks at.
const RULES: [Rule; 8] = [
    (&[Field::ExponentialMin, Field::ExponentialMax], bounds),
    (&[Field::MaxDelaySeconds, Field::RetryAttempts], delay),
    (&[Field::MaxDelaySeconds, Field::ExponentialMax], never_reached),
    (&[Field::CircuitBreakerThreshold], nervous),
    (&[Field::RetryAttempts], many),
    (&[Field::CircuitBreakerThreshold, Field::RetryAttempts], one_request_opens),
    (&[Field::HalfOpenMaxCalls, Field::RecoveryTimeout], permissive),
    (
        &[
            Field::RetryAttempts,
            Field::ExponentialMax,
            Field::MaxDelaySeconds,
            Field::JitterMax,
            Field::JitterEnabled,
        ],
        endless,
    ),
];

fn bounds(tuning: &Tuning) -> Option<Broken> {
    let (min, max) = (Field::ExponentialMin.of(tuning), Field::ExponentialMax.of(tuning));
    (tuning.exp_min >= tuning.exp_max).then(|| Broken {
        kind: Kind::Contradiction,
        is_warning: false,
        what: format!("`exponential_min` is {min} and `exponential_max` is {max}"),
        why: "the shortest pause must be shorter than the longest, or pauses cannot grow",
        help: if tuning.exp_min < Duration::from_secs(5) {
            // The least that `exponential_max` may be.
            "`exponential_max = 5` would do".to_owned()
        } else {
            format!("`exponential_max = {}` would do", tuning.exp_min.as_secs() + 1)
        },
    })
}

fn delay(tuning: &Tuning) -> Option<Broken> {
    let least = u64::from(tuning.attempts) * 2;
    (tuning.max_delay < Duration::from_secs(least)).then(|| Broken {
        kind: Kind::Unusual,
        is_warning: true,
        what: format!(
            "`max_delay_seconds` is {} with {} attempts",
            Field::MaxDelaySeconds.of(tuning),
            tuning.attempts
        ),
        why: "the time for retries is over before there were so many attempts",
        help: format!("`max_delay_seconds = {}` would do", least.max(5)),
    })
}

fn never_reached(tuning: &Tuning) -> Option<Broken> {
    (tuning.exp_max > tuning.max_delay).then(|| Broken {
        kind: Kind::Contradiction,
        is_warning: true,
        what: format!(
            "`exponential_max` is {} and `max_delay_seconds` is {}",
            Field::ExponentialMax.of(tuning),
            Field::MaxDelaySeconds.of(tuning)
        ),
        why: "no pause is longer than all the time for retries, so one of the two does not hold",
        help: format!("`max_delay_seconds = {}` would do", Field::ExponentialMax.of(tuning)),
    })
}

fn nervous(tuning: &Tuning) -> Option<Broken> {
    (tuning.failure_threshold < 3).then(|| Broken {
        kind: Kind::Unusual,
        is_warning: true,
        what: format!("`circuit_breaker_threshold` is {}", tuning.failure_threshold),
        why: "a breaker that opens so soon opens at ordinary bad luck",
        help: "3 would do".to_owned(),
    })
}

fn many(tuning: &Tuning) -> Option<Broken> {
    (tuning.attempts > 7).then(|| Broken {
        kind: Kind::Unusual,
        is_warning: true,
        what: format!("`retry_attempts` is {}", tuning.attempts),
        why: "as many attempts multiply the load when a model is down",
        help: "7 would do".to_owned(),
    })
}

fn one_request_opens(tuning: &Tuning) -> Option<Broken> {
    (tuning.attempts > tuning.failure_threshold).then(|| Broken {
        kind: Kind::Contradiction,
        is_warning: true,
        what: format!(
            "`retry_attempts` is {} and `circuit_breaker_threshold` is {}",
            tuning.attempts, tuning.failure_threshold
        ),
        why: "a single request opens the breaker, and its last attempts are never made",
        help: format!("`circuit_breaker_threshold = {}` would do", (tuning.attempts + 2).min(20)),
    })
}

fn permissive(tuning: &Tuning) -> Option<Broken> {
    let recovery = tuning.recovery.as_millis().max(1);
    let calls = u128::from(tuning.half_open_calls);
    let is_too_many = calls * 60_000 > u128::from(PROBES_PER_MINUTE_MAX) * recovery;
    is_too_many.then(|| Broken {
        kind: Kind::Permissive,
        is_warning: false,
        what: format!(
            "an open breaker lets {} calls through every {} seconds",
            tuning.half_open_calls,
            Field::RecoveryTimeout.of(tuning)
        ),
        why: "more than 60 calls a minute to a model that does not answer is no protection",
        help: "`half_open_max_calls = 1` would do".to_owned(),
    })
}

fn endless(tuning: &Tuning) -> Option<Broken> {
    let longest = (tuning.exp_max + tuning.jitter.unwrap_or_default()).min(tuning.max_delay);
    let all = longest.saturating_mul(tuning.attempts.saturating_sub(1));
    (all > PAUSES_MAX).then(|| Broken {
        kind: Kind::Permissive,
        is_warning: true,
        what: format!("one request may wait {} seconds between its attempts", all.as_secs()),
        why: "whoever asked has gone long before, and the request still takes up room",
        help: "`exponential_max = 60` would do".to_owned(),
    })
}

/// The template that comes nearest to what all operations have, if one is near.
#[must_use]
pub(super) fn template(config: &Config) -> Option<&'static Template> {
    let scope = config.default_scope();
    let tuning = scope.tuning();
    let strategy = scope.strategy().map(|(strategy, _)| strategy);
    Template::suggest(Some(tuning.attempts), Some(tuning.failure_threshold), strategy)
}
