//! ClickHouse as a destination, from settings to a server on this machine.

mod recorded;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tracklane::event::Timestamp;
use tracklane::plugin::{Batching, Destination, RetryPolicy};
use tracklane::testing::ManualClock;
use tracklane::{Alias, Analytics, DropReason, Event, Group, Identify, Outcome, Page, Receipt, Track};
use tracklane_clickhouse::{ClickHouse, ClickHouseSettings, Mapped, Sections};
use tracklane_http::testing::{Reply, Request, Server};

const SOON: Duration = Duration::from_secs(10);
const HOUR: Duration = Duration::from_secs(3600);

fn at(server: &Server) -> ClickHouse {
    ClickHouse::new(&server.url("/"), "events").credentials("writer", "hunter2")
}

/// A client with three attempts and no wait between them, and batches of so many events.
fn client(destination: Destination, events: usize) -> Analytics {
    tracklane_http::testing::client(destination.batching(Batching::every(events, HOUR))).unwrap()
}

fn send(analytics: &Analytics, count: usize) -> Vec<Receipt> {
    let event = |n: usize| Track::new("A").user_id("u1").message_id(format!("m{n}"));
    (0..count).map(|n| analytics.send_with_receipt(event(n)).unwrap()).collect()
}

fn ends(receipts: Vec<Receipt>) -> Vec<(Outcome, String)> {
    let end = |receipt: Receipt| {
        let there = receipt.wait().destinations.remove(0);
        (there.outcome, there.error.map(|error| format!("{error:#}")).unwrap_or_default())
    };
    receipts.into_iter().map(end).collect()
}

fn ids(request: &Request) -> Vec<String> {
    let rows = request.text().unwrap();
    let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["message_id"].as_str().unwrap().to_owned();
    rows.lines().map(id).collect()
}

fn row(clickhouse: &ClickHouse, event: impl Into<Event>) -> Value {
    let Mapped::Items(mut rows) = clickhouse.map(&event.into(), UNIX_EPOCH).unwrap() else { panic!("it has a row") };
    rows.remove(0)
}

#[test]
fn each_call_is_a_row() {
    let time = "2024-02-29T12:00:00.123Z".parse::<Timestamp>().unwrap();
    let plain = ClickHouse::new("https://clickhouse.example", "events");
    let event = Track::new("A").user_id("u1").anonymous_id("a1").message_id("m1").timestamp(time).property("n", 1);
    let expected = json!({
        "message_id": "m1", "type": "track", "event": "A", "user_id": "u1", "anonymous_id": "a1",
        "timestamp": "2024-02-29T12:00:00.123Z", "sent_at": "1970-01-01T00:00:00.000Z",
        "properties": {"n": 1}, "traits": {}, "context": {},
    });
    assert_eq!(row(&plain, event.clone()), expected);
    let text = row(&plain.clone().sections(Sections::Text), event);
    assert_eq!((&text["properties"], &text["traits"]), (&json!("{\"n\":1}"), &json!("{}")));
    let table: [(Event, Value); 4] = [
        (Page::new("Docs").user_id("u1").into(), json!({"type": "page", "event": "Docs"})),
        (Identify::new().user_id("u1").with_trait("a", 1).into(), json!({"type": "identify", "traits": {"a": 1}})),
        (Group::new("g1").user_id("u1").into(), json!({"type": "group", "group_id": "g1"})),
        (Alias::new("old", "new").into(), json!({"type": "alias", "previous_id": "old", "user_id": "new"})),
    ];
    for (event, expected) in table {
        let row = row(&plain, event);
        expected.as_object().unwrap().iter().for_each(|(column, value)| assert_eq!(row[column], *value, "{row}"));
    }
    // The category of a view has no column, so it is a property, as analytics-node has it. Numbers stay as they were.
    let exact = 9_007_199_254_740_993_u64;
    for (kind, properties, expected) in [
        ("page", json!({"n": exact}), json!({"n": exact, "category": "Help \"é\""})),
        ("screen", json!({}), json!({"category": "Help \"é\""})),
        ("page", json!({"category": "own"}), json!({"category": "own"})),
        ("page", json!({"category": null}), json!({"category": null})),
        ("track", json!({"n": 1}), json!({"n": 1})),
    ] {
        let event = json!({
            "type": kind, "event": "A", "name": "Docs", "category": "Help \"é\"", "userId": "u1", "properties": properties,
        });
        let row_of = |clickhouse: &ClickHouse| row(clickhouse, Event::try_from(event.clone()).unwrap());
        assert_eq!(row_of(&plain)["properties"], expected, "{event}");
        let text = row_of(&plain.clone().sections(Sections::Text));
        let read: Value = serde_json::from_str(text["properties"].as_str().unwrap()).unwrap();
        assert_eq!(read, expected, "{event}");
        assert!(text.get("category").is_none(), "{text}");
    }
    // What has no column is not stored.
    let event = json!({
        "type": "track", "event": "A", "userId": "u1", "channel": "server", "own": 1, "integrations": {"A": {}},
    });
    let row_of_it = row(&plain, Event::try_from(event).unwrap());
    let columns: Vec<_> = row_of_it.as_object().unwrap().keys().collect();
    assert_eq!(columns, ["context", "event", "properties", "sent_at", "traits", "type", "user_id"]);
    let hooked = plain.map_event(|event, row| row["who"] = event.user_id().unwrap_or_default().into());
    assert_eq!(row(&hooked, Track::new("A").user_id("u1"))["who"], "u1");
}

