//! The sections of the benchmark. Each prints a table.

use std::error::Error;

use crate::loopback::Wanted;
use crate::loopback::report::{ClientReport, ServerReport};
use crate::loopback::rounds::{repeat, take_turns};
use crate::loopback::stats::median;
use crate::work::{Scenario, Work};

/// Prints its table. `true` means fewer and shorter runs.
type Section = fn(bool) -> Result<(), Box<dyn Error>>;

pub(crate) fn run(wanted: &Wanted) -> Result<(), Box<dyn Error>> {
    let sections: [(&str, Section); 6] = [
        ("path", path),
        ("receipts", receipts),
        ("latency", latency),
        ("burst", burst),
        ("scale", scale),
        ("quiet", quiet),
    ];
    for (name, section) in sections {
        if wanted.contains(name) {
            println!("\n## {name}");
            section(wanted.quick)?;
        }
    }
    Ok(())
}

fn path(quick: bool) -> Result<(), Box<dyn Error>> {
    let (rounds, events) = if quick { (3, 100_000) } else { (7, 200_000) };
    let of =
        |work, flush_at, in_flight, gzip| Scenario { work, flush_at, in_flight, gzip, events, ..Scenario::default() };
    let unbounded = Scenario { queue: events as usize, ..of(Work::Tracklane, 100, 8, false) };
    let table = [
        ("no SDK: one thread, 100", of(Work::OneThread, 100, 1, false)),
        ("no SDK: bytes in batches, 100", of(Work::BytesInBatches, 100, 1, false)),
        ("tracklane, 100, 8 in flight", of(Work::Tracklane, 100, 8, false)),
        ("tracklane, 100, 1 in flight", of(Work::Tracklane, 100, 1, false)),
        ("tracklane, 100, 8, all queued at once", unbounded),
        ("no SDK: one thread, 15", of(Work::OneThread, 15, 1, false)),
        ("tracklane, 15, 8 in flight", of(Work::Tracklane, 15, 8, false)),
        ("tracklane, 15, 1 in flight", of(Work::Tracklane, 15, 1, false)),
        ("no SDK: one thread, 100, gzip", of(Work::OneThread, 100, 1, true)),
        ("no SDK: bytes in batches, 100, gzip", of(Work::BytesInBatches, 100, 1, true)),
        ("tracklane, 100, 8 in flight, gzip", of(Work::Tracklane, 100, 8, true)),
        ("tracklane, 100, 1 in flight, gzip", of(Work::Tracklane, 100, 1, true)),
        ("tracklane, 15, 8 in flight, gzip", of(Work::Tracklane, 15, 8, true)),
        ("tracklane, 15, 1 in flight, gzip", of(Work::Tracklane, 15, 1, true)),
    ];
    println!(
        "| variant | events/s | × one thread, 100 | CPU µs per event | events per request | bytes per event | connections |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|");
    let mut limit = None;
    for (name, runs) in take_turns(&table, rounds)? {
        let per_second = median(&runs, |(client, _)| events as f64 * 1e9 / client.elapsed as f64);
        let limit = *limit.get_or_insert(per_second);
        let cpu = median(&runs, |(client, _)| client.cpu as f64 / events as f64 / 1000.0);
        let per_request = median(&runs, |(_, server)| events as f64 / server.requests as f64);
        let bytes = median(&runs, |(_, server)| server.bytes as f64 / events as f64);
        let connections = median(&runs, |(_, server)| server.connections as f64);
        let ratio = per_second / limit;
        println!(
            "| {name} | {per_second:.0} | {ratio:.2} | {cpu:.2} | {per_request:.0} | {bytes:.0} | {connections:.0} |"
        );
    }
    Ok(())
}

/// The cost of waiting for receipts: a batch leaves as soon as a caller waits for one of its events.
fn receipts(quick: bool) -> Result<(), Box<dyn Error>> {
    let (rounds, events) = if quick { (1, 2_000) } else { (5, 20_000) };
    let of = |work, flush_at| Scenario { work, flush_at, events, ..Scenario::default() };
    let table = [
        ("no SDK: a request for each event", of(Work::OneThread, 1)),
        ("each waited for", of(Work::Receipts(1), 15)),
        ("10 sent, then waited for", of(Work::Receipts(10), 15)),
        ("100 sent, then waited for", of(Work::Receipts(100), 15)),
        ("1,000 sent, then waited for", of(Work::Receipts(1_000), 15)),
        ("no receipts", of(Work::Tracklane, 15)),
    ];
    println!("| events | events/s | CPU µs per event | events per request |");
    println!("|---|--:|--:|--:|");
    for (name, runs) in take_turns(&table, rounds)? {
        let per_second = median(&runs, |(client, _)| events as f64 * 1e9 / client.elapsed as f64);
        let cpu = median(&runs, |(client, _)| client.cpu as f64 / events as f64 / 1000.0);
        let per_request = median(&runs, |(_, server)| events as f64 / server.requests as f64);
        println!("| {name} | {per_second:.0} | {cpu:.2} | {per_request:.0} |");
    }
    Ok(())
}

