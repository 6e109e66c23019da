//! What is in the table after events were sent.

use std::time::Duration;

use serde_json::{Value, json};
use tracklane::plugin::{Batching, Destination, RetryPolicy};
use tracklane::{Alias, Analytics, Event, Group, Identify, Page, Settlement, Track};
use tracklane_postgres::Postgres;

use crate::server::Server;

pub(crate) const SOON: Duration = Duration::from_secs(30);

/// The destination for a table, in large batches.
pub(crate) fn postgres(server: &Server, table: &str) -> Postgres {
    Postgres::new(server.url()).table(table).batching(Batching::every(1_000, Duration::from_millis(100)))
}

/// A client that tries again at once, thrice.
pub(crate) fn client(destination: Destination) -> Analytics {
    let retry = RetryPolicy::new().max_retries(3).backoff(Duration::from_millis(20), Duration::from_millis(20));
    Analytics::builder().plugin(destination.retry(retry)).build().unwrap()
}

/// Sends the events as one batch. Their ends, in their order.
pub(crate) fn send(postgres: Postgres, events: impl IntoIterator<Item = Event>) -> Vec<Settlement> {
    let analytics = client(postgres.build().unwrap());
    let receipts: Vec<_> = events.into_iter().map(|event| analytics.send_with_receipt(event).unwrap()).collect();
    analytics.close_blocking(SOON);
    receipts.into_iter().map(|receipt| receipt.wait()).collect()
}

pub(crate) fn event(id: &str) -> Event {
    Track::new("Ping").user_id("u1").message_id(id).into()
}

#[test]
fn each_call_becomes_a_row_of_typed_columns_and_json() {
    let Some(server) = Server::shared() else { return };
    let context = json!({ "ip": "203.0.113.7", "traits": { "plan": "pro" } });
    let events: [Event; 5] = [
        Track::new("Item Purchased")
            .user_id("u1")
            .anonymous_id("a1")
            .message_id("m1")
            .timestamp("2026-01-02T03:04:05.678Z")
            .properties(json!({ "revenue": 39.95, "big": 12345678901234567890_u64, "name": "Zoë \"Z\"", "no": null }))
            .context(context)
            .into(),
        Identify::new().user_id("u1").message_id("m2").traits(json!({ "email": "ann@example.com" })).into(),
        Group::new("g1").user_id("u1").message_id("m3").traits(json!({ "plan": "pro" })).into(),
        Page::new("Home").user_id("u1").message_id("m4").category("Docs").into(),
        Alias::new("old", "new").message_id("m5").into(),
    ];
    let ends = send(postgres(&server, "calls"), events);
    assert!(ends.iter().all(Settlement::is_delivered), "{ends:?}");
    let rows = server.query(
        "SELECT message_id, type, event, category, user_id, anonymous_id, group_id, previous_id FROM calls ORDER BY 1",
    );
    let rows: Vec<Vec<&str>> =
        rows.iter().map(|row| row.iter().map(|value| value.as_deref().unwrap_or("-")).collect()).collect();
    let expected = [
        ["m1", "track", "Item Purchased", "-", "u1", "a1", "-", "-"],
        ["m2", "identify", "-", "-", "u1", "-", "-", "-"],
        ["m3", "group", "-", "-", "u1", "-", "g1", "-"],
        ["m4", "page", "Home", "Docs", "u1", "-", "-", "-"],
        ["m5", "alias", "-", "-", "new", "-", "-", "old"],
    ];
    assert_eq!(rows, expected);
    let at =
        "SELECT to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS') FROM calls WHERE message_id='m1'";
    assert_eq!(server.value(at), "2026-01-02 03:04:05.678");
    assert_eq!(server.value("SELECT sum((properties->>'revenue')::numeric) FROM calls"), "39.95");
    assert_eq!(server.value("SELECT properties->>'big' FROM calls WHERE message_id='m1'"), "12345678901234567890");
    assert_eq!(server.value("SELECT properties->>'name' FROM calls WHERE message_id='m1'"), "Zoë \"Z\"");
    assert_eq!(server.value("SELECT context->>'ip' FROM calls WHERE message_id='m1'"), "203.0.113.7");
    assert_eq!(server.value("SELECT traits->>'email' FROM calls WHERE message_id='m2'"), "ann@example.com");
    assert_eq!(server.value("SELECT count(*) FROM calls WHERE received_at > now() - interval '1 hour'"), "5");
}