#[test]
fn the_statement_of_the_table_quotes_its_names() {
    let statement = ClickHouse::new("https://clickhouse.example", "ev`ents").database("my db").create_table();
    assert!(statement.starts_with("CREATE TABLE IF NOT EXISTS `my db`.`ev\\`ents` ("), "{statement}");
    assert!(statement.contains("properties JSON") && statement.contains("message_id)"), "{statement}");
    let text = ClickHouse::new("https://clickhouse.example", "e").sections(Sections::Text).create_table();
    assert!(text.contains("properties String"), "{text}");
}

/// ClickHouse puts the names in for `{db:Identifier}`, so they need no quotes in the query. What is shown has them.
#[test]
fn names_of_any_letters_are_sent_as_they_are_and_shown_in_quotes() {
    let table = [
        ("events", "events", "`events`"),
        ("my events", "my+events", "`my events`"),
        ("a; DROP TABLE b", "a%3B+DROP+TABLE+b", "`a; DROP TABLE b`"),
        ("a`b", "a%60b", "`a\\`b`"),
        ("a\\b", "a%5Cb", "`a\\\\b`"),
        ("a&b=c#d", "a%26b%3Dc%23d", "`a&b=c#d`"),
    ];
    for (name, sent, shown) in table {
        let server = Server::start([]).unwrap();
        let clickhouse = ClickHouse::new(&server.url("/"), name).database(name);
        let explanation = clickhouse.explain(Track::new("A").user_id("u1"), UNIX_EPOCH).unwrap();
        let statement = format!("INSERT INTO {shown}.{shown} FORMAT JSONEachRow");
        assert_eq!(explanation.requests[0].statement.as_deref(), Some(&*statement), "{name}");
        assert!(explanation.to_string().contains(&format!("\n\n{statement}\n{{\"")), "{explanation}");
        let analytics = client(clickhouse.build().unwrap(), 1);
        send(&analytics, 1).into_iter().for_each(|receipt| assert!(receipt.wait().is_delivered()));
        let path = &server.requests()[0].path;
        assert!(path.contains(&format!("&param_db={sent}&param_table={sent}&")), "{path}");
    }
}

