//! Faults of the network and of the server, over real sockets.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant, UNIX_EPOCH};

use tracklane::plugin::RetryPolicy;
use tracklane::segment::Segment;
use tracklane::signal::Failure;
use tracklane::testing::{ManualClock, Reply};
use tracklane::transport::{SendError, SendErrorKind};
use tracklane::{Analytics, DeliveryError, DropReason, Track};

use crate::support::{Detour, Ended, SOON, Trial, Wire, eventually};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns why the default client got no response, if it got none.
pub(super) fn kind(failure: &Failure) -> Option<SendErrorKind> {
    let error: &DeliveryError = failure.error.as_deref()?.downcast_ref()?;
    let cause: &dyn std::error::Error = std::error::Error::source(error)?;
    Some(cause.downcast_ref::<SendError>()?.kind())
}

/// Sends the first request to `base`, and checks that it failed as expected, was retried and arrived.
#[track_caller]
fn fails_first_and_is_retried(base: &str, expected: SendErrorKind) -> Ended {
    let client = Detour::first(1, base);
    let mut trial = Trial::with_segment(|segment| segment.http_client(client));
    trial.send(3);
    assert_eq!(trial.settled(), (3, 0));
    let failure = trial.wait_for_failure("the failed request", |failure| kind(failure).is_some());
    assert_eq!(kind(&failure), Some(expected), "{failure}");
    assert_eq!(failure.dropped, None, "it is tried again");
    let ended = trial.survives();
    assert_eq!(ended.failures.len(), 1, "one report while it fails: {:?}", ended.failures);
    ended
}

#[test]
pub(super) fn a_storm_of_5xx_delays_and_loses_nothing() {
    let mut trial = Trial::with_segment(|segment| segment.flush_at(10).max_in_flight(8)).unordered();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (settled, statuses) = (Arc::new(AtomicBool::new(false)), [500, 502, 503, 504, 520, 599]);
    let (running, seen, probing) = (now, most.clone(), settled.clone());
    let count = AtomicUsize::new(0);
    trial.api.reply_with(move |_| {
        let at_once = running.fetch_add(1, Ordering::SeqCst) + 1;
        if probing.load(Ordering::SeqCst) {
            seen.fetch_max(at_once, Ordering::SeqCst);
        }
        // A server that takes its time, so that requests that come together are seen together.
        std::thread::sleep(Duration::from_millis(2));
        running.fetch_sub(1, Ordering::SeqCst);
        Reply::status(statuses[count.fetch_add(1, Ordering::SeqCst) % statuses.len()])
    });
    trial.send(200);
    // The first requests left together, before any had failed.
    let requests = trial.api.wait_for_requests(20, SOON).len();
    settled.store(true, Ordering::SeqCst);
    trial.api.wait_for_requests(requests + 20, SOON);
    assert_eq!(most.load(Ordering::SeqCst), 1, "while it fails, one request at a time");
    let ended = trial.survives();
    assert_eq!(ended.stats.delivered, 201);
    assert_eq!(ended.failures.len(), 1, "one report, not one per batch: {:?}", ended.failures);
}

#[test]
pub(super) fn retry_after_in_seconds_pauses_the_lane_and_spends_no_retry() {
    for (header, seconds) in [("7", 7), ("0", 1), ("99999999", 300)] {
        let clock = ManualClock::new();
        let policy = RetryPolicy::new().max_retries(0);
        let mut trial = Trial::with_both(|segment| segment.retry(policy), |settings| settings.clock(clock.clone()));
        trial.api.script([Reply::status(429).header("retry-after", header)]);
        trial.send(2);
        let pause = Duration::from_secs(seconds);
        assert!(clock.wait_for_sleeper(pause..=pause), "Retry-After: {header} pauses {seconds} s");
        clock.advance(pause - Duration::from_millis(1));
        assert_eq!(trial.api.request_count(), 1, "nothing is sent in the pause");
        clock.advance(Duration::from_millis(1));
        assert_eq!(trial.settled(), (2, 0), "without a retry to spend");
        trial.survives();
    }
}

