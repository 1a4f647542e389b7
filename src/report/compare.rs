//! A comparison as text: a table for each sim, and in words what can be said and what cannot.

use comfy_table::CellAlignment;

use super::table;
use super::text::{GREEN, RED, counted, styled, wrap};
use crate::explore::compare::{CONFIDENCE, Comparison, Finding, Row, SimComparison, Unit};

/// How many sims have a table of their own; of others only differences are told.
const TABLES_MAX: usize = 12;
/// How many differences of further sims are told.
const LINES_MAX: usize = 50;

/// The whole comparison. Names of sims must be free of anything that a terminal acts on.
pub fn text(comparison: &Comparison) -> String {
    let Comparison { confidence, sims } = comparison;
    let mut text: String =
        sims.iter().take(TABLES_MAX).map(|sim| table(sim, *confidence)).collect();
    if sims.len() > TABLES_MAX {
        text += &further(&sims[TABLES_MAX..]);
    }
    text + &summary(comparison)
}

fn table(sim: &SimComparison, confidence: f64) -> String {
    let interval = format!("{} INTERVAL", percent(confidence));
    let mut table = table::table(["METRIC", "A", "B", "B - A", &interval, ""], None);
    for row in sim.rows.iter().filter(|row| row.finding != Finding::Unmeasured) {
        let Row { unit, a, b, difference, interval, .. } = row;
        let interval = interval.map_or_else(
            || "-".to_owned(),
            |(low, high)| format!("{} to {}", change(*unit, low), change(*unit, high)),
        );
        table.add_row([
            row.metric.to_owned(),
            value(*unit, *a),
            value(*unit, *b),
            change(*unit, *difference),
            interval,
            word(row.finding, row.seeds),
        ]);
    }
    for column in table.column_iter_mut().skip(1).take(4) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text = format!("{}: {}\n", sim.sim, counted(sim.seeds, "seed"));
    text.extend(table.lines().map(|line| format!("  {}\n", line.trim())));
    for note in notes(sim) {
        text += &format!("  {}\n", wrap("", &note, 4));
    }
    text + "\n"
}

/// What a reader of the numbers of a sim should know.
pub fn notes(sim: &SimComparison) -> Vec<String> {
    let mut notes = Vec::new();
    if sim.unmeasured > 0 {
        notes.push(format!(
            "{} in which a run broke off, or was kept by a seedbed that measured nothing: only \
             whether it passed is compared",
            counted(sim.unmeasured, "seed")
        ));
    }
    if sim.alone > 0 {
        let seeds = counted(sim.alone, "seed");
        notes.push(format!("{seeds} left out: only one side has one result of each"));
    }
    let names: Vec<&str> = sim
        .rows
        .iter()
        .filter(|row| row.finding == Finding::Unmeasured)
        .map(|row| row.metric)
        .collect();
    if !names.is_empty() {
        let names = names.join(", ");
        notes.push(format!(
            "not measured on both sides (tokens of quotas are with a quota, cost is if models have \
             prices): {names}"
        ));
    }
    notes
}

/// Differences in sims that have no table.
fn further(sims: &[SimComparison]) -> String {
    let differ = |row: &&Row| matches!(row.finding, Finding::Better | Finding::Worse);
    let lines =
        sims.iter().flat_map(|sim| sim.rows.iter().filter(differ).map(move |row| (sim, row)));
    let lines: Vec<String> = lines
        .map(|(sim, row)| {
            let (change, word) = (change(row.unit, row.difference), word(row.finding, row.seeds));
            format!("{}: {} {change}, {word}\n", sim.sim, row.metric)
        })
        .collect();
    let shown: String = lines.iter().take(LINES_MAX).map(String::as_str).collect();
    let more = match lines.len().saturating_sub(LINES_MAX) {
        0 => String::new(),
        more => format!("and {}\n", counted(more as u64, "more difference")),
    };
    let sims = counted(sims.len() as u64, "further sim");
    format!("{sims}, of which only differences are told (--format json has all):\n{shown}{more}\n")
}

