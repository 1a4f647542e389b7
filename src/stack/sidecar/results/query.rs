//! Reading what is stored: pages in the order of time, and counts.

use std::{collections::BTreeMap, fmt, ops::Bound, rc::Rc, str::FromStr};

use jiff::Timestamp;

use super::{ResultId, Status, Store, Stored};

/// In which order results are listed. Those of one instant are in the order of their ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The newest first.
    #[default]
    NewestFirst,
    /// The oldest first.
    OldestFirst,
}

/// Up to where a list was read: behind this result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    at: Timestamp,
    id: ResultId,
}

impl fmt::Display for Cursor {
    /// Nanoseconds since 1970, a dot, the id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.as_nanosecond(), self.id)
    }
}

/// Not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor that a list of results ended with")]
pub struct BadCursor;

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Cursor, BadCursor> {
        let (at, id) = text.split_once('.').ok_or(BadCursor)?;
        let at = at.parse().map_err(|_| BadCursor)?;
        let at = Timestamp::from_nanosecond(at).map_err(|_| BadCursor)?;
        Ok(Cursor { at, id: id.parse().map_err(|_| BadCursor)? })
    }
}

/// Which results of one project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Of which project; no query sees another.
    pub project: String,
    /// Of this issue only.
    pub issue: Option<String>,
    /// Of this agent only.
    pub agent: Option<String>,
    /// Of this type of agent only.
    pub agent_type: Option<String>,
    /// Only those that ended so.
    pub status: Option<Status>,
    /// Not before this instant.
    pub since: Option<Timestamp>,
    /// Not after this instant.
    pub until: Option<Timestamp>,
    /// In which order.
    pub order: Order,
    /// How many at most; 0 is taken as 1.
    pub limit: usize,
    /// Behind this place of the list.
    pub after: Option<Cursor>,
}

impl Query {
    /// All of a project, the newest first, a hundred to a page.
    pub fn project(project: impl Into<String>) -> Query {
        Query {
            project: project.into(),
            issue: None,
            agent: None,
            agent_type: None,
            status: None,
            since: None,
            until: None,
            order: Order::NewestFirst,
            limit: 100,
            after: None,
        }
    }

    fn matches(&self, stored: &Stored) -> bool {
        let is = |wanted: &Option<String>, it: &str| wanted.as_deref().is_none_or(|w| w == it);
        let result = &stored.result;
        is(&self.issue, &result.issue_id)
            && is(&self.agent, &result.agent)
            && is(&self.agent_type, &result.agent_type)
            && self.status.is_none_or(|status| status == result.status)
    }

    /// The places of the list to look at; none if there cannot be any.
    fn range(&self) -> Option<(Bound<Place>, Bound<Place>)> {
        let first = (self.since.unwrap_or(Timestamp::MIN), ResultId(0));
        let last = (self.until.unwrap_or(Timestamp::MAX), ResultId(u128::MAX));
        let (mut low, mut high) = (Bound::Included(first), Bound::Included(last));
        let (mut from, mut to) = (first, last);
        if let Some(Cursor { at, id }) = self.after {
            let read = (at, id);
            if self.order == Order::OldestFirst && read >= first {
                (from, low) = (read, Bound::Excluded(read));
            } else if self.order == Order::NewestFirst && read <= last {
                (to, high) = (read, Bound::Excluded(read));
            }
        }
        // Equal ends can only be those of an excluded cursor, with nothing between them.
        (from < to).then_some((low, high))
    }
}

/// Where a result stands in the list of its project.
type Place = (Timestamp, ResultId);

impl Store {
    /// The results that are asked for, in their order. What is stored while a list is read is found
    /// if its place is still ahead; nothing is listed twice, and nothing that was there is left out.
    pub fn query(&self, query: &Query) -> Page {
        let places = self.by_time.get(&query.project).zip(query.range());
        let Some((places, range)) = places else { return Page::default() };
        let mut places = places.range(range);
        let next = || match query.order {
            Order::OldestFirst => places.next(),
            Order::NewestFirst => places.next_back(),
        };
        let mut matching = std::iter::from_fn(next)
            .filter_map(|(_, id)| self.get(&query.project, *id))
            .filter(|stored| query.matches(stored));
        let results: Vec<_> = matching.by_ref().take(query.limit.max(1)).cloned().collect();
        let more = matching.next().and(results.last());
        let next = more.map(|last| Cursor { at: last.stored_at, id: last.id });
        Page { results, next }
    }

    /// How many results a project has.
    pub fn counts(&self, project: &str) -> Counts {
        let mut counts = Counts::default();
        let ids = self.by_time.get(project).into_iter().flatten();
        for stored in ids.filter_map(|(_, id)| self.get(project, *id)) {
            counts.total += 1;
            *counts.by_status.entry(stored.result.status).or_default() += 1;
            let agent_type = stored.result.agent_type.clone();
            *counts.by_agent_type.entry(agent_type).or_default() += 1;
        }
        counts
    }

    /// How many results there are in all projects together.
    pub fn total(&self) -> u64 {
        self.by_time.values().map(|places| places.len() as u64).sum()
    }
}

/// A part of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The results, in the order that was asked for.
    pub results: Vec<Rc<Stored>>,
    /// Where to go on; none if this is the end of the list.
    pub next: Option<Cursor>,
}

/// How many results there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// In all.
    pub total: u64,
    /// By how they ended.
    pub by_status: BTreeMap<Status, u64>,
    /// By the type of the agent.
    pub by_agent_type: BTreeMap<String, u64>,
}