#[test]
pub(super) fn pauses_in_a_row_are_told_once_and_each_ends_in_one_request() {
    let (clock, pause) = (ManualClock::new(), Duration::from_secs(7));
    let mut trial =
        Trial::with_both(|segment| segment.max_in_flight(8), |settings| settings.clock(clock.clone())).unordered();
    trial.api.set_default(Reply::status(429).header("retry-after", "7"));
    trial.send(8);
    assert!(clock.wait_for_sleeper(pause..=pause), "it pauses");
    trial.api.wait_for_requests(1, SOON);
    for round in 0..5 {
        let before = trial.api.request_count();
        clock.advance(pause);
        assert!(clock.wait_for_sleeper(pause..=pause), "it pauses again");
        // In the first round the answers to simultaneous requests may come late.
        let probes = trial.api.request_count() - before;
        assert!(round == 0 || probes == 1, "one request, to see whether it works again: {probes}");
    }
    trial.api.set_default(Reply::as_segment());
    clock.advance(pause);
    assert_eq!(trial.settled(), (8, 0));
    let ended = trial.survives();
    assert_eq!(ended.failures.len(), 1, "one report, not one per pause: {:?}", ended.failures);
}

#[test]
pub(super) fn retry_after_as_a_date_pauses_until_then() {
    for (jump, seconds) in [(Duration::ZERO, 30), (DAY, 1)] {
        let clock = ManualClock::new();
        let mut trial = Trial::with(|settings| settings.clock(clock.clone()));
        let until = clock.now() + Duration::from_secs(30);
        clock.jump_forward(jump);
        trial.api.script([Reply::status(503).header("retry-after", httpdate::fmt_http_date(until))]);
        trial.send(1);
        let pause = Duration::from_secs(seconds);
        assert!(clock.wait_for_sleeper(pause..=pause), "a date {seconds} s ahead, {jump:?} later");
        clock.advance(pause);
        assert_eq!(trial.settled(), (1, 0));
        trial.survives();
    }
}

#[test]
pub(super) fn a_refused_connection_is_retried() {
    fails_first_and_is_retried(&Wire::refusing(), SendErrorKind::Connect);
}

#[test]
pub(super) fn a_reset_before_the_status_is_retried() {
    let mut trial = Trial::new();
    trial.api.script([Reply::reset(), Reply::close()]);
    assert_eq!(trial.send_each(5), (5, 0));
    let ended = trial.survives();
    assert_eq!(ended.api.request_count(), 8, "two attempts failed");
    assert_eq!(kind(&ended.failures[0]), Some(SendErrorKind::Protocol));
}

#[test]
pub(super) fn a_reset_in_the_middle_of_the_request_is_retried() {
    // Closing over unread bytes resets the connection.
    let wire = Wire::serve(|mut stream| drop(stream.read_exact(&mut [0; 16])));
    fails_first_and_is_retried(&wire.url, SendErrorKind::Protocol);
}

#[test]
pub(super) fn a_reset_after_a_2xx_head_is_delivered() {
    let mut trial = Trial::new();
    trial.api.script([
        Reply::ok().truncated(),
        Reply::garbage("HTTP/1.1 202 Accepted\r\ncontent-length: 100\r\n\r\n{"),
        Reply::garbage("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnot a chunk"),
    ]);
    assert_eq!(trial.send_each(4), (4, 0));
    let ended = trial.survives();
    assert_eq!(ended.api.request_count(), 5, "none is sent twice");
    assert_eq!(ended.failures.len(), 0);
}

