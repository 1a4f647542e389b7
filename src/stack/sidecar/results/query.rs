//! Reading what is stored: pages in the order of time, and counts.

use std::{collections::BTreeMap, fmt, ops::Bound, rc::Rc, str::FromStr};

use jiff::Timestamp;

use super::{
    super::wire::{self, AgentType, Made as _, ProjectId, ResultQuery, ResultStatus},
    ContentId, Store, Stored,
};

/// The first instant, in nanoseconds since 1970. Counted from there no time is negative, so that a
/// cursor begins with a digit.
const FIRST: i128 = -377_705_023_201 * 1_000_000_000;

/// Up to where a list was read: behind this result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    at: Timestamp,
    id: ContentId,
}

impl fmt::Display for Cursor {
    /// Nanoseconds since the first instant that there is, a dot, the id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.as_nanosecond() - FIRST, self.id)
    }
}

impl From<Cursor> for wire::Cursor {
    fn from(cursor: Cursor) -> wire::Cursor {
        wire::Cursor::made(&cursor.to_string())
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
        if !at.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(BadCursor);
        }
        let since_first: i128 = at.parse().map_err(|_| BadCursor)?;
        let at = since_first.checked_add(FIRST).ok_or(BadCursor)?;
        let at = Timestamp::from_nanosecond(at).map_err(|_| BadCursor)?;
        Ok(Cursor { at, id: id.parse().map_err(|_| BadCursor)? })
    }
}

/// Where a result stands in the list of its project.
type Place = (Timestamp, ContentId);

fn matches(query: &ResultQuery, Stored { result, .. }: &Stored) -> bool {
    fn is<T: PartialEq>(wanted: &Option<T>, it: &T) -> bool {
        wanted.as_ref().is_none_or(|wanted| wanted == it)
    }
    is(&query.issue_id, &result.issue_id)
        && is(&query.agent_id, &result.agent_id)
        && is(&query.agent_type, &result.agent_type)
        && is(&query.status, &result.status)
}

/// The places of the list to look at; none if there cannot be any.
fn range(query: &ResultQuery, after: Option<Cursor>) -> Option<(Bound<Place>, Bound<Place>)> {
    let first = (query.from.unwrap_or(Timestamp::MIN), ContentId(0));
    let last = (query.to.unwrap_or(Timestamp::MAX), ContentId(u128::MAX));
    let read = after.map(|Cursor { at, id }| (at, id)).filter(|read| *read <= last);
    let high = read.map_or(Bound::Included(last), Bound::Excluded);
    // Equal ends can only be those of an excluded cursor, with nothing between them.
    (first < read.unwrap_or(last)).then_some((Bound::Included(first), high))
}

impl Store {
    /// The results of a project that are asked for: the newest first, those of one instant in the
    /// order of their ids from the last on. What is stored while a list is read is found
    /// if its place is still ahead; nothing is listed twice, and nothing that was there is left
    /// out. The project of the query is not looked at: it is the caller who knows whose it is.
    ///
    /// # Errors
    ///
    /// [`BadCursor`] if the query's cursor is none of this store.
    pub fn query(&self, project: &ProjectId, query: &ResultQuery) -> Result<Page, BadCursor> {
        let after = query.cursor.as_ref().map(|cursor| cursor.as_str().parse()).transpose()?;
        let places = self.by_time.get(project).zip(range(query, after));
        let Some((places, range)) = places else { return Ok(Page::default()) };
        let mut matching = places
            .range(range)
            .rev()
            .filter_map(|(_, id)| self.get(project, *id))
            .filter(|stored| matches(query, stored));
        let limit = usize::try_from(query.limit.max(1)).unwrap_or(usize::MAX);
        let results: Vec<_> = matching.by_ref().take(limit).cloned().collect();
        let more = matching.next().and(results.last());
        let next = more.map(|last| Cursor { at: last.stored_at, id: last.id });
        Ok(Page { results, next })
    }

    /// How many results a project has.
    pub fn counts(&self, project: &ProjectId) -> Counts {
        let mut counts = Counts::default();
        let ids = self.by_time.get(project).into_iter().flatten();
        for stored in ids.filter_map(|(_, id)| self.get(project, *id)) {
            counts.total += 1;
            counts.bytes += self.size(stored.id);
            *counts.by_status.entry(stored.result.status).or_default() += 1;
            *counts.by_agent_type.entry(stored.result.agent_type).or_default() += 1;
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
    /// Bytes of their files.
    pub bytes: u64,
    /// By how they ended.
    pub by_status: BTreeMap<ResultStatus, u64>,
    /// By the type of the agent.
    pub by_agent_type: BTreeMap<AgentType, u64>,
}
