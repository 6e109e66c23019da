//! Proxies: HTTP and SOCKS, with and without a password, and proxies that refuse the connection.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tracklane::plugin::RetryPolicy;
use tracklane::segment::Segment;
use tracklane::signal::{self, Failure};
use tracklane::testing::TrackingApi;
use tracklane::transport::SendErrorKind;
use tracklane::{Analytics, Track};

use super::http::kind;
use crate::support::{SECRET, SOON, Wire, shows_a_secret};

/// Sends one event to `host` through `proxy`, and returns the report of its failure.
#[track_caller]
fn failure_through(proxy: &str, host: &str) -> Failure {
    let (told, failures) = mpsc::channel();
    let analytics = Analytics::builder().segment(
        Segment::new(SECRET)
            .host(host)
            .allow_plaintext(true)
            .proxy(proxy)
            .flush_at(1)
            .retry(RetryPolicy::new().max_retries(0)),
    );
    let analytics = analytics.on(signal::Error, move |failure| drop(told.send(failure.clone()))).build();
    let analytics = analytics.expect("a proxy");
    analytics.track(Track::new("Through").user_id("u1")).expect("accepted");
    let failure = failures.recv_timeout(SOON).expect("it fails");
    analytics.close_blocking(SOON);
    failure
}

/// A proxy that gives each request this answer, and reports the requests.
fn answers(answer: &'static str) -> (Wire, Receiver<String>) {
    let (told, asked) = mpsc::channel();
    let wire = Wire::serve(move |mut stream| {
        let head = Wire::read_head(&mut stream);
        let _ = told.send(String::from_utf8_lossy(&head).into_owned());
        let _ = stream.write_all(answer.as_bytes());
    });
    (wire, asked)
}

#[test]
fn a_proxy_that_asks_for_a_password_is_told_apart_and_never_sees_the_key_of_a_tunnel() {
    const ANSWER: &str =
        "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n";
    for host in ["https://collector.invalid", "http://collector.invalid"] {
        let (wire, asked) = answers(ANSWER);
        let failure = failure_through(&wire.url.replace("//", "//user:wrong@"), host);
        assert_eq!(kind(&failure), Some(SendErrorKind::ProxyAuthentication), "{host}: {failure}");
        let said = format!("{failure} {failure:?}");
        assert!(said.contains("the proxy asks for authentication") && !said.contains("wrong"), "{said}");
        let head = asked.recv_timeout(SOON).expect("it was asked");
        assert!(head.to_lowercase().contains("proxy-authorization: basic"), "{head}");
        if host.starts_with("https") {
            let encoded = STANDARD.encode(format!("{SECRET}:"));
            assert!(head.starts_with("CONNECT collector.invalid:443 "), "{head}");
            assert!(!shows_a_secret(&head) && !head.contains(&encoded), "{head}");
            assert!(!head.to_lowercase().contains("\r\nauthorization:"), "{head}");
        }
    }
}

#[test]
fn a_proxy_that_makes_no_tunnel_is_a_connection_that_failed() {
    for answer in ["HTTP/1.1 403 Forbidden\r\n\r\n", "HTTP/1.1 502 Bad Gateway\r\n\r\n", "nonsense\r\n\r\n", ""] {
        let (wire, _asked) = answers(answer);
        let failure = failure_through(&wire.url, "https://collector.invalid");
        assert_eq!(kind(&failure), Some(SendErrorKind::Connect), "{answer:?}: {failure}");
    }
}

/// SOCKS5 (RFC 1928) with a user name and a password (RFC 1929). Returns the host that was asked for.
fn socks5(stream: &mut TcpStream, password: &str) -> io::Result<String> {
    let mut bytes = [0; 256];
    let mut take = |stream: &mut TcpStream, count: usize| -> io::Result<Vec<u8>> {
        stream.read_exact(&mut bytes[..count])?;
        Ok(bytes[..count].to_vec())
    };
    let methods = take(stream, 2)?[1];
    take(stream, methods.into())?;
    stream.write_all(&[5, 2])?;
    let user = take(stream, 2)?[1];
    take(stream, user.into())?;
    let length = take(stream, 1)?[0];
    let is_right = take(stream, length.into())? == password.as_bytes();
    stream.write_all(&[1, u8::from(!is_right)])?;
    let head = take(stream, 4)?;
    let host = match head[3] {
        3 => {
            let length = take(stream, 1)?[0];
            String::from_utf8_lossy(&take(stream, length.into())?).into_owned()
        }
        _ => take(stream, 4)?.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
    };
    take(stream, 2)?;
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    Ok(host)
}

/// A SOCKS proxy that connects every client to `api`, and reports the requested host.
fn socks_in_front_of(api: &TrackingApi) -> (Wire, Receiver<String>) {
    let (told, asked) = mpsc::channel();
    let behind = api.url().replace("http://", "");
    let wire = Wire::serve(move |mut stream| {
        let Ok(host) = socks5(&mut stream, "secret") else { return };
        let _ = told.send(host);
        let mut api = TcpStream::connect(&behind).expect("it listens");
        let (mut back, mut client) = (api.try_clone().expect("a socket"), stream.try_clone().expect("a socket"));
        thread::spawn(move || io::copy(&mut back, &mut client));
        let _ = io::copy(&mut stream, &mut api);
    });
    (wire, asked)
}

#[test]
fn events_go_through_a_socks_proxy_that_looks_names_up_or_not() {
    let api = TrackingApi::start().expect("a free port");
    let (wire, asked) = socks_in_front_of(&api);
    for (scheme, host, asked_for) in
        [("socks5h", "http://collector.invalid", "collector.invalid"), ("socks5", "http://127.0.0.1:9", "127.0.0.1")]
    {
        let proxy = wire.url.replace("http://", &format!("{scheme}://user:secret@"));
        let analytics =
            Analytics::builder().segment(Segment::new("key").host(host).allow_plaintext(true).proxy(proxy)).build();
        let analytics = analytics.expect("a proxy");
        analytics.track(Track::new("Through").user_id("u1")).expect("accepted");
        assert!(analytics.close_blocking(SOON).is_complete(), "{scheme}");
        assert_eq!(asked.recv_timeout(SOON).as_deref(), Ok(asked_for), "{scheme}");
    }
    assert_eq!(api.request_count(), 2);
}

#[test]
fn a_socks_proxy_that_does_not_take_the_password_is_told_apart() {
    let api = TrackingApi::start().expect("a free port");
    let (wire, _asked) = socks_in_front_of(&api);
    let failure = failure_through(&wire.url.replace("http://", "socks5h://user:wrong@"), "http://collector.invalid");
    assert_eq!(kind(&failure), Some(SendErrorKind::ProxyAuthentication), "{failure} {failure:?}");
    assert!(!format!("{failure} {failure:?}").contains("wrong"), "{failure:?}");
}
