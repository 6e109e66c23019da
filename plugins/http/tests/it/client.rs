//! Requests and responses over a socket, and what becomes of a batch.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, HeaderName, Method};
use tracklane::plugin::{Batch, Batching, Destination, RetryPolicy};
use tracklane::signal::{Error, HttpRequest, HttpResponse};
use tracklane::{Analytics, BoxError, Track};
use tracklane_http::testing::{Reply, Server};
use tracklane_http::{Client, Endpoint, Payload, Received, Secret};

const SOON: Duration = Duration::from_secs(10);

fn client(server: &Server, path: &str) -> Client {
    Client::new(Endpoint::new("url", &server.url(path), false).unwrap(), None).unwrap()
}

fn send(client: &Client, payload: Payload, headers: HeaderMap) -> Result<Received, BoxError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(client.send_alone(payload, headers))
}

fn headers<const N: usize>(pairs: [(&'static str, &str); N]) -> HeaderMap {
    pairs.into_iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
}

/// A destination that tries three times without waiting.
fn destination(client: Client, secret: Secret) -> Destination {
    Destination::from_fn("Vendor", move |batch: Batch| {
        let (client, secret) = (client.clone(), secret.clone());
        async move {
            let events: Vec<&[u8]> = batch.messages().map(|message| message.json()).collect();
            let received = client.send(&batch, Payload::json_array(&events).gzip(), HeaderMap::new()).await?;
            Ok::<_, BoxError>(received.answer(client.endpoint(), [&secret], batch.timer().now()))
        }
    })
    .batching(Batching::every(1, Duration::from_millis(1)))
    .retry(RetryPolicy::new().max_retries(2).backoff(Duration::ZERO, Duration::ZERO))
}

#[test]
fn a_request_arrives_as_it_was_made() {
    let server = Server::start([]).unwrap();
    let client = client(&server, "/a/b?c=d").method(Method::PUT).headers(headers([("x-a", "1"), ("x-b", "1")]));
    let payload = Payload::json_array(&["{}"]);
    let received = send(&client, payload.clone(), headers([("x-b", "2")])).unwrap();
    assert_eq!((received.status.as_u16(), received.is_cut), (200, false));
    send(&client, payload.gzip(), HeaderMap::new()).unwrap();
    let requests = server.requests();
    let plain = &requests[0];
    assert_eq!((plain.method.as_str(), &*plain.path, &*plain.body), ("PUT", "/a/b?c=d", &b"[{}]"[..]));
    assert_eq!((plain.header("x-a"), plain.header("x-b")), ("1", "2"));
    assert_eq!((plain.header("content-type"), plain.header("content-encoding")), ("application/json", ""));
    assert!(plain.header("user-agent").starts_with("tracklane/"), "{:?}", plain.headers);
    assert_eq!((requests[1].header("content-encoding"), &*requests[1].text().unwrap()), ("gzip", "[{}]"));
}

#[test]
fn an_offline_client_shows_requests_and_sends_none() {
    let server = Server::start([]).unwrap();
    let client = Client::offline(Endpoint::new("url", &server.url("/a"), false).unwrap()).unwrap();
    let request = client.request(Payload::ndjson(&["1"]), headers([("x-a", "1")]));
    assert_eq!((request.uri().to_string(), &request.headers()["x-a"]), (server.url("/a"), &"1".parse().unwrap()));
    assert!(send(&client, Payload::ndjson(&["1"]), HeaderMap::new()).is_err());
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_response_is_read_up_to_the_cap() {
    let table = [(10, 11, 10, true), (10, 10, 10, true), (10, 9, 9, false), (200_000, 100_000, 100_000, false)];
    for (cap, len, read, is_cut) in table {
        let server = Server::start([Reply::new(200).body(vec![b'x'; len])]).unwrap();
        let received =
            send(&client(&server, "/").max_response(cap), Payload::ndjson(&["1"]), HeaderMap::new()).unwrap();
        assert_eq!((received.body.len(), received.is_cut), (read, is_cut), "{len} bytes, cap {cap}");
    }
    // Unless it is told otherwise.
    let server = Server::start([Reply::new(200).body(vec![b'x'; 100_000])]).unwrap();
    let received = send(&client(&server, "/"), Payload::ndjson(&["1"]), HeaderMap::new()).unwrap();
    assert_eq!((received.body.len(), received.is_cut), (64 * 1024, true));
}

#[test]
fn a_redirect_is_a_refusal_and_not_followed() {
    let elsewhere = Server::start([]).unwrap();
    for status in [301, 302, 303, 307, 308] {
        let server = Server::start([Reply::new(status).header("location", &elsewhere.url("/"))]).unwrap();
        let received = send(&client(&server, "/"), Payload::ndjson(&["1"]), HeaderMap::new()).unwrap();
        assert_eq!(received.status.as_u16(), status);
    }
    assert_eq!(elsewhere.requests().len(), 0, "the redirect was followed");
}

#[test]
fn resets_and_failures_are_tried_again_and_refusals_are_not() {
    let table: [(&str, Vec<Reply>, usize, u64); 7] = [
        ("taken", vec![], 1, 1),
        ("5xx", vec![Reply::new(500), Reply::new(503)], 3, 1),
        ("resets", vec![Reply::reset(), Reply::new(200).body("half").reset_in_body()], 3, 1),
        ("a late answer", vec![Reply::new(200).delay(Duration::from_millis(20))], 1, 1),
        ("all attempts fail", vec![Reply::reset(), Reply::reset(), Reply::new(500)], 3, 0),
        ("404", vec![Reply::new(404)], 1, 0),
        ("401", vec![Reply::new(401)], 1, 0),
    ];
    for (what, script, requests, delivered) in table {
        let server = Server::start(script).unwrap();
        let vendor = destination(client(&server, "/"), Secret::default());
        let analytics = Analytics::builder().plugin(vendor).build().unwrap();
        analytics.track(Track::new("Ping").user_id("u1")).unwrap();
        let report = analytics.close_blocking(SOON);
        assert_eq!((server.requests().len(), report.delivered), (requests, delivered), "{what}: {report:?}");
        assert!(server.requests().iter().all(|request| request.json().unwrap()[0]["event"] == "Ping"), "{what}");
    }
}

#[test]
fn errors_have_the_vendors_words_without_secrets() {
    let words = "key hunter2 \n is\u{0} not valid ".to_owned() + &"x".repeat(1_000);
    let server = Server::start([Reply::new(404).body(words)]).unwrap();
    let vendor = destination(client(&server, "/path/hunter2?key=hunter2"), "hunter2".into());
    let analytics = Analytics::builder().plugin(vendor).build().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (errors, sent, answered) = (heard.clone(), heard.clone(), heard.clone());
    let _subscriptions = [
        analytics.on(Error, move |failure| errors.lock().unwrap().push(format!("{failure} {:?}", failure.error))),
        analytics.on(HttpRequest, move |info| sent.lock().unwrap().push(format!("{info:?}"))),
        analytics.on(HttpResponse, move |info| answered.lock().unwrap().push(format!("{info:?}"))),
    ];
    analytics.track(Track::new("Ping").user_id("u1")).unwrap();
    analytics.close_blocking(SOON);
    let heard = heard.lock().unwrap().join("\n");
    assert!(heard.contains("answered 404 Not Found: key … is not valid xxx"), "{heard}");
    assert!(heard.contains("RequestInfo") && heard.contains("ResponseInfo"), "{heard}");
    assert!(!heard.contains("hunter2") && heard.len() < 3_000, "{heard}");
}
