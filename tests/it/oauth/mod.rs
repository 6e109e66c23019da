//! OAuth 2.0 with Segment, against a token server that verifies signatures.

mod clients;
mod failures;
mod life;
mod secrets;
mod token_server;
mod written;

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use tracklane::segment::OAuth;
use tracklane::segment::Segment;
use tracklane::testing::{ManualClock, Request, TrackingApi};
use tracklane::{Analytics, Builder, Settlement, Track};

use token_server::{CLIENT_ID, KEY_ID, TOKEN, TokenServer};

const PKCS8: &str = include_str!("../fixtures/oauth/private.pkcs8.pem");
const PKCS1: &str = include_str!("../fixtures/oauth/private.pkcs1.pem");
const WRITE_KEY: &str = "canary-write-key";
/// The longest wait of a test.
const SOON: Duration = Duration::from_secs(10);

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A tracking API, a token server, and the clock of both and of the client.
struct World {
    clock: ManualClock,
    tokens: TokenServer,
    api: TrackingApi,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::new();
        let time = clock.clone();
        Self { clock, tokens: TokenServer::start(move || time.now()), api: TrackingApi::start().unwrap() }
    }

    fn oauth(&self) -> OAuth {
        OAuth::new(CLIENT_ID, PKCS8, KEY_ID).auth_server(self.tokens.api.url())
    }

    /// Every event is a batch.
    fn segment(&self, oauth: OAuth) -> Segment {
        Segment::new(WRITE_KEY).host(self.api.url()).flush_at(1).oauth(oauth)
    }

    fn builder(&self, oauth: OAuth) -> Builder {
        Analytics::builder().segment(self.segment(oauth)).clock(self.clock.clone())
    }

    fn analytics(&self) -> Analytics {
        self.builder(self.oauth()).build().unwrap()
    }

    /// The `Authorization` of every upload so far.
    fn authorizations(&self) -> Vec<String> {
        self.api.requests().iter().map(authorization).collect()
    }

    fn token_requests(&self) -> usize {
        self.tokens.api.request_count()
    }

    /// Advances the clock until the condition holds, by at most 3 s, which is less than any timeout.
    fn advance_until(&self, what: &str, reached: impl Fn(Duration) -> bool) {
        for _ in 0..30 {
            self.clock.advance(Duration::from_millis(100));
            if reached(Duration::from_millis(300)) {
                return;
            }
        }
        panic!("{what} did not happen in three seconds of the client's time");
    }
}

fn authorization(request: &Request) -> String {
    request.header("authorization").unwrap_or_default().to_owned()
}

fn bearer(number: u32) -> String {
    format!("Bearer {TOKEN}{number}")
}

fn event() -> Track {
    Track::new("Item Purchased").user_id("019mr8mf4r")
}

/// Sends an event and waits for its end.
fn deliver(analytics: &Analytics) -> Settlement {
    let receipt = analytics.send_with_receipt(event()).unwrap();
    let flushed = analytics.flush_blocking(SOON);
    assert_eq!(flushed.pending, 0, "the event has no outcome: {:?}", analytics.stats());
    pollster::block_on(receipt)
}

/// Like [`deliver`], but on a thread of its own while the test moves the clock.
fn deliver_meanwhile(analytics: &Analytics) -> std::thread::JoinHandle<Settlement> {
    let analytics = analytics.clone();
    std::thread::spawn(move || deliver(&analytics))
}

#[test]
fn uploads_carry_a_token_that_was_granted_for_a_signature() {
    for private_key in [PKCS8, PKCS1] {
        let world = World::new();
        let oauth = OAuth::new(CLIENT_ID, private_key, KEY_ID).auth_server(format!("{}/", world.tokens.api.url()));
        let analytics = world.builder(oauth).build().unwrap();
        assert_eq!(world.token_requests(), 0, "nothing is asked for before it is needed");
        for _ in 0..3 {
            assert!(deliver(&analytics).is_delivered());
        }
        assert_eq!(world.authorizations(), [bearer(1), bearer(1), bearer(1)]);
        for request in world.api.requests() {
            assert_eq!(request.json().unwrap()["writeKey"], WRITE_KEY, "the key still names the source");
            assert_eq!(request.header("x-retry-count"), None);
        }
        let asked = world.tokens.api.requests();
        assert_eq!(asked.len(), 1, "one token serves them all");
        let agent = concat!("tracklane/", env!("CARGO_PKG_VERSION"));
        assert_eq!((asked[0].header("user-agent"), asked[0].header("authorization")), (Some(agent), None));
    }
}

