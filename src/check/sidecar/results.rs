//! Results: what was acknowledged is there, once, unchanged, until somebody deletes it.
//!
//! A result is known by its project and id: in another project the same id is another result, which
//! nobody handed in. Requests that were not answered may have been carried out or not.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{
    Place, at,
    register::{Act, Register},
};
use crate::{check::watch::Built, stack::SidecarEvent};

/// The route by which results are handed in.
const STORE: &str = "store_result";

#[derive(Default)]
pub(super) struct Results {
    /// By project, and by who handed it in under which name.
    requests: BTreeMap<Place, Asker>,
    projects: BTreeMap<Rc<str>, Project>,
    registers: BTreeMap<Place, Register>,
    /// Ids that the sidecar said to have stored.
    stored: BTreeSet<Place>,
    /// Requests may arrive twice.
    repeats: bool,
    stay: Built,
    once: Built,
    linear: Built,
    counts: Built,
}

/// What somebody handed in.
#[derive(Default)]
struct Asker {
    /// How much of it was not acknowledged yet.
    open: u64,
    names: BTreeMap<Rc<str>, Asked>,
}

/// A request for a result: each time that it was handed in.
#[derive(Default)]
struct Asked {
    /// When, with what, and when it was acknowledged.
    times: Vec<(u64, u64, Option<u64>)>,
    result: Option<Rc<str>>,
}

#[derive(Default)]
struct Project {
    /// Requests that nobody was told the outcome of.
    unknown: u64,
    /// Such as were sent by hand, so that nobody said what is in them: they may have stored one each.
    unsaid: u64,
    /// Acknowledged results.
    acknowledged: BTreeSet<Rc<str>>,
    /// How often each name was stored, and how many hand results in under it.
    names: BTreeMap<Rc<str>, (u64, BTreeSet<Rc<str>>)>,
}

impl Results {
    /// From now on a request may be carried out twice, without its sender's doing.
    pub(super) fn may_repeat(&mut self) {
        self.repeats = true;
    }

    fn project(&mut self, project: &Rc<str>) -> &mut Project {
        self.projects.entry(Rc::clone(project)).or_default()
    }

    fn register(&mut self, project: &Rc<str>, result: &Rc<str>) -> &mut Register {
        self.registers.entry((Rc::clone(project), Rc::clone(result))).or_default()
    }

    pub(super) fn see(&mut self, now: u64, event: &SidecarEvent) {
        match event {
            SidecarEvent::ResultPosted { who, project, key, digest } => {
                self.posted(now, who, project, key, *digest);
            }
            SidecarEvent::ResultAcknowledged { who, project, key, result, digest, asked_ns } => {
                self.acknowledged(now, (who, project, key), result, *digest, *asked_ns);
            }
            SidecarEvent::ResultStored { project, key, result, .. } => {
                let first = self.stored.insert((Rc::clone(project), Rc::clone(result)));
                let (times, by) = self.project(project).names.entry(Rc::clone(key)).or_default();
                *times += 1;
                let many = !first || *times > by.len().max(1) as u64;
                self.once.evaluate(many.then(|| {
                    format!("{key} of {project} was stored again as {result} at {}", at(now))
                }));
            }
            SidecarEvent::Answered {
                who, project, token: "valid", route: STORE, status, ..
            } => {
                let asker = self.requests.get(&(Rc::clone(project), Rc::clone(who)));
                let is_said = asker.is_some_and(|asker| asker.open > 0);
                if matches!(status, 0 | 201) && !is_said {
                    self.project(project).unsaid += 1;
                }
            }
            SidecarEvent::ResultRead { who, project, result, found, digest, asked_ns } => {
                let read = found.then_some(*digest);
                self.read(now, (who, project, result), read, *asked_ns);
            }
            SidecarEvent::DeleteAsked { who, project, result } => {
                let register = self.register(project, result);
                register.delete_asked.get_or_insert(now);
                register.push(who, Act::Delete(None), now, None);
            }
            SidecarEvent::ResultDeleted { who, project, result, found, asked_ns } => {
                let twice = self.repeats;
                let register = self.register(project, result);
                register.delete_asked.get_or_insert(*asked_ns);
                if *found {
                    register.deleted.get_or_insert(now);
                }
                register.deleted(who, *found, *asked_ns, now, twice);
            }
            SidecarEvent::ResultsListed { who, project, results, counted } => {
                self.listed(now, who, project, results, *counted);
            }
            _ => {}
        }
    }

    fn posted(&mut self, now: u64, who: &Rc<str>, project: &Rc<str>, key: &Rc<str>, digest: u64) {
        let asker = self.requests.entry((Rc::clone(project), Rc::clone(who))).or_default();
        let asked = asker.names.entry(Rc::clone(key)).or_default();
        let is_new = asked.times.is_empty();
        asked.times.push((now, digest, None));
        asker.open += u64::from(is_new);
        let project = self.project(project);
        project.unknown += u64::from(is_new);
        let (_, by) = project.names.entry(Rc::clone(key)).or_default();
        by.insert(Rc::clone(who));
    }

