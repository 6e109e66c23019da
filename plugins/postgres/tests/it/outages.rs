//! Servers that die, hang and refuse.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tracklane::plugin::{Batching, RetryPolicy};
use tracklane::{Analytics, DropReason, Outcome, Track};
use tracklane_postgres::Postgres;

use crate::refusals::told;
use crate::server::{PASSWORD, Server};
use crate::storing::{SOON, client, event, postgres, send};

const KILLS: usize = 4;

/// The server is killed while batches are under way, now and then at once and now and then in an orderly way, and
/// started again.
#[test]
fn every_acknowledged_row_is_there_once_however_often_the_server_dies() {
    let Some(server) = Server::own() else { return };
    let warehouse =
        Postgres::new(server.url()).batching(Batching::every(100, Duration::from_millis(5)).max_events(200));
    let retry = RetryPolicy::new().max_retries(1_000).backoff(Duration::from_millis(5), Duration::from_millis(50));
    let analytics = Analytics::builder().plugin(warehouse.build().unwrap().retry(retry)).build().unwrap();
    let is_over = AtomicBool::new(false);
    let receipts = std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut receipts = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let event = Track::new("Ping").user_id("u1").property("text", "x".repeat(500));
                match analytics.send_with_receipt(event) {
                    Ok(receipt) => receipts.push(receipt),
                    // The queue is full while the server is away.
                    Err(_) => std::thread::sleep(Duration::from_millis(1)),
                }
            }
            receipts
        });
        for kill in 0..KILLS {
            let stored = || server.query("SELECT to_regclass('events')")[0][0].is_some().then(|| count(&server));
            let before = stored().unwrap_or_default();
            wait_for(|| stored().is_some_and(|now| now > before + 200));
            if kill % 2 == 0 {
                server.kill()
            } else {
                server.stop()
            }
            server.start();
        }
        is_over.store(true, Ordering::Relaxed);
        sender.join().unwrap()
    });
    assert!(analytics.close_blocking(SOON).is_complete());
    let mut acknowledged = BTreeSet::new();
    for receipt in receipts {
        let end = receipt.wait();
        assert!(end.is_delivered(), "{end:?}");
        assert!(acknowledged.insert(end.message_id));
    }
    let rows = server.query("SELECT message_id FROM events");
    let stored: BTreeSet<String> = rows.iter().map(|row| row[0].clone().unwrap()).collect();
    assert_eq!(rows.len(), stored.len(), "each once");
    assert_eq!(stored, acknowledged);
    assert!(stored.len() > 200 * KILLS, "{}", stored.len());
}

fn count(server: &Server) -> usize {
    server.value("SELECT count(*) FROM events").parse().unwrap()
}

fn wait_for(condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < SOON, "it does not come true");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_connection_that_the_server_ends_is_made_anew() {
    let Some(server) = Server::shared() else { return };
    let analytics = client(postgres(&server, "ended").build().unwrap());
    for id in ["m1", "m2", "m3"] {
        let receipt = analytics.send_with_receipt(event(id)).unwrap();
        analytics.flush_blocking(SOON);
        assert!(receipt.wait().is_delivered(), "{id}");
        let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'tracklane' \
                     AND query LIKE '%\"ended\"%'";
        assert_eq!(server.value(ended), "1", "one connection");
    }
    analytics.close_blocking(SOON);
    assert_eq!(server.value("SELECT count(*) FROM ended"), "3");
}

/// What waits behind a lock would wait for as long as the lock is held, with a connection for each attempt.
#[test]
fn an_attempt_that_takes_too_long_is_ended_at_the_server_too() {
    let Some(server) = Server::shared() else { return };
    send(postgres(&server, "locked"), [event("m0")]);
    let (locked, release) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
    let url = server.url();
    let holder = std::thread::spawn(move || {
        crate::server::runtime().block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute("BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE").await.unwrap();
            locked.0.send(()).unwrap();
            // The receiver blocks the only thread, on which nothing else is to run.
            release.1.recv().unwrap();
            client.batch_execute("ROLLBACK").await.unwrap();
        });
    });
    locked.1.recv().unwrap();
    let analytics = client(postgres(&server, "locked").timeout(Duration::from_secs(1)).build().unwrap());
    let receipt = analytics.send_with_receipt(event("m1")).unwrap();
    analytics.flush_blocking(SOON);
    let end = receipt.wait();
    assert_eq!(end.outcome, Outcome::Dropped(DropReason::RetriesExhausted), "{end:?}");
    wait_for(|| server.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == "0");
    release.0.send(()).unwrap();
    holder.join().unwrap();
    let receipt = analytics.send_with_receipt(event("m2")).unwrap();
    analytics.flush_blocking(SOON);
    assert!(receipt.wait().is_delivered());
    analytics.close_blocking(SOON);
    assert_eq!(server.value("SELECT string_agg(message_id, ',' ORDER BY message_id) FROM locked"), "m0,m2");
}

#[test]
fn refused_credentials_and_an_absent_server_are_told_apart_without_the_password() {
    let Some(server) = Server::shared() else { return };
    let wrong = server.url().replace(PASSWORD, "hunter3");
    let nowhere = "postgres://tracklane:hunter3@127.0.0.1:1/postgres".to_owned();
    let no_database = server.url().replace("/postgres", "/absent");
    for (url, reason, words) in [
        (wrong, DropReason::Unauthorized, "password authentication failed"),
        (nowhere, DropReason::RetriesExhausted, "error connecting to server"),
        (no_database, DropReason::RetriesExhausted, "database \"absent\" does not exist"),
    ] {
        let ends = send(Postgres::new(url), [event("m1")]);
        assert_eq!(ends[0].outcome, Outcome::Dropped(reason), "{ends:?}");
        let told = told(&ends[0]);
        assert!(told.contains(words), "{told}");
        assert!(!format!("{told} {ends:?}").contains("hunter"), "{told}");
    }
}
