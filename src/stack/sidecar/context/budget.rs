//! Counts what goes into a context, in bytes of its JSON, and stops at the limit.

use std::{collections::BTreeMap, ops::Deref, rc::Rc};

use serde::Serialize;

use super::{super::json_len, Context, Cut, Priority, ProjectStructure};

/// An item of a context, and how long it is as JSON: that is counted once, for all contexts that it
/// is in.
#[derive(Debug)]
pub struct Counted<T: ?Sized> {
    pub(super) item: Rc<T>,
    pub(super) bytes: u64,
}

impl<T: Serialize + ?Sized> Counted<T> {
    /// Counts it.
    pub fn new(item: Rc<T>) -> Counted<T> {
        Counted { bytes: json_len(&*item), item }
    }
}

impl<T: ?Sized> Deref for Counted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.item
    }
}

/// A context that is being filled. Once something did not fit nothing of a lower priority goes in.
/// What is as important still may, if it is smaller: one large file does not leave the rest of the
/// room empty.
pub(super) struct Basket {
    context: Context,
    limit: u64,
    used: u64,
    /// The priority of the first item that did not fit.
    full_at: Option<Priority>,
    cut: BTreeMap<Priority, Cut>,
}

impl Basket {
    /// A basket that has this in it, whether it fits or not; it is so long as JSON.
    pub(super) fn new(context: Context, used: u64, limit: u64) -> Basket {
        // If not even that fits nothing does.
        let full_at = (used > limit).then_some(Priority::Requirements);
        Basket { context, limit, used, full_at, cut: BTreeMap::new() }
    }

    /// How many bytes more it can take.
    pub(super) fn room(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }

    /// Whether nothing of this priority goes in any more.
    pub(super) fn is_closed_to(&self, what: Priority) -> bool {
        self.full_at.is_some_and(|full| what > full)
    }

    /// Adds an item to a list of the context if it fits, and says whether it did.
    pub(super) fn put<T: ?Sized>(
        &mut self,
        what: Priority,
        counted: &Counted<T>,
        list: impl FnOnce(&mut Context) -> &mut Vec<Rc<T>>,
    ) -> bool {
        if !self.is_closed_to(what) {
            let list = list(&mut self.context);
            let comma = u64::from(!list.is_empty());
            let used = self.used.saturating_add(comma).saturating_add(counted.bytes);
            if used <= self.limit {
                self.used = used;
                list.push(Rc::clone(&counted.item));
                return true;
            }
            self.full_at.get_or_insert(what);
        }
        self.left_out(what, 1);
        false
    }

    /// Puts this in the place of the empty structure. It must fit, and makes it so much longer.
    pub(super) fn put_structure(&mut self, structure: Rc<ProjectStructure>, bytes: u64) {
        self.context.project_structure = structure;
        self.used = self.used.saturating_add(bytes);
    }

    /// So many did not get in.
    pub(super) fn left_out(&mut self, what: Priority, count: u64) {
        if count > 0 {
            self.entry(what).left_out += count;
        }
    }

    /// The end of one is missing.
    pub(super) fn shortened(&mut self, what: Priority) {
        self.entry(what).shortened += 1;
    }

    fn entry(&mut self, what: Priority) -> &mut Cut {
        self.cut.entry(what).or_insert(Cut { what, left_out: 0, shortened: 0 })
    }

    /// The context, its bytes, and what is not in it.
    pub(super) fn take(self) -> (Context, u64, Vec<Cut>) {
        (self.context, self.used, self.cut.into_values().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A large item leaves room for smaller ones that matter as much, and for none that matter less.
    #[test]
    fn what_does_not_fit_closes_the_basket_to_what_matters_less() {
        let empty = json_len(&Context::default());
        let mut basket = Basket::new(Context::default(), empty, empty + 20);
        let mut put = |what, length: usize| {
            let name = Counted::new("x".repeat(length).into());
            basket.put(what, &name, |c| &mut c.git_context.uncommitted_changes)
        };
        assert!(put(Priority::Changed, 3));
        assert!(!put(Priority::Tests, 30));
        assert!(put(Priority::Tests, 3));
        assert!(!put(Priority::Config, 1), "it would fit");
        assert!(put(Priority::Tests, 6), "exactly");
        assert!(!put(Priority::Tests, 1));
        let (context, used, cut) = basket.take();
        assert_eq!((context.git_context.uncommitted_changes.len(), used), (3, empty + 20));
        let cut: Vec<_> = cut.iter().map(|cut| (cut.what, cut.left_out)).collect();
        assert_eq!(cut, [(Priority::Tests, 2), (Priority::Config, 1)]);
    }
}