#[test]
pub(super) fn a_server_that_never_answers_is_timed_out() {
    let (clock, timeout) = (ManualClock::new(), Duration::from_secs(3));
    let mut trial =
        Trial::with_both(|segment| segment.http_request_timeout(timeout), |settings| settings.clock(clock.clone()));
    trial.api.script([Reply::hang()]);
    trial.send(1);
    trial.api.wait_for_requests(1, SOON);
    assert!(clock.wait_for_sleeper(timeout..=timeout));
    clock.advance(timeout);
    eventually("it is tried again", || {
        clock.advance(Duration::from_millis(1));
        trial.api.request_count() == 2
    });
    let failure = trial.wait_for_failure("the timeout", |failure| failure.dropped.is_none());
    assert!(failure.message.contains("did not end within 3s"), "{failure}");
    assert_eq!(trial.settled(), (1, 0));
    assert_eq!(trial.survives().api.request_count(), 3);
}

#[test]
pub(super) fn a_response_that_drips_is_judged_by_its_status() {
    let mut trial = Trial::new();
    let body = vec![b' '; 100_000];
    trial.api.script([Reply::ok().body(body).drip(Duration::from_millis(2))]);
    trial.send(2);
    let start = Instant::now();
    assert_eq!(trial.settled(), (2, 0));
    assert!(start.elapsed() < Duration::from_secs(20), "the body would take 200 s");
    trial.survives();
}

#[test]
pub(super) fn responses_that_all_drip_do_not_pile_up_connections() {
    let mut trial = Trial::with_segment(|segment| segment.max_in_flight(4)).unordered();
    trial.api.set_default(Reply::ok().body(vec![b' '; 100_000]).drip(Duration::from_millis(2)));
    trial.send(60);
    assert_eq!(trial.settled(), (60, 0));
    let at_once = trial.api.max_in_flight();
    assert!(at_once <= 20, "{at_once} responses are read at once: 4 in flight, 4 more, and those being let go");
    trial.survives();
}

#[test]
pub(super) fn a_head_that_drips_is_timed_out() {
    let mut trial = Trial::with_segment(|segment| segment.http_request_timeout(Duration::from_millis(500)));
    trial.api.script([Reply::ok().drip(Duration::from_secs(1))]);
    trial.send(2);
    assert_eq!(trial.settled(), (2, 0));
    trial.wait_for_failure("the timeout", |failure| failure.message.contains("did not end within 500ms"));
    trial.survives();
}

#[test]
fn endless_1xx_responses_are_timed_out_and_their_connection_is_given_up() {
    let (told, given_up) = mpsc::channel();
    let wire = Wire::serve(move |mut stream| {
        Wire::read_head(&mut stream);
        // As many as the client reads would keep its thread busy: see docs/FAULTS.md.
        while stream.write_all(b"HTTP/1.1 103 Early Hints\r\n\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(1));
        }
        told.send(()).expect("the test waits");
    });
    let client = Detour::first(1, &wire.url);
    let timeout = Duration::from_millis(500);
    let mut trial = Trial::with_segment(|segment| segment.http_client(client).http_request_timeout(timeout));
    trial.send(2);
    assert_eq!(trial.settled(), (2, 0));
    trial.wait_for_failure("the timeout", |failure| failure.message.contains("did not end within 500ms"));
    given_up.recv_timeout(SOON).expect("nobody reads them any more");
    trial.survives();
}

#[test]
fn endless_1xx_responses_delay_no_caller() {
    let (begun, busy) = mpsc::channel();
    let wire = Wire::serve(move |mut stream| {
        Wire::read_head(&mut stream);
        let many = b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1_000);
        let _ = stream.write_all(&many);
        let _ = begun.send(());
        while stream.write_all(&many).is_ok() {}
    });
    let analytics =
        Analytics::builder().segment(Segment::new("k").host(&wire.url).flush_at(1)).build().expect("settings");
    let track = || analytics.track(Track::new("x").user_id("u")).expect("accepted");
    track();
    busy.recv_timeout(SOON).expect("a request");
    let (start, short) = (Instant::now(), Duration::from_millis(200));
    track();
    assert!(start.elapsed() < Duration::from_secs(1), "a call waited {:?}", start.elapsed());
    assert_eq!(analytics.flush_blocking(short).pending, 2);
    let report = analytics.close_blocking(short);
    drop(analytics);
    let took = start.elapsed();
    assert!(took < Duration::from_secs(4), "flush, close and drop took {took:?}");
    assert_eq!(report.unsent.len(), 2, "they are handed back: {report:?}");
}

