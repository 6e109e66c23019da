//! One client and one server during one fault, and the checks at the end.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use serde_json::{Value, json};
use tracklane::segment::{KeyHandle, Segment};
use tracklane::signal::{self, Emitted, Failure};
use tracklane::testing::{Reply, TrackingApi};
use tracklane::{Analytics, Builder, CallError, DropReason, FlushReport, Receipt, Settlement, Stats, Track};

use super::{BODY, Carrier, SECRET, SOON, eventually, logs, quick_retries};

/// A client, its server, all sent events and all signals.
pub(crate) struct Trial {
    pub(crate) api: Arc<TrackingApi>,
    pub(crate) analytics: Analytics,
    pub(crate) key: KeyHandle,
    accepted: BTreeMap<String, Receipt>,
    sent: usize,
    told: Arc<Told>,
    in_order: bool,
    carrier: Carrier,
}

/// The signals, as text and as payloads.
#[derive(Default)]
struct Told {
    texts: Mutex<Vec<String>>,
    failures: Mutex<Vec<Failure>>,
}

/// The results of a trial after all checks.
pub(crate) struct Ended {
    pub(crate) api: Arc<TrackingApi>,
    pub(crate) stats: Stats,
    pub(crate) failures: Vec<Failure>,
    /// By `messageId`.
    pub(crate) ends: BTreeMap<String, Settlement>,
}

/// Texts that must not appear: the key itself, its form in HTTP, alone and as a prefix, and the content of events.
fn secrets() -> &'static [String] {
    static SECRETS: OnceLock<Vec<String>> = OnceLock::new();
    SECRETS.get_or_init(|| {
        let encoded = [format!("{SECRET}:"), SECRET.to_owned()].map(|key| STANDARD.encode(key));
        encoded.into_iter().chain([SECRET.to_owned(), BODY.to_owned()]).collect()
    })
}

/// Returns whether a text has a secret.
pub(crate) fn shows_a_secret(text: &str) -> bool {
    secrets().iter().any(|secret| text.contains(secret.as_str()))
}

fn event(number: usize) -> Track {
    Track::new(format!("Fault {number}"))
        .user_id(format!("u{number}"))
        .message_id(id(number))
        .property("number", number)
        .property("text", format!("{BODY} \"quoted\" \u{1F980} line\nbreak"))
}

fn id(number: usize) -> String {
    format!("m-{number:06}")
}

impl Trial {
    /// A client with quick retries, one request at a time, and a batch for every event.
    pub(crate) fn new() -> Trial {
        Trial::with_both(|segment| segment, |settings| settings)
    }

    /// The same with other settings on top.
    pub(crate) fn with(change: impl FnOnce(Builder) -> Builder) -> Trial {
        Trial::with_both(|segment| segment, change)
    }

    /// The same with other settings of Segment's destination.
    pub(crate) fn with_segment(change: impl FnOnce(Segment) -> Segment) -> Trial {
        Trial::with_both(change, |settings| settings)
    }

    /// The same with other settings of both.
    pub(crate) fn with_both(
        segment: impl FnOnce(Segment) -> Segment,
        change: impl FnOnce(Builder) -> Builder,
    ) -> Trial {
        logs::capture();
        let api = Arc::new(TrackingApi::start().expect("a free port"));
        let told = Arc::new(Told::default());
        let quick = Segment::new(SECRET).flush_at(1).max_in_flight(1).retry(quick_retries(10_000));
        let segment = segment(quick.host(api.url()));
        let key = segment.key_handle();
        let settings = Analytics::builder().segment(segment);
        let listener = told.clone();
        let settings = change(settings.on(signal::Error, move |failure| listener.failed(failure)));
        let (settings, carried) = Carrier::choose(settings);
        let analytics = settings.build().expect("the settings are valid");
        let carrier = carried.start(&analytics);
        for name in Emitted::NAMES {
            let listener = told.clone();
            let _ = analytics.on_name(name, move |emitted| listener.heard(emitted)).expect("it is a signal's name");
        }
        Trial { api, analytics, key, accepted: BTreeMap::new(), sent: 0, told, in_order: true, carrier }
    }