fn latency(quick: bool) -> Result<(), Box<dyn Error>> {
    let (rounds, seconds) = if quick { (1, 3) } else { (3, 20) };
    let events = 100_000 * seconds;
    // Defaults except the size of the queue.
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
    waiting(quick)
}

/// The cost of a client with little work. The smallest result counts, because other programs only add to it.
fn quiet(quick: bool) -> Result<(), Box<dyn Error>> {
    let (rounds, seconds) = if quick { (1, 10) } else { (3, 20) };
    // The defaults.
    let of = |work, rate| Scenario { work, flush_at: 15, ..Scenario::default() }.at_rate(rate, seconds);
    let rates = [(0, "0"), (1, "1"), (10, "10"), (100, "100"), (1_000, "1,000"), (20_000, "20,000")];
    let table = rates.map(|(rate, name)| (name, of(Work::Quiet, rate)));
    let hundred = |name, rate| (name, Scenario { clients: 100, ..of(Work::Quiet, rate) });
    let hundred = [hundred("0, 100 clients", 0), hundred("100, 100 clients", 100)];
    // Not clients: the least that a call can cost which wakes a thread, and which wakes none.
    let channel = [(1, "1, a channel"), (10, "10, a channel"), (100, "100, a channel"), (1_000, "1,000, a channel")];
    let channel = channel.map(|(rate, name)| (name, of(Work::QuietChannel, rate)));
    let queue = [(1, "1, a queue"), (10, "10, a queue"), (100, "100, a queue"), (1_000, "1,000, a queue")];
    let queue = queue.into_iter().chain([(20_000, "20,000, a queue")]);
    let queue = queue.map(|(rate, name)| (name, of(Work::QuietQueue, rate)));
    let table: Vec<_> = table.into_iter().chain(hundred).chain(channel).chain(queue).collect();
    println!("| events/s | CPU of a core, % | wake-ups/s | requests/s | a call: p50 ns | p99 ns |");
    println!("|--:|--:|--:|--:|--:|--:|");
    for (name, runs) in take_turns(&table, rounds)? {
        let least =
            |what: &dyn Fn(&(ClientReport, ServerReport)) -> f64| runs.iter().map(what).fold(f64::MAX, f64::min);
        let cpu = least(&|(client, _)| 100.0 * client.cpu as f64 / client.elapsed as f64);
        let wake_ups = least(&|(client, _)| client.wake_ups as f64 * 1e9 / client.elapsed as f64);
        let requests = least(&|(_, server)| server.requests as f64 / seconds as f64);
        let [p50, p99] = [least(&|(client, _)| client.p50 as f64), least(&|(client, _)| client.p99 as f64)];
        println!("| {name} | {cpu:.3} | {wake_ups:.0} | {requests:.1} | {p50:.0} | {p99:.0} |");
    }
    println!(
        "\n| events/s to a destination of single events, no network | CPU of a core, % | wake-ups/s | until it is there, p99 ms |"
    );
    println!("|--:|--:|--:|--:|");
    let single =
        rates.into_iter().filter(|(rate, _)| *rate > 0).map(|(rate, name)| (name, of(Work::QuietSingle, rate)));
    for (name, runs) in take_turns(&single.collect::<Vec<_>>(), rounds)? {
        let least =
            |what: &dyn Fn(&ClientReport) -> f64| runs.iter().map(|(client, _)| what(client)).fold(f64::MAX, f64::min);
        let cpu = least(&|client| 100.0 * client.cpu as f64 / client.elapsed as f64);
        let wake_ups = least(&|client| client.wake_ups as f64 * 1e9 / client.elapsed as f64);
        let arrival = least(&|client| client.arrival_p99 as f64 / 1e6);
        println!("| {name} | {cpu:.3} | {wake_ups:.0} | {arrival:.2} |");
    }
    Ok(())
}

/// Runs the rows in turns, so that they can be compared.
fn waiting(quick: bool) -> Result<(), Box<dyn Error>> {
    let (rounds, events) = if quick { (3, 5_000) } else { (5, 20_000) };
    let of = |waiting| Scenario { work: Work::Held, waiting, events, queue: 20_000, ..Scenario::default() };
    let table = [("1", of(1)), ("10", of(10)), ("100", of(100)), ("1,000", of(1_000)), ("10,000", of(10_000))];
    println!("\n| events that wait at least, no network | a call: p50 ns | p99 ns | CPU ns per event |");
    println!("|--:|--:|--:|--:|");
    for (name, runs) in take_turns(&table, rounds)? {
        let [p50, p99] = [|client: ClientReport| client.p50, |client: ClientReport| client.p99]
            .map(|of| median(&runs, |(client, _)| of(*client) as f64));
        let cpu = median(&runs, |(client, _)| client.cpu as f64 / events as f64);
        println!("| {name} | {p50:.0} | {p99:.0} | {cpu:.0} |");
    }
    Ok(())
}
