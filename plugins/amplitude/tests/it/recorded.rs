//! What is sent of hostile events is what was recorded.

use tracklane::Event;
use tracklane_amplitude::{Amplitude, Products};

use crate::support::amplitude;

#[path = "../../../http/tests/recorded/mod.rs"]
mod recording;

#[track_caller]
fn check(path: &str, third: usize, amplitude: Amplitude) {
    let why_not = |event: &Event| amplitude.map(event).unwrap().why_not().map(str::to_owned);
    recording::check(path, third, why_not, |url| amplitude.clone().gzip(false).host(url).build().unwrap());
}

#[test]
fn with_the_defaults() {
    check("recorded/defaults.jsonl", 0, amplitude());
}

#[test]
fn with_every_setting() {
    let amplitude = amplitude().products(Products::PerProduct).user_mapping(true).group_type("com\"pany");
    check("recorded/every_setting.jsonl", 1, amplitude.set_once(["createdAt", "plan", "email"]));
}