    /// Several requests at once: events may overtake each other.
    pub(crate) fn unordered(mut self) -> Trial {
        self.in_order = false;
        self
    }

    /// Sends `events` events, all of which must be accepted.
    #[track_caller]
    pub(crate) fn send(&mut self, events: usize) {
        for _ in 0..events {
            self.try_send().expect("accepted");
        }
    }

    /// Waits until nothing is pending. Returns how many were delivered and dropped since the trial began.
    #[track_caller]
    pub(crate) fn settled(&self) -> (u64, u64) {
        assert_eq!(self.flush().pending, 0, "{:?}", self.analytics.stats());
        let stats = self.assert_books_balance();
        (stats.delivered, stats.dropped.total())
    }

    /// Sends `events` events, each when the one before has its outcome. Returns how many were delivered and failed.
    #[track_caller]
    pub(crate) fn send_each(&mut self, events: usize) -> (u64, u64) {
        let before = self.analytics.stats();
        for _ in 0..events {
            self.send(1);
            self.settled();
        }
        let (delivered, failed) = self.settled();
        (delivered - before.delivered, failed - before.dropped.total())
    }

    /// Sends one event, which may be refused.
    pub(crate) fn try_send(&mut self) -> Result<(), CallError> {
        let number = self.sent;
        self.sent += 1;
        let receipt = self.analytics.send_with_receipt(event(number))?;
        self.accepted.insert(id(number), receipt);
        Ok(())
    }

    /// Flushes, and checks that it ends in time and that the counts balance.
    #[track_caller]
    pub(crate) fn flush(&self) -> FlushReport {
        self.flush_within(SOON)
    }

    #[track_caller]
    pub(crate) fn flush_within(&self, timeout: Duration) -> FlushReport {
        let start = Instant::now();
        let report = self.carrier.flush(&self.analytics, timeout);
        assert!(start.elapsed() < timeout + SOON / 4, "flush({timeout:?}) took {:?}", start.elapsed());
        self.assert_books_balance();
        report
    }

    /// Waits for an `error` signal that `wanted` picks.
    #[track_caller]
    pub(crate) fn wait_for_failure(&self, what: &str, wanted: impl Fn(&Failure) -> bool) -> Failure {
        let find = || self.told.failures().iter().find(|failure| wanted(failure)).cloned();
        eventually(what, || find().is_some());
        find().expect("just seen")
    }

    /// The `error` signals so far.
    pub(crate) fn failures(&self) -> Vec<Failure> {
        self.told.failures().clone()
    }

    #[track_caller]
    pub(crate) fn assert_books_balance(&self) -> Stats {
        let stats = self.analytics.stats();
        assert_balanced(&stats);
        stats
    }

    /// The fault is over: a fresh event must arrive, and every oracle hold.
    #[track_caller]
    pub(crate) fn survives(mut self) -> Ended {
        self.api.set_default(Reply::as_segment());
        let fresh = id(self.sent);
        self.send(1);
        let report = self.flush();
        assert_eq!(report.pending, 0, "what is left after the fault: {:?}", self.analytics.stats());
        assert!(self.api.delivered_ids().contains(&fresh), "a fresh event is delivered after the fault");
        self.ends()
    }

    /// Closes the client, and checks everything but that it still delivers.
    #[track_caller]
    pub(crate) fn ends(mut self) -> Ended {
        let start = Instant::now();
        let report = self.carrier.close(&self.analytics, SOON);
        assert!(start.elapsed() < SOON + SOON / 4, "close took {:?}", start.elapsed());
        let stats = self.assert_books_balance();
        assert_eq!(stats.pending, 0, "after close nothing is pending: {stats:?}");
        assert_eq!(stats.dropped.get(DropReason::Internal), 0, "the pipeline loses nothing: {stats:?}");
        let ends = self.settlements();
        self.assert_arrivals(&ends);
        let known = format!("{report:?} {stats:?} {:?} {ends:?} {:?}", self.analytics, self.api);
        self.told.texts.lock().unwrap_or_else(PoisonError::into_inner).push(known);
        self.told.assert_silent();
        logs::assert_silent();
        Ended { api: self.api.clone(), stats, failures: self.failures(), ends }
    }

