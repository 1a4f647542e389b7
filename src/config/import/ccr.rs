//! The `config.json` of Claude Code Router: version 2, and of version 3 the keys that its export
//! shares with it.
//!
//! A model that a route or a fallback names is a backend, and each route is a chain. Version 2 asks
//! once, and falls back on HTTP errors alone; version 3 has one way to go on after a failure, for
//! all routes. Keys and addresses are looked at for the provider's name, and never copied.

use super::{
    MODELS_MAX,
    draft::{Chain, Draft, From, Model, Names},
    finding::Kind::{self, Ignored, Secret, Unsupported},
    node::Node,
    read::{At, Fields, Known, Notes, looks_secret, shown},
};

/// `API_TIMEOUT_MS`, if the file does not say.
const TIMEOUT_MS: u32 = 600_000;

/// `longContextThreshold`, if the file does not say.
const LONG_CONTEXT: u32 = 60_000;

/// The most retries of version 3, as a sim may have them.
const RETRIES_MAX: u32 = 99;

/// The routes, the tasks that stand for them, and what such a request is.
const ROUTES: [(&str, &str, &str); 6] = [
    ("default", "general", "any request"),
    ("think", "reasoning", "a request that asks for thinking"),
    ("longContext", "long_context", "a request with many tokens"),
    ("background", "formatting", "a request for a small model"),
    ("webSearch", "code_review", "a request with a tool for searches"),
    ("image", "architecture", "a request with an image"),
];

const TRANSFORMER: &str = "a sim does not rewrite requests";
const CODE: &str = "code is not read";
const PLACE: &str = "about where the router listens and what it prints";

const ROOT: &[Known] = &[
    ("transformers", Unsupported, TRANSFORMER),
    ("CUSTOM_ROUTER_PATH", Unsupported, CODE),
    ("REWRITE_SYSTEM_PROMPT", Ignored, "requests of a sim have no content"),
    ("plugins", Unsupported, CODE),
    ("Plugins", Unsupported, CODE),
    ("APIKEY", Secret, "a secret, and a sim needs none"),
    ("APIKEYS", Secret, "secrets, and a sim needs none"),
    ("PROXY_URL", Secret, "an address, which may hold a password"),
    ("HOST", Ignored, PLACE),
    ("PORT", Ignored, PLACE),
    ("LOG*", Ignored, PLACE),
    ("CLAUDE_PATH", Ignored, PLACE),
    ("NON_INTERACTIVE_MODE", Ignored, PLACE),
    ("StatusLine", Ignored, PLACE),
    ("forceUseImageAgent", Unsupported, "a sim has no agent for images"),
    ("virtualModelProfiles", Unsupported, "models made of models have no counterpart"),
    ("profile*", Ignored, "about the agents' own settings"),
    ("toolHub", Unsupported, "a sim has no tools"),
];

const PROVIDER: &[Known] = &[
    ("transformer", Unsupported, TRANSFORMER),
    ("api_key", Secret, "a secret, and a sim needs none"),
    ("credentials", Unsupported, "a backend has one account: keys are not taken in turn"),
    ("capabilities", Ignored, "about which API it is asked by"),
    ("type", Ignored, "about which API it is asked by"),
    ("id", Ignored, "another name"),
    ("enabled", Unsupported, "a provider that is named is asked"),
    ("modelDescriptions", Ignored, "texts for people"),
    ("account", Ignored, "about an account"),
    ("icon", Ignored, "a picture"),
];

const ROUTER: &[Known] = &[
    ("rules", Unsupported, "requests of a sim have no headers and no body to look at"),
    ("builtInRules", Unsupported, "agents of a sim send no tags"),
    ("builtin*", Unsupported, "agents of a sim send no tags"),
];

/// A provider of the file.
struct Listed<'a> {
    name: &'a str,
    dialect: &'static str,
    models: Vec<&'a str>,
    path: String,
}

/// What the file names, and what of it is in the draft already.
struct Book<'a> {
    providers: Vec<Listed<'a>>,
    /// Provider and model, by the place in the draft.
    made: Vec<(usize, String)>,
    names: Names,
}

