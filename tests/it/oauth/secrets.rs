//! Private key, assertion, token and write key are only where they belong.

use std::io::Write;
use std::sync::Mutex;

use tracing_subscriber::fmt::MakeWriter;
use tracklane::emitter::signal::Emitted;
use tracklane::plugin::RetryPolicy;
use tracklane::testing::Reply;

use super::*;

/// Panics if the text holds a secret, or a piece of one.
pub(super) fn assert_none_in(text: &str) {
    let pems = [
        PKCS8,
        PKCS1,
        include_str!("../fixtures/oauth/private.ec.pem"),
        include_str!("../fixtures/oauth/private.short.pem"),
    ];
    let lines = pems.iter().flat_map(|pem| pem.lines()).filter(|line| !line.starts_with("-----"));
    // The beginning of a JWT in base64, and the text in front of a token.
    for secret in lines.map(|line| &line[..line.len().min(20)]).chain(["eyJ", TOKEN, WRITE_KEY, "canary"]) {
        assert!(!text.contains(secret), "{secret} is in: {text}");
    }
}

/// Everything that is logged, as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[test]
fn settings_do_not_show_the_key() {
    let world = World::new();
    let (oauth, builder) = (world.oauth(), world.builder(world.oauth()));
    let segment = tracklane::segment::Segment::new(WRITE_KEY).oauth(world.oauth());
    for text in [format!("{oauth:?}"), format!("{oauth:#?}"), format!("{builder:?}"), format!("{segment:?}")] {
        assert_none_in(&text);
    }
    assert!(format!("{oauth:?}").contains(CLIENT_ID), "what is no secret is shown");
}

/// The client runs on this thread, so that the log of this test is its log and no other's.
#[tokio::test]
async fn nothing_that_is_said_holds_a_secret() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let world = World::new();
    let at_once = RetryPolicy::new().backoff(Duration::ZERO, Duration::ZERO);
    let segment = world.segment(world.oauth().max_retries(0)).retry(at_once);
    let settings = world.builder(world.oauth()).segment(segment).runtime(tokio::runtime::Handle::current());
    let analytics = settings.build().unwrap();
    let heard = Arc::new(Mutex::new(String::new()));
    for name in Emitted::NAMES {
        let heard = heard.clone();
        let listener = move |emitted: &Emitted| heard.lock().unwrap().push_str(&told(emitted));
        analytics.on_name(name, listener).unwrap();
    }

    // The server echoes the assertion when it refuses, and grants nonsense around a token.
    let echo = |status| Reply::status(status).body(format!(r#"{{"error":"eyJhbGci","error_description":"{TOKEN}"}}"#));
    let nonsense = Reply::status(200).body(format!(r#"{{"access_token":"{TOKEN}0\n","expires_in":60}}"#));
    world.tokens.api.script([echo(400), echo(401), nonsense]);
    let mut ends = vec![end(&analytics).await, end(&analytics).await, end(&analytics).await];
    assert!(ends[2].is_delivered(), "the nonsense was for the moment");
    world.api.script([Reply::status(401), Reply::status(403)]);
    ends.push(end(&analytics).await);
    assert!(end(&analytics).await.is_delivered());
    world.tokens.api.script([echo(500)]);
    world.clock.advance(secs(600));
    assert!(end(&analytics).await.is_delivered());
    let failed = async {
        while !heard.lock().unwrap().contains("could not be renewed") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, failed).await.expect("the renewal fails");
    assert_eq!(analytics.close(SOON).await.pending, 0);

    let ends = format!("{ends:?} {analytics:?}");
    assert!(ends.contains("the token server answered 401"), "{ends}");
    assert_none_in(&ends);
    let heard = heard.lock().unwrap().clone();
    assert!(heard.contains("/token") && heard.contains("Unauthorized"), "{heard}");
    assert_none_in(&heard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("could not be renewed"), "{log}");
    assert_none_in(&log);
}

async fn end(analytics: &Analytics) -> Settlement {
    // Another test may have been the first to log from a place, at the moment when this test began to listen.
    tracing::callsite::rebuild_interest_cache();
    let end = analytics.send_with_receipt(event()).unwrap();
    tokio::time::timeout(SOON, end).await.expect("the event has an outcome")
}

/// All that a listener can make of a signal.
fn told(emitted: &Emitted) -> String {
    let mut text = format!("{emitted:?}\n");
    if let Emitted::Error(failure) = emitted {
        text.push_str(&format!("{failure} {:?}\n", failure.error));
    }
    text
}
