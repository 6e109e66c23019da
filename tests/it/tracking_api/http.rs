//! What the server accepts as a request, and how long a connection lasts.

use std::time::Instant;

use tracklane::testing::Reply;

use super::{Client, batch, start};

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
