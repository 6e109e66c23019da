//! The local tracking API, over a real socket.

mod expect;
mod faults;
mod handle;
mod http;
mod replies;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use tracklane::testing::TrackingApi;

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
