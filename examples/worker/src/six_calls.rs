//! The six calls, with something of everything that can be in them. The native client sends the same, to compare.

#![allow(dead_code, reason = "only the tests use it")]

use tracklane::{Alias, Event, Group, Identify, Page, Screen, Track};

pub(crate) fn six_calls() -> Vec<Event> {
    let text = "quoted \"text\", \u{1F980}, a line\nbreak, \u{0} and <html>";
    vec![
        Identify::new()
            .user_id("u1")
            .with_trait("name", text)
            .with_trait("age", 42)
            .with_trait("score", 0.1 + 0.2)
            .into(),
        Track::new("Order Completed")
            .user_id("u1")
            .anonymous_id("a1")
            .property("revenue", 39.95)
            .property("quantity", u64::MAX)
            .property("balance", i64::MIN)
            .property("tags", ["a", "b"])
            .integration("Mixpanel", false)
            .into(),
        Page::new("Home").user_id("u1").property("url", "https://example.com/?a=1&b=2").into(),
        Screen::new("Main").user_id("u1").property("none", Option::<u8>::None).into(),
        Group::new("g1").user_id("u1").with_trait("plan", "enterprise").into(),
        Alias::new("u2", "u1").into(),
    ]
}
