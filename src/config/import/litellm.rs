//! The `config.yaml` of LiteLLM's proxy.
//!
//! A model of the list is a backend. Those that share a `model_name` are a group, and each group that
//! a client can ask for has a chain: the group, then its fallbacks. Nothing here calls or copies
//! anything of an account: keys, addresses and regions are passed over.
//!
//! What LiteLLM does where the file says nothing is from its source (2025-11 to 2026-10):
//! 2 retries (0.5 s doubled up to 8 s, plus up to 0.75 s), a cooldown of 5 s at more than half of at
//! least 5 requests of a minute failed, 5 fallbacks deep, `simple-shuffle`, 6000 s for a request.

mod keys;
mod models;

use std::{collections::BTreeSet, time::Duration};

use super::{
    draft::{Chain, Draft, From, TASKS, duration},
    finding::Kind,
    read::{At, Fields, Notes, shown},
};
use keys::{GENERAL, LIBRARY, ROOT, ROUTER};
use models::Groups;

/// `num_retries`: openai.DEFAULT_MAX_RETRIES.
const RETRIES: u32 = 2;
/// `cooldown_time`: DEFAULT_COOLDOWN_TIME_SECONDS.
const COOLDOWN: Duration = Duration::from_secs(5);
/// `max_fallbacks`: ROUTER_MAX_FALLBACKS, which bounds how deep, not how many.
const FALLBACKS: u32 = 5;
/// `request_timeout`: REQUEST_TIMEOUT.
const TIMEOUT: Duration = Duration::from_secs(6_000);

