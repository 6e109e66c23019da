//! Connections: many of them, broken ones, and the server's end.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use tracklane_ingest::{Answer, Fault, Limits};

use crate::support::{Running, body, read, status};

const REQUEST: &[u8] = b"POST /v1/page HTTP/1.1\r\nhost: localhost\r\ncontent-length: 14\r\n\r\n{\"userId\":\"u\"}";

fn failing(fault: Fault) -> Running {
    Running::start(Limits::default(), move |_| Answer::accepted().fault(fault))
}

#[test]
fn a_reset_is_a_reset() {
    let server = failing(Fault::Reset);
    let mut stream = server.connect();
    stream.write_all(REQUEST).unwrap();
    let error = stream.read(&mut [0; 100]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(server.last().events.len(), 1, "what was received is recorded all the same");
}

#[test]
fn garbage_is_no_http() {
    let server = failing(Fault::Garbage);
    let mut stream = server.connect();
    stream.write_all(REQUEST).unwrap();
    let answer = read(&mut stream);
    assert!(!answer.is_empty() && !answer.starts_with("HTTP"), "{answer:?}");
}

#[test]
fn a_truncated_answer_announces_more_than_it_has() {
    let server = failing(Fault::Truncated);
    let mut stream = server.connect();
    stream.write_all(REQUEST).unwrap();
    let answer = read(&mut stream);
    assert!(answer.contains("content-length: 80\r\n") && body(&answer) == r#"{"success":true}"#, "{answer}");
}

#[test]
fn an_answer_that_drips_comes_whole_at_last() {
    let server = failing(Fault::Drip(Duration::from_millis(10)));
    let mut stream = server.connect();
    let start = Instant::now();
    stream.write_all(REQUEST).unwrap();
    let mut answer = String::new();
    while !answer.ends_with('}') {
        let mut piece = [0; 100];
        let count = stream.read(&mut piece).unwrap();
        answer.push_str(std::str::from_utf8(&piece[..count]).unwrap());
    }
    assert_eq!(body(&answer), r#"{"success":true}"#);
    assert!(start.elapsed() >= Duration::from_millis(150), "{:?}", start.elapsed());
}

#[test]
fn a_hanging_answer_never_comes_and_keeps_nobody_else_waiting() {
    let server = Running::start(Limits::default(), |request| match request.events[0].raw.len() {
        14 => Answer::accepted().fault(Fault::Hang),
        _ => request.as_segment(),
    });
    let mut hanging = server.connect();
    hanging.write_all(REQUEST).unwrap();
    assert_eq!(status(&server.post("/v1/page", r#"{"userId":"another"}"#)), 200);
    hanging.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let waits = hanging.read(&mut [0; 10]).unwrap_err().kind();
    assert!(matches!(waits, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{waits:?}");
}

#[test]
fn one_connection_takes_many_requests() {
    let server = Running::as_segment();
    let mut stream = server.connect();
    for _ in 0..3 {
        stream.write_all(REQUEST).unwrap();
        let mut answer = [0; 4096];
        let count = stream.read(&mut answer).unwrap();
        assert!(answer[..count].starts_with(b"HTTP/1.1 200"));
    }
    assert_eq!(server.requests.lock().unwrap().len(), 3);
}

#[test]
fn a_connection_beyond_the_bound_waits_for_its_turn() {
    let mut limits = Limits::default();
    limits.max_connections = 2;
    let server = Running::start(limits, |request| request.as_segment());
    let held: Vec<_> = (0..2)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(REQUEST).unwrap();
            stream.read_exact(&mut [0; 12]).unwrap();
            stream
        })
        .collect();
    let mut third = server.connect();
    third.write_all(REQUEST).unwrap();
    third.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(third.read(&mut [0; 10]).is_err(), "there is no place yet");
    drop(held);
    third.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    third.read_exact(&mut [0; 12]).expect("there is one now");
}

#[test]
fn the_server_ends_soon_also_while_clients_hang() {
    let server = failing(Fault::Hang);
    let mut hanging = server.connect();
    hanging.write_all(REQUEST).unwrap();
    let start = Instant::now();
    drop(server);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn what_is_no_http_is_refused_and_costs_only_its_own_connection() {
    let server = Running::as_segment();
    for nonsense in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"\r\n\r\nGET", b"POST /v1/page HTTP/9.9\r\n\r\n"]
    {
        let mut stream = server.connect();
        let _ = stream.write_all(nonsense);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let answer = read(&mut stream);
        assert!(matches!(status(&answer), 400 | 505 | 0), "{answer}");
    }
    assert_eq!(status(&server.post("/v1/page", r#"{"userId":"u"}"#)), 200);
}
