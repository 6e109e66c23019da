//! Counters that add up, windows, and what falls out.

use std::sync::Arc;

use bytes::Bytes;

use super::{Entry, QueryError, RequestInfo, Store, Trace};
use crate::filter::{Filter, Places};

pub(crate) fn entry(raw: &str) -> Entry {
    let request = RequestInfo {
        method: "POST".into(),
        path: "/v1/batch".into(),
        headers: "user-agent: test".into(),
        bytes: raw.len(),
        encoding: None,
        events: 1,
        status: 200,
        attempt: 0,
        answer: String::new(),
        key: Some("K".into()),
    };
    let kind = tracklane::Kind::from_name("track");
    let places = Places::of(raw.as_bytes());
    Entry {
        seq: 0,
        at: 0,
        kind,
        raw: raw.to_owned().into(),
        places,
        findings: [].into(),
        request: Some(Arc::new(request)),
    }
}

fn push(store: &Store, name: &str, id: &str) {
    store.push(vec![entry(&format!(r#"{{"event":"{name}","userId":"u","messageId":"{id}"}}"#))], 0);
}

fn seqs(events: &[Arc<Entry>]) -> Vec<u64> {
    events.iter().map(|entry| entry.seq).collect()
}

#[test]
fn counters_add_up_whatever_is_evicted_or_removed() {
    let store = Store::new(20_000);
    for number in 0..500 {
        push(&store, if number % 3 == 0 { "A" } else { "B" }, &number.to_string());
        let counters = store.counters();
        assert_eq!(counters.received, counters.kept + counters.evicted);
        assert!(counters.bytes <= 20_000, "{}", counters.bytes);
    }
    let a = Filter::parse("name:A").unwrap();
    let before = store.counters();
    let removed = store.remove(|entry, traces| a.matches(&entry.subject_with_path(traces)));
    let after = store.counters();
    assert!(removed > 0 && after.kept == before.kept - removed && after.received == 500);
    assert_eq!(after.received, after.kept + after.evicted);
    assert_eq!(store.page_before(u64::MAX, 10, &a).matched, 0);
}

#[test]
fn windows_go_both_ways_and_say_when_they_fell_out() {
    let store = Store::new(1 << 20);
    (1..=10).for_each(|number| push(&store, if number % 2 == 0 { "Even" } else { "Odd" }, &number.to_string()));
    let (all, even) = (Filter::default(), Filter::parse("name:Even").unwrap());
    assert_eq!(seqs(&store.page_before(u64::MAX, 3, &all).events), [10, 9, 8]);
    assert_eq!(seqs(&store.page_before(8, 3, &even).events), [6, 4, 2]);
    let page = store.page_after(4, 2, &even).unwrap();
    assert_eq!((seqs(&page.events), page.matched), (vec![8, 6], 5));
    let small = Store::new(1_000);
    (1..=50).for_each(|number| push(&small, "E", &number.to_string()));
    assert_eq!(small.page_after(1, 10, &all).unwrap_err(), QueryError::FellOut);
    let (oldest, newest) = small.bounds();
    assert_eq!(newest, 50);
    assert_eq!(seqs(&small.page_after(oldest - 1, 1, &all).unwrap().events), [oldest]);
}

/// A search on several threads finds what one look at each event finds, in the same order.
#[test]
fn a_search_of_many_events_finds_each_once_the_newest_first() {
    let store = Store::new(1 << 30);
    let count = 30_000_u64;
    let name = |seq: u64| if seq.is_multiple_of(7) { "Seventh" } else { "Other" };
    let events = (1..=count).map(|seq| entry(&format!(r#"{{"event":"{}","properties":{{"n":{seq}}}}}"#, name(seq))));
    store.push(events.collect(), 0);
    // A gap that is larger than a block, and the beginning.
    let is_gone = |seq: u64| seq <= 100 || (9_000..16_000).contains(&seq);
    assert_eq!(store.remove(|entry, _| is_gone(entry.seq)), 7_100);
    let mut wanted: Vec<u64> = (1..=count).filter(|seq| !is_gone(*seq) && name(*seq) == "Seventh").collect();
    wanted.reverse();
    let filter = Filter::parse("name:Seventh").unwrap();
    for (before, limit) in [(u64::MAX, 50), (u64::MAX, 100_000), (20_000, 2_500), (9_500, 10), (100, 10), (0, 10)] {
        let page = store.page_before(before, limit, &filter);
        let expected: Vec<u64> = wanted.iter().copied().filter(|seq| *seq < before).take(limit).collect();
        assert_eq!(page.matched, wanted.len() as u64, "before {before}");
        assert_eq!(seqs(&page.events), expected, "{limit} before {before}");
    }
    let through = store.page_through(17_000, 3, &filter);
    let older = wanted.iter().filter(|seq| **seq <= 17_000);
    assert_eq!(through.matched, older.clone().count() as u64);
    assert_eq!(seqs(&through.events), older.copied().take(3).collect::<Vec<_>>());
    let nothing = Filter::parse("name:Nobody").unwrap();
    assert_eq!(store.page_before(u64::MAX, 10, &nothing).matched, 0);
}

#[test]
fn what_inspectors_say_is_added_up_and_told_as_a_change() {
    let store = Store::new(1 << 20);
    push(&store, "E", "m");
    let (version, _) = store.changed_since(0);
    let trace = |json: &str| serde_json::from_str::<Trace>(json).unwrap();
    let trace = |json: &str| store.trace(vec![trace(json)], 0, told);
    trace(
        r#"{"messageId":"m","steps":[{"us":500}],"destinations":[{"name":"S","attempts":[{"n":1,"status":503,"ms":2}]}]}"#,
    );
    let (version, changed) = store.changed_since(version);
    assert_eq!(seqs(&changed), [1]);
    let row =
        |entry: &Entry| store.with_traces(|traces| serde_json::to_value(super::Head::new(entry, traces)).unwrap());
    let retrying = serde_json::json!({"state":"retrying","ms":2.5,"destinations":1,"attempts":1,"reason":"503"});
    assert_eq!(row(&changed[0])["path"], retrying);
    trace(
        r#"{"messageId":"m","outcome":"delivered","destinations":[{"name":"S","outcome":"delivered","attempts":[{"n":2,"ms":3}]}]}"#,
    );
    let (_, changed) = store.changed_since(version);
    assert_eq!(seqs(&changed), [1]);
    let expected = serde_json::json!({"state":"delivered","ms":5.5,"destinations":1,"attempts":2,"reason":null});
    assert_eq!(row(&changed[0])["path"], expected);
}

/// The entry of an event that an inspector told of.
fn told(raw: Bytes) -> Entry {
    let raw = String::from_utf8(raw.to_vec()).unwrap();
    Entry { request: None, ..entry(&raw) }
}

#[test]
fn an_event_that_does_not_arrive_is_shown_once_it_has_ended() {
    let store = Store::new(1 << 20);
    let trace = |json: &str| store.trace(vec![serde_json::from_str(json).unwrap()], 3, told);
    let seqs = || seqs(&store.page_before(u64::MAX, 10, &Filter::default()).events);
    let destinations = r#"[{"name":"A","outcome":"pending"},{"name":"B","outcome":"pending"}]"#;
    trace(&format!(r#"{{"messageId":"m","destinations":{destinations}}}"#));
    trace(
        r#"{"messageId":"m","destinations":[{"name":"A","outcome":"dropped","reason":"rejected"}],"event":{"messageId":"m"}}"#,
    );
    assert_eq!(seqs(), [0; 0], "it may still arrive here, from B");
    trace(r#"{"messageId":"m","destinations":[{"name":"B","outcome":"delivered"}],"event":{"messageId":"m"}}"#);
    assert_eq!(seqs(), [1]);
    trace(r#"{"messageId":"m","event":{"messageId":"m"}}"#);
    assert_eq!(seqs(), [1], "what is said later is no other event");
    push(&store, "E", "arrived");
    trace(
        r#"{"messageId":"arrived","destinations":[{"name":"B","outcome":"delivered"}],"event":{"messageId":"arrived"}}"#,
    );
    assert_eq!(seqs(), [2, 1]);
    let counters = store.counters();
    assert_eq!((counters.received, counters.kept, counters.missed), (2, 2, 15));
    let path = store.with_traces(|traces| serde_json::to_value(traces.get("m").unwrap().way()).unwrap());
    assert_eq!((&path["outcome"], &path["reason"]), (&"delivered".into(), &serde_json::Value::Null));
}
