//! Bounds on bytes and on time.

use std::io::Write;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tracklane_ingest::Limits;

use crate::support::{Running, SOON, read, status};

fn zipped(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

#[test]
fn gzip_is_taken_and_what_is_no_gzip_is_refused() {
    let server = Running::as_segment();
    let sent = br#"{"type":"track","event":"E","userId":"u"}"#;
    for encoding in ["gzip", "x-gzip", "GZIP"] {
        let answer = server.send("POST /v1/track", &format!("content-encoding: {encoding}\r\n"), &zipped(sent));
        assert_eq!(status(&answer), 200, "{encoding}");
        assert_eq!(server.last().events[0].raw, sent[..], "{encoding}");
        assert!(server.last().head.gzip);
    }
    let whole = zipped(sent);
    for cut in [&b"no gzip"[..], &whole[..whole.len() - 1], &whole[..5]] {
        assert_eq!(status(&server.send("POST /v1/track", "content-encoding: gzip\r\n", cut)), 400);
    }
    for unknown in ["br", "deflate", "gzip, gzip"] {
        let header = format!("content-encoding: {unknown}\r\n");
        assert_eq!(status(&server.send("POST /v1/track", &header, sent)), 415, "{unknown}");
    }
}

#[test]
fn a_bomb_is_refused_before_there_is_memory_for_it() {
    let server = Running::as_segment();
    let bomb = zipped(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 400_000);
    let before = resident();
    let answer = server.send("POST /v1/batch", "content-encoding: gzip\r\n", &bomb);
    assert_eq!(status(&answer), 413, "{answer}");
    assert!(resident() < before + (32 << 20), "{before} bytes before, {} now", resident());
}

/// Bytes that this process has in memory; 0 where that cannot be asked.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    status.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or_default() * 4096
}

#[test]
fn a_body_beyond_the_bound_is_refused_by_its_length_or_once_it_is_reached() {
    let server = Running::start(limits(|limits| limits.max_body_bytes = 1_000), |request| request.as_segment());
    let large = format!(r#"{{"type":"page","userId":"{}"}}"#, "x".repeat(2_000));
    assert_eq!(status(&server.post("/v1/page", &large)), 413);
    let mut stream = server.connect();
    let head = "POST /v1/page HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(format!("{head}7d0\r\n{}\r\n", &large[..2_000]).as_bytes()).unwrap();
    assert_eq!(status(&read(&mut stream)), 413);
}

#[test]
fn all_bodies_together_are_bounded_and_the_bytes_are_given_back() {
    let body = |user: &str| format!(r#"{{"type":"page","userId":"{user}","x":"{}"}}"#, "x".repeat(3_000));
    // The first body is held by the service until it is told to answer.
    let (arrive, arrived) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel();
    let held = Arc::new(Mutex::new((arrive, goes_on)));
    let server = Running::start(limits(|limits| limits.max_total_bytes = 4_096), move |request| {
        if request.events[0].fields().user_id.text().as_deref() == Some("held") {
            let (arrive, goes_on) = &*held.lock().unwrap();
            arrive.send(()).unwrap();
            // A service that blocks must say so, or whoever waits behind it on this thread waits, too.
            tokio::task::block_in_place(|| goes_on.recv_timeout(SOON)).unwrap();
        }
        request.as_segment()
    });
    let server = &server;
    thread::scope(|scope| {
        let first = scope.spawn(move || server.post("/v1/page", &body("held")));
        arrived.recv_timeout(SOON).unwrap();
        let refused = server.post("/v1/page", &body("another"));
        assert_eq!(status(&refused), 429, "a second body does not fit beside the first: {refused}");
        assert!(refused.contains("retry-after: 1\r\n"), "{refused}");
        go_on.send(()).unwrap();
        assert_eq!(status(&first.join().unwrap()), 200, "the first one is not hurt by it");
    });
    // As long as somebody has the request, it counts.
    assert_eq!(status(&server.post("/v1/page", &body("another"))), 429);
    server.requests.lock().unwrap().clear();
    let again = server.post("/v1/page", &body("another"));
    assert_eq!(status(&again), 200, "its bytes are free again: {again}");
}

#[test]
fn many_small_events_are_bounded_by_their_number_and_count_for_the_budget() {
    let batch = |events: usize| format!(r#"{{"batch":[{}]}}"#, vec!["0"; events].join(","));
    let server =
        Running::start(limits(|limits| (limits.max_events, limits.max_total_bytes) = (1_000, 600 * 512)), |request| {
            request.as_segment()
        });
    let answer = server.post("/v1/batch", &batch(1_001));
    assert_eq!(status(&answer), 413, "{answer}");
    assert!(answer.contains("more than 1000 events"), "{answer}");
    assert_eq!(status(&server.post("/v1/batch", &batch(700))), 429, "700 events of 512 bytes are too many");
    assert_eq!(status(&server.post("/v1/batch", &batch(500))), 400, "500 are judged: none is an event");
    // The store keeps that request, and with it what it took.
    server.requests.lock().unwrap().clear();
    assert_eq!(status(&server.post("/v1/batch", &batch(500))), 400, "its bytes are free again");
}

#[test]
fn slow_clients_are_let_go() {
    let limits = limits(|limits| {
        limits.head_timeout = Duration::from_millis(200);
        limits.idle_timeout = Duration::from_millis(200);
    });
    let server = Running::start(limits, |request| request.as_segment());
    for (sent, expected) in [
        ("", 0),
        ("POST /v1/page HTTP/1.1\r\nhost: local", 408),
        ("POST /v1/page HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{\"a\"", 408),
    ] {
        let mut stream = server.connect();
        stream.write_all(sent.as_bytes()).unwrap();
        let answer = read(&mut stream);
        assert!(status(&answer) == expected || status(&answer) == 0, "{sent:?}: {answer}");
    }
    let good = server.post("/v1/page", r#"{"userId":"u"}"#);
    assert_eq!(status(&good), 200);
}

#[test]
fn a_head_beyond_the_bound_is_refused() {
    let server = Running::start(limits(|limits| limits.max_head_bytes = 8 << 10), |request| request.as_segment());
    let header = format!("x-long: {}\r\n", "x".repeat(64 << 10));
    let answer = server.send("POST /v1/page", &header, b"{}");
    assert!(matches!(status(&answer), 431 | 0), "{answer}");
    assert!(server.requests.lock().unwrap().is_empty());
}
