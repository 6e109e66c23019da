//! Compares the tables of docs/SETTINGS.md with the code.

use std::collections::BTreeMap;
use std::time::Duration;

use tracklane::plugin::{Overflow, RetryPolicy};
use tracklane::segment::{Region, Segment};
use tracklane::{Analytics, Builder, Settings, event};

use crate::support::{SOON, api, client, track};

const PAGE: &str = include_str!("../../docs/SETTINGS.md");

/// First cell to second cell, of every row of every table.
fn rows() -> BTreeMap<&'static str, &'static str> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| ")).map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`'));
        (cells.next().unwrap(), cells.next().unwrap())
    });
    rows.collect()
}

fn duration(text: &str) -> Duration {
    let (number, unit) = text.split_at(text.len() - 1);
    let number: u64 = number.parse().unwrap();
    Duration::from_secs(match unit {
        "s" => number,
        "h" => number * 60 * 60,
        _ => panic!("unit of {text}"),
    })
}

#[test]
fn the_defaults_on_the_page_are_the_constants() {
    let rows = rows();
    assert_eq!(rows["host"], Segment::HOST);
    assert_eq!(Region::default().host(), Segment::HOST);
    assert_eq!(rows["region"], "oregon");
    assert_eq!(rows["path"], Segment::PATH);
    assert_eq!(rows["flush_at"], Segment::FLUSH_AT.to_string());
    assert_eq!(duration(rows["flush_interval"]), Segment::FLUSH_INTERVAL);
    assert_eq!(duration(rows["http_request_timeout"]), Segment::HTTP_REQUEST_TIMEOUT);
    assert_eq!(rows["max_retries"], RetryPolicy::MAX_RETRIES.to_string());
    assert_eq!(duration(rows["max_total_backoff"]), RetryPolicy::MAX_TOTAL_BACKOFF);
    assert_eq!(duration(rows["max_rate_limit"]), RetryPolicy::MAX_RATE_LIMIT);
    assert_eq!(rows["max_in_flight"], Segment::MAX_IN_FLIGHT.to_string());
    assert_eq!(rows["max_queue_size"], Builder::MAX_QUEUE_SIZE.to_string());
    assert_eq!(rows["max_queue_bytes"], Builder::MAX_QUEUE_BYTES.to_string());
    assert_eq!(serde_json::from_value::<Overflow>(rows["overflow"].into()).unwrap(), Overflow::default());
}

#[cfg(feature = "oauth")]
#[test]
fn the_defaults_of_oauth_are_the_constants() {
    use tracklane::segment::OAuth;

    let rows = rows();
    assert_eq!(rows["oauth_auth_server"], OAuth::AUTH_SERVER);
    assert_eq!(rows["oauth_scope"], OAuth::SCOPE);
    assert_eq!(rows["oauth_max_retries"], OAuth::MAX_RETRIES.to_string());
}

/// These defaults have no constants: the behaviour of a client without settings shows them.
#[test]
fn the_defaults_without_a_constant_are_what_a_client_does() {
    let rows = rows();
    let api = api();
    let analytics = client(&api).build().unwrap();
    let plaintext =
        Analytics::builder().segment(Segment::new("k").host("http://api.example")).build().unwrap_err().to_string();
    assert!(plaintext.contains("unencrypted") && rows["allow_plaintext"] == "false", "{plaintext}");
    analytics.track(track("Any")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!((api.request_count(), rows["disable"], rows["disable_all"]), (1, "false", "false"));
    let request = &api.requests()[0];
    assert_eq!((request.header("content-encoding"), rows["gzip"]), (None, "false"));
    let agent = rows["user_agent"].replace("VERSION", env!("CARGO_PKG_VERSION"));
    assert_eq!(request.header("user-agent"), Some(agent.as_str()));
}

/// The third column of the table of defaults on each page for those who come from a library of Segment's.
#[test]
fn the_defaults_on_the_pages_for_newcomers_are_those_of_the_settings() {
    let (settings, mut compared) = (rows(), 0);
    for page in ["node", "node-classic", "go", "net"] {
        let path = format!("docs/migrating/analytics-{page}.md");
        let page = super::pages::text(&path);
        let table = page.split("## Defaults\n").nth(1).unwrap().split("\n## ").next().unwrap();
        for row in table.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let (setting, ours) = (cells[0].trim_matches('`'), cells[2]);
            let expected = settings[setting];
            let said = ours.replace(' ', "");
            assert!(said.starts_with(expected), "{path}: {setting} is {expected}, and not {ours}");
            compared += 1;
        }
    }
    assert_eq!(compared, 26);
}

#[test]
fn the_limits_on_the_page_are_the_constants() {
    let rows = rows();
    assert_eq!(rows["bytes of one event"], event::MAX_EVENT_BYTES.to_string());
    assert_eq!(rows["bytes of one batch"], event::MAX_BATCH_BYTES.to_string());
    assert_eq!(rows["events of one batch"], event::MAX_BATCH_EVENTS.to_string());
    assert_eq!(rows["characters of a `messageId"], event::MAX_MESSAGE_ID_CHARS.to_string());
    assert_eq!(rows["levels of nesting"], event::MAX_DEPTH.to_string());
}

#[test]
fn every_setting_of_the_first_table_is_read_from_a_file() {
    let table = PAGE.split("## Settings in code only").next().unwrap();
    let names = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let names: Vec<&str> = names.collect();
    assert_eq!(names.len(), 29, "{names:?}");
    for name in names {
        // A value of no type that a setting has: the error must be about the type, not about the name.
        let file: Settings = serde_json::from_str(&format!(r#"{{"{name}": [[]]}}"#)).unwrap();
        let error = file.into_builder().map(drop).unwrap_err().to_string();
        assert!(error.starts_with(&format!("setting {name}")) && error.contains("must be"), "{name}: {error}");
    }
}
