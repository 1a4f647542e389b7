//! Decimals as people write them, read into whole thousandths without a fraction on the way.

/// What a number comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// So many thousandths.
    Thousandths(u64),
    /// Below zero.
    Negative,
    /// Finer than a thousandth.
    TooFine,
    /// Larger than anything here.
    Huge,
    /// Infinite, or no number at all although it is called one.
    NotFinite,
    /// Something else.
    Other,
}

/// The most digits or zeros that are looked at: enough for any number that could be meant.
const DIGITS_MAX: usize = 400;

/// Reads `3`, `1.5`, `2e1`, `-1`, `nan`.
pub(super) fn number(text: &str) -> Number {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if ["nan", "inf", "infinity"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Number::NotFinite;
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => match exponent.parse::<i64>() {
            Ok(exponent) => (mantissa, exponent.clamp(-10_000, 10_000)),
            Err(_) => return Number::Other,
        },
        None => (text, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return Number::Other,
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Number::Other;
    }
    let all = [whole, fraction].concat();
    let significant = all.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Number::Thousandths(0);
    }
    if negative {
        return Number::Negative;
    }
    let dropped = all.len() - all.trim_end_matches('0').len();
    let places = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let scale = exponent + 3 - places(fraction.len()) + places(dropped);
    if significant.len() > DIGITS_MAX {
        return if scale < 0 { Number::TooFine } else { Number::Huge };
    }
    match usize::try_from(scale) {
        Err(_) => Number::TooFine,
        Ok(zeros) if zeros > DIGITS_MAX => Number::Huge,
        Ok(zeros) => {
            let text = significant.to_owned() + &"0".repeat(zeros);
            text.parse().map_or(Number::Huge, Number::Thousandths)
        }
    }
}

/// Whether a number is one that other readers of JSON would get wrong: whole and beyond 2⁵³, or a
/// decimal above 10¹⁰⁰ or below 10⁻¹⁰⁰. Source: the source project's security limits.
pub(super) fn is_unsafe(text: &str) -> bool {
    const WHOLE_MAX: u128 = 1 << 53;
    let unsigned = text.trim_start_matches(['-', '+']);
    if unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return unsigned.parse::<u128>().map_or(true, |whole| whole > WHOLE_MAX);
    }
    // For a warning only: nothing is decided with it.
    match unsigned.parse::<f64>() {
        Ok(float) => float.is_finite() && float != 0.0 && !(1e-100..=1e100).contains(&float),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly() {
        for (text, thousandths) in [
            ("0", 0),
            ("-0.0", 0),
            ("3", 3_000),
            ("3.0", 3_000),
            ("+0.5", 500),
            ("1.5e1", 15_000),
            ("2E-3", 2),
            ("0.001", 1),
            ("00012.30", 12_300),
            ("100e-2", 1_000),
        ] {
            assert_eq!(number(text), Number::Thousandths(thousandths), "{text}");
        }
    }

    #[test]
    fn what_is_no_such_number_is_told_apart() {
        for (text, is) in [
            ("-1", Number::Negative),
            ("-1e-9", Number::Negative),
            ("0.0001", Number::TooFine),
            ("1e-400", Number::TooFine),
            ("1e400", Number::Huge),
            ("99999999999999999999", Number::Huge),
            ("1e999999999999", Number::Huge),
            ("1e99999999999999999999", Number::Other),
            ("NaN", Number::NotFinite),
            ("-inf", Number::NotFinite),
            ("", Number::Other),
            (".5", Number::Other),
            ("5.", Number::Other),
            ("3s", Number::Other),
            ("--3", Number::Other),
        ] {
            assert_eq!(number(text), is, "{text}");
        }
        assert_eq!(number(&"9".repeat(5_000)), Number::Huge);
        assert_eq!(number(&format!("0.{}", "9".repeat(5_000))), Number::TooFine);
    }

    #[test]
    fn numbers_that_other_readers_get_wrong_are_found() {
        assert!(!is_unsafe("9007199254740992"));
        assert!(is_unsafe("9007199254740993"));
        assert!(is_unsafe("-9007199254740993"));
        assert!(is_unsafe("1e101") && is_unsafe("1e-101") && is_unsafe(&"9".repeat(99)));
        assert!(!is_unsafe("0.0") && !is_unsafe("1e100") && !is_unsafe("nan"));
    }
}