/// The draft of a sim, or why there is none.
pub(super) fn draft(root: &mut Fields<'_>, notes: &mut Notes) -> Result<Draft, &'static str> {
    let mut draft = Draft::default();
    let list = root.take("Providers").or_else(|| root.take("providers"));
    let list = list.map(|at| at.list(notes)).unwrap_or_default();
    let providers = list.iter().filter_map(|at| provider(at, notes)).collect();
    let mut book = Book { providers, made: Vec::new(), names: Names::default() };
    let mut router = root.table("Router", notes);
    let fallback = root.take("fallback").or_else(|| router.take("fallback"));
    let mut fallbacks = Fallbacks::read(fallback, &mut draft, notes);
    let threshold = router.take("longContextThreshold");
    let threshold = threshold.and_then(|at| at.whole(notes, 10_000_000)).unwrap_or(LONG_CONTEXT);
    for (route, task, what) in ROUTES {
        let Some(at) = router.take(route) else { continue };
        let Some(first) = book.find(&at, &mut draft, notes) else { continue };
        let mut models = vec![first];
        for at in fallbacks.of(route, notes) {
            models.extend(book.find(&at, &mut draft, notes));
        }
        let mut seen = Vec::new();
        models.retain(|model| {
            !seen.contains(model) && {
                seen.push(*model);
                true
            }
        });
        let input = match route {
            "longContext" => (threshold.max(1), threshold.max(1).saturating_mul(2)),
            _ => (200.min(threshold.max(1)), 4_000.min(threshold.max(1))),
        };
        if !matches!(route, "default" | "think" | "longContext") {
            let instead = format!("requests for {task} stand for it");
            notes.assume(&at, &format!("a sim has no task that is {what}"), &instead);
        }
        let label = format!("{route}: {what}");
        draft.chains.push(Chain { task, label, models, input, from: at.path });
    }
    fallbacks.rest(notes);
    default_first(&mut draft, &mut book, notes)?;
    let timeout = root.take("API_TIMEOUT_MS");
    let given = timeout.as_ref().and_then(|at| at.whole(notes, u32::MAX)).filter(|ms| *ms > 0);
    let from =
        timeout.filter(|_| given.is_some()).map_or("its own timeout".to_owned(), |at| at.path);
    let millis = u64::from(given.unwrap_or(TIMEOUT_MS));
    draft.timeout = Some(From::new(std::time::Duration::from_millis(millis), from));
    for listed in &book.providers {
        let is_made =
            |model: &&str| book.made.iter().any(|(_, made)| *made == key(listed.name, model));
        let idle = listed.models.iter().filter(|model| !is_made(model)).count();
        if idle > 0 {
            let why = format!("no route and no fallback names {idle} of its models");
            notes.absent(&listed.path, &why, "they are left out");
        }
    }
    if !draft.chains.iter().all(|chain| chain.models.len() == 1) {
        let why = "version 2 falls back on HTTP errors alone, version 3 after a pause";
        let instead =
            "the next model is asked at once, after broken connections and silence as well";
        notes.absent("fallback", why, instead);
    }
    router.rest(ROUTER, notes);
    std::mem::replace(root, Fields::none()).rest(ROOT, notes);
    Ok(draft)
}

/// Without a default route, what the first provider has first is asked.
fn default_first(
    draft: &mut Draft,
    book: &mut Book<'_>,
    notes: &mut Notes,
) -> Result<(), &'static str> {
    if draft.chains.first().is_some_and(|chain| chain.task == "general") {
        return Ok(());
    }
    let mut listed = book.providers.iter().enumerate();
    let first = listed.find_map(|(at, listed)| Some((at, *listed.models.first()?)));
    let Some((at, model)) = first else { return Err("no provider has a model") };
    let place = book.make(at, model, draft);
    notes.absent("Router.default", "no route says where requests go", "the first model of all");
    let (task, label) = ("general", "default: any request".to_owned());
    let from = "Router.default is not there".to_owned();
    draft.chains.insert(0, Chain { task, label, models: vec![place], input: (200, 4_000), from });
    Ok(())
}

fn provider<'a>(at: &At<'a>, notes: &mut Notes) -> Option<Listed<'a>> {
    let mut fields = at.fields(notes)?;
    let name = fields.take("name").and_then(|at| at.text(notes));
    let base = ["api_base_url", "baseurl", "baseUrl"].iter().find_map(|key| fields.take(key));
    let base = base.and_then(|at| at.text(notes)).unwrap_or_default();
    let models = fields.take("models").map(|at| at.list(notes)).unwrap_or_default();
    let models = models.iter().filter_map(|at| at.text(notes)).collect();
    if name.is_none() {
        notes.note(at, Kind::Invalid, "a provider needs a name");
    }
    let name = name?;
    let host = base.split("://").nth(1).unwrap_or(base).split('/').next().unwrap_or_default();
    let is = |host: &str, domain: &str| host == domain || host.ends_with(&format!(".{domain}"));
    let dialect = if is(host, "anthropic.com") || name == "anthropic" {
        "anthropic"
    } else if is(host, "openai.com") || is(host, "openai.azure.com") || name == "openai" {
        "openai"
    } else {
        let why = format!("no dialect of a sim is that of {}", shown(name));
        notes.assume(at, &why, "answers and errors as nobody's in particular");
        "generic"
    };
    fields.rest(PROVIDER, notes);
    Some(Listed { name, dialect, models, path: at.path.clone() })
}

