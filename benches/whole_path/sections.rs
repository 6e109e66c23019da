//! The sections of the benchmark, each a table.

use std::error::Error;

use crate::meter::quantile;
use crate::scenario::{self, ClientReport, Scenario, ServerReport, Work};

/// Prints its table; shorter, if it is to be quick.
type Section = fn(bool) -> Result<(), Box<dyn Error>>;
type Runs = Vec<(ClientReport, ServerReport)>;

pub(crate) fn run(quick: bool, wanted: impl Fn(&str) -> bool) -> Result<(), Box<dyn Error>> {
    let sections: [(&str, Section); 4] = [("path", path), ("latency", latency), ("burst", burst), ("scale", scale)];
    for (name, section) in sections {
        if wanted(name) {
            println!("\n## {name}");
            section(quick)?;
        }
    }
    Ok(())
}

fn path(quick: bool) -> Result<(), Box<dyn Error>> {
    let (rounds, events) = if quick { (3, 100_000) } else { (7, 200_000) };
    let of = |work, flush_at, in_flight| Scenario { work, flush_at, in_flight, events, ..Scenario::default() };
    let unbounded = Scenario { queue: events as usize, ..of(Work::Tracklane, 100, 8) };
    let table = [
        ("no SDK: one thread, 100", of(Work::OneThread, 100, 1)),
        ("no SDK: bytes in batches, 100", of(Work::BytesInBatches, 100, 1)),
        ("tracklane, 100, 8 in flight", of(Work::Tracklane, 100, 8)),
        ("tracklane, 100, 1 in flight", of(Work::Tracklane, 100, 1)),
        ("tracklane, 100, 8, all queued at once", unbounded),
        ("no SDK: one thread, 15", of(Work::OneThread, 15, 1)),
        ("tracklane, 15, 8 in flight", of(Work::Tracklane, 15, 8)),
        ("tracklane, 15, 1 in flight", of(Work::Tracklane, 15, 1)),
    ];
    println!("| variant | events/s | × one thread, 100 | CPU µs per event | events per request | connections |");
    println!("|---|--:|--:|--:|--:|--:|");
    let mut limit = None;
    for (name, runs) in take_turns(&table, rounds)? {
        let per_second = median(&runs, |(client, _)| events as f64 * 1e9 / client.elapsed as f64);
        let limit = *limit.get_or_insert(per_second);
        let cpu = median(&runs, |(client, _)| client.cpu as f64 / events as f64 / 1000.0);
        let per_request = median(&runs, |(_, server)| events as f64 / server.requests as f64);
        let connections = median(&runs, |(_, server)| server.connections as f64);
        let ratio = per_second / limit;
        println!("| {name} | {per_second:.0} | {ratio:.2} | {cpu:.2} | {per_request:.0} | {connections:.0} |");
    }
    Ok(())
}

fn latency(quick: bool) -> Result<(), Box<dyn Error>> {
    let (rounds, seconds) = if quick { (1, 3) } else { (3, 20) };
    let events = 100_000 * seconds;
    // Defaults but for the size of the queue.
    let offered =
        Scenario { events, delay: 50, rate: Some(100_000), queue: 100_000, flush_at: 15, ..Scenario::default() };
    let table = [("100,000 events/s, answers after 50 ms", offered)];
    println!(
        "| offered | refused | dropped | p50 ns | p99 ns | p99.9 ns | events/s | events per request | connections |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (name, runs) in take_turns(&table, rounds)? {
        let of = |what: fn(&(ClientReport, ServerReport)) -> f64| median(&runs, what);
        let per_second = median(&runs, |(client, _)| events as f64 * 1e9 / client.elapsed as f64);
        let per_request = median(&runs, |(_, server)| events as f64 / server.requests as f64);
        println!(
            "| {name}, {seconds} s | {} | {} | {} | {} | {} | {per_second:.0} | {per_request:.0} | {} |",
            of(|(client, _)| client.refused as f64),
            of(|(client, _)| client.dropped as f64),
            of(|(client, _)| client.p50 as f64),
            of(|(client, _)| client.p99 as f64),
            of(|(client, _)| client.p999 as f64),
            of(|(_, server)| server.connections as f64),
        );
    }
    Ok(())
}

