//! `model_list`: models, and the groups that share a name.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::super::{
    MODELS_MAX,
    draft::{Draft, From, Model, Names},
    finding::Kind,
    read::{At, Fields, Notes, looks_secret, shown},
};
use super::keys::{INFO, PARAMS};

/// Models that share a name.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: String,
    /// Places among the models of the draft.
    pub(super) models: Vec<usize>,
    /// Where the first of them stands.
    pub(super) from: String,
}

/// What is in `model_list`.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// In the order of the file.
    pub(super) all: Vec<Group>,
    /// Other names of groups.
    pub(super) aliases: BTreeMap<String, usize>,
    /// Models by the ID in their `model_info`.
    pub(super) ids: BTreeMap<String, usize>,
    /// What models say of their own timeouts.
    pub(super) timeouts: Vec<From<Duration>>,
    /// What a model is drawn by if it has no weight: its requests or its tokens of a minute.
    own_weights: Vec<Option<From<u32>>>,
}

impl Groups {
    /// The group of a name or an alias.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let own = self.all.iter().position(|group| group.name == name);
        own.or_else(|| self.aliases.get(name).copied())
    }

    /// Sets how often each model is drawn: by its weight, or its requests, or its tokens of a
    /// minute, as LiteLLM's simple shuffle does; all others never.
    pub(super) fn weigh(&self, draft: &mut Draft, drawn: &BTreeSet<usize>) {
        for (place, model) in draft.models.iter_mut().enumerate() {
            if !drawn.contains(&place) {
                model.weight = Some(From::new(0, "never drawn: it is alone in its group"));
            } else if model.weight.is_none() {
                model.weight = self.own_weights.get(place).cloned().flatten();
            }
        }
    }
}

