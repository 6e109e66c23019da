//! `dev` as a program: ports, `--exec`, `--record`, `--forward`, signals.

use std::net::TcpListener;
use std::process::Stdio;

use tracklane::testing::TrackingApi;

use crate::support::{Dev, Folder, SOON, run, stderr, stdout, tracklane, wait};

#[test]
fn a_port_that_is_taken_is_one_clear_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let refused = run(&["dev", "--port", &port]);
    assert_eq!(refused.status.code(), Some(3));
    let said = stderr(&refused);
    assert!(said.lines().count() == 1 && said.contains(&port) && said.contains("--port"), "{said}");
    // An address for documents, which no machine has.
    let elsewhere = run(&["dev", "--listen", "203.0.113.7", "--token", "T"]);
    assert_eq!(elsewhere.status.code(), Some(3));
    let said = stderr(&elsewhere);
    assert!(said.lines().count() == 1 && said.contains("203.0.113.7") && said.contains("--listen"), "{said}");
}

#[test]
fn a_program_runs_beside_it_and_gives_its_code() {
    let script = r#"test -n "$TRACKLANE_HOST" && test "$TRACKLANE_WRITE_KEY" = K && "$0" send track --event "From Exec" --user-id 1 && "$0" expect --event "From Exec" && exit 7"#;
    let binary = env!("CARGO_BIN_EXE_tracklane");
    let ended = run(&["dev", "--port", "0", "--write-key", "K", "--exec", "--", "sh", "-c", script, binary]);
    assert_eq!(ended.status.code(), Some(7), "{} {}", stdout(&ended), stderr(&ended));
    assert!(stdout(&ended).contains("met, by 1"), "{}", stdout(&ended));
    let killed = run(&["dev", "--port", "0", "--exec", "--", "sh", "-c", "kill -TERM $$"]);
    assert_eq!(killed.status.code(), Some(128 + 15), "as a shell says it: {}", stderr(&killed));
    let missing = run(&["dev", "--port", "0", "--exec", "--", "no-such-program-here"]);
    assert!(missing.status.code() == Some(3) && stderr(&missing).contains("no-such-program-here"));
}

