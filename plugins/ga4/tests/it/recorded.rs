//! What is sent of hostile events is what was recorded.

use tracklane::Event;
use tracklane_ga4::{Consent, Ga4};

use crate::support::ga4;

#[path = "../../../http/tests/recorded/mod.rs"]
mod recording;

#[track_caller]
fn check(path: &str, third: usize, ga4: Ga4) {
    let why_not = |event: &Event| ga4.map(event).unwrap().why_not().map(str::to_owned);
    recording::check(path, third, why_not, |url| ga4.clone().host(url).build().unwrap());
}

#[test]
fn with_the_defaults() {
    check("recorded/defaults.jsonl", 0, ga4());
}

#[test]
fn with_every_setting() {
    let ga4 = ga4().currency("EUR").user_properties(["plan", "vip", "age", "nested"]).screens(true).debug(true);
    check("recorded/every_setting.jsonl", 1, ga4.ad_user_data(Consent::Granted).ad_personalization(Consent::Denied));
}

#[test]
fn of_an_app() {
    check("recorded/app.jsonl", 2, Ga4::firebase("1:1234567890:android:321abc456def7890", "hunter2"));
}
