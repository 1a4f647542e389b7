//! What is left to chance about a request that goes wrong, beyond that it does.

use std::time::Duration;

use crate::world::Stream;

/// One draw for each request, whatever becomes of it; each question takes sixteen bits of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Luck(u64);

impl Luck {
    pub(super) fn draw(draws: &mut Stream) -> Luck {
        Luck(draws.between(0, u64::MAX))
    }

    /// After how many of its tokens an answer goes wrong: any number but all, equally likely.
    pub(super) fn tokens_before(self, tokens: u32) -> u32 {
        self.below(0, u64::from(tokens)) as u32
    }

    /// How long a stream is silent: in four of five cases 50 to 70 seconds, otherwise for ever.
    pub(super) fn stall(self) -> Option<Duration> {
        (self.below(1, 5) > 0).then(|| self.duration(2, 50, 70))
    }

    /// After how long an overload shows: 14 to 18 seconds.
    pub(super) fn overload(self) -> Duration {
        self.duration(3, 14, 18)
    }

    fn below(self, question: u32, bound: u64) -> u64 {
        (((self.0 >> (16 * question)) & 0xffff) * bound) >> 16
    }

    /// Between two numbers of seconds.
    fn duration(self, question: u32, low: u64, high: u64) -> Duration {
        let nanos = self.below(question, (high - low) * 1_000_000_000);
        Duration::from_secs(low) + Duration::from_nanos(nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Seed;

    #[test]
    fn every_question_has_bits_of_its_own_and_keeps_its_bounds() {
        let (least, most) = (Luck(0), Luck(u64::MAX));
        assert_eq!((least.tokens_before(100), most.tokens_before(100)), (0, 99));
        assert_eq!((least.tokens_before(0), most.tokens_before(0)), (0, 0));
        assert_eq!(least.stall(), None);
        assert_eq!(Luck(0xffff << 16).stall(), Some(Duration::from_secs(50)));
        let longest = most.stall().map(|stall| stall.as_millis());
        assert_eq!(longest, Some(69_999));
        assert_eq!(least.overload(), Duration::from_secs(14));
        assert_eq!(most.overload().as_millis(), 17_999);
        let first = Luck(0xffff);
        assert_eq!((first.tokens_before(100), first.stall()), (99, None));
        assert_eq!(first.overload(), least.overload());
    }

    #[test]
    fn four_stalls_of_five_end() {
        let mut draws = Seed(1).stream("luck");
        let ending = (0..10_000).filter(|_| Luck::draw(&mut draws).stall().is_some()).count();
        assert!((7_850..=8_150).contains(&ending), "{ending} of 10000");
    }
}
