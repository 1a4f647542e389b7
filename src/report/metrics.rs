//! Chosen metrics of several runs, side by side.

use comfy_table::CellAlignment;

use super::{Finished, table};
use crate::{check::metric_text, scenario::metric};

/// Rows of a table: a run each, and a column for each metric.
#[derive(Debug)]
pub struct MetricTable {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl MetricTable {
    /// A table of metrics by name.
    ///
    /// # Errors
    ///
    /// The first name that is not a metric's.
    pub fn new(names: &[String]) -> Result<MetricTable, String> {
        match names.iter().find(|name| metric(name).is_none()) {
            Some(unknown) => Err(unknown.clone()),
            None => {
                let mut once: Vec<String> = Vec::new();
                for name in names {
                    if !once.contains(name) {
                        once.push(name.clone());
                    }
                }
                Ok(MetricTable { names: once, rows: Vec::new() })
            }
        }
    }

    /// Adds a run. A metric that has no value, such as the latency of no request, is a dash.
    pub fn add(&mut self, finished: &Finished) {
        let run = &finished.run;
        let value = |name: &String| match run.metrics.values.get(name.as_str()) {
            Some(value) => metric_text(name, *value),
            None => "-".to_owned(),
        };
        let of_run = [run.sim.clone(), run.outcome.seed.to_string()];
        self.rows.push(of_run.into_iter().chain(self.names.iter().map(value)).collect());
    }

    /// The table, with a line of names above it, folded to this many columns of a screen if there is one.
    pub fn text(&self, width: Option<u16>) -> String {
        let header = ["SIM", "SEED"].into_iter().chain(self.names.iter().map(String::as_str));
        let mut table = table::table(header.collect::<Vec<_>>(), width);
        for row in &self.rows {
            table.add_row(row);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        "\n".to_owned() + &table::lines(&table)
    }
}
