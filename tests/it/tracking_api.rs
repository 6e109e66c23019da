//! The local tracking API as a client sees it over a real socket.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tracklane::testing::{Reply, TrackingApi};

const SOON: Duration = Duration::from_secs(10);

struct Client {
    stream: TcpStream,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Client {
    fn connect(api: &TrackingApi) -> Client {
        let address = api.url().strip_prefix("http://").unwrap().to_owned();
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        Client { stream }
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    fn send_request(&mut self, method: &str, path: &str, body: &str) {
        let length = body.len();
        self.send(format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}"));
    }

    fn receive_head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        String::from_utf8(head).unwrap()
    }

    fn receive(&mut self) -> Answer {
        let head = self.receive_head();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        Answer { status: head[9..12].parse().unwrap(), head, body: String::from_utf8(body).unwrap() }
    }

    fn request(&mut self, method: &str, path: &str, body: &str) -> Answer {
        self.send_request(method, path, body);
        self.receive()
    }

    fn post(&mut self, body: &str) -> Answer {
        self.request("POST", "/v1/batch", body)
    }

    fn rest(&mut self) -> std::io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).map(|_| rest)
    }
}

fn batch(ids: &[&str]) -> String {
    let events: Vec<_> =
        ids.iter().map(|id| serde_json::json!({"type": "track", "event": "Tested", "messageId": id})).collect();
    serde_json::json!({ "batch": events }).to_string()
}

fn start() -> TrackingApi {
    TrackingApi::start().unwrap()
}

#[test]
fn a_connection_carries_one_request_after_another() {
    let api = start();
    let mut client = Client::connect(&api);
    for id in ["a", "b"] {
        let answer = client.post(&batch(&[id]));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, r#"{"success":true}"#);
    }
    assert_eq!(Client::connect(&api).post(&batch(&["c"])).status, 200);

    let connections: Vec<_> = api.requests().iter().map(|r| r.connection()).collect();
    assert_eq!(connections, [0, 0, 1]);
    assert_eq!(api.connections(), 2);
    assert_eq!(api.delivered_ids(), ["a", "b", "c"]);
}