#[test]
fn what_comes_twice_is_there_once_and_delivered() {
    let Some(server) = Server::shared() else { return };
    let first = Track::new("Ping").user_id("u1").message_id("same").property("version", 1).into();
    let again = Track::new("Ping").user_id("u1").message_id("same").property("version", 2).into();
    assert!(
        send(postgres(&server, "twice"), [first, event("other"), event("other")]).iter().all(|end| end.is_delivered())
    );
    assert!(send(postgres(&server, "twice"), [again]).iter().all(|end| end.is_delivered()));
    assert_eq!(server.value("SELECT count(*) FROM twice"), "2");
    assert_eq!(
        server.value("SELECT properties->>'version' FROM twice WHERE message_id='same'"),
        "1",
        "the first stays"
    );
}

#[test]
fn a_table_of_ones_own_with_other_types_and_columns_is_filled() {
    let Some(server) = Server::shared() else { return };
    server.query(
        "CREATE SCHEMA product; CREATE TABLE product.\"Events\" (id bigserial, message_id varchar(60) UNIQUE, user_id bigint, \
         properties json, plan char(3), source text DEFAULT 'tracklane', twice bigint GENERATED ALWAYS AS (user_id * 2) STORED)",
    );
    let warehouse = postgres(&server, "product.Events").create_table(false).map_event(|event, row| {
        if let Some(plan) = event.properties().and_then(|properties| properties.get_str("plan")) {
            row.set("plan", plan);
        }
        row.set("message_id", "changed");
        row.set("no_such_column", "x");
    });
    let events = [
        Event::from(Track::new("A").user_id("41").message_id("m1").property("plan", "pro")),
        Event::from(Track::new("B").user_id("7").message_id("m2")),
    ];
    assert!(send(warehouse, events).iter().all(Settlement::is_delivered));
    let rows =
        server.query("SELECT message_id, user_id, twice, plan, source, properties FROM product.\"Events\" ORDER BY 1");
    let row = |values: [Option<&str>; 6]| values.map(|value| value.map(str::to_owned)).to_vec();
    let properties = Some(r#"{"plan":"pro"}"#);
    assert_eq!(rows[0], row([Some("m1"), Some("41"), Some("82"), Some("pro"), Some("tracklane"), properties]));
    assert_eq!(rows[1][..5], row([Some("m2"), Some("7"), Some("14"), None, Some("tracklane"), None])[..5]);
}

#[test]
fn two_clients_that_create_the_table_at_once_both_store() {
    let Some(server) = Server::shared() else { return };
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let warehouse = postgres(&server, "raced");
            std::thread::spawn(move || send(warehouse, [event(&format!("m{number}"))]))
        })
        .collect();
    for thread in threads {
        let ends = thread.join().unwrap();
        assert!(ends.iter().all(Settlement::is_delivered), "{ends:?}");
    }
    assert_eq!(server.value("SELECT count(*) FROM raced"), "4");
}

#[test]
fn an_explained_row_is_the_one_that_is_stored() {
    let Some(server) = Server::shared() else { return };
    let warehouse = postgres(&server, "explained");
    let purchase = Event::from(Track::new("Ping").user_id("u1").message_id("m1").property("revenue", 39.95));
    let row = warehouse.explain(purchase.clone()).unwrap().row.unwrap();
    send(warehouse, [purchase]);
    for column in ["message_id", "type", "event", "user_id"] {
        assert_eq!(row.get(column).unwrap(), server.value(&format!("SELECT {column} FROM explained")), "{column}");
    }
    let stored: Value = serde_json::from_str(&server.value("SELECT properties FROM explained")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(row.get("properties").unwrap()).unwrap(), stored);
}