    /// Every accepted event has its end, under the id that it was sent with.
    #[track_caller]
    fn settlements(&mut self) -> BTreeMap<String, Settlement> {
        let accepted = std::mem::take(&mut self.accepted);
        let ended = accepted.into_iter().map(|(id, receipt)| {
            let end = receipt.now_or_never().unwrap_or_else(|| panic!("{id} has no end after close"));
            (id, end)
        });
        ended.collect()
    }

    /// Checks that the arrived events are those that were sent, unchanged, in order, and none twice.
    #[track_caller]
    fn assert_arrivals(&self, ends: &BTreeMap<String, Settlement>) {
        let mut attempts = HashMap::<String, u32>::new();
        let mut first = Vec::new();
        for arrived in self.api.requests().iter().flat_map(|request| request.events()) {
            let id = arrived["messageId"].as_str().expect("every event has an id").to_owned();
            assert!(ends.contains_key(&id), "{id} arrived, and was never accepted");
            let number: usize = id.trim_start_matches("m-").parse().expect("ids are numbers");
            assert_payload(&arrived, number);
            let count = attempts.entry(id).or_default();
            *count += 1;
            if *count == 1 {
                first.push(number);
            }
        }
        let mut taken = HashMap::<String, u32>::new();
        self.api.delivered_ids().into_iter().for_each(|id| *taken.entry(id).or_default() += 1);
        for (id, end) in ends {
            let at_segment = end.destinations.iter().find(|end| &*end.destination == tracklane::segment::NAME);
            if at_segment.is_some_and(|end| end.outcome.is_delivered()) {
                assert!(attempts.contains_key(id), "{id} counts as delivered, and never arrived");
                let taken = taken.get(id).copied().unwrap_or_default();
                assert!(taken <= 1, "{id} was taken {taken} times");
            }
        }
        assert!(!self.in_order || first.is_sorted(), "order of arrival: {first:?}");
    }
}

#[track_caller]
pub(crate) fn assert_balanced(stats: &Stats) {
    assert_eq!(stats.accepted, stats.delivered + stats.dropped.total() + stats.pending, "{stats:?}");
    for destination in &stats.destinations {
        let sum = destination.delivered + destination.dropped.total() + destination.pending;
        assert_eq!(destination.accepted, sum, "{destination:?}");
    }
}

#[track_caller]
fn assert_payload(arrived: &Value, number: usize) {
    let expected = serde_json::to_value(tracklane::Event::from(event(number))).expect("an event is JSON");
    for field in ["type", "event", "userId", "messageId", "properties"] {
        assert_eq!(arrived[field], expected[field], "{field} of {arrived}");
    }
    assert_eq!(arrived["context"]["library"]["name"], json!("tracklane"));
}

impl Told {
    fn failed(&self, failure: &Failure) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).push(failure.clone());
    }

    fn heard(&self, emitted: &Emitted) {
        let mut text = format!("{emitted:?}");
        if let Emitted::Error(failure) = emitted {
            text.push_str(&format!(" {failure} {:?}", failure.error));
            let mut cause = failure.error.as_deref().map(|error| error as &dyn std::error::Error);
            while let Some(error) = cause {
                text.push_str(&format!(" {error} {error:?}"));
                cause = error.source();
            }
        }
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    fn failures(&self) -> std::sync::MutexGuard<'_, Vec<Failure>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[track_caller]
    fn assert_silent(&self) {
        for text in self.texts.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            assert!(!shows_a_secret(text), "it came to light: {text}");
        }
    }
}
