//! What is sent of hostile events is what was recorded.

use std::time::UNIX_EPOCH;

use tracklane::Event;
use tracklane_clickhouse::{ClickHouse, Sections};

#[path = "../../../http/tests/recorded/mod.rs"]
mod recording;

#[track_caller]
fn check(path: &str, third: usize, sections: Sections) {
    let at = |url: &str| ClickHouse::new(url, "events").sections(sections).gzip(false);
    let why_not = |event: &Event| at("http://localhost").map(event, UNIX_EPOCH).unwrap().why_not().map(str::to_owned);
    recording::check(path, third, why_not, |url| at(url).build().unwrap());
}

#[test]
fn with_sections_as_json() {
    check("recorded/json.jsonl", 0, Sections::Json);
}

#[test]
fn with_sections_as_text() {
    check("recorded/text.jsonl", 1, Sections::Text);
}