#[test]
fn a_request_is_recorded_with_all_it_had() {
    let api = start();
    let before = Instant::now();
    let mut client = Client::connect(&api);
    let body = r#"{"event":"x","messageId":"one"}"#;
    client.send(format!(
        "POST /v1/track?debug=1 HTTP/1.1\r\nHost: here\r\nAuthorization: Basic abc\r\nX-Two: 1\r\nX-Two: 2\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert_eq!(client.receive().status, 200);

    let requests = api.requests();
    let request = &requests[0];
    assert_eq!(request.method(), "POST");
    assert_eq!(request.path(), "/v1/track");
    assert_eq!(request.query(), Some("debug=1"));
    assert_eq!(request.header("authorization"), Some("Basic abc"));
    assert_eq!(request.header("absent"), None);
    assert_eq!(request.headers().get_all("x-two").iter().count(), 2);
    assert_eq!(&request.body()[..], body.as_bytes());
    assert_eq!(request.json().unwrap()["event"], "x");
    assert_eq!(request.events(), [request.json().unwrap()]);
    assert_eq!(request.answered(), Some(200));
    assert!(request.received_at() >= before);
}

#[test]
fn requests_sent_without_waiting_are_answered_in_order() {
    let api = start();
    api.script([Reply::status(501), Reply::status(502)]);
    let mut client = Client::connect(&api);
    let one = "POST /v1/batch HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}";
    client.send(one.repeat(3));
    let statuses = [(); 3].map(|()| client.receive().status);
    assert_eq!(statuses, [501, 502, 200]);
}

#[test]
fn a_request_may_arrive_byte_by_byte() {
    let api = start();
    let mut client = Client::connect(&api);
    client.stream.set_nodelay(true).unwrap();
    for byte in b"POST /v1/batch HTTP/1.1\r\ncontent-length: 12\r\n\r\n{\"batch\":[]}" {
        client.send([*byte]);
    }
    assert_eq!(client.receive().status, 200);
}

#[test]
fn a_chunked_body_is_put_together() {
    for resets_possible in [false, true] {
        let api = start();
        if resets_possible {
            api.reply_with(|_| Reply::as_segment());
        }
        let mut client = Client::connect(&api);
        let body = batch(&["a", "b"]);
        let (front, back) = body.split_at(7);
        for _ in 0..2 {
            client.send("POST /v1/batch HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
            client.send(format!("7\r\n{front}\r\n"));
            client.send(format!("{:x};note=1\r\n{back}\r\n", back.len()));
            client.send("0\r\nx-trailer: 1\r\n\r\n");
            assert_eq!(client.receive().status, 200);
        }
        assert_eq!(&api.requests()[1].body()[..], body.as_bytes());
        assert_eq!(api.delivered_ids(), ["a", "b", "a", "b"]);
    }
}

#[test]
fn a_client_that_asks_first_is_told_to_continue() {
    let api = start();
    let mut client = Client::connect(&api);
    client.send("POST /v1/batch HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n");
    assert_eq!(client.receive_head(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("{}");
    assert_eq!(client.receive().status, 200);
}

#[test]
fn a_connection_closes_when_either_side_says_so() {
    let api = start();
    let mut client = Client::connect(&api);
    client.send("POST /v1/batch HTTP/1.1\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}");
    assert!(client.receive().head.contains("connection: close\r\n"));
    assert_eq!(client.rest().unwrap(), b"");

    api.script([Reply::ok().header("Connection", "close")]);
    let mut client = Client::connect(&api);
    assert_eq!(client.post("{}").status, 200);
    assert_eq!(client.rest().unwrap(), b"");
    assert_eq!(api.open_connections(), 0);
}

#[test]
fn refusals_follow_the_rules_of_segment() {
    let api = start();
    let mut client = Client::connect(&api);
    let event_of = |size: usize| format!(r#"{{"e":"{}"}}"#, "x".repeat(size - 8));
    let batch_of = |size: usize| {
        let event = event_of(32_768);
        let mut body = format!(r#"{{"batch":[{event}"#);
        while body.len() + event.len() + 3 < size {
            body = format!("{body},{event}");
        }
        let padding = " ".repeat(size - body.len() - 2);
        format!("{body}{padding}]}}")
    };
    let big_event = format!(r#"{{"batch":[{{}},{}]}}"#, event_of(32_769));
    for (method, path, body, status) in [
        ("POST", "/v1/import", "{}", 200),
        ("POST", "/v1/b", "{}", 200),
        ("POST", "/v1/identify", "{}", 200),
        ("POST", "/v1/batch", "{", 400),
        ("POST", "/v1/batch", "", 400),
        ("POST", "/v1/batch", "[]", 400),
        ("POST", "/v1/track", &event_of(32_768), 200),
        ("POST", "/v1/track", &event_of(32_769), 400),
        ("POST", "/v1/batch", &big_event, 400),
        ("POST", "/v1/batch", &batch_of(500_000), 200),
        ("POST", "/v1/batch", &batch_of(500_001), 400),
        ("POST", "/v2/batch", "{}", 404),
        ("POST", "/", "{}", 404),
        ("GET", "/v1/batch", "", 405),
        ("PUT", "/v1/track", "{}", 405),
    ] {
        let answer = client.request(method, path, body);
        assert_eq!(answer.status, status, "{method} {path} {}", body.len());
        let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(json["success"], status == 200);
        assert_eq!(answer.head.contains("allow: POST"), status == 405);
    }
}

#[test]
fn what_is_not_http_is_refused_and_not_recorded() {
    let api = start();
    for (bytes, status) in [
        ("hello there\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\ncontent-length: many\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "400"),
        ("POST / HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n", "413"),
    ] {
        let mut client = Client::connect(&api);
        client.send(bytes);
        let answer = String::from_utf8(client.rest().unwrap()).unwrap();
        assert_eq!(&answer[9..12], status, "{bytes}");
    }
    assert_eq!(api.request_count(), 0);
}

#[test]
fn scripted_replies_come_in_order_and_then_the_default() {
    let api = start();
    api.set_default(Reply::status(418).body("teapot"));
    api.script([Reply::status(500), Reply::status(429).header("Retry-After", "7")]);
    api.script(vec![Reply::ok()]);
    let mut client = Client::connect(&api);
    assert_eq!(client.post("{}").status, 500);
    let limited = client.post("{}");
    assert_eq!(limited.status, 429);
    assert!(limited.head.contains("Retry-After: 7\r\n"));
    // A scripted reply does not ask whether the request was any good.
    assert_eq!(client.post("{").status, 200);
    assert_eq!(client.post("{}").body, "teapot");
    api.set_default(Reply::as_segment());
    assert_eq!(client.post("{").status, 400);

    let answered: Vec<_> = api.requests().iter().map(|r| r.answered().unwrap()).collect();
    assert_eq!(answered, [500, 429, 200, 418, 400]);
}

#[test]
fn a_function_can_answer() {
    let api = start();
    api.reply_with(|request| match request.path() {
        "/v1/track" => Reply::status(503),
        _ => Reply::as_segment().header("x-from", "function"),
    });
    api.script([Reply::status(500)]);
    let mut client = Client::connect(&api);
    assert_eq!(client.post("{}").status, 500);
    assert_eq!(client.request("POST", "/v1/track", "{}").status, 503);
    let judged = client.post("{");
    assert_eq!(judged.status, 400);
    assert!(judged.head.contains("x-from: function"));
}

#[test]
fn a_reset_reaches_even_a_client_that_was_already_connected() {
    let api = start();
    let mut client = Client::connect(&api);
    assert_eq!(client.post("{}").status, 200);
    api.script([Reply::ok(), Reply::reset()]);
    // With the reset still ahead, the connection goes on as usual.
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
fn a_panic_in_the_function_costs_only_its_connection() {
    let api = start();
    api.reply_with(|request| match request.path() {
        "/panic" => panic!("on purpose"),
        _ => Reply::ok(),
    });
    let mut client = Client::connect(&api);
    client.send_request("POST", "/panic", "{}");
    // The held-back byte makes it a reset on some systems.
    assert!(client.rest().map_or(true, |rest| rest.is_empty()));
    assert_eq!(Client::connect(&api).post("{}").status, 200);
    assert_eq!(api.max_in_flight(), 1);
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
        // What it gets is an end, not an answer.
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
