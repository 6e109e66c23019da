//! Settings that are taken and settings that are not.

use std::error::Error;
use std::time::Duration;

use tracklane::{Analytics, Track};
use tracklane_postgres::{Mapped, Postgres, PostgresSettings};

const URL: &str = "postgres://user:hunter2@localhost/analytics";

#[test]
fn settings_that_cannot_be_used_are_named_without_secrets() {
    let here = || Postgres::new(URL);
    let tls = || Postgres::new(format!("{URL}?sslmode=require"));
    let table = [
        (Postgres::new(""), "url", "is empty"),
        (Postgres::new("hunter2"), "url", "is no connection string"),
        (Postgres::new("https://user:hunter2@db.example"), "url", "is no connection string"),
        (Postgres::new("postgres://user:hunter2@db.example/a?sslmode=disable"), "url", "set allow_plaintext"),
        (Postgres::new(format!("{URL}?sslmod=require")), "url", "has the option \"sslmod\", which is not known"),
        (here().table("a b"), "table", "\"a b\" has other letters"),
        (here().name(""), "name", "is empty"),
        (here().timeout(Duration::ZERO), "timeout", "is zero"),
        (here().root_certificate("ca.pem"), "root_certificate", "the connection is without TLS"),
        (tls().root_certificate("/nowhere/ca.pem"), "root_certificate", "/nowhere/ca.pem: "),
        (tls().root_certificate("Cargo.toml"), "root_certificate", "Cargo.toml: has no certificate"),
    ];
    for (postgres, setting, problem) in table {
        let shown = format!("{postgres:?}");
        let error = postgres.build().unwrap_err();
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        let told = format!("{error} {error:?} {cause} {shown}");
        assert!(told.starts_with(&format!("setting {setting}: ")) && told.contains(problem), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn settings_are_read_from_data_and_an_unknown_member_is_an_error() {
    let text = format!(
        r#"{{ "url": "{URL}", "name": "Warehouse", "table": "product.events", "create_table": false, "timeout_seconds": 5,
            "allow_plaintext": true, "dry_run": true, "batch": {{ "events": 10, "interval_seconds": 5 }} }}"#
    );
    let settings: PostgresSettings = serde_json::from_str(&text).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
    let postgres = Postgres::from(settings);
    let shown = format!("{postgres:?}");
    assert!(shown.contains("localhost/analytics") && shown.contains("create_table: false"), "{shown}");
    assert!(postgres.ddl().unwrap().starts_with("CREATE TABLE IF NOT EXISTS \"product\".\"events\" ("));
    let row = postgres.map(&Track::new("A").user_id("u1").into()).unwrap();
    assert!(matches!(row, Mapped::Items(rows) if rows[0].get("user_id") == Some("u1")));
    assert_eq!(postgres.build().unwrap().name(), "Warehouse");
    for unknown in [text.replace("\"table\"", "\"tables\""), text.replace("\"events\"", "\"event\"")] {
        assert!(serde_json::from_str::<PostgresSettings>(&unknown).is_err(), "{unknown}");
    }
    assert!(serde_json::from_str::<PostgresSettings>("{}").is_err(), "a database without a URL");
    let empty = serde_json::from_str::<PostgresSettings>(&text.replace("\"events\": 10", "\"events\": 0")).unwrap_err();
    assert!(empty.to_string().starts_with("events is 0: use at least 1"), "{empty}");
}

#[test]
fn an_explanation_shows_the_row_or_says_why_there_is_none() {
    let warehouse = Postgres::new(URL).table("product.events").map_event(|_, row| row.set("plan", "pro"));
    let shown = warehouse.explain(Track::new("Signed Up").user_id("u1").message_id("m1")).unwrap();
    let expected = "INSERT INTO \"product\".\"events\" … ON CONFLICT (\"message_id\") DO NOTHING\n\nevent: Signed Up\n\
                    message_id: m1\nplan: pro\ntype: track\nuser_id: u1\n";
    assert_eq!((shown.to_string().as_str(), shown.why_not), (expected, None));
    let off = warehouse.explain(Track::new("A").user_id("u1").integration("PostgreSQL", false)).unwrap();
    assert_eq!(off.to_string(), "not stored: its integrations switch \"PostgreSQL\" off\n");
    assert!(off.row.is_none());
    let table = [
        (Postgres::new(URL).table("a b"), "setting table: "),
        (Postgres::new(URL).name(""), "setting name: "),
        (Postgres::new(URL).timeout(Duration::ZERO), "setting timeout: "),
    ];
    for (postgres, setting) in table {
        let error = postgres.explain(Track::new("A").user_id("u1")).unwrap_err();
        assert!(error.to_string().starts_with(setting), "{error}");
    }
}

#[test]
fn a_dry_run_stores_nothing_and_needs_no_database() {
    // Nothing listens on port 1.
    let warehouse = Postgres::new("postgres://user:hunter2@127.0.0.1:1/analytics").dry_run(true);
    let analytics = Analytics::builder().plugin(warehouse.build().unwrap()).build().unwrap();
    let end = analytics.send_with_receipt(Track::new("A").user_id("u1")).unwrap().wait();
    assert!(end.is_delivered(), "{end:?}");
    assert!(analytics.close_blocking(Duration::from_secs(20)).is_complete());
}