fn burst(quick: bool) -> Result<(), Box<dyn Error>> {
    let of = |delay| Scenario { events: 200_000, queue: 200_000, delay, ..Scenario::default() };
    let table = [("server answers at once", of(0)), ("server answers after 50 ms", of(50))];
    println!("| burst of 200,000 | JSON MB | peak RSS MB | more than before MB | ÷ JSON | events/s |");
    println!("|---|--:|--:|--:|--:|--:|");
    for (name, runs) in take_turns(&table, if quick { 1 } else { 5 })? {
        let json = median(&runs, |(_, server)| server.bytes as f64 / 1e6);
        let peak = median(&runs, |(client, _)| client.peak as f64 / 1e6);
        let grown = median(&runs, |(client, _)| (client.peak - client.before) as f64 / 1e6);
        let per_second = median(&runs, |(client, _)| 200_000e9 / client.elapsed as f64);
        println!("| {name} | {json:.0} | {peak:.0} | {grown:.0} | {:.2} | {per_second:.0} |", grown / json);
    }
    Ok(())
}

fn scale(quick: bool) -> Result<(), Box<dyn Error>> {
    let rounds = if quick { 1 } else { 3 };
    println!("| events | ns per event | CPU µs per event | peak RSS MB |");
    println!("|--:|--:|--:|--:|");
    let numbers: &[u64] = if quick { &[10_000, 100_000] } else { &[10_000, 100_000, 1_000_000, 2_000_000] };
    for &events in numbers {
        let runs = repeat(&Scenario { events, ..Scenario::default() }, rounds)?;
        let elapsed = median(&runs, |(client, _)| client.elapsed as f64 / events as f64);
        let cpu = median(&runs, |(client, _)| client.cpu as f64 / events as f64 / 1000.0);
        let peak = median(&runs, |(client, _)| client.peak as f64 / 1e6);
        println!("| {events} | {elapsed:.0} | {cpu:.2} | {peak:.0} |");
    }
    println!("\n| destinations, no network | CPU ns per event | per event and destination |");
    println!("|--:|--:|--:|");
    for destinations in [1, 2, 4, 8, 16, 32] {
        let events = if quick { 20_000 } else { 100_000 };
        let runs = repeat(&Scenario { work: Work::NoNetwork, destinations, events, ..Scenario::default() }, rounds)?;
        let cpu = median(&runs, |(client, _)| client.cpu as f64 / events as f64);
        println!("| {destinations} | {cpu:.0} | {:.0} |", cpu / destinations as f64);
    }
    Ok(())
}

/// Runs every scenario once per round, so that what disturbs one disturbs all.
fn take_turns<'n>(table: &[(&'n str, Scenario)], rounds: usize) -> Result<Vec<(&'n str, Runs)>, Box<dyn Error>> {
    let mut results: Vec<(&str, Runs)> = table.iter().map(|(name, _)| (*name, Vec::new())).collect();
    for _ in 0..rounds {
        for ((_, scenario), (_, runs)) in table.iter().zip(&mut results) {
            runs.push(scenario::run(scenario)?);
        }
    }
    Ok(results)
}

fn repeat(scenario: &Scenario, rounds: usize) -> Result<Runs, Box<dyn Error>> {
    (0..rounds).map(|_| scenario::run(scenario)).collect()
}

fn median(runs: &Runs, what: impl Fn(&(ClientReport, ServerReport)) -> f64) -> f64 {
    let mut values: Vec<u64> = runs.iter().map(|run| (what(run) * 1000.0) as u64).collect();
    values.sort_unstable();
    quantile(&values, 0.5) as f64 / 1000.0
}
