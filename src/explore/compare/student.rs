//! Student's t: intervals for the mean of paired differences, and the exact sign test.
//!
//! Sources: Student, "The probable error of a mean", Biometrika 6 (1908); the incomplete beta function
//! as a continued fraction, DLMF 8.17.22, by Lentz's method. Floating point, so nothing here may decide
//! what happens in a run.

use libm::{exp, fabs, lgamma, log, log1p, sqrt};

/// Steps of the continued fraction at most; it needs about the root of the number of pairs.
const STEPS_MAX: u32 = 10_000;
/// Where a division by nothing would be.
const TINY: f64 = 1e-300;

/// The mean of values, and how far off it may be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mean {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Mean {
    /// One value more (Welford's method, which does not lose digits).
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (value - self.mean);
    }

    /// The mean of the values; 0 without any.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The interval that holds the true mean with this confidence; `None` below two values.
    pub fn interval(&self, confidence: f64) -> Option<(f64, f64)> {
        let free = self.count.checked_sub(1).filter(|free| *free > 0)? as f64;
        let error = sqrt(self.squares / free / self.count as f64);
        let reach = t_quantile(1.0 - confidence, free) * error;
        Some((self.mean - reach, self.mean + reach))
    }
}

/// The t that a fair draw with so many degrees of freedom passes, on either side, with this chance.
pub fn t_quantile(chance: f64, free: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while two_sided(high, free) > chance && high < 1e12 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if two_sided(middle, free) > chance {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

fn two_sided(t: f64, free: f64) -> f64 {
    incomplete_beta(free / 2.0, 0.5, free / (free + t * t))
}

/// The chance of so uneven a split, or one that is more uneven, if both sides are as likely: the
/// exact sign test, which for values that are either is McNemar's exact test.
pub fn sign_test(one: u64, other: u64) -> f64 {
    let (less, all) = (one.min(other) as f64, (one + other) as f64);
    if all == 0.0 { 1.0 } else { (2.0 * incomplete_beta(all - less, less + 1.0, 0.5)).min(1.0) }
}

/// The regularised incomplete beta function.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    let front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x) / a
    } else {
        1.0 - front * fraction(b, a, 1.0 - x) / b
    }
}

fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let safe = |value: f64| if fabs(value) < TINY { TINY } else { value };
    let (mut c, mut d) = (1.0, 1.0 / safe(1.0 - (a + b) * x / (a + 1.0)));
    let mut result = d;
    for step in 1..=STEPS_MAX {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for part in [even, odd] {
            d = 1.0 / safe(1.0 + part * d);
            c = safe(1.0 + part / c);
            change = c * d;
            result *= change;
        }
        if fabs(change - 1.0) < 1e-15 {
            break;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: f64, wanted: f64, by: f64) {
        assert!(fabs(value - wanted) <= by, "{value} is not {wanted}");
    }

    /// Table III of Fisher and Yates, and R's `qt`.
    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (chance, free, wanted) in [
            (0.05, 1.0, 12.706_205),
            (0.05, 5.0, 2.570_582),
            (0.05, 9.0, 2.262_157),
            (0.01, 9.0, 3.249_836),
            (0.05, 30.0, 2.042_272),
            (0.05, 120.0, 1.979_930),
            (0.05, 1e6, 1.959_966),
        ] {
            near(t_quantile(chance, free), wanted, 2e-6);
        }
    }

    /// Student's own example, the hours of sleep of ten patients: in R,
    /// `t.test(extra ~ group, data = sleep, paired = TRUE)` gives 1.58 and 0.7001142 to 2.4598858.
    #[test]
    fn the_hours_of_sleep_come_out_as_they_did_for_student() {
        let one = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let two = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let mut mean = Mean::default();
        one.iter().zip(two).for_each(|(one, two)| mean.add(two - one));
        near(mean.mean(), 1.58, 1e-12);
        let (low, high) = mean.interval(0.95).unwrap();
        near(low, 0.700_114_2, 1e-7);
        near(high, 2.459_885_8, 1e-7);
        near(two_sided(4.062_127_7, 9.0), 0.002_832_89, 1e-8);
    }

    #[test]
    fn the_sign_test_counts_splits() {
        near(sign_test(0, 5), 0.0625, 1e-12);
        near(sign_test(6, 0), 0.03125, 1e-12);
        near(sign_test(1, 7), 0.070_312_5, 1e-12);
        near(sign_test(3, 3), 1.0, 1e-12);
        near(sign_test(0, 0), 1.0, 0.0);
    }

    #[test]
    fn one_value_has_no_interval() {
        let mut mean = Mean::default();
        mean.add(7.0);
        assert_eq!((mean.mean(), mean.interval(0.95)), (7.0, None));
        mean.add(7.0);
        assert_eq!(mean.interval(0.95), Some((7.0, 7.0)));
    }
}
