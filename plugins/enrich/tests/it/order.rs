//! The order between this plugin and one that takes out what it reads.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tracklane::emitter::signal;
use tracklane::plugin::{Registration, before_fn};
use tracklane::testing::RecordingDestination;
use tracklane::{Analytics, Event};
use tracklane_enrich::Enrich;

/// What `error` says while a client with these plugins begins.
fn said(plugins: [Registration; 2]) -> Vec<String> {
    let said = Arc::new(Mutex::new(Vec::new()));
    let (errors, ready) = (said.clone(), Arc::new(Mutex::new(false)));
    let is_ready = ready.clone();
    let builder = plugins.into_iter().fold(Analytics::builder(), |builder, plugin| builder.plugin(plugin));
    let analytics = builder
        .plugin(RecordingDestination::new("Recording").destination())
        .on(signal::Error, move |failure| errors.lock().unwrap().push(failure.message.clone()))
        .on(signal::Initialize, move |_| *is_ready.lock().unwrap() = true)
        .build()
        .unwrap();
    let begun = Instant::now();
    while !*ready.lock().unwrap() && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(5));
    }
    // Its listeners have been called when it has closed.
    analytics.close_blocking(Duration::from_secs(5));
    let said = said.lock().unwrap().clone();
    said
}

#[test]
fn a_redaction_that_comes_first_is_said_to_be_in_the_way() {
    let redact = || before_fn("Redact", |_: &mut Event| ());
    let enrich = || Enrich::new().build().unwrap();
    let begun = Instant::now();
    loop {
        let wrong = said([redact(), enrich()]);
        if !wrong.is_empty() {
            assert_eq!(wrong.len(), 1, "{wrong:?}");
            assert!(wrong[0].contains("Redact is registered before Enrich"), "{wrong:?}");
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "nothing is said");
    }
    assert!(said([enrich(), redact()]).is_empty());
}