/// The draft of a sim, or why there is none.
pub(super) fn draft(root: &mut Fields<'_>, notes: &mut Notes) -> Result<Draft, &'static str> {
    let mut draft = Draft::default();
    let Some(list) = root.take("model_list") else { return Err("there is no model_list") };
    let mut groups = models::read(&list.list(notes), &mut draft, notes);
    if groups.all.is_empty() {
        return Err("no entry of model_list is a model for chat");
    }
    let mut router = root.table("router_settings", notes);
    let mut library = root.table("litellm_settings", notes);
    let mut general = root.table("general_settings", notes);
    let mut settings = Settings { router: &mut router, library: &mut library };
    settings.aliases(&mut groups, notes);
    settings.retries(&mut draft, notes);
    settings.timeout(&mut draft, &groups, notes);
    settings.cooldown(&mut draft, notes);
    settings.chains(&mut draft, &groups, notes);
    settings.strategy(&mut draft, &groups, notes);
    settings.budget(&mut draft, notes);
    if let Some(at) = general.take("global_max_parallel_requests") {
        let limit = at.whole(notes, u32::MAX).filter(|limit| *limit > 0);
        draft.concurrent = limit.map(|limit| From::new(limit, at.path));
    }
    let root = std::mem::replace(root, Fields::none());
    router.rest(ROUTER, notes);
    library.rest(LIBRARY, notes);
    general.rest(GENERAL, notes);
    root.rest(ROOT, notes);
    Ok(draft)
}

/// Settings that stand in one of two tables; those of the router count if both have one.
struct Settings<'s, 'a> {
    router: &'s mut Fields<'a>,
    library: &'s mut Fields<'a>,
}

impl<'a> Settings<'_, 'a> {
    fn take(&mut self, key: &str, notes: &mut Notes) -> Option<At<'a>> {
        let library = self.library.take(key);
        match (self.router.take(key), library) {
            (Some(router), Some(library)) => {
                notes.note(&library, Kind::Ignored, "router_settings says it too, and counts");
                Some(router)
            }
            (router, library) => router.or(library),
        }
    }

    /// Other names under which clients ask for a group.
    fn aliases(&mut self, groups: &mut Groups, notes: &mut Notes) {
        let Some(table) = self.take("model_group_alias", notes) else { return };
        for (alias, at) in table.fields(notes).map(Fields::all).unwrap_or_default() {
            let group = match at.node {
                super::node::Node::Table(_) => {
                    let mut fields = at.fields(notes).unwrap_or_else(Fields::none);
                    let group = fields.take("model").and_then(|at| at.text(notes));
                    fields.rest(&[("hidden", Kind::Ignored, "about lists of models")], notes);
                    group
                }
                _ => at.text(notes),
            };
            match group.and_then(|group| groups.find(group)) {
                Some(group) => {
                    groups.aliases.insert(alias.to_owned(), group);
                    let instead = "requests for it are among those for the group";
                    notes.assume(&at, "agents of a sim do not ask by name", instead);
                }
                None => notes.note(&at, Kind::Invalid, "it names no group of model_list"),
            }
        }
    }

    fn retries(&mut self, draft: &mut Draft, notes: &mut Notes) {
        let given = self.take("num_retries", notes);
        let read = given.as_ref().and_then(|at| at.whole(notes, 99));
        let path = given.as_ref().map_or("LiteLLM's own number", |at| at.path.as_str());
        let retries = read.unwrap_or(RETRIES);
        let mut table = format!("preset = \"litellm\", attempts = {}", retries + 1);
        if let Some(at) = self.take("retry_after", notes)
            && let Some(least) =
                at.seconds(notes).filter(|least| *least > Duration::from_millis(500))
        {
            let longest = least.max(Duration::from_secs(8));
            table += &format!(", base = \"{}\", max = \"{}\"", duration(least), duration(longest));
            let instead = "the first pause is that long, and later ones follow from it";
            notes.assume(&at, "a sim has no least pause", instead);
        }
        draft.retry = Some(From::new(format!("{{ {table} }}"), path));
        if retries > 0 {
            let why = "LiteLLM retries at any model of the group, at once if another is well";
            let instead = "each model of the chain is retried by itself, with LiteLLM's pauses";
            notes.either(given.as_ref(), "router_settings.num_retries", why, instead);
        }
    }

    fn timeout(&mut self, draft: &mut Draft, groups: &Groups, notes: &mut Notes) {
        // Of the two the router's own counts, as with all that both tables have.
        let library = self.library.take("request_timeout");
        let given = match self.take("timeout", notes) {
            Some(at) => {
                if let Some(library) = library {
                    notes.note(&library, Kind::Ignored, "the router's timeout counts");
                }
                Some(at)
            }
            None => library,
        };
        let read = given.and_then(|at| Some(From::new(at.positive_seconds(notes)?, at.path)));
        let mut timeouts: Vec<&From<Duration>> = groups.timeouts.iter().collect();
        timeouts.sort_by_key(|timeout| timeout.value);
        let longest = timeouts.last().map(|it| From::new(it.value, it.from.clone()));
        draft.timeout = read.or(longest).or_else(|| Some(From::new(TIMEOUT, "LiteLLM's own")));
    }

    /// A cooldown is a breaker that closes by itself: failsafe's is the nearest, whose one probe
    /// comes when the time is over.
    fn cooldown(&mut self, draft: &mut Draft, notes: &mut Notes) {
        let time = self.take("cooldown_time", notes);
        let fails = self.take("allowed_fails", notes);
        let off = self.take("disable_cooldowns", notes).and_then(|at| at.flag(notes));
        if off == Some(true) {
            return;
        }
        let open_for = time.as_ref().and_then(|at| at.positive_seconds(notes)).unwrap_or(COOLDOWN);
        let allowed = fails.as_ref().and_then(|at| at.whole(notes, 99_999));
        let rule = match allowed {
            Some(allowed) => format!("failures = {}", allowed + 1),
            None => "failure_rate = \"51%\", minimum_calls = 5".to_owned(),
        };
        let from = [&time, &fails].into_iter().flatten().map(|at| at.path.as_str());
        let from = from.collect::<Vec<_>>().join(", ");
        let from = if from.is_empty() { "LiteLLM's own cooldown".to_owned() } else { from };
        draft.breaker = Some(From::new(
            format!(
                "{{ dialect = \"failsafe\", window = {{ time = \"1m\" }}, {rule}, \
                 open_for = \"{}\" }}",
                duration(open_for)
            ),
            from,
        ));
        let why = "LiteLLM cools a model down: full traffic comes back at once, 429 and 401 cool \
                   at the first, and a model that is alone in its group hardly ever";
        let instead =
            "a breaker over the last minute, which lets one call try first, alike for all";
        notes.either(time.as_ref(), "router_settings.cooldown_time", why, instead);
    }

    fn chains(&mut self, draft: &mut Draft, groups: &Groups, notes: &mut Notes) {
        let mut fallbacks = Vec::new();
        if let Some(at) = self.take("fallbacks", notes) {
            for item in at.list(notes) {
                let Some(fields) = item.fields(notes) else { continue };
                for (from, at) in fields.all() {
                    let group = groups.find(from);
                    if group.is_none() && from != "*" {
                        notes.note(&at, Kind::Invalid, "it is for no group of model_list");
                        continue;
                    }
                    fallbacks.push((group, targets(&at, groups, notes)));
                }
            }
        }
        let default = self.take("default_fallbacks", notes);
        let default = default.map(|at| targets(&at, groups, notes)).unwrap_or_default();
        let deep = self.take("max_fallbacks", notes).and_then(|at| at.whole(notes, 100));
        let walk = Walk { groups, fallbacks, default, deep: deep.unwrap_or(FALLBACKS) };
        for (place, (group, task)) in groups.all.iter().zip(TASKS).enumerate() {
            let mut seen = BTreeSet::from([place]);
            let mut models = group.models.clone();
            walk.follow(place, 0, &mut seen, &mut models);
            let mut once = BTreeSet::new();
            models.retain(|model| once.insert(*model));
            let (label, from) = (shown(&group.name), group.from.clone());
            draft.chains.push(Chain { task, label, models, input: (200, 2_000), from });
        }
        if groups.all.len() > 1 {
            let why = "clients ask for a group by its name; requests of a sim differ by task";
            let instead = "each group has a task of its own, and agents that ask for it";
            notes.absent("model_list", why, instead);
        }
        for group in groups.all.iter().skip(TASKS.len()) {
            let why = format!(
                "a sim tells {} kinds of requests apart: nobody asks for this group but as a \
                 fallback",
                TASKS.len()
            );
            notes.absent(&group.from, &why, "its models are there");
        }
    }

    fn strategy(&mut self, draft: &mut Draft, groups: &Groups, notes: &mut Notes) {
        let given = self.take("routing_strategy", notes);
        let name = given.as_ref().and_then(|at| at.text(notes)).unwrap_or("simple-shuffle");
        let mut note = |why: &str, instead: &str| {
            notes.either(given.as_ref(), "router_settings.routing_strategy", why, instead);
        };
        let strategy = match name {
            "simple-shuffle" => "weighted",
            "least-busy" => "least_busy",
            "latency-based-routing" => "latency",
            "cost-based-routing" => "cost",
            "usage-based-routing" | "usage-based-routing-v2" => {
                note(
                    "a sim does not measure use in a minute",
                    "the least busy model is asked first",
                );
                "least_busy"
            }
            _ => {
                note("no such strategy is known", "as simple-shuffle");
                "weighted"
            }
        };
        let shares = |group: &models::Group| group.models.len() > 1;
        if !groups.all.iter().any(shares) {
            // Nothing to choose from: the order of the chain is that of the fallbacks.
            return;
        }
        let has_fallbacks = draft
            .chains
            .iter()
            .zip(&groups.all)
            .any(|(chain, group)| chain.models.len() > group.models.len());
        let from = given.as_ref().map_or("LiteLLM's own strategy", |at| at.path.as_str());
        if strategy != "weighted" {
            if has_fallbacks {
                let instead = "the whole chain is ordered so, and a fallback may be asked first";
                note("LiteLLM orders the models of a group alone", instead);
            }
            draft.strategy = Some(From::new(strategy, from));
            return;
        }
        // Weights draw the first model of a chain. A model that must never be drawn has none: one
        // that is alone in its group comes first anyway. A group that is drawn from must not be the
        // fallback of another, or it would be asked first there.
        let drawn: BTreeSet<usize> =
            groups.all.iter().filter(|it| shares(it)).flat_map(|it| it.models.clone()).collect();
        let clean = draft.chains.iter().zip(&groups.all).all(|(chain, group)| {
            chain.models.iter().all(|it| group.models.contains(it) || !drawn.contains(it))
        });
        if !clean {
            let instead = "the models of each group are asked in the order of the file";
            note(
                "a group that is shuffled is also a fallback, which a sim cannot tell apart",
                instead,
            );
            return;
        }
        groups.weigh(draft, &drawn);
        draft.strategy = Some(From::new("weighted", from));
    }

    /// Dollars of a while become tokens of a day, at the price of the dearest model.
    fn budget(&mut self, draft: &mut Draft, notes: &mut Notes) {
        let days = self.take("budget_duration", notes);
        let Some(budget) = self.take("max_budget", notes) else {
            if let Some(days) = days {
                notes.note(&days, Kind::Ignored, "there is no max_budget");
            }
            return;
        };
        let days = match &days {
            None => Some(1.0),
            Some(at) => at.text(notes).and_then(days_of),
        };
        let dearest =
            draft.models.iter().filter_map(|model| model.price.as_ref()).map(|it| it.value);
        match (budget.number(notes), days, dearest.max()) {
            (Some(dollars), Some(days), Some(price)) if price > 0 => {
                let tokens = dollars / days * 1e12 / price as f64;
                let tokens = (tokens as u64).clamp(1, 1_000_000_000_000);
                draft.quota = Some(From::new(tokens, budget.path.clone()));
                let why = "a sim counts tokens of a day, not dollars";
                notes.assume(
                    &budget,
                    why,
                    "what it buys in a day at the highest price in the file",
                );
            }
            _ => notes.note(
                &budget,
                Kind::Unsupported,
                "a sim counts tokens of a day, and no price or no time of days is known",
            ),
        }
    }
}

