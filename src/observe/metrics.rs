//! The metrics of a run as Prometheus text: a registry of its own for each run, fed by an observer.
//!
//! Nothing here takes part in a run, and nothing is measured but what events say, in virtual time: one
//! seed makes one text, byte for byte. A run that nobody measures has no observer and costs nothing.
//! Labels are names of the sim and words of the stack, never texts from outside, so the number of
//! series is bounded by the sim.

mod catalogue;
mod families;
mod feed;

pub use catalogue::{FAMILIES, Family, Kind};

use prometheus::{
    Registry, TextEncoder,
    proto::{LabelPair, Metric, MetricFamily},
};
use std::collections::BTreeMap;

use crate::{
    scenario::Sim,
    world::{Observer, Seed},
};

/// The labels that tell runs apart where there are several.
const RUN_LABELS: [&str; 2] = ["sim", "seed"];

/// Metrics cannot be made or written: a mistake of seedbed, not of a run.
#[derive(Debug, thiserror::Error)]
#[error("metrics: {0}")]
pub struct MetricsError(#[from] prometheus::Error);

/// What was measured of one run so far. It can be read on another thread while the run goes on.
#[derive(Clone)]
pub struct Board {
    registry: Registry,
    sim: String,
    seed: Seed,
}

impl Board {
    /// Begins to measure a seed of a sim: give the observer to its world.
    ///
    /// # Errors
    ///
    /// A mistake in the catalogue of metrics.
    pub fn begin(sim: &Sim, seed: Seed) -> Result<(Board, Box<dyn Observer>), MetricsError> {
        let registry = Registry::new();
        let feed = feed::Feed::new(families::Families::new(&registry)?, sim, seed);
        Ok((Board { registry, sim: sim.name.clone(), seed }, Box::new(feed)))
    }

    /// What one run has measured so far, in Prometheus' text format.
    ///
    /// # Errors
    ///
    /// Only if the text cannot be encoded.
    pub fn text(&self) -> Result<String, MetricsError> {
        Ok(TextEncoder::new().encode_to_string(&self.registry.gather())?)
    }

    /// Its families, each metric with the labels of the run.
    fn labelled(&self) -> Vec<MetricFamily> {
        let values = [self.sim.clone(), self.seed.to_string()];
        let mut families = self.registry.gather();
        for family in &mut families {
            for metric in family.mut_metric() {
                let mut labels = metric.take_label();
                labels.retain(|label| !RUN_LABELS.contains(&label.name()));
                for (name, value) in RUN_LABELS.into_iter().zip(&values) {
                    let mut label = LabelPair::default();
                    label.set_name(name.to_owned());
                    label.set_value(value.clone());
                    labels.push(label);
                }
                labels.sort_by(|a, b| a.name().cmp(b.name()));
                metric.set_label(labels);
            }
        }
        families
    }
}

/// What several runs have measured, as one text. A single run has no labels but those of the catalogue;
/// of several, each metric says `sim` and `seed`.
///
/// # Errors
///
/// Only if the text cannot be encoded.
pub fn text(boards: &[Board]) -> Result<String, MetricsError> {
    if let [board] = boards {
        return board.text();
    }
    let mut whole: BTreeMap<String, MetricFamily> = BTreeMap::new();
    for mut family in boards.iter().flat_map(Board::labelled) {
        match whole.get_mut(family.name()) {
            Some(known) => known.mut_metric().extend(family.take_metric()),
            None => {
                whole.insert(family.name().to_owned(), family);
            }
        }
    }
    for family in whole.values_mut() {
        let key = |metric: &Metric| -> Vec<(String, String)> {
            let pair = |label: &LabelPair| (label.name().to_owned(), label.value().to_owned());
            metric.get_label().iter().map(pair).collect()
        };
        family.mut_metric().sort_by_cached_key(key);
    }
    let families: Vec<MetricFamily> = whole.into_values().collect();
    Ok(TextEncoder::new().encode_to_string(&families)?)
}

#[cfg(test)]
mod tests;