#[test]
fn endless_1xx_responses_delay_no_timeout_and_no_other_destination() {
    let (begun, busy) = mpsc::channel();
    let wire = Wire::serve(move |mut stream| {
        Wire::read_head(&mut stream);
        let many = b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1_000);
        let _ = begun.send(());
        while stream.write_all(&many).is_ok() {
            // A debug build reads about this much in a second. A release build reads everything.
            if cfg!(debug_assertions) {
                std::thread::sleep(Duration::from_millis(30));
            }
        }
    });
    let (timeout, arrived) = (Duration::from_millis(500), mpsc::channel());
    let (told, failures) = mpsc::channel();
    let other = tracklane::plugin::Destination::from_fn("other", move |_: tracklane::plugin::Batch| {
        let _ = arrived.0.send(Instant::now());
        async { Ok::<(), std::io::Error>(()) }
    });
    let other = other.batching(tracklane::plugin::Batching::single());
    let segment = Segment::new("k").host(&wire.url).flush_at(1).http_request_timeout(timeout);
    let analytics = Analytics::builder().segment(segment).plugin(other);
    let analytics = analytics.on(tracklane::signal::Error, move |failure: &Failure| {
        let _ = told.send((Instant::now(), failure.to_string()));
    });
    let analytics = analytics.build().expect("settings");
    analytics.track(Track::new("x").user_id("u")).expect("accepted");
    busy.recv_timeout(SOON).expect("a request");
    arrived.1.recv_timeout(SOON).expect("the other destination has it");
    let start = Instant::now();
    let mut slowest = Duration::ZERO;
    while start.elapsed() < Duration::from_secs(2) {
        let sent = Instant::now();
        analytics.track(Track::new("y").user_id("u").integration("Segment.io", false)).expect("accepted");
        let came = arrived.1.recv_timeout(SOON).expect("the other destination goes on");
        slowest = slowest.max(came - sent);
        std::thread::sleep(Duration::from_millis(50));
    }
    let (timed_out, failure) = failures.recv_timeout(SOON).expect("the attempt is given up");
    assert!(failure.contains("did not end within 500ms"), "{failure}");
    let late = (timed_out - start).saturating_sub(timeout);
    println!("the slowest other event took {slowest:?}, the timeout came {late:?} late");
    assert!(late < Duration::from_millis(1_500), "the timeout came {late:?} late");
    assert!(slowest < Duration::from_millis(1_500), "another destination waited for {slowest:?}");
}

#[test]
pub(super) fn a_name_that_cannot_be_looked_up_is_told_apart_and_retried() {
    let ended = fails_first_and_is_retried("http://tracklane-test.invalid", SendErrorKind::Dns);
    assert!(ended.failures[0].message.contains("tracklane-test.invalid"), "{}", ended.failures[0]);
}

#[test]
pub(super) fn a_certificate_that_nobody_vouches_for_is_refused_and_retried() {
    let (heard, plain) = mpsc::channel();
    let config = Arc::new(tls_config());
    let wire = Wire::serve(move |mut stream| {
        let mut session = rustls::ServerConnection::new(config.clone()).expect("the configuration is complete");
        let mut received = String::new();
        // It ends in an alert: the client does not trust the certificate.
        let _ = rustls::Stream::new(&mut session, &mut stream).read_to_string(&mut received);
        heard.send(received).expect("the test waits");
    });
    let ended = fails_first_and_is_retried(&wire.url.replace("http://", "https://"), SendErrorKind::Tls);
    assert!(ended.failures[0].message.contains("certificate"), "{}", ended.failures[0]);
    assert_eq!(plain.recv_timeout(SOON).as_deref(), Ok(""), "nothing was said to the impostor");
}

