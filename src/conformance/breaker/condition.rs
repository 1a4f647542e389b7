//! Reading gobreaker's `ReadyToTrip`, written as a text: `requests >= 3 and failure_ratio >= 0.6`.

use crate::policy::breaker::{Comparison, Condition, Number};

use super::Unsupported;

/// Reads a condition: comparisons of counts, or of ratios of two, with numbers, joined by `and`,
/// `or` and parentheses.
pub(super) fn parse(text: &str) -> Result<Condition, Unsupported> {
    let spaced = ["(", ")", ">=", "<=", "==", "&&", "||", "/"]
        .iter()
        .fold(text.to_lowercase(), |text, sign| text.replace(sign, &format!(" {sign} ")));
    // `>` and `<` that stand alone.
    let mut words = Vec::new();
    for word in spaced.split_whitespace() {
        match word {
            ">=" | "<=" => words.push(word.to_owned()),
            _ => {
                let parted = word.replace('>', " > ").replace('<', " < ");
                words.extend(parted.split_whitespace().map(str::to_owned));
            }
        }
    }
    let mut parser = Parser { words, next: 0 };
    let condition = parser.any();
    match condition {
        Some(condition) if parser.next == parser.words.len() => Ok(condition),
        _ => Err(Unsupported(format!("the condition {text:?} is not understood"))),
    }
}

struct Parser {
    words: Vec<String>,
    next: usize,
}

impl Parser {
    fn peek(&self) -> Option<&str> {
        self.words.get(self.next).map(String::as_str)
    }

    fn eat(&mut self, wanted: &[&str]) -> bool {
        let found = self.peek().is_some_and(|word| wanted.contains(&word));
        self.next += usize::from(found);
        found
    }

    fn word(&mut self) -> Option<String> {
        let word = self.peek()?.to_owned();
        self.next += 1;
        Some(word)
    }

    fn any(&mut self) -> Option<Condition> {
        let mut any = vec![self.all()?];
        while self.eat(&["or", "||"]) {
            any.push(self.all()?);
        }
        Some(if any.len() == 1 { any.remove(0) } else { Condition::Any(any) })
    }

    fn all(&mut self) -> Option<Condition> {
        let mut all = vec![self.one()?];
        while self.eat(&["and", "&&"]) {
            all.push(self.one()?);
        }
        Some(if all.len() == 1 { all.remove(0) } else { Condition::All(all) })
    }

    fn one(&mut self) -> Option<Condition> {
        if self.eat(&["("]) {
            let inner = self.any()?;
            return self.eat(&[")"]).then_some(inner);
        }
        let (number, mut over) = number(&self.word()?)?;
        if self.eat(&["/"]) {
            over = Some(self::number(&self.word()?)?.0);
        }
        let is = match self.word()?.as_str() {
            ">" => Comparison::Above,
            ">=" => Comparison::AtLeast,
            "<" => Comparison::Below,
            "<=" => Comparison::AtMost,
            "==" | "=" => Comparison::Equal,
            _ => return None,
        };
        let word = self.word()?;
        let value: f64 = match word.strip_suffix('%') {
            Some(percent) => percent.parse::<f64>().ok()? / 100.0,
            None => word.parse().ok()?,
        };
        let millionths = (0.0..=1e12).contains(&value).then(|| (value * 1e6).round() as u64)?;
        Some(Condition::Compare { number, over, is, millionths })
    }
}

/// What a name stands for, and over what it is taken.
fn number(name: &str) -> Option<(Number, Option<Number>)> {
    let name: String = name.chars().filter(|sign| !matches!(sign, '_' | '.' | '-')).collect();
    let name = name.strip_prefix("counts").unwrap_or(&name);
    let number = match name {
        "requests" | "totalrequests" => Number::Requests,
        "validrequests" => Number::ValidRequests,
        "successes" | "totalsuccesses" => Number::Successes,
        "failures" | "totalfailures" => Number::Failures,
        "excluded" | "exclusions" | "totalexclusions" => Number::Excluded,
        "consecutivesuccesses" => Number::ConsecutiveSuccesses,
        "consecutivefailures" => Number::ConsecutiveFailures,
        "failureratio" | "failurerate" => {
            return Some((Number::Failures, Some(Number::ValidRequests)));
        }
        "successratio" | "successrate" => {
            return Some((Number::Successes, Some(Number::ValidRequests)));
        }
        _ => return None,
    };
    Some((number, None))
}
