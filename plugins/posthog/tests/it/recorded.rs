//! What is sent of hostile events is what was recorded.

use tracklane::Event;
use tracklane_posthog::{PersonProfiles, PostHog};

use crate::support::posthog;

#[path = "../../../http/tests/recorded/mod.rs"]
mod recording;

#[track_caller]
fn check(path: &str, third: usize, posthog: PostHog) {
    let why_not = |event: &Event| posthog.map(event).unwrap().why_not().map(str::to_owned);
    recording::check(path, third, why_not, |url| posthog.clone().gzip(false).host(url).build().unwrap());
}

#[test]
fn with_the_defaults() {
    check("recorded/defaults.jsonl", 0, posthog());
}

#[test]
fn with_every_setting() {
    let posthog = posthog().person_profiles(PersonProfiles::Always).context_traits(true).merge_dangerously(true);
    check("recorded/every_setting.jsonl", 1, posthog.set_once(["createdAt", "plan", "email"]).group_type("com\"pany"));
}
