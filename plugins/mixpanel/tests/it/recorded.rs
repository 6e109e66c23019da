//! What is sent of hostile events is what was recorded.

use tracklane::Event;
use tracklane_mixpanel::{IdMerge, Mixpanel, Products};

use crate::support::mixpanel;

#[path = "../../../http/tests/recorded/mod.rs"]
mod recording;

#[track_caller]
fn check(path: &str, third: usize, mixpanel: Mixpanel) {
    let why_not = |event: &Event| mixpanel.map(event).unwrap().why_not().map(str::to_owned);
    recording::check(path, third, why_not, |url| mixpanel.clone().gzip(false).host(url).build().unwrap());
}

#[test]
fn with_the_defaults() {
    check("recorded/defaults.jsonl", 0, mixpanel());
}

#[test]
fn with_every_setting() {
    let mixpanel = mixpanel().id_merge(IdMerge::Original).products(Products::PerProduct).track_charges(true);
    check("recorded/every_setting.jsonl", 1, mixpanel.group_key("com\"pany"));
}
