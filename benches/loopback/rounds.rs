//! Repeats scenarios.

use std::error::Error;

use super::report::{ClientReport, ServerReport};
use super::scenario::{self, Scenario, Work};

pub(crate) type Run = (ClientReport, ServerReport);
pub(crate) type Runs = Vec<Run>;
/// Runs a scenario once.
type RunOnce<W> = fn(&Scenario<W>) -> Result<Run, Box<dyn Error>>;

/// Runs every scenario once per round, so that a disturbance affects all. A missing or repeated event is an error.
pub(crate) fn take_turns<'n, W: Work>(
    table: &[(&'n str, Scenario<W>)],
    rounds: usize,
) -> Result<Vec<(&'n str, Runs)>, Box<dyn Error>> {
    by_turns(table, rounds, scenario::run)
}

/// The same, but missing and repeated events are a part of the result.
pub(crate) fn by_turns<'n, W>(
    table: &[(&'n str, Scenario<W>)],
    rounds: usize,
    run: RunOnce<W>,
) -> Result<Vec<(&'n str, Runs)>, Box<dyn Error>> {
    let mut results: Vec<(&str, Runs)> = table.iter().map(|(name, _)| (*name, Vec::new())).collect();
    for _ in 0..rounds {
        for ((_, scenario), (_, runs)) in table.iter().zip(&mut results) {
            runs.push(run(scenario)?);
        }
    }
    Ok(results)
}

pub(crate) fn repeat<W: Work>(scenario: &Scenario<W>, rounds: usize) -> Result<Runs, Box<dyn Error>> {
    (0..rounds).map(|_| scenario::run(scenario)).collect()
}