/// The server's words are shown, but for what is secret in the URL and the credentials. The user's name is no secret:
/// it is `default` as often as the name of the database.
#[test]
fn errors_have_the_words_of_the_server_without_passwords() {
    let told = |clickhouse: ClickHouse, server: &Server| {
        server.otherwise(Reply::new(400).body(
            "Code: 53. DB::Exception: default.events, got p, Basic ZGVmYXVsdDpw, at /hunter2 with key=hunter3: example",
        ));
        ends(send(&client(clickhouse.build().unwrap(), 1), 1)).remove(0).1
    };
    let server = Server::start([]).unwrap();
    let given = ClickHouse::new(&server.url("/hunter2?key=hunter3"), "events").credentials("default", "p");
    let in_url = server.url("/hunter2?key=hunter3").replace("http://", "http://default:p@");
    for clickhouse in [given, ClickHouse::new(&in_url, "events")] {
        let told = told(clickhouse, &server);
        let expected = "Code: 53. DB::Exception: default.events, got …, Basic …, at … with …: example";
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn a_batch_is_one_insert_with_a_token_of_its_ids() {
    let server = Server::start([]).unwrap();
    let analytics = client(at(&server).database("d b").build().unwrap(), 2);
    send(&analytics, 2).into_iter().for_each(|receipt| assert!(receipt.wait().is_delivered()));
    let [request] = <[Request; 1]>::try_from(server.requests()).unwrap();
    assert_eq!(request.header("authorization"), "Basic d3JpdGVyOmh1bnRlcjI=");
    assert_eq!((request.header("content-encoding"), request.header("content-type")), ("gzip", "application/x-ndjson"));
    assert_eq!(ids(&request), ["m0", "m1"]);
    for part in [
        "query=INSERT+INTO+%7Bdb%3AIdentifier%7D.%7Btable%3AIdentifier%7D+FORMAT+JSONEachRow",
        "param_db=d+b&param_table=events",
        "date_time_input_format=best_effort&input_format_skip_unknown_fields=1",
        "insert_deduplication_token=",
    ] {
        assert!(request.path.contains(part), "{part} in {}", request.path);
    }
    assert!(!request.path.contains("async_insert"));
}

#[test]
fn an_insert_that_the_server_collects_is_waited_for_and_has_no_token() {
    let server = Server::start([]).unwrap();
    let analytics = client(at(&server).async_insert(true).build().unwrap(), 1);
    send(&analytics, 1).into_iter().for_each(|receipt| assert!(receipt.wait().is_delivered()));
    let path = &server.requests()[0].path;
    assert!(path.contains("async_insert=1&wait_for_async_insert=1") && !path.contains("token"), "{path}");
}

#[test]
fn a_second_attempt_has_the_same_token_and_rows() {
    let second = Duration::from_secs(1);
    let exception = |code: u32| Reply::new(500).body(format!("Code: {code}. DB::Exception: …"));
    for (what, first, wait) in [
        ("too many parts", exception(252), second),
        ("no such table", Reply::new(404).header("x-clickhouse-exception-code", "60"), second),
        ("503", Reply::new(503).header("retry-after", "5"), 5 * second),
        ("a reset", Reply::reset(), second),
    ] {
        let server = Server::start([first]).unwrap();
        let clock = ManualClock::new();
        let retry = RetryPolicy::new().schedule(|_| Duration::from_secs(1));
        let destination = at(&server).build().unwrap().batching(Batching::every(2, HOUR)).retry(retry);
        let analytics = Analytics::builder().clock(clock.clone()).plugin(destination).build().unwrap();
        let receipts = send(&analytics, 2);
        assert_eq!(server.wait_for_requests(1, SOON).len(), 1, "{what}");
        assert!(clock.wait_for_sleeper(wait..=wait), "{what}: {:?}", clock.next_wake());
        clock.advance(wait);
        let [one, two] = <[Request; 2]>::try_from(server.wait_for_requests(2, SOON)).unwrap();
        assert_eq!((&one.path, ids(&one)), (&two.path, ids(&two)), "{what}");
        receipts.into_iter().for_each(|receipt| assert!(receipt.wait().is_delivered(), "{what}"));
    }
}

#[test]
fn a_row_that_cannot_be_read_costs_itself() {
    let text = "Code: 117. DB::Exception: Cannot parse hunter2 (at row 2): (INCORRECT_DATA)";
    let server = Server::start([Reply::new(400).header("x-clickhouse-exception-code", "117").body(text)]).unwrap();
    let analytics = client(at(&server).build().unwrap(), 3);
    let ends = ends(send(&analytics, 3));
    assert_eq!(ends[1].0, Outcome::Dropped(DropReason::Rejected));
    assert!(ends[1].1.contains("event m1: ") && ends[1].1.contains("INCORRECT_DATA"), "{}", ends[1].1);
    assert!(!ends[1].1.contains("hunter2"), "{}", ends[1].1);
    assert!(ends[0].0.is_delivered() && ends[2].0.is_delivered());
    let requests = server.requests();
    assert_eq!(ids(&requests[1]), ["m0", "m2"], "nothing had been stored");
    assert_ne!(requests[0].path, requests[1].path, "other rows have another token");
}

#[test]
fn the_code_decides_and_not_the_status() {
    let table = [
        (500, "Code: 516. DB::Exception: Authentication failed", DropReason::Unauthorized),
        (403, "Code: 497. DB::Exception: Not enough privileges", DropReason::Unauthorized),
        (500, "Code: 53. DB::Exception: Type mismatch", DropReason::Rejected),
        (400, "Code: 241. DB::Exception: Memory limit exceeded", DropReason::RetriesExhausted),
        // An exception behind the head of a success.
        (200, "Code: 319. DB::Exception: Unknown status of insert", DropReason::RetriesExhausted),
        (413, "", DropReason::TooLarge),
        (401, "", DropReason::Unauthorized),
    ];
    for (status, body, reason) in table {
        let server = Server::start([]).unwrap();
        server.otherwise(Reply::new(status).body(body));
        let analytics = client(at(&server).build().unwrap(), 1);
        assert_eq!(ends(send(&analytics, 1))[0].0, Outcome::Dropped(reason), "{status} {body}");
    }
}

#[test]
fn settings_that_cannot_be_used_are_named_without_the_password() {
    let url = "https://user:hunter2@clickhouse.example";
    let table = [
        (ClickHouse::new(url, ""), "table", "is empty"),
        (ClickHouse::new(url, "e").database(" "), "database", "is empty"),
        (ClickHouse::new(url, "db.events"), "table", "write \"events\", and the database as database(\"db\")"),
        (ClickHouse::new(url, "a.b.c"), "table", "database(\"a\")"),
        (ClickHouse::new(url, "`events`"), "table", "has quotes around it"),
        (ClickHouse::new(url, "events").database("\"db\""), "database", "has quotes around it"),
        (ClickHouse::new(url, "events\n"), "table", "has white space around it"),
        (ClickHouse::new(url, "e").name(""), "name", "is empty"),
        (ClickHouse::new(url, "e").timeout(Duration::ZERO), "timeout", "is zero"),
        (ClickHouse::new("http://user:hunter2@clickhouse.example", "e"), "url", "use https, or allow_plaintext"),
        (ClickHouse::new(url, "e").credentials("a:b", "hunter2"), "user", "has a colon"),
    ];
    for (clickhouse, setting, problem) in table {
        let shown = format!("{clickhouse:?}");
        let error = clickhouse.build().unwrap_err();
        assert_eq!(error.setting, setting, "{error}");
        assert!(error.to_string().contains(problem), "{error}");
        assert!(!error.to_string().contains("hunter2") && !shown.contains("hunter2"), "{error} {shown}");
    }
}

#[test]
fn a_configuration_file_sets_the_same_and_refuses_what_it_does_not_know() {
    let all = r#"{
        "url": "https://clickhouse.example:8443", "table": "events", "name": "Warehouse", "database": "product",
        "user": "writer", "password": "hunter2", "allow_plaintext": false, "sections": "text", "async_insert": true,
        "gzip": false, "timeout_seconds": 60, "dry_run": true
    }"#;
    let settings: ClickHouseSettings = serde_json::from_str(all).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
    let clickhouse = ClickHouse::from(settings);
    assert!(clickhouse.create_table().contains("`product`.`events`"));
    let shown = clickhouse.explain(Track::new("A").user_id("u1"), SystemTime::now()).unwrap().to_string();
    assert!(
        shown.starts_with("POST https://clickhouse.example:8443/\n") && shown.contains("authorization: …"),
        "{shown}"
    );
    assert_eq!(clickhouse.build().unwrap().name(), "Warehouse");
    for wrong in [r#"{"url": "https://c", "table": "e", "tables": "e"}"#, r#"{"url": "https://c"}"#] {
        assert!(serde_json::from_str::<ClickHouseSettings>(wrong).is_err(), "{wrong}");
    }
    let off = ClickHouse::new("https://c", "e").explain(Track::new("A").integration("ClickHouse", false), UNIX_EPOCH);
    assert!(off.unwrap().why_not.unwrap().contains("switch \"ClickHouse\" off"));
}

#[test]
fn a_dry_run_inserts_nothing() {
    let server = Server::start([]).unwrap();
    let analytics = client(at(&server).dry_run(true).build().unwrap(), 1);
    assert!(ends(send(&analytics, 1))[0].0.is_delivered());
    assert_eq!(server.requests().len(), 0);
}