/// `30d`, `12h`, `1mo` in days.
fn days_of(text: &str) -> Option<f64> {
    let unit = text.find(|it: char| !it.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit);
    let number: u32 = number.parse().ok().filter(|number| *number > 0)?;
    let unit = match unit {
        "mo" => 30.0,
        "d" => 1.0,
        "h" => 1.0 / 24.0,
        "m" => 1.0 / 1_440.0,
        "s" => 1.0 / 86_400.0,
        _ => return None,
    };
    Some(f64::from(number) * unit)
}

/// What a fallback names: a group, an alias, or the ID of one model.
#[derive(Clone, Copy, Debug)]
enum Target {
    Group(usize),
    Model(usize),
}

fn targets(at: &At<'_>, groups: &Groups, notes: &mut Notes) -> Vec<Target> {
    let mut found = Vec::new();
    for item in at.list(notes) {
        let Some(name) = item.text(notes) else { continue };
        let model = || groups.ids.get(name).copied().map(Target::Model);
        match groups.find(name).map(Target::Group).or_else(model) {
            Some(target) => found.push(target),
            None => {
                notes.note(&item, Kind::Invalid, "it names no group and no model of model_list")
            }
        }
    }
    found
}

/// Fallbacks of fallbacks, as deep as LiteLLM goes.
struct Walk<'g> {
    groups: &'g Groups,
    /// Of a group, or of every group that has none of its own.
    fallbacks: Vec<(Option<usize>, Vec<Target>)>,
    default: Vec<Target>,
    deep: u32,
}

impl Walk<'_> {
    fn of(&self, group: usize) -> &[Target] {
        let of = |wanted| self.fallbacks.iter().find(|(from, _)| *from == wanted);
        let own = of(Some(group)).or_else(|| of(None));
        own.map_or(self.default.as_slice(), |(_, targets)| targets.as_slice())
    }

    fn follow(
        &self,
        group: usize,
        depth: u32,
        seen: &mut BTreeSet<usize>,
        models: &mut Vec<usize>,
    ) {
        if depth >= self.deep {
            return;
        }
        for target in self.of(group) {
            match *target {
                Target::Model(model) => models.push(model),
                Target::Group(next) if seen.insert(next) => {
                    models.extend(self.groups.all.get(next).into_iter().flat_map(|it| &it.models));
                    self.follow(next, depth + 1, seen, models);
                }
                Target::Group(_) => {}
            }
        }
    }
}