/// The models of the list. Those that are not for chat are noted and left out.
pub(super) fn read(list: &[At<'_>], draft: &mut Draft, notes: &mut Notes) -> Groups {
    let (mut groups, mut names) = (Groups::default(), Names::default());
    let mut generic = BTreeSet::new();
    for at in list {
        if draft.models.len() >= MODELS_MAX {
            notes.note(at, Kind::Unsupported, &format!("a sim has at most {MODELS_MAX} models"));
            continue;
        }
        let Some(mut entry) = at.fields(notes) else { continue };
        model(at, &mut entry, (draft, &mut groups, &mut names, &mut generic), notes);
        entry.rest(INFO, notes);
    }
    same_kind_of_weight(&mut groups, draft);
    groups
}

type Into<'d> = (&'d mut Draft, &'d mut Groups, &'d mut Names, &'d mut BTreeSet<String>);

fn model(
    at: &At<'_>,
    entry: &mut Fields<'_>,
    (draft, groups, names, generic): Into<'_>,
    notes: &mut Notes,
) {
    let name = entry.take("model_name").and_then(|at| at.text(notes));
    let mut params = entry.table("litellm_params", notes);
    let mut info = entry.table("model_info", notes);
    let called = params.take("model");
    let (Some(name), Some(called)) = (name, called.as_ref().and_then(|at| at.text(notes))) else {
        notes.note(at, Kind::Invalid, "a model needs model_name and litellm_params.model");
        params.rest(PARAMS, notes);
        info.rest(INFO, notes);
        return;
    };
    let mode = info.take("mode");
    let is_chat = |mode: &str| matches!(mode, "chat" | "completion" | "responses");
    if let Some(mode) = &mode
        && !mode.text(notes).is_none_or(is_chat)
    {
        notes.note(mode, Kind::Unsupported, "a sim has chat alone: the model was left out");
        params.rest(PARAMS, notes);
        info.rest(INFO, notes);
        return;
    }
    let own = params.take("custom_llm_provider").and_then(|at| at.text(notes));
    let prefix = own.unwrap_or_else(|| provider_of(called));
    let provider = dialect(prefix);
    if provider == "generic" && generic.insert(prefix.to_owned()) {
        let why = format!("no dialect of a sim is that of {}", shown(prefix));
        notes.assume(at, &why, "answers and errors as nobody's in particular");
    }
    if name.contains('*') || called.contains('*') {
        notes.assume(at, "a wildcard stands for many models", "it is one model");
    }
    // What a model was called is part of names and comments, unless it is a key by mistake.
    let plain = |text: &str| if looks_secret(text) { "model".to_owned() } else { text.to_owned() };
    let place = draft.models.len();
    let mut limit = |key: &str| {
        let given = params.take(key).or_else(|| entry.take(key)).or_else(|| info.take(key))?;
        let limit = given.whole(notes, u32::MAX)?;
        if limit == 0 {
            given.invalid(notes, "a limit of at least 1");
        }
        (limit > 0).then(|| From::new(limit, given.path))
    };
    let (rpm, tpm) = (limit("rpm"), limit("tpm"));
    let weight = params.take("weight");
    let weight = weight.and_then(|at| Some(From::new(at.whole(notes, 1_000_000)?, at.path)));
    for key in ["timeout", "request_timeout"] {
        if let Some(at) = params.take(key) {
            let why = "a sim has one timeout for all models";
            let instead = "the router's, or the longest of theirs if it has none";
            if let Some(timeout) = at.positive_seconds(notes) {
                notes.assume(&at, why, instead);
                groups.timeouts.push(From::new(timeout, at.path));
            }
        }
    }
    let cost = info.take("output_cost_per_token").or_else(|| params.take("output_cost_per_token"));
    let price = cost.and_then(|at| {
        // Dollars for a token, as micro-dollars for a million.
        let micros = (at.number(notes)? * 1e12).round();
        Some(From::new((micros as u64).min(1_000_000_000_000), at.path))
    });
    let id = info.take("id").and_then(|at| at.text(notes));
    if let Some(id) = id {
        groups.ids.insert(id.to_owned(), place);
    }
    groups.own_weights.push(rpm.clone().or_else(|| tpm.clone()));
    draft.models.push(Model {
        name: names.make(&plain(name)),
        provider,
        from: format!("{}: {} is {}", at.path, shown(name), shown(called)),
        weight,
        price,
        rpm,
        tpm,
    });
    match groups.all.iter_mut().find(|group| group.name == name) {
        Some(group) => group.models.push(place),
        None => groups.all.push(Group {
            name: name.to_owned(),
            models: vec![place],
            from: at.path.clone(),
        }),
    }
    params.rest(PARAMS, notes);
    info.rest(INFO, notes);
}

/// Weights of different kinds cannot be compared: within a group all models go by the first kind
/// that one of them has, and one that has none of it is drawn like any other.
fn same_kind_of_weight(groups: &mut Groups, draft: &mut Draft) {
    for group in &groups.all {
        let weighted = group
            .models
            .iter()
            .any(|it| draft.models.get(*it).is_some_and(|it| it.weight.is_some()));
        let by_rpm =
            group.models.iter().any(|it| draft.models.get(*it).is_some_and(|it| it.rpm.is_some()));
        for place in &group.models {
            let Some(model) = draft.models.get(*place) else { continue };
            let by = if by_rpm { &model.rpm } else { &model.tpm };
            // A weight may be a million at most: large limits are brought down alike.
            let scaled =
                by.as_ref().map(|it| From::new((it.value / 1_000).max(1), it.from.clone()));
            let own = if by_rpm { by.clone() } else { scaled };
            let own = own.map(|it| From::new(it.value.min(1_000_000), it.from));
            if let Some(kept) = groups.own_weights.get_mut(*place) {
                *kept = if weighted { None } else { own };
            }
        }
    }
}

/// Whose API it is: what stands before the slash, or what the name of the model says.
fn provider_of(model: &str) -> &str {
    match model.split_once('/') {
        Some((provider, _)) => provider,
        None if model.starts_with("claude") => "anthropic",
        None if model.starts_with("gpt-") || model.starts_with("chatgpt") => "openai",
        None if model.starts_with("o1") || model.starts_with("o3") || model.starts_with("o4") => {
            "openai"
        }
        None => "another provider",
    }
}

/// The dialect of a sim for a provider of LiteLLM.
fn dialect(provider: &str) -> &'static str {
    match provider {
        "anthropic" => "anthropic",
        "openai" | "azure" | "text-completion-openai" | "openai_like" => "openai",
        _ => "generic",
    }
}
