//! Faults in the place of an answer, or during one.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use tracklane::testing::Reply;

use super::{Client, SOON, batch, start};

#[test]
fn a_reset_reaches_even_a_client_that_was_already_connected() {
    let api = start();
    let mut client = Client::connect(&api);
    assert_eq!(client.post("{}").status, 200);
    api.script([Reply::ok(), Reply::reset()]);
    // Until the reset, the connection works as usual.
    assert_eq!(client.post(&batch(&["a"])).status, 200);
    let large = format!(r#"{{"batch":["{}"]}}"#, "x".repeat(3 << 20));
    client.send_request("POST", "/v1/batch", &large);
    let error = client.rest().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);

    let requests = api.requests();
    assert_eq!(&requests[2].body()[..], large.as_bytes());
    assert_eq!(requests[2].answered(), None);
    assert_eq!(api.delivered_ids(), ["a"]);
}

#[test]
fn a_close_ends_the_connection_without_an_answer() {
    let api = start();
    api.script([Reply::ok(), Reply::close(), Reply::reset()]);
    let mut client = Client::connect(&api);
    assert_eq!(client.post("{}").status, 200);
    client.send_request("POST", "/v1/batch", "{}");
    assert_eq!(client.rest().unwrap(), b"");
    assert_eq!(api.requests()[1].answered(), None);
    assert_eq!(api.open_connections(), 0);
}

#[test]
fn garbage_is_written_as_it_is() {
    let api = start();
    api.script([Reply::garbage("\0\u{1}nonsense")]);
    let mut client = Client::connect(&api);
    client.send_request("POST", "/v1/batch", "{}");
    assert_eq!(client.rest().unwrap(), b"\0\x01nonsense");
}

#[test]
fn a_truncated_answer_ends_before_its_announced_length() {
    let api = start();
    api.script([Reply::ok().truncated()]);
    let mut client = Client::connect(&api);
    client.send_request("POST", "/v1/batch", "{}");
    let answer = String::from_utf8(client.rest().unwrap()).unwrap();
    assert!(answer.contains("content-length: 80\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n{\"success\":true}"), "{answer}");
}

#[test]
fn a_dripped_answer_takes_an_interval_for_every_byte() {
    let api = start();
    let interval = Duration::from_millis(1);
    api.script([Reply::ok().drip(interval)]);
    let mut client = Client::connect(&api);
    let sent = Instant::now();
    let answer = client.post("{}");
    let bytes = (answer.head.len() + answer.body.len()) as u32;
    assert_eq!(answer.status, 200);
    assert!(sent.elapsed() >= interval * (bytes - 1));
    assert_eq!(api.requests()[0].answered(), Some(200));
}

#[test]
fn a_delayed_answer_waits() {
    let api = start();
    let delay = Duration::from_millis(50);
    api.script([Reply::ok().delay(delay)]);
    let mut client = Client::connect(&api);
    let sent = Instant::now();
    assert_eq!(client.post("{}").status, 200);
    assert!(sent.elapsed() >= delay);
}

#[test]
fn a_hanging_request_arrives_but_is_never_answered() {
    let api = start();
    api.script([Reply::hang()]);
    let mut client = Client::connect(&api);
    client.send_request("POST", "/v1/batch", &batch(&["a"]));
    let arrived = api.wait_for_requests(1, SOON);
    assert_eq!(arrived[0].answered(), None);
    assert_eq!(api.events(), [] as [serde_json::Value; 0]);
    assert_eq!(api.open_connections(), 1);
    // Another connection is not held up by it.
    assert_eq!(Client::connect(&api).post("{}").status, 200);
    client.stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    assert!(matches!(client.rest().unwrap_err().kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
}
