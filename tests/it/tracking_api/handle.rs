//! What the handle shows a test, and what dropping it does.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use tracklane::testing::{Reply, TrackingApi};

use super::{Client, SOON, batch, start};

#[test]
fn max_in_flight_is_how_many_were_answered_at_once() {
    let api = start();
    let barrier = Arc::new(Barrier::new(4));
    let meeting = Arc::clone(&barrier);
    api.reply_with(move |_| {
        meeting.wait();
        Reply::ok()
    });
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(Client::connect(&api).post("{}").status, 200));
        }
    });
    assert_eq!(api.max_in_flight(), 4);

    api.clear();
    api.set_default(Reply::ok());
    for _ in 0..50 {
        assert_eq!(Client::connect(&api).post("{}").status, 200);
    }
    assert_eq!(api.max_in_flight(), 1, "one client at a time");
}

#[test]
fn many_connections_lose_nothing() {
    let api = start();
    thread::scope(|scope| {
        for worker in 0..16 {
            let api = &api;
            scope.spawn(move || {
                let mut client = Client::connect(api);
                for n in 0..20 {
                    let id = format!("{worker}-{n}");
                    assert_eq!(client.post(&batch(&[&id])).status, 200);
                }
            });
        }
    });
    let mut ids = api.delivered_ids();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 320);
    assert_eq!(api.connections(), 16);
}

#[test]
fn waiting_ends_with_the_events_or_with_the_timeout() {
    let api = start();
    assert!(api.wait_for_requests(1, Duration::from_millis(5)).is_empty());
    assert!(api.wait_for_events(1, Duration::from_millis(5)).is_empty());
    api.script([Reply::status(500)]);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut client = Client::connect(&api);
            client.post(&batch(&["refused"]));
            client.post(&batch(&["a", "b"]));
            client.post(&batch(&["c"]));
        });
        let events = api.wait_for_events(3, SOON);
        let ids: Vec<_> = events.iter().map(|event| &event["messageId"]).collect();
        assert_eq!(ids, ["a", "b", "c"]);
        assert_eq!(api.wait_for_requests(3, Duration::MAX).len(), 3);
    });
}

#[test]
fn counting_goes_on_when_nothing_is_kept() {
    let api = start();
    let mut client = Client::connect(&api);
    client.post("{}");
    api.count_only();
    api.accept_everything();
    assert_eq!(client.post("{\"not json").status, 200);
    api.reply_with(|request| Reply::status(request.body().len() as u16 + 200));
    assert_eq!(client.post("1234").status, 204);
    assert_eq!(api.requests().len(), 1);
    assert_eq!(api.wait_for_requests(3, SOON).len(), 1);
    assert_eq!(api.request_count(), 3);
    assert_eq!(api.body_bytes(), 2 + 10 + 4);

    api.clear();
    assert_eq!((api.request_count(), api.body_bytes()), (0, 0));
    assert!(api.requests().is_empty());
    assert_eq!(api.connections(), 1);
}

#[test]
fn dropping_wakes_whatever_still_waits() {
    let api = start();
    let age = Duration::from_secs(3600);
    api.script([Reply::hang(), Reply::ok().delay(age), Reply::ok().drip(age), Reply::hang().delay(age)]);
    let mut clients = Vec::new();
    for n in 1..=4 {
        let mut client = Client::connect(&api);
        client.send_request("POST", "/v1/batch", "{}");
        assert_eq!(api.wait_for_requests(n, SOON).len(), n);
        clients.push(client);
    }
    let mut idle = Client::connect(&api);
    assert_eq!(idle.post("{}").status, 200);
    let mut halfway = Client::connect(&api);
    halfway.send("POST /v1/batch HTTP/1.1\r\ncontent-le");
    clients.extend([idle, halfway]);

    let address = api.url().replace("http://", "");
    let (dropped, done) = mpsc::channel();
    thread::spawn(move || {
        drop(api);
        dropped.send(()).unwrap();
    });
    done.recv_timeout(SOON).expect("drop must not hang");
    for mut client in clients {
        // The client gets an end of the connection, not an answer.
        let _ = client.rest().map(|rest| assert!(rest.len() <= 1));
    }
    let error = TcpStream::connect(address).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn the_handle_and_its_requests_can_be_shared_and_printed() {
    fn shareable<T: Send + Sync + std::fmt::Debug>() {}
    shareable::<TrackingApi>();
    shareable::<tracklane::testing::Request>();
    shareable::<Reply>();
    let api = start();
    Client::connect(&api).post("{}");
    assert!(format!("{api:?}").contains(&api.url()));
    assert!(format!("{:?}", api.requests()).contains("/v1/batch"));
}