/// How many differences there are, and how sure they are.
fn summary(comparison: &Comparison) -> String {
    let rows = || comparison.sims.iter().flat_map(|sim| &sim.rows);
    let count = |finding| rows().filter(|row| row.finding == finding).count() as u64;
    let (better, worse) = (count(Finding::Better), count(Finding::Worse));
    let all = counted(
        rows().filter(|row| row.finding != Finding::Unmeasured).count() as u64,
        "comparison",
    );
    let seeds = comparison.sims.iter().map(|sim| sim.seeds).max().unwrap_or(0);
    let seeds = counted(seeds, "seed");
    let mut text = match better + worse {
        0 => format!("{all}: no difference can be shown at {seeds}"),
        _ => format!("{all}: B is better in {better} and worse in {worse}"),
    };
    if better + worse > 0 {
        text += &format!(
            "; of metrics that are the same, about {} in a hundred would show one by chance",
            ((1.0 - CONFIDENCE) * 100.0) as u64
        );
    }
    wrap("", &text, 4) + "\n"
}

fn word(finding: Finding, seeds: u64) -> String {
    match finding {
        Finding::Better => styled(GREEN, "better"),
        Finding::Worse => styled(RED, "worse"),
        Finding::Same => "the same in every seed".to_owned(),
        Finding::NotShown => {
            format!("no difference can be shown at {}", counted(seeds, "seed"))
        }
        Finding::Unmeasured => "not measured".to_owned(),
    }
}

fn percent(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A value in its unit.
fn value(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Count => format!("{value:.2}"),
        Unit::Ppm => format!("{:.2}%", value / 10_000.0),
        Unit::Us => format!("{:.2}ms", value / 1_000.0),
        Unit::Nanodollars => format!("${:.6}", value / 1e9),
    }
}

/// A difference in its unit, with its sign; that of two percentages is in points.
fn change(unit: Unit, change: f64) -> String {
    let text = match unit {
        Unit::Count => format!("{change:+.2}"),
        Unit::Ppm => format!("{:+.2}pt", change / 10_000.0),
        Unit::Us => format!("{:+.2}ms", change / 1_000.0),
        Unit::Nanodollars => format!("{:+.6}$", change / 1e9),
    };
    // Nothing has no sign.
    match text.strip_prefix(['+', '-']) {
        Some(rest) if rest.chars().all(|c| !matches!(c, '1'..='9')) => rest.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(finding: Finding, seeds: u64) -> Row {
        Row {
            metric: "latency.p50",
            unit: Unit::Us,
            seeds,
            a: 104_500.0,
            b: 94_500.0,
            difference: -10_000.0,
            interval: Some((-11_000.0, -9_000.0)),
            finding,
        }
    }

    fn told(sims: usize, finding: Finding) -> String {
        let sim = |index: usize| SimComparison {
            sim: format!("sim {index}"),
            seeds: 9,
            alone: 2,
            unmeasured: 1,
            rows: vec![row(finding, 9)],
        };
        text(&Comparison { confidence: 0.95, sims: (0..sims).map(sim).collect() })
    }

    #[test]
    fn a_difference_is_told_with_its_interval_and_none_is_told_plainly() {
        let text = told(1, Finding::Better);
        for part in ["sim 0: 9 seeds", "95% INTERVAL", "104.50ms", "-11.00ms to -9.00ms", "better"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(text.contains("2 seeds left out"), "{text}");
        let text = told(1, Finding::NotShown);
        assert!(text.ends_with("1 comparison: no difference can be shown at 9 seeds\n"), "{text}");
    }

    #[test]
    fn of_many_sims_differences_are_told_and_counted() {
        let text = told(TABLES_MAX + LINES_MAX + 3, Finding::Worse);
        assert_eq!(text.matches("INTERVAL").count(), TABLES_MAX);
        assert!(text.contains("and 3 more differences"), "{text}");
    }

    #[test]
    fn numbers_are_for_people() {
        assert_eq!(value(Unit::Ppm, 985_700.0), "98.57%");
        assert_eq!(change(Unit::Ppm, 7_000.0), "+0.70pt");
        assert_eq!(change(Unit::Count, -0.001), "0.00");
        assert_eq!(value(Unit::Nanodollars, 15_000_750.0), "$0.015001");
        assert_eq!(change(Unit::Nanodollars, -1e6), "-0.001000$");
        assert_eq!(percent(0.99), "99%");
        assert_eq!(percent(1.0 - 0.05 / 3.0), "98.33%");
    }
}
