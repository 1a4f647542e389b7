//! A set of numbers as ranges: small as long as the numbers mostly follow each other.

use std::collections::BTreeMap;

/// A set of numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges {
    /// The last number of each range, by its first. Ranges never touch.
    lasts: BTreeMap<u64, u64>,
}

impl Ranges {
    /// Adds one number. Whether it is new.
    pub fn insert(&mut self, number: u64) -> bool {
        let is_new = !self.contains(number);
        if is_new {
            self.insert_range(number, number);
        }
        is_new
    }

    /// Adds all numbers from `first` to `last`; none if that is backwards.
    pub fn insert_range(&mut self, first: u64, last: u64) {
        if first > last {
            return;
        }
        let (mut first, mut last) = (first, last);
        if let Some((&before, &end)) = self.lasts.range(..=first).next_back()
            && end.saturating_add(1) >= first
        {
            first = before;
            last = last.max(end);
        }
        let swallowed = self.lasts.extract_if(first..=last.saturating_add(1), |_, _| true);
        let furthest = swallowed.map(|(_, end)| end).max();
        self.lasts.insert(first, furthest.map_or(last, |end| end.max(last)));
    }

    /// Whether a number is there.
    pub fn contains(&self, number: u64) -> bool {
        self.lasts.range(..=number).next_back().is_some_and(|(_, &last)| number <= last)
    }

    /// The ranges, first and last number of each, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.lasts.iter().map(|(&first, &last)| (first, last))
    }

    /// Whether there is no number.
    pub fn is_empty(&self) -> bool {
        self.lasts.is_empty()
    }

    /// How many numbers there are; `u64::MAX` if there are more.
    pub fn count(&self) -> u64 {
        self.iter()
            .fold(0, |sum, (first, last)| sum.saturating_add((last - first).saturating_add(1)))
    }

    /// The first number that is not there, from `from` on.
    pub fn first_gap(&self, from: u64) -> Option<u64> {
        match self.lasts.range(..=from).next_back() {
            Some((_, &last)) if from <= last => last.checked_add(1),
            _ => Some(from),
        }
    }

    /// The numbers of this set that are not in another.
    #[must_use]
    pub fn without(&self, other: &Ranges) -> Ranges {
        let mut left = Ranges::default();
        for (first, last) in self.iter() {
            let mut next = Some(first);
            while let Some(from) = next.and_then(|from| other.first_gap(from)) {
                if from > last {
                    break;
                }
                let until = other.lasts.range(from..).next().map(|(&first, _)| first - 1);
                let until = until.map_or(last, |until| until.min(last));
                left.insert_range(from, until);
                next = until.checked_add(1);
            }
        }
        left
    }
}

impl FromIterator<u64> for Ranges {
    fn from_iter<I: IntoIterator<Item = u64>>(numbers: I) -> Ranges {
        let mut ranges = Ranges::default();
        for number in numbers {
            ranges.insert(number);
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_a_set(
            ranges in prop::collection::vec((0_u64..60, 0_u64..8), 0..12),
            others in prop::collection::vec(0_u64..70, 0..40),
        ) {
            let (mut set, mut model) = (Ranges::default(), BTreeSet::new());
            for (first, more) in ranges {
                set.insert_range(first, first + more);
                model.extend(first..=first + more);
            }
            let other: Ranges = others.iter().copied().collect();
            let expected: BTreeSet<u64> =
                model.iter().copied().filter(|number| !others.contains(number)).collect();
            let all = |set: &Ranges| set.iter().flat_map(|(a, b)| a..=b).collect::<Vec<_>>();
            prop_assert_eq!(all(&set), model.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(set.count(), model.len() as u64);
            prop_assert_eq!(all(&set.without(&other)), expected.into_iter().collect::<Vec<_>>());
            for number in 0..80 {
                prop_assert_eq!(set.contains(number), model.contains(&number));
                let gap = (number..).find(|number| !model.contains(number));
                prop_assert_eq!(set.first_gap(number), gap);
            }
            let touching = set.iter().zip(set.iter().skip(1)).any(|((_, a), (b, _))| a + 1 >= b);
            prop_assert!(!touching, "{:?}", set);
        }
    }

    #[test]
    fn the_ends_of_the_numbers_are_numbers() {
        let mut set = Ranges::default();
        set.insert_range(5, 4);
        assert!(set.is_empty());
        assert!(set.insert(u64::MAX) && !set.insert(u64::MAX) && set.insert(u64::MAX - 1));
        assert_eq!(set.iter().collect::<Vec<_>>(), [(u64::MAX - 1, u64::MAX)]);
        assert_eq!(set.first_gap(u64::MAX - 1), None);
        set.insert_range(0, u64::MAX);
        assert_eq!((set.count(), set.first_gap(0)), (u64::MAX, None));
        assert!(set.without(&set.clone()).is_empty());
    }
}