fn key(provider: &str, model: &str) -> String {
    format!("{provider},{model}")
}

impl Book<'_> {
    /// The model that `provider,model` names, or `provider/model` as version 3 writes it.
    fn find(&mut self, at: &At<'_>, draft: &mut Draft, notes: &mut Notes) -> Option<usize> {
        let text = at.text(notes)?;
        let listed = |name: &str| self.providers.iter().position(|it| it.name == name.trim());
        let split = |mark| {
            let (provider, model) = text.split_once(mark)?;
            Some((listed(provider)?, model.trim()))
        };
        let Some((provider, model)) = split(',').or_else(|| split('/')) else {
            notes.note(at, Kind::Invalid, "it names no provider of the list, as in provider,model");
            return None;
        };
        if !self.providers.get(provider).is_some_and(|it| it.models.contains(&model)) {
            notes.assume(at, "the provider does not list that model", "it is asked all the same");
        }
        if draft.models.len() >= MODELS_MAX {
            notes.note(at, Unsupported, "a sim has only so many models");
            return None;
        }
        Some(self.make(provider, model, draft))
    }

    /// The place of a model in the draft, where it is put if it is new.
    fn make(&mut self, provider: usize, model: &str, draft: &mut Draft) -> usize {
        let Some(listed) = self.providers.get(provider) else { return 0 };
        let key = key(listed.name, model);
        if let Some((place, _)) = self.made.iter().find(|(_, made)| *made == key) {
            return *place;
        }
        let place = draft.models.len();
        // The name is that of the model without whose it was.
        let short = model.rsplit('/').next().unwrap_or(model);
        let name = if looks_secret(model) { "model" } else { short };
        draft.models.push(Model {
            name: self.names.make(name),
            provider: listed.dialect,
            from: format!("{}: {} of {}", listed.path, shown(model), shown(listed.name)),
            weight: None,
            price: None,
            rpm: None,
            tpm: None,
        });
        self.made.push((place, key));
        place
    }
}

/// Where to go on after a failure.
enum Fallbacks<'a> {
    /// Version 2: lists by route.
    ByRoute(Fields<'a>),
    /// Version 3: one list for all.
    ForAll(Vec<At<'a>>),
}

impl<'a> Fallbacks<'a> {
    fn read(given: Option<At<'a>>, draft: &mut Draft, notes: &mut Notes) -> Fallbacks<'a> {
        let fields = given.and_then(|at| at.fields(notes));
        let Some(mut fields) = fields else { return Fallbacks::ByRoute(Fields::none()) };
        let Some(mode) = fields.take("mode") else { return Fallbacks::ByRoute(fields) };
        let retries = fields.take("retryCount");
        let models = fields.take("models");
        fields.rest(&[], notes);
        let chosen = mode.text(notes);
        for (unused, by) in [(&models, "model-chain"), (&retries, "retry")] {
            if let Some(at) = unused.as_ref().filter(|_| chosen != Some(by)) {
                notes.note(at, Ignored, "the mode does not use it");
            }
        }
        match chosen {
            Some("retry") => {
                let read = retries.and_then(|at| at.whole(notes, RETRIES_MAX)).unwrap_or(1);
                let table = format!("{{ preset = \"ccr\", attempts = {} }}", read + 1);
                draft.retry = Some(From::new(table, mode.path));
                Fallbacks::ForAll(Vec::new())
            }
            Some("model-chain") => {
                Fallbacks::ForAll(models.map(|at| at.list(notes)).unwrap_or_default())
            }
            Some("off") => Fallbacks::ForAll(Vec::new()),
            _ => {
                notes.note(&mode, Kind::Invalid, "off, retry or model-chain is needed here");
                Fallbacks::ForAll(Vec::new())
            }
        }
    }

    fn of(&mut self, route: &str, notes: &mut Notes) -> Vec<At<'a>> {
        match self {
            Fallbacks::ByRoute(fields) => {
                fields.take(route).map(|at| at.list(notes)).unwrap_or_default()
            }
            Fallbacks::ForAll(list) => list.clone(),
        }
    }

    /// Fallbacks of routes that there are not.
    fn rest(self, notes: &mut Notes) {
        if let Fallbacks::ByRoute(fields) = self {
            for (_, at) in fields.all() {
                if *at.node != Node::Null {
                    notes.note(&at, Kind::Invalid, "there is no such route");
                }
            }
        }
    }
}