fn tls_config() -> rustls::ServerConfig {
    let key = rcgen::KeyPair::generate().expect("a key");
    let names = vec!["127.0.0.1".to_owned()];
    let certificate = rcgen::CertificateParams::new(names).and_then(|params| params.self_signed(&key));
    let certificate = certificate.expect("a certificate").der().clone();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into());
    rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![certificate], key))
        .expect("a configuration")
}

#[test]
pub(super) fn a_server_without_tls_gets_no_plaintext_instead() {
    let (heard, plain) = mpsc::channel();
    let wire = Wire::serve(move |mut stream| {
        let mut bytes = vec![0; 16 * 1024];
        let read = stream.read(&mut bytes).unwrap_or_default();
        heard.send(String::from_utf8_lossy(&bytes[..read]).into_owned()).expect("the test waits");
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    });
    fails_first_and_is_retried(&wire.url.replace("http://", "https://"), SendErrorKind::Tls);
    let hello = plain.recv_timeout(SOON).expect("the client said hello");
    assert!(!hello.contains("POST"), "a request in the clear: {hello}");
}

#[test]
pub(super) fn garbage_in_place_of_http_is_retried() {
    let mut trial = Trial::new();
    trial.api.script([
        Reply::garbage(vec![0; 1000]),
        Reply::garbage("SSH-2.0-OpenSSH_9.6\r\n"),
        Reply::garbage("HTTP/1.1 2000 OK\r\n\r\n"),
        Reply::garbage("HTTP/1.1 200"),
    ]);
    assert_eq!(trial.send_each(3), (3, 0));
    let ended = trial.survives();
    assert_eq!(ended.api.request_count(), 8, "four attempts failed");
}

#[test]
pub(super) fn a_malformed_body_changes_nothing() {
    let mut trial = Trial::new();
    trial.api.script([Reply::ok().body("<html>"), Reply::status(503).body("\u{0}{"), Reply::status(418).body("{}}")]);
    assert_eq!(trial.send_each(3), (2, 1), "the status decides: taken, retried, refused");
    trial.survives();
}

#[test]
pub(super) fn a_redirect_is_never_followed() {
    let elsewhere = Wire::serve(|mut stream| {
        Wire::read_head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    });
    let statuses = [300, 301, 302, 303, 304, 307, 308];
    let mut trial = Trial::new();
    trial.api.script(statuses.map(|status| Reply::status(status).header("location", &*elsewhere.url)));
    assert_eq!(trial.send_each(statuses.len()), (0, 7));
    let ended = trial.survives();
    assert_eq!(elsewhere.connections.load(Ordering::SeqCst), 0, "neither event nor key went elsewhere");
    assert_eq!(ended.stats.dropped.get(DropReason::Rejected), 7);
    let told: Vec<u16> = ended.failures.iter().filter_map(|failure| Some(failure.status()?.as_u16())).collect();
    assert_eq!(told, statuses, "each is said aloud");
}

#[test]
pub(super) fn one_poisonous_event_does_not_cost_its_batch() {
    let mut trial = Trial::with_segment(|segment| segment.flush_at(64));
    trial.send(1);
    assert_eq!(trial.settled(), (1, 0), "the destination has taken a batch before");
    refuse_batches_with(&trial, "m-000041");
    trial.send(64);
    assert_eq!(trial.settled(), (1 + 63, 1));
    let requests = trial.api.request_count();
    assert!(requests <= 1 + 1 + 2 * 6, "down to one of 64 in halves: {requests} requests");
    let ended = trial.survives();
    assert!(!ended.ends["m-000041"].is_delivered());
    assert_eq!(ended.stats.dropped.get(DropReason::Rejected), 1);
}