#[test]
fn the_assertion_says_who_asks_whom_and_for_a_minute_only() {
    let world = World::new();
    assert!(deliver(&world.analytics()).is_delivered());
    let form = token_server::form(&world.tokens.api.requests()[0]);
    let mut fields: Vec<&str> = form.keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["client_assertion", "client_assertion_type", "grant_type", "scope"]);
    let (_, claims) = token_server::verify(&form["client_assertion"]).unwrap();
    let now = world.clock.now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let names: Vec<&String> = claims.as_object().unwrap().keys().collect();
    assert_eq!(names, ["aud", "exp", "iat", "iss", "jti", "sub"]);
    assert_eq!((claims["iat"].as_u64(), claims["exp"].as_u64()), (Some(now - 5), Some(now + 55)));
}

#[test]
fn eight_uploads_at_once_ask_for_one_token() {
    let world = World::new();
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    world.tokens.api.reply_with(move |_| {
        let _ = gate.lock().unwrap().recv_timeout(SOON);
        tracklane::testing::Reply::status(200).body(format!(r#"{{"access_token":"{TOKEN}1","expires_in":60}}"#))
    });
    let analytics = world.analytics();
    (0..8).for_each(|_| analytics.track(event()).unwrap());
    let give_up = std::time::Instant::now() + SOON;
    while analytics.stats().destinations.iter().map(|segment| segment.attempts).sum::<u64>() < 8 {
        assert!(std::time::Instant::now() < give_up, "not eight uploads at once: {:?}", analytics.stats());
        std::thread::yield_now();
    }
    assert_eq!(world.api.request_count(), 0, "no upload goes without a token");
    open.send(()).unwrap();
    let report = analytics.flush_blocking(SOON);
    assert_eq!((report.delivered, report.failed, report.pending), (8, 0, 0));
    assert_eq!(world.token_requests(), 1);
    assert_eq!(world.authorizations(), vec![bearer(1); 8]);
}

#[test]
fn what_oauth_cannot_use_is_said_when_the_client_is_built() {
    let table = [
        (OAuth::new("", PKCS8, KEY_ID), "client_id", "is empty"),
        (OAuth::new(CLIENT_ID, PKCS8, " "), "key_id", "is empty"),
        (OAuth::new(CLIENT_ID, PKCS8, KEY_ID).scope(""), "scope", "is empty"),
        (OAuth::new(CLIENT_ID, "", KEY_ID), "private_key", "no unencrypted private key in PEM"),
        (OAuth::new(CLIENT_ID, "canary-not-a-key", KEY_ID), "private_key", "no unencrypted private key in PEM"),
        (OAuth::new(CLIENT_ID, token_server::PUBLIC_KEY, KEY_ID), "private_key", "no unencrypted private key"),
        (
            OAuth::new(CLIENT_ID, include_str!("../fixtures/oauth/private.encrypted.pem"), KEY_ID),
            "private_key",
            "no unencrypted",
        ),
        (
            OAuth::new(CLIENT_ID, include_str!("../fixtures/oauth/private.ec.pem"), KEY_ID),
            "private_key",
            "not an RSA key",
        ),
        (
            OAuth::new(CLIENT_ID, include_str!("../fixtures/oauth/private.short.pem"), KEY_ID),
            "private_key",
            "2048 to 4096 bits",
        ),
        (OAuth::new(CLIENT_ID, PKCS8.replace('a', "b"), KEY_ID), "private_key", "cannot be used as an RSA key"),
        (
            OAuth::new(CLIENT_ID, PKCS8, KEY_ID).auth_server("https://a:canary@b.c"),
            "auth_server",
            "user name or password",
        ),
        (OAuth::new(CLIENT_ID, PKCS8, KEY_ID).auth_server("oauth2.segment.io"), "auth_server", "no scheme"),
        (OAuth::new(CLIENT_ID, PKCS8, KEY_ID).auth_server("http://oauth2.segment.io"), "auth_server", "unencrypted"),
    ];
    for (oauth, setting, problem) in table {
        let error = Analytics::builder().segment(Segment::new(WRITE_KEY).oauth(oauth)).build().unwrap_err();
        let text = format!("{error} {error:?}");
        assert_eq!(error.setting(), setting, "{text}");
        assert!(text.contains(problem), "{problem}: {text}");
        secrets::assert_none_in(&text);
    }
}

/// Returns the errors as text, in their order.
fn errors(analytics: &Analytics) -> mpsc::Receiver<String> {
    let (tell, errors) = mpsc::channel();
    analytics.on(tracklane::signal::Error, move |failure| {
        let _ = tell.send(failure.to_string());
    });
    errors
}
