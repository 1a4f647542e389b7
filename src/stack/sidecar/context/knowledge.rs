//! The knowledge store: what agents have found out, by project and issue.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use jiff::Timestamp;

use super::{
    super::wire::{IssueId, ProjectId, ResultId},
    AgentOutput, Counted,
};

/// How much is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Outputs of a project; the oldest go first.
    pub outputs: usize,
    /// Outputs of an issue; the oldest go first.
    pub per_issue: usize,
}

impl Default for Bounds {
    /// 1000 a project and 50 an issue: more than twice what the 20 of a context can show, however
    /// many of them are deleted.
    fn default() -> Bounds {
        Bounds { outputs: 1_000, per_issue: 50 }
    }
}

/// The store.
#[derive(Debug, Default)]
pub struct Knowledge {
    bounds: Bounds,
    projects: BTreeMap<ProjectId, Shelf>,
}

/// The outputs of a project.
#[derive(Debug, Default)]
struct Shelf {
    outputs: BTreeMap<Place, (IssueId, Counted<AgentOutput>)>,
    issues: BTreeMap<IssueId, BTreeSet<Place>>,
    places: BTreeMap<ResultId, Place>,
}

/// By time, then by name, so that the order does not depend on that of arrival.
type Place = (Timestamp, ResultId);

impl Knowledge {
    /// An empty store.
    pub fn new(bounds: Bounds) -> Knowledge {
        Knowledge { bounds, projects: BTreeMap::new() }
    }

    /// Remembers what the result of this ID says, in place of what it said before.
    pub fn record(
        &mut self,
        project: &ProjectId,
        issue: &IssueId,
        id: &ResultId,
        output: AgentOutput,
    ) {
        let shelf = self.projects.entry(project.clone()).or_default();
        shelf.remove(id);
        let place = (output.timestamp, id.clone());
        shelf.places.insert(id.clone(), place.clone());
        shelf.issues.entry(issue.clone()).or_default().insert(place.clone());
        shelf.outputs.insert(place, (issue.clone(), Counted::new(Rc::new(output))));
        let of_issue = shelf.issues.get(issue);
        let oldest = |places: &BTreeSet<Place>| places.first().map(|place| place.1.clone());
        if let Some(places) = of_issue
            && places.len() > self.bounds.per_issue
            && let Some(id) = oldest(places)
        {
            shelf.remove(&id);
        }
        if shelf.outputs.len() > self.bounds.outputs
            && let Some(id) = shelf.outputs.keys().next().map(|place| place.1.clone())
        {
            shelf.remove(&id);
        }
    }

    /// Forgets a result, and says whether it was there.
    pub fn forget(&mut self, project: &ProjectId, id: &ResultId) -> bool {
        self.projects.get_mut(project).is_some_and(|shelf| shelf.remove(id))
    }

    /// What matters to an issue: what was found out about it, then about others of the project; of
    /// each the newest first, and `most` in all.
    pub fn relevant(
        &self,
        project: &ProjectId,
        issue: &IssueId,
        most: usize,
    ) -> impl Iterator<Item = &Counted<AgentOutput>> {
        let shelf = self.projects.get(project);
        let outputs = shelf.into_iter().flat_map(|shelf| shelf.outputs.values().rev());
        let others = outputs.filter(move |(of, _)| of != issue).map(|(_, output)| output);
        self.of_issue(project, issue).chain(others).take(most)
    }

    /// What was found out about an issue, the newest first.
    pub fn of_issue(
        &self,
        project: &ProjectId,
        issue: &IssueId,
    ) -> impl Iterator<Item = &Counted<AgentOutput>> {
        let shelf = self.projects.get(project);
        let places = shelf.and_then(|shelf| shelf.issues.get(issue));
        places.into_iter().flatten().rev().filter_map(move |place| {
            shelf.and_then(|shelf| shelf.outputs.get(place)).map(|(_, output)| output)
        })
    }

    /// How many outputs of a project are remembered.
    pub fn len(&self, project: &ProjectId) -> usize {
        self.projects.get(project).map_or(0, |shelf| shelf.outputs.len())
    }
}

impl Shelf {
    fn remove(&mut self, id: &ResultId) -> bool {
        let Some(place) = self.places.remove(id) else {
            return false;
        };
        if let Some((issue, _)) = self.outputs.remove(&place)
            && let Some(places) = self.issues.get_mut(&issue)
        {
            places.remove(&place);
            if places.is_empty() {
                self.issues.remove(&issue);
            }
        }
        true
    }
}
