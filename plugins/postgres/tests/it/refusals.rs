//! Rows that the database refuses, and tables that change: nothing but the row to blame is lost.

use std::error::Error;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracklane::emitter::signal;
use tracklane::{DropReason, Event, Outcome, Settlement, Track};

use crate::server::Server;
use crate::storing::{SOON, client, event, postgres, send};

fn ids(server: &Server, table: &str) -> Vec<String> {
    let rows = server.query(&format!("SELECT message_id FROM {table} ORDER BY message_id"));
    rows.into_iter().map(|mut row| row.remove(0).unwrap()).collect()
}

/// The last words of the destination on an event.
pub(crate) fn told(end: &Settlement) -> String {
    let error = end.destinations[0].error.clone().expect("an error");
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}

#[test]
fn of_a_batch_with_rows_that_are_refused_all_others_are_stored() {
    let Some(server) = Server::shared() else { return };
    server.query(
        "CREATE TABLE refusing (message_id varchar(40) PRIMARY KEY, event text CHECK (event <> 'Forbidden'), user_id bigint, \
         properties jsonb); CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF NEW.event = 'Raised' THEN RAISE EXCEPTION 'not here'; END IF; RETURN NEW; END $$; \
         CREATE TRIGGER refuse BEFORE INSERT ON refusing FOR EACH ROW EXECUTE FUNCTION refuse()",
    );
    let track = |id: &str, name: &str, user: &str| Track::new(name).user_id(user).message_id(id);
    let long = "x".repeat(41);
    let bad: [(Event, &str, &str); 6] = [
        (
            track("b1", "A", "ann@example.com").into(),
            "b1",
            "invalid input syntax for type bigint: \"…\" (SQLSTATE 22P02)",
        ),
        (
            track("b2", "Forbidden", "1").into(),
            "b2",
            "violates check constraint \"refusing_event_check\" (SQLSTATE 23514)",
        ),
        (
            track("b3", "A", "1").property("text", "a\0b").into(),
            "b3",
            "unsupported Unicode escape sequence (SQLSTATE 22P05)",
        ),
        (track(&long, "A", "1").into(), &long, "value too long for type character varying(40) (SQLSTATE 22001)"),
        (track("b5", "Raised", "1").into(), "b5", "not here (SQLSTATE P0001)"),
        (track("b6", "a\0b", "1").into(), "b6", "invalid byte sequence for encoding \"…\""),
    ];
    let mut events: Vec<Event> = (0..50).map(|number| track(&format!("g{number:02}"), "A", "1").into()).collect();
    for (at, (event, _, _)) in bad.iter().enumerate() {
        events.insert(at * 9, event.clone());
    }
    let ends = send(postgres(&server, "refusing"), events);
    for end in &ends {
        match bad.iter().find(|(_, id, _)| *id == end.message_id) {
            Some((_, id, words)) => {
                assert_eq!(end.outcome, Outcome::Dropped(DropReason::Rejected), "{end:?}");
                let told = told(end);
                assert!(told.contains(&format!("refuses the event {id:?}")) && told.contains(words), "{told}");
                assert!(!told.contains("ann@"), "{told}");
            }
            None => assert!(end.is_delivered(), "{end:?}"),
        }
    }
    let expected: Vec<String> = (0..50).map(|number| format!("g{number:02}")).collect();
    assert_eq!(ids(&server, "refusing"), expected);
}

#[test]
fn a_table_that_changes_while_events_come_costs_what_does_not_fit() {
    let Some(server) = Server::shared() else { return };
    let errors = Arc::new(Mutex::new(Vec::new()));
    let analytics = client(postgres(&server, "changing").build().unwrap());
    let seen = errors.clone();
    let _subscription = analytics.on(signal::Error, move |failure| seen.lock().unwrap().push(failure.message.clone()));
    let send = |id: &str, user: &str| {
        let event = Track::new("A").user_id(user).message_id(id).properties(json!({ "n": 1 }));
        let receipt = analytics.send_with_receipt(event).unwrap();
        analytics.flush_blocking(SOON);
        receipt.wait()
    };
    assert!(send("1", "7").is_delivered());
    server.query("ALTER TABLE changing ALTER COLUMN user_id TYPE integer USING user_id::integer");
    assert!(send("2", "8").is_delivered(), "it is read anew, and cast to the new type");
    assert_eq!(send("3", "ann").outcome, Outcome::Dropped(DropReason::Rejected), "which this value is not of");
    server.query("ALTER TABLE changing DROP COLUMN properties; ALTER TABLE changing ADD COLUMN more text DEFAULT 'x'");
    assert!(send("4", "9").is_delivered(), "what is gone is left out");
    server.query("ALTER TABLE changing RENAME TO changed");
    assert!(send("5", "9").is_delivered(), "the table is created again");
    assert_eq!(ids(&server, "changed"), ["1", "2", "4"]);
    assert_eq!(ids(&server, "changing"), ["5"]);
    assert_eq!(server.value("SELECT sum(user_id) FROM changed"), "24");
    analytics.close_blocking(SOON);
    let errors = errors.lock().unwrap();
    let missing: Vec<_> = errors.iter().filter(|message| message.contains("has no column properties:")).collect();
    assert_eq!(missing.len(), 1, "it is said once: {errors:?}");
}

#[test]
fn what_an_operator_must_do_is_said() {
    let Some(server) = Server::shared() else { return };
    server.query("CREATE TABLE keyless (message_id text, type text); CREATE TABLE idless (type text)");
    let rows = [
        (postgres(&server, "absent").create_table(false), "CREATE TABLE IF NOT EXISTS \"absent\""),
        (postgres(&server, "no_schema.events"), "schema \"no_schema\" does not exist (SQLSTATE 3F000)"),
        (postgres(&server, "keyless"), "make message_id the primary key of the table"),
        (postgres(&server, "idless"), "the table \"idless\" has no column message_id"),
    ];
    for (warehouse, expected) in rows {
        let ends = send(warehouse, [event("m1"), event("m2")]);
        assert_eq!(ends[0].outcome, Outcome::Dropped(DropReason::RetriesExhausted), "it may be mended: {ends:?}");
        assert!(told(&ends[0]).contains(expected), "{}", told(&ends[0]));
    }
    server.query("CREATE TABLE forbidden (message_id text PRIMARY KEY); CREATE ROLE guest LOGIN PASSWORD 'hunter2'");
    let url = server.url().replace("tracklane:", "guest:");
    let ends = send(tracklane_postgres::Postgres::new(url).table("forbidden"), [event("m1")]);
    assert!(told(&ends[0]).contains("grant INSERT and SELECT on the table"), "{}", told(&ends[0]));
}
