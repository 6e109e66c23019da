//! Repeats scenarios, and takes medians.

use std::error::Error;

use super::meter::quantile;
use super::scenario::{self, ClientReport, Scenario, ServerReport};

pub(crate) type Run = (ClientReport, ServerReport);
pub(crate) type Runs = Vec<Run>;

/// Runs every scenario once per round, so that what disturbs one disturbs all. An event that is missing or came twice
/// is an error.
pub(crate) fn take_turns<'n>(
    table: &[(&'n str, Scenario)],
    rounds: usize,
) -> Result<Vec<(&'n str, Runs)>, Box<dyn Error>> {
    by_turns(table, rounds, scenario::run)
}

/// The same, where what is missing or came twice is part of the result.
pub(crate) fn by_turns<'n>(
    table: &[(&'n str, Scenario)],
    rounds: usize,
    run: fn(&Scenario) -> Result<Run, Box<dyn Error>>,
) -> Result<Vec<(&'n str, Runs)>, Box<dyn Error>> {
    let mut results: Vec<(&str, Runs)> = table.iter().map(|(name, _)| (*name, Vec::new())).collect();
    for _ in 0..rounds {
        for ((_, scenario), (_, runs)) in table.iter().zip(&mut results) {
            runs.push(run(scenario)?);
        }
    }
    Ok(results)
}

pub(crate) fn repeat(scenario: &Scenario, rounds: usize) -> Result<Runs, Box<dyn Error>> {
    (0..rounds).map(|_| scenario::run(scenario)).collect()
}

pub(crate) fn median(runs: &Runs, what: impl Fn(&Run) -> f64) -> f64 {
    let mut values: Vec<u64> = runs.iter().map(|run| (what(run) * 1000.0) as u64).collect();
    values.sort_unstable();
    quantile(&values, 0.5) as f64 / 1000.0
}