#[test]
fn a_recording_can_be_replayed_and_checked() {
    let folder = Folder::new("record");
    let file = folder.path("events.jsonl");
    let dev = Dev::start(&["--record", &file]);
    dev.post("/v1/page", "{\"userId\":\"u\",\n\"messageId\":\"m-1\"}");
    dev.post("/v1/batch", r#"{"batch":[{"type":"track","event":"E","userId":"u","messageId":"m-2"}]}"#);
    dev.post("/v1/group", "{ }");
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.starts_with(r#"{"type":"page","userId":"u", "messageId":"m-1"}"#), "{text}");
    assert!(text.ends_with("{\"type\":\"group\" }\n"), "{text}");
    let other = Dev::start(&[]);
    let replayed = run(&["replay", &file, "--host", &other.url, "--rate", "0", "-q", "id:m-*"]);
    assert_eq!(replayed.status.code(), Some(0), "{} {}", stdout(&replayed), stderr(&replayed));
    assert!(stdout(&replayed).contains("2 delivered"), "{}", stdout(&replayed));
    assert_eq!(other.get("events?q=id:m-*")["matched"], 2);
}

#[test]
fn events_are_sent_on_whole() {
    let segment = TrackingApi::start().unwrap();
    let dev = Dev::start(&["--forward", "REAL", "--forward-host", &segment.url()]);
    dev.post("/v1/track", r#"{"event":"E","userId":"u","messageId":"m-1","writeKey":"LOCAL"}"#);
    dev.post(
        "/v1/batch",
        r#"{"context":{"app":{"name":"shop"}},"batch":[{"type":"page","userId":"u","messageId":"m-2"}]}"#,
    );
    // SIGTERM: what is under way is delivered before the end.
    assert!(std::process::Command::new("kill").arg(dev.id().to_string()).status().unwrap().success());
    let mut events = segment.wait_for_events(2, SOON);
    events.sort_by_key(|event| event["messageId"].to_string());
    assert_eq!(events[0]["type"], "track");
    assert_eq!(events[1]["context"], serde_json::json!({"app": {"name": "shop"}}), "and no library of the tool");
    assert!(!segment.requests()[0].body().windows(5).any(|part| part == b"LOCAL"), "the local key stays here");
}

/// Somebody looks at the other end: nothing waits there for a full batch. The text is the one that was sent.
#[test]
fn an_event_is_sent_on_soon_and_with_all_of_its_digits() {
    let other = Dev::start(&[]);
    let dev = Dev::start(&["--forward", "REAL", "--forward-host", &other.url]);
    let began = std::time::Instant::now();
    dev.track("E", r#""properties":{"n":0.12345678901234568,"m":18446744073709551615}"#);
    wait("the event", || other.received() == 1);
    assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
    let raw = other.send("GET /__tracklane/events/1/raw", "", "");
    assert!(raw.contains(r#"{"n":0.12345678901234568,"m":18446744073709551615}"#), "{raw}");
}

#[test]
fn ctrl_c_ends_it_with_130() {
    let mut child = tracklane().args(["dev", "--port", "0", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut ready = [0; 10];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn the_mock_of_segment_is_answered_where_it_is_asked_for() {
    let dev = Dev::start(&["--mock-compat"]);
    dev.track("E", "");
    let messages = || dev.send("GET /messages", "", "");
    assert!(messages().contains(r#"[{"event":"E","userId":"u"}]"#));
    assert!(messages().ends_with("[]"), "they were read");
    assert!(dev.send("GET /health", "", "").starts_with("HTTP/1.1 200"));
    assert!(Dev::start(&[]).send("GET /messages", "", "").starts_with("HTTP/1.1 404"));
}

#[test]
fn it_tells_every_sdk_where_to_send() {
    let dev = Dev::start(&["--write-key", "KEY_7"]);
    let snippets = dev.get("connect")["snippets"].as_array().unwrap().clone();
    assert!(snippets.len() >= 6, "{snippets:?}");
    for snippet in snippets {
        let code = snippet["code"].as_str().unwrap();
        assert!(code.contains("KEY_7") && code.contains(dev.address()), "{code}");
    }
    let info = dev.get("info");
    assert_eq!((info["schema"].as_u64(), info["keys"][0].as_str()), (Some(1), Some("KEY_7")));
    assert_eq!(dev.send("GET /__tracklane/readyz", "", "").split("\r\n\r\n").nth(1), Some("ok"));
}

#[test]
fn tail_follows_and_ends_where_it_is_told_to() {
    let dev = Dev::start(&[]);
    dev.track("Old", "");
    let mut tail = tracklane();
    tail.args(["tail", "--url", &dev.url, "-q", "-name:Ping", "--until", "name:Done", "--json", "--within", "20s"]);
    let tail = tail.stdout(Stdio::piped()).spawn().unwrap();
    // The filter asks for a stream: a second connection is there once the tail follows.
    for name in ["Ping", "New", "Done"] {
        dev.track(name, "");
    }
    let ended = tail.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    let names: Vec<String> = stdout(&ended)
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["event"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["Old", "New", "Done"]);
    let shown = run(&["tail", "--url", &dev.url, "--no-follow", "-n", "2"]);
    assert!(stdout(&shown).lines().count() == 2 && stdout(&shown).contains("Done"), "{}", stdout(&shown));
    for (until, code) in [("name:New", 0), ("name:Nothing", 1)] {
        let ended = run(&["tail", "--url", &dev.url, "--no-follow", "--until", until]);
        assert_eq!(ended.status.code(), Some(code), "{until}: {}", stdout(&ended));
    }
    let patient = run(&["tail", "--url", &dev.url, "--within", "50ms"]);
    assert_eq!(patient.status.code(), Some(4));
    wait("the server", || dev.received() == 4);
}