    fn acknowledged(
        &mut self,
        now: u64,
        (who, project, key): (&Rc<str>, &Rc<str>, &Rc<str>),
        result: &Rc<str>,
        digest: u64,
        asked_ns: u64,
    ) {
        let asker = self.requests.entry((Rc::clone(project), Rc::clone(who))).or_default();
        let asked = asker.names.entry(Rc::clone(key)).or_default();
        let was_open = u64::from(asked.result.is_none() && !asked.times.is_empty());
        asker.open = asker.open.saturating_sub(was_open);
        let open =
            asked.times.iter_mut().rev().find(|(_, of, told)| told.is_none() && *of == digest);
        let since = open.map_or(asked_ns, |(at, _, told)| {
            *told = Some(now);
            *at
        });
        let known = asked.result.get_or_insert_with(|| Rc::clone(result));
        let other = (known != result).then(|| Rc::clone(known));
        self.once.evaluate(other.map(|other| {
            let at = at(now);
            format!("{who} was told at {at} that {key} of {project} is {result}; it was {other}")
        }));
        let known = self.project(project);
        known.acknowledged.insert(Rc::clone(result));
        known.unknown = known.unknown.saturating_sub(was_open);
        let register = self.register(project, result);
        register.acknowledged.get_or_insert((now, digest));
        register.push(who, Act::Put(digest), since, Some(now));
    }

    fn read(
        &mut self,
        now: u64,
        (who, project, result): (&Rc<str>, &Rc<str>, &Rc<str>),
        read: Option<u64>,
        asked: u64,
    ) {
        let register = self.register(project, result);
        register.push(who, Act::Get(read), asked, Some(now));
        let earlier = register.acknowledged.filter(|(since, _)| *since <= asked);
        let failure = match (read, register.acknowledged) {
            (Some(is), Some((since, was))) if is != was => Some(format!(
                "{who} read {is:016x} at {} in what was acknowledged at {} with {was:016x}",
                at(now),
                at(since)
            )),
            (Some(_), _) => register.deleted.filter(|gone| *gone <= asked).map(|gone| {
                format!("{who} read it at {}, though it was deleted at {}", at(now), at(gone))
            }),
            (None, _) if register.delete_asked.is_none() => earlier.map(|(since, _)| {
                format!("{who} did not find it at {}, acknowledged at {}", at(now), at(since))
            }),
            _ => None,
        };
        self.stay
            .evaluate(failure.map(|failure| format!("result {result} of {project}: {failure}")));
    }

    /// All that a project has is known.
    fn listed(
        &mut self,
        now: u64,
        who: &Rc<str>,
        project: &Rc<str>,
        results: &Rc<[Rc<str>]>,
        counted: u64,
    ) {
        self.project(project);
        let Some(known) = self.projects.get(project) else { return };
        let none = Register::default();
        let register = |id: &Rc<str>| {
            self.registers.get(&(Rc::clone(project), Rc::clone(id))).unwrap_or(&none)
        };
        let listed: BTreeSet<&Rc<str>> = results.iter().collect();
        let tell = |id: &Rc<str>, what: &str| {
            format!("{who} listed {project} at {}: result {id} {what}", at(now))
        };
        let (mut must, mut may) = (0, known.unknown + known.unsaid);
        for id in &known.acknowledged {
            let it = register(id);
            let (asked, gone) = (it.delete_asked.is_some(), it.deleted.is_some());
            must += u64::from(!asked);
            may += u64::from(!gone);
            let is_missing = !asked && !listed.contains(id);
            self.stay
                .evaluate(is_missing.then(|| tell(id, "is missing, though it was acknowledged")));
        }
        let deleted = listed.iter().find(|id| register(id).deleted.is_some());
        self.stay.evaluate(deleted.map(|id| tell(id, "is there, though it was deleted")));
        let mut seen = BTreeSet::new();
        let twice = results.iter().find(|id| !seen.insert(*id));
        self.stay.evaluate(twice.map(|id| tell(id, "is there twice")));
        let mut foreign = listed.iter().filter(|id| !known.acknowledged.contains(**id));
        let first_foreign = foreign.next();
        let strangers = first_foreign.map_or(0, |_| 1 + foreign.count() as u64);
        self.stay.evaluate(
            first_foreign
                .filter(|_| strangers > known.unknown + known.unsaid)
                .map(|id| tell(id, "is there, and nobody handed it in")),
        );
        let has = results.len() as u64;
        let failure = if counted != has {
            Some(format!("counts {counted} results, and lists {has}"))
        } else if !(must..=may).contains(&counted) {
            Some(format!("counts {counted} results, and must have {must} to {may}"))
        } else {
            None
        };
        self.counts.evaluate(
            failure.map(|failure| format!("{project} {failure}, {who} saw at {}", at(now))),
        );
    }

    /// The same checks as they stand.
    pub(super) fn built(&self) -> [&Built; 4] {
        [&self.stay, &self.once, &self.linear, &self.counts]
    }

    /// The checks on what stays, on what is applied once, on the order, and on the counts.
    pub(super) fn finish(mut self) -> [Built; 4] {
        // What was never answered is a part of the history, too.
        let mut unknown: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for ((project, who), asker) in &self.requests {
            for asked in asker.names.values() {
                for &(at, digest, told) in &asked.times {
                    if told.is_some() {
                        continue;
                    }
                    let Some(result) = &asked.result else {
                        let same = unknown.entry((Rc::clone(project), digest)).or_default();
                        same.push((Rc::clone(who), at));
                        continue;
                    };
                    let key = (Rc::clone(project), Rc::clone(result));
                    let register = self.registers.get_mut(&key);
                    let register =
                        register.filter(|it| it.acknowledged.is_some_and(|(_, is)| is == digest));
                    if let Some(register) = register {
                        register.push(who, Act::Put(digest), at, None);
                    }
                }
            }
        }
        for ((project, result), register) in &mut self.registers {
            if let Some(digest) = register.unexplained() {
                let unsaid = self.projects.get(project).is_some_and(|it| it.unsaid > 0);
                if unsaid {
                    continue;
                }
                for (who, at) in unknown.get(&(Rc::clone(project), digest)).into_iter().flatten() {
                    register.push(who, Act::Put(digest), *at, None);
                }
            }
            self.linear.evaluate(register.judge(project, result));
        }
        [self.stay, self.once, self.linear, self.counts]
    }
}
