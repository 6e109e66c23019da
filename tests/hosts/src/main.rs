//! An application that existed before tracklane: it works as before, and tracklane works beside it, whichever features
//! either enables.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use tracklane::segment::Segment;
use tracklane::testing::TrackingApi;
use tracklane::{Analytics, Track};

const SOON: Duration = Duration::from_secs(20);
const HAS_CLIENT: bool = cfg!(any(
    feature = "tracklane-default",
    feature = "tracklane-rustls",
    feature = "tracklane-ring",
    feature = "tracklane-native",
    feature = "tracklane-plain"
));
const HAS_TLS: bool = HAS_CLIENT
    && cfg!(any(
        feature = "tracklane-default",
        feature = "tracklane-rustls",
        feature = "tracklane-ring",
        feature = "tracklane-native"
    ));

fn main() {
    #[cfg(feature = "installs-ring")]
    rustls::crypto::ring::default_provider().install_default().expect("the first one");
    the_applications_own_clients_are_made();
    match HAS_CLIENT {
        true => events_are_delivered(),
        false => a_client_must_be_given(),
    }
    match HAS_TLS {
        true => the_api_is_spoken_to_by_tls(),
        false if HAS_CLIENT => tls_is_missed_by_build(),
        false => {}
    }
    #[cfg(any(feature = "tracklane-default", feature = "tracklane-oauth"))]
    a_token_request_can_be_signed();
    the_applications_own_clients_are_made();
    println!("ok");
}

/// Panics if there is not exactly one provider of cryptography.
fn the_applications_own_clients_are_made() {
    #[cfg(feature = "reqwest-plain")]
    drop(reqwest::Client::new());
    #[cfg(any(feature = "reqwest-default", feature = "reqwest-native"))]
    drop(reqwest::Client::new());
    #[cfg(any(feature = "rustls-default", feature = "rustls-ring"))]
    drop(rustls::ClientConfig::builder());
}

fn event() -> Track {
    Track::new("Bought").user_id("u1").property("price", 0.1 + 0.2).property("count", u64::MAX)
}

fn events_are_delivered() {
    let api = TrackingApi::start().expect("a free port");
    let analytics =
        Analytics::builder().segment(Segment::new("key").host(api.url())).build().expect("plaintext needs no feature");
    analytics.track(event()).expect("accepted");
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(analytics.stats().delivered, 1);
    for request in api.requests() {
        assert_eq!(request.header("accept-encoding"), None, "nothing compressed is asked for");
        assert_eq!(request.header("cookie"), None);
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let properties = r#""properties":{"price":0.30000000000000004,"count":18446744073709551615}"#;
        assert!(body.contains(properties), "{body}");
    }
}

fn a_client_must_be_given() {
    let error = Analytics::new("key").expect_err("there is no HTTP client");
    assert_eq!(error.setting(), "http_client", "{error}");
}

fn tls_is_missed_by_build() {
    let error = Analytics::new("key").expect_err("it cannot speak TLS");
    assert!(error.to_string().contains("rustls-ring"), "the cure is named: {error}");
}

/// The first bytes of a connection are a TLS handshake, whichever crate makes it.
fn the_api_is_spoken_to_by_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let host = format!("https://{}", listener.local_addr().expect("it is bound"));
    let (told, greeting) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = told.send(first_byte(stream));
        }
    });
    let analytics = Analytics::builder()
        .segment(Segment::new("key").host(host).flush_at(1).retry(tracklane::plugin::RetryPolicy::new().max_retries(0)))
        .build()
        .expect("it speaks TLS");
    analytics.track(event()).expect("accepted");
    assert_eq!(greeting.recv_timeout(SOON), Ok(Some(0x16)), "a handshake");
    analytics.close_blocking(SOON);
    assert_eq!(analytics.stats().delivered, 0, "nobody answered it");
}

fn first_byte(mut stream: TcpStream) -> Option<u8> {
    let mut byte = [0];
    stream.read_exact(&mut byte).ok().map(|()| byte[0])
}

#[cfg(any(feature = "tracklane-default", feature = "tracklane-oauth"))]
fn a_token_request_can_be_signed() {
    use tracklane::segment::OAuth;
    use tracklane::transport::{Body, HttpClient};

    let (told, asked) = mpsc::channel();
    let refuses = tower::service_fn(move |request: http::Request<Body>| {
        let _ = told.send(String::from_utf8_lossy(request.body().as_bytes()).into_owned());
        let mut answer = http::Response::new(Body::default());
        *answer.status_mut() = http::StatusCode::BAD_REQUEST;
        async { Ok::<_, std::io::Error>(answer) }
    });
    let oauth = OAuth::new("client", include_str!("../../it/fixtures/oauth/private.pkcs8.pem"), "key");
    let analytics =
        Analytics::builder().segment(Segment::new("key").oauth(oauth).http_client(HttpClient::new(refuses))).build();
    let analytics = analytics.expect("the key is read");
    analytics.track(event()).expect("accepted");
    analytics.close_blocking(SOON);
    assert!(asked.recv_timeout(SOON).expect("a token is asked for").contains("client_assertion="));
}
