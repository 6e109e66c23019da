//! A wrong key: nothing that is on the disk is lost by it.

use std::sync::{Arc, Mutex};

use tracklane::segment::Segment;
use tracklane::testing::{Reply, TrackingApi};
use tracklane::{Analytics, Receipt, signal};
use tracklane_spool::Spool;

use crate::support::{Directory, SOON, acknowledged, event, wait_until};

/// A server that knows one key, and answers 403 to any other.
fn server() -> TrackingApi {
    let api = TrackingApi::start().unwrap();
    api.reply_with(|request| match request.json().unwrap()["writeKey"] == "right" {
        true => Reply::ok(),
        false => Reply::status(403),
    });
    api
}

fn deliver(analytics: &Analytics, ids: std::ops::Range<u32>) -> Vec<Receipt> {
    ids.map(|id| analytics.send_with_receipt(event(&format!("m{id}"))).unwrap()).collect()
}

fn sorted_ids(api: &TrackingApi) -> Vec<String> {
    let mut ids = api.delivered_ids();
    ids.sort();
    ids
}

#[test]
fn a_wrong_key_costs_nothing_that_is_on_the_disk() {
    let (api, directory, said) = (server(), Directory::new(), Arc::new(Mutex::new(Vec::new())));
    let segment = Segment::new("wrong").host(api.url()).flush_at(2);
    let (rotation, spool, heard) = (segment.key_handle(), Spool::new(directory.spool()), said.clone());
    let analytics = Analytics::builder()
        .plugin(spool.in_front_of(segment.build().unwrap()))
        .on(signal::Error, move |failure| heard.lock().unwrap().push(failure.clone()))
        .build()
        .unwrap();
    acknowledged(deliver(&analytics, 0..4));
    wait_until("the refusal is told", || !said.lock().unwrap().is_empty());
    wait_until("both batches are refused", || api.request_count() >= 2);
    assert_eq!((spool.stats().files > 0, spool.stats().refused), (true, 0), "{:?}", spool.stats());
    let refusal = said.lock().unwrap()[0].clone();
    assert_eq!((refusal.dropped, refusal.status().unwrap().as_u16()), (None, 403));
    assert!(
        refusal.message.contains("(unauthorized)") && refusal.message.contains("the spool keeps them"),
        "{refusal}"
    );

    rotation.set_write_key("right").unwrap();
    wait_until("the disk is empty", || spool.stats().files == 0);
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(sorted_ids(&api), ["m0", "m1", "m2", "m3"]);
    assert_eq!((spool.stats().delivered, spool.stats().refused), (4, 0));
}

#[test]
fn a_restart_with_the_right_key_sends_what_the_wrong_one_left() {
    let (api, directory) = (server(), Directory::new());
    for (key, ids) in [("wrong", 0..3), ("right", 3..5)] {
        let (spool, segment) = (Spool::new(directory.spool()), Segment::new(key).host(api.url()).build().unwrap());
        let analytics = Analytics::builder().plugin(spool.in_front_of(segment)).build().unwrap();
        acknowledged(deliver(&analytics, ids));
        assert!(analytics.close_blocking(SOON).is_complete());
        assert_eq!(spool.stats().refused, 0);
    }
    assert_eq!(sorted_ids(&api), ["m0", "m1", "m2", "m3", "m4"]);
    assert!(directory.batches().is_empty());
}

#[test]
fn around_the_client_s_own_segment_the_key_is_changed_as_without_a_spool() {
    let (api, directory) = (server(), Directory::new());
    let spool = Spool::new(directory.spool());
    let (front, segment) = (spool.clone(), Segment::new("wrong").host(api.url()).flush_at(2));
    let key = segment.key_handle();
    let segment = segment.wrap(move |segment| front.in_front_of(segment));
    let analytics = Analytics::builder().segment(segment).build().unwrap();
    acknowledged(deliver(&analytics, 0..4));
    wait_until("both batches are refused", || api.request_count() >= 2);
    key.set_write_key("right").unwrap();
    wait_until("the disk is empty", || spool.stats().files == 0);
    assert_eq!(sorted_ids(&api), ["m0", "m1", "m2", "m3"]);
}
