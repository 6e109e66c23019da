//! Tests: a log subscriber that panics in the middle of the HTTP client.

use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::{Metadata, span};

use super::super::send_error::SendErrorKind;
use super::*;
use crate::testing::TrackingApi;

/// Panics at log lines of the HTTP client that contain `text`, up to a number of times.
struct Panics {
    text: &'static str,
    left: Arc<AtomicUsize>,
}

impl tracing::Subscriber for Panics {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("hyper_util")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = String::new();
        event.record(&mut |_: &tracing::field::Field, value: &dyn fmt::Debug| line += &format!("{value:?}"));
        // A second panic while the first unwinds ends the process, whoever catches it.
        let goes = line.contains(self.text) && !std::thread::panicking();
        if goes && self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            panic!("on purpose: the log");
        }
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

async fn send(client: &mut DefaultClient, url: &str) -> Result<StatusCode, Option<SendErrorKind>> {
    let request = Request::post(url).body(Body::from("{}")).unwrap();
    match client.call(request).await {
        Ok(response) => {
            let status = response.status();
            super::super::body::read(response.into_body(), 1024).await.unwrap();
            Ok(status)
        }
        Err(error) => Err(error.downcast_ref().map(SendError::kind)),
    }
}

/// In a process of its own: `tracing` caches each line's subscribers for the whole process, and other tests have none.
#[test]
fn a_log_that_panics_in_the_http_client_costs_one_request_and_no_more() {
    let test = concat!(module_path!(), "::requests_while_the_log_panics");
    let test = test.split_once("::").map_or(test, |(_, path)| path);
    let program = std::env::current_exe().unwrap();
    let run = std::process::Command::new(program).args([test, "--exact", "--ignored"]).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&run.stderr));
}

#[tokio::test]
#[ignore = "a child process of a_log_that_panics_in_the_http_client_costs_one_request_and_no_more"]
async fn requests_while_the_log_panics() {
    // With and without a lock of the pool; once, and always.
    for text in ["reuse idle connection", "pooling idle connection", "checkout waiting", "connecting", ""] {
        for times in [1, usize::MAX] {
            let api = TrackingApi::start().unwrap();
            let (url, left) = (format!("{}/v1/batch", api.url()), Arc::new(AtomicUsize::new(times)));
            let _guard = tracing::subscriber::set_default(Panics { text, left: left.clone() });
            let mut client = DefaultClient::plaintext().unwrap();
            let mut failed = 0;
            for n in 0..10 {
                match send(&mut client, &url).await {
                    Ok(status) => assert_eq!(status, 200),
                    Err(kind) => {
                        assert_eq!(kind, Some(SendErrorKind::Panicked), "{text:?}, {times}: request {n}");
                        failed += 1;
                    }
                }
                // A task gives the connection back to the pool, once the reactor has told it of the end.
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            assert!(failed <= 1, "{text:?}, {times}: {failed} of 10 requests failed because of the log");
            assert!(failed == 1 || left.load(Ordering::SeqCst) < times, "{text:?} is never logged");
        }
    }
}