#[test]
pub(super) fn a_poisonous_event_does_not_cost_the_first_batch() {
    let mut trial = Trial::with_segment(|segment| segment.flush_at(64));
    refuse_batches_with(&trial, "m-000003");
    trial.send(64);
    assert_eq!(trial.settled(), (63, 1));
    trial.survives();
}

#[test]
pub(super) fn a_destination_that_has_never_worked_is_not_asked_event_by_event() {
    let mut trial = Trial::with_segment(|segment| segment.flush_at(256));
    trial.api.set_default(Reply::status(400));
    trial.send(256);
    assert_eq!(trial.settled(), (0, 256));
    assert_eq!(trial.api.request_count(), 1 + 2 * 64, "64 batches are split");
    trial.send(256);
    assert_eq!(trial.settled(), (0, 512));
    assert_eq!(trial.api.request_count(), 2 + 2 * 64, "no more are split");
    trial.api.set_default(Reply::ok());
    trial.survives();
}

fn refuse_batches_with(trial: &Trial, id: &'static str) {
    trial.api.reply_with(move |request| {
        let poisoned = request.events().iter().any(|event| event["messageId"] == id);
        if poisoned { Reply::status(400) } else { Reply::ok() }
    });
}

#[test]
pub(super) fn a_batch_that_is_too_large_for_the_server_is_split() {
    let mut trial = Trial::with_segment(|segment| segment.flush_at(100));
    trial.api.reply_with(|request| match request.events().len() {
        0..=10 => Reply::ok(),
        _ => Reply::status(413),
    });
    trial.send(100);
    assert_eq!(trial.settled(), (100, 0));
    trial.api.reply_with(|_| Reply::status(413));
    trial.send(1);
    assert_eq!(trial.settled(), (100, 1), "a single event cannot be split");
    let ended = trial.survives();
    assert_eq!(ended.stats.dropped.get(DropReason::TooLarge), 1);
}

#[test]
pub(super) fn bytes_that_are_not_utf_8_in_a_response_change_nothing() {
    let mut trial = Trial::new();
    let odd = |head: &[u8]| [head, b"\r\nretry-after: \xff\xfe\r\nx-\xc3\xa4: 1\r\nserver: \xf0\x28\r\n\r\n"].concat();
    trial.api.script([
        Reply::garbage(odd(b"HTTP/1.1 503 \xff\xff")),
        Reply::garbage(b"HTTP/1.1 503 \xff\r\nretry-after: \xff\xfe\r\ncontent-length: 2\r\n\r\n\xc3\x28".to_vec()),
        Reply::garbage(b"HTTP/1.1 418 \xf0\x28\r\nserver: \xff\r\ncontent-length: 1\r\n\r\n\xff".to_vec()),
    ]);
    assert_eq!(trial.send_each(2), (1, 1), "retried twice and then refused; delivered");
    trial.survives();
}

#[test]
pub(super) fn a_decompression_bomb_is_neither_read_nor_unpacked() {
    let size = 64 * 1024 * 1024;
    let mut trial = Trial::new();
    let bomb = Reply::ok().header("content-encoding", "gzip").body(vec![0; size]);
    trial.api.script([bomb]);
    trial.send(2);
    assert_eq!(trial.settled(), (2, 0));
    let asked = &trial.api.requests()[0];
    assert_eq!(asked.header("accept-encoding"), None, "nothing compressed is asked for");
    eventually("the connection is given up", || trial.api.open_connections() <= 1);
    trial.survives();
}

#[test]
pub(super) fn an_expired_date_asks_for_the_shortest_pause() {
    let clock = ManualClock::new();
    let mut trial = Trial::with(|settings| settings.clock(clock.clone()));
    trial.api.script([Reply::status(429).header("retry-after", httpdate::fmt_http_date(UNIX_EPOCH + DAY))]);
    trial.send(1);
    let pause = Duration::from_secs(1);
    assert!(clock.wait_for_sleeper(pause..=pause));
    clock.advance(pause);
    assert_eq!(trial.settled(), (1, 0));
    trial.survives();
}
