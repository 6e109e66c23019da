//! What the page asks.

use std::io::{BufRead, BufReader, Write};

use serde_json::{Value, json};

use crate::support::{Dev, content, status};

fn seqs(page: &Value) -> Vec<u64> {
    page["events"].as_array().unwrap().iter().map(|head| head["seq"].as_u64().unwrap()).collect()
}

#[test]
fn an_event_is_shown_as_it_was_sent_with_its_request() {
    let dev = Dev::start(&["--write-key", "K"]);
    let sent =
        r#"{"type":"track", "event":"Order Completed","userId":42,"messageId":"m-1","properties":{"total":"7"}}"#;
    let headers = "authorization: Basic Szo=\r\nuser-agent: test/1\r\nx-retry-count: 2\r\ncookie: a=b\r\n";
    let answer = dev.send("POST /v1/batch", headers, &format!(r#"{{"batch":[{sent}]}}"#));
    assert_eq!(status(&answer), 200);
    let one = dev.get("events/1");
    let head = &one["head"];
    assert_eq!(head["name"], "Order Completed");
    assert_eq!((&head["userId"], &head["key"], &head["bytes"]), (&json!("42"), &json!("K"), &json!(sent.len())));
    assert_eq!((&head["findings"], &head["level"], &head["path"]), (&json!(1), &json!("smell"), &Value::Null));
    assert!(head["at"].as_str().is_some_and(|at| at.len() == 24 && at.ends_with('Z')), "{head}");
    assert_eq!(one["event"]["properties"]["total"], "7");
    let finding = &one["findings"][0];
    assert_eq!((&finding["rule"], &finding["property"]), (&json!("number-as-text"), &json!("properties.total")));
    let request = &one["request"];
    assert_eq!(
        (&request["path"], &request["status"], &request["attempt"]),
        (&json!("/v1/batch"), &json!(200), &json!(2))
    );
    let shown = request["headers"].to_string();
    assert!(
        shown.contains("test/1") && shown.contains("Basic ***") && !shown.contains("Szo") && !shown.contains("a=b"),
        "{shown}"
    );
    assert_eq!((&one["older"], &one["newer"]), (&Value::Null, &Value::Null));
    let raw = dev.send("GET /__tracklane/events/1/raw", "", "");
    assert_eq!(content(&raw), sent);
    assert_eq!(dev.ask("GET", "events/2", "").0, 404);
    assert_eq!(dev.ask("GET", "events/x", "").0, 404);
}

#[test]
fn lists_are_windows_and_counts() {
    let dev = Dev::start(&[]);
    for number in 1..=5 {
        dev.track(if number % 2 == 0 { "Even" } else { "Odd" }, &format!(r#""properties":{{"n":{number}}}"#));
    }
    let all = dev.get("events");
    assert_eq!((seqs(&all), &all["matched"]), (vec![5, 4, 3, 2, 1], &json!(5)));
    assert_eq!(all["counters"]["received"], 5);
    assert_eq!(seqs(&dev.get("events?q=name:Even&limit=1")), [4]);
    assert_eq!(dev.get("events?q=name:Even&limit=1")["matched"], 2);
    assert_eq!(seqs(&dev.get("events?before=4&limit=2")), [3, 2]);
    assert_eq!(seqs(&dev.get("events?after=1&limit=2")), [3, 2]);
    assert_eq!(seqs(&dev.get("events?q=properties.n%3E3")), [5, 4]);
    let (status, wrong) = dev.ask("GET", "events?q=kind:track%20%22x", "");
    assert_eq!((status, &wrong["at"]), (400, &json!(12)), "{wrong}");
    for wrong in ["events?limit=x", "stream?rows=x", "findings?q=a&q=b"] {
        let (status, answer) = dev.ask("GET", wrong, "");
        assert!(status == 400 && answer["error"].is_string(), "{wrong}: {status} {answer}");
    }
}

#[test]
fn what_made_room_is_410_with_numbers_and_never_silence() {
    let dev = Dev::start(&["--keep", "20KB"]);
    for _ in 0..100 {
        dev.track("Filling", &format!(r#""properties":{{"x":"{}"}}"#, "x".repeat(400)));
    }
    let counters = dev.get("events")["counters"].clone();
    let number = |name: &str| counters[name].as_u64().unwrap();
    assert_eq!(number("received"), number("kept") + number("evicted"));
    assert!(number("evicted") > 0);
    for path in ["events?after=1", "events?before=2", "events/1"] {
        let (status, gone) = dev.ask("GET", path, "");
        assert_eq!(status, 410, "{path}");
        assert!(gone["evicted"].as_u64() > Some(0) && gone["oldest"].as_u64() > Some(1), "{gone}");
    }
}

/// Reads frames until one fulfils the condition.
fn frame_with(reader: &mut impl BufRead, condition: impl Fn(&Value) -> bool) -> Value {
    for line in reader.lines() {
        let line = line.unwrap();
        if let Some(data) = line.strip_prefix("data: ") {
            let frame: Value = serde_json::from_str(data).unwrap();
            if condition(&frame) {
                return frame;
            }
        }
    }
    panic!("the stream ended");
}

#[test]
fn the_stream_tells_of_new_events_and_of_changed_ones() {
    let dev = Dev::start(&[]);
    dev.track("Before", r#""messageId":"m""#);
    let mut stream = dev.connect();
    let request = format!("GET /__tracklane/stream?q=-name:Hidden&rows=2 HTTP/1.1\r\nhost: {}\r\n\r\n", dev.address());
    stream.write_all(request.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    let first = frame_with(&mut reader, |_| true);
    assert_eq!((seqs(&first), &first["matched"]), (vec![1], &json!(1)));
    dev.track("Hidden", "");
    dev.track("After", "");
    dev.track("Last", "");
    let frame = frame_with(&mut reader, |frame| frame["matched"] == 3);
    assert_eq!(seqs(&frame), [4, 3], "two rows, the newest first");
    assert_eq!(frame["start"], dev.get("info")["start"]);
    let trace = r#"{"traces":[{"messageId":"m","outcome":"dropped","reason":"consent","steps":[{"stage":"before","plugin":"consent","us":1}]}]}"#;
    assert_eq!(dev.ask("POST", "trace", trace).0, 200);
    let frame = frame_with(&mut reader, |frame| frame["updated"] != json!([]));
    assert_eq!(frame["updated"][0]["path"]["state"], "dropped");
    assert_eq!(dev.get("events/1")["path"]["reason"], "consent");
    assert_eq!(seqs(&dev.get("events?q=path:dropped")), [1]);
    dev.ask("DELETE", "events?q=name:Last", "");
    let frame = frame_with(&mut reader, |frame| frame["matched"] == 2);
    assert_eq!(seqs(&frame), [3, 1], "what was removed is gone from the rows, too");
}

#[test]
fn findings_are_grouped_and_the_session_shows_more_than_one_event_can() {
    let dev = Dev::start(&[]);
    dev.track("Order Completed", r#""messageId":"a","properties":{"total":"7","list":[{"price":"1"},{"price":"2"}]}"#);
    dev.track("Order completed", r#""messageId":"a","properties":{"total":8}"#);
    dev.track("Order Completed", r#""properties":{"total":9}"#);
    dev.post("/v1/track", r#"{"event":"Nobody"}"#);
    let groups = dev.get("findings")["groups"].as_array().unwrap().clone();
    let find =
        |rule: &str| groups.iter().find(|group| group["rule"] == rule).unwrap_or_else(|| panic!("{rule}: {groups:?}"));
    assert_eq!(groups[0]["rule"], "user-id-missing", "the gravest first");
    let numbers: Vec<_> = groups.iter().filter(|group| group["rule"] == "number-as-text").collect();
    assert_eq!(numbers.len(), 2, "the elements of an array are one property: {groups:?}");
    assert_eq!((&numbers[0]["property"], &numbers[0]["count"]), (&json!("properties.list.[].price"), &json!(2)));
    assert_eq!(find("name-differs-by-case")["name"], "Order completed");
    assert_eq!(find("message-id-repeated")["first"], 2);
    assert_eq!(find("type-changes")["property"], "properties.total");
    assert_eq!(dev.get("findings?q=name:Nobody")["groups"].as_array().unwrap().len(), 1);
}

#[test]
fn a_user_is_joined_by_the_ids_that_stand_together() {
    let dev = Dev::start(&[]);
    for body in [
        r#"{"type":"page","anonymousId":"anon-1"}"#,
        r#"{"type":"identify","anonymousId":"anon-1","userId":"42"}"#,
        r#"{"type":"track","event":"E","userId":"42"}"#,
        r#"{"type":"alias","previousId":"old","userId":"42"}"#,
        r#"{"type":"page","userId":"old"}"#,
        r#"{"type":"page","userId":"somebody","properties":{"about":"42"}}"#,
    ] {
        dev.post("/v1/batch", &format!(r#"{{"batch":[{body}]}}"#));
    }
    for (id, joined) in [("42", json!(["anon-1", "old"])), ("anon-1", json!(["42", "old"]))] {
        let user = dev.get(&format!("users?id={id}"));
        assert_eq!((&user["joined"], seqs(&user)), (&joined, vec![1, 2, 3, 4, 5]), "{id}");
    }
    assert_eq!(dev.get("users?id=nobody")["matched"], 0);
}

#[test]
fn events_leave_by_scope_and_by_query() {
    let dev = Dev::start(&[]);
    for key in ["A", "B", "A"] {
        dev.post("/v1/track", &format!(r#"{{"event":"E","userId":"u","writeKey":"{key}"}}"#));
    }
    assert_eq!(dev.ask("DELETE", "scopes/A", ""), (200, json!({"removed": 2})));
    assert_eq!(seqs(&dev.get("events")), [2]);
    assert_eq!(dev.ask("DELETE", "events?q=key:A", ""), (200, json!({"removed": 0})));
    assert_eq!(dev.ask("DELETE", "events", ""), (200, json!({"removed": 1})));
}

#[test]
fn an_event_can_be_copied_as_code_and_the_copies_work() {
    let dev = Dev::start(&[]);
    dev.post("/v1/track", r#"{"event":"It's \"done\"","userId":"42","writeKey":"K","messageId":"m","properties":{"total":7.5,"list":[1]}}"#);
    let copy =
        |language: &str| content(&dev.send(&format!("GET /__tracklane/events/1/as/{language}"), "", "")).to_owned();
    let rust = copy("rust");
    assert!(rust.starts_with(r#"analytics.track(Track::new("It's \"done\"")"#), "{rust}");
    assert!(rust.contains(r#".user_id("42")"#) && rust.contains(r#".property("total", 7.5)"#), "{rust}");
    assert!(rust.contains(r#".property("list", serde_json::json!([1]))"#) && !rust.contains("writeKey"), "{rust}");
    let js = copy("js");
    assert!(js.starts_with("analytics.track({") && !js.contains("writeKey"), "{js}");
    let (status, verdict) = dev.ask("POST", "expect", &copy("expect"));
    assert_eq!((status, &verdict["events"]), (200, &json!([1])), "{verdict}");
    let curl = copy("curl");
    assert!(curl.contains("/v1/track -u 'K:'") && curl.contains(r"It'\''s"), "{curl}");
    assert_eq!(dev.ask("GET", "events/1/as/cobol", "").0, 404);
}

#[test]
fn the_plan_is_held_against_what_arrives() {
    let folder = crate::support::Folder::new("plan");
    let plan = r#"{"name":"Shop","rules":[{"type":"track","key":"Order Completed","jsonSchema":{"properties":{"properties":
        {"type":"object","required":["total"]}}}},{"type":"track","key":"Never","jsonSchema":{}}]}"#;
    let dev = Dev::start(&["--plan", &folder.write("plan.json", plan)]);
    dev.track("Order Completed", r#""properties":{}"#);
    dev.track("Surprise", "");
    let coverage = dev.get("coverage");
    assert_eq!((&coverage["seen"][0]["count"], &coverage["seen"][0]["violations"]), (&json!(1), &json!(1)));
    assert_eq!(coverage["neverSeen"], json!([{"kind":"track","name":"Never"}]));
    assert_eq!(coverage["unknown"][0]["name"], "Surprise");
    assert_eq!(dev.get("events/2")["findings"][0]["rule"], "not-in-plan");
    assert_eq!(dev.get("plan")["name"], "Shop");
    let without = Dev::start(&[]);
    assert_eq!((without.ask("GET", "plan", "").0, without.ask("GET", "coverage", "").0), (404, 404));
}

#[test]
fn faults_fail_the_requests_that_they_are_for() {
    let dev = Dev::start(&[]);
    let put = |name: &str, body: &str| dev.ask("PUT", &format!("faults/{name}"), body);
    let (status, rule) =
        put("busy", r#"{"scope":"A","count":2,"fault":{"type":"status","status":429,"retryAfter":7}}"#);
    assert_eq!((status, &rule["name"], &rule["hits"]), (200, &json!("busy"), &json!(0)));
    let post =
        |key: &str| dev.send("POST /v1/track", "", &format!(r#"{{"event":"E","userId":"u","writeKey":"{key}"}}"#));
    let answers = [post("B"), post("A"), post("A"), post("A")];
    assert_eq!(answers.each_ref().map(|answer| crate::support::status(answer)), [200, 429, 429, 200]);
    assert!(answers[1].contains("retry-after: 7\r\n"), "{}", answers[1]);
    assert_eq!(dev.get("faults")["faults"][0]["hits"], 2);
    assert_eq!(dev.received(), 4, "what was failed was received all the same");
    assert_eq!(dev.get("events/2")["request"]["status"], 429);
    assert_eq!(dev.ask("DELETE", "faults/busy", "").0, 204);
    assert_eq!(dev.ask("DELETE", "faults/busy", "").0, 404);
    put("cut", r#"{"kind":"page","fault":{"type":"reset"}}"#);
    assert_eq!(dev.post("/v1/page", r#"{"userId":"u"}"#), 0, "a reset is no answer");
    assert_eq!(dev.post("/v1/track", r#"{"event":"E","userId":"u"}"#), 200);
    put("soon-over", r#"{"expiresInMs":1,"fault":{"type":"hang"}}"#);
    crate::support::wait("the fault to expire", || dev.get("faults")["faults"].as_array().unwrap().len() == 1);
    for wrong in [
        "{}",
        r#"{"fault":{"type":"flood"}}"#,
        r#"{"probability":2,"fault":{"type":"reset"}}"#,
        r#"{"fault":{"type":"status","status":99}}"#,
        r#"{"kind":"sell","fault":{"type":"reset"}}"#,
        r#"{"scop":"A","fault":{"type":"reset"}}"#,
    ] {
        let (status, problem) = put("wrong", wrong);
        assert!(status == 400 && problem["error"].as_str().is_some_and(|text| text.len() > 10), "{wrong}: {problem}");
    }
}

#[test]
fn strict_answers_refuse_what_segment_would_discard() {
    let dev = Dev::start(&["--answer", "strict", "--write-key", "K"]);
    assert_eq!(dev.post("/v1/track", r#"{"event":"E","userId":"u","writeKey":"K"}"#), 200);
    assert_eq!(dev.post("/v1/track", r#"{"event":"E","writeKey":"K"}"#), 400);
    assert_eq!(dev.post("/v1/track", r#"{"event":"E","userId":"u","writeKey":"X"}"#), 401);
    assert_eq!(dev.get("events")["counters"]["rejected"], 2);
    let marked = Dev::start(&["--write-key", "K"]);
    assert_eq!(marked.post("/v1/track", r#"{"event":"E","userId":"u","writeKey":"X"}"#), 200);
    assert_eq!(marked.get("events/1")["findings"][0]["rule"], "unknown-write-key");
}

/// The OpenAPI file says what the router does: each route of it is answered with a status that it names, a method that it
/// does not name with 405, and the router's source has no other path.
#[test]
fn the_openapi_file_is_held_against_the_router() {
    let file: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
    let dev = Dev::start(&[]);
    dev.track("E", "");
    let mut paths: Vec<String> = Vec::new();
    for (path, methods) in file["paths"].as_object().unwrap() {
        paths.push(path.trim_start_matches("/__tracklane").to_owned());
        let concrete =
            path.replace("{seq}", "1").replace("{language}", "js").replace("{name}", "f").replace("{key}", "K");
        for method in ["get", "put", "post", "delete"] {
            if path.ends_with("/stream") && method == "get" {
                continue;
            }
            // Last, because it removes the event that the others show.
            if method == "delete" && path.ends_with("/events") {
                continue;
            }
            let answer = dev.send(&format!("{} {concrete}", method.to_uppercase()), "", "{}");
            let status = status(&answer).to_string();
            match methods[method]["responses"].as_object() {
                Some(responses) => assert!(responses.contains_key(&status), "{method} {path}: {status}"),
                None => assert_eq!(status, "405", "{method} {path} is not in the file"),
            }
        }
    }
    let source = include_str!("../../src/dev/api/mod.rs");
    let mut routes: Vec<String> = source
        .split(".route(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|route| !["/health", "/messages"].contains(route))
        .map(str::to_owned)
        .collect();
    routes.sort();
    paths.sort();
    assert_eq!(paths, routes);
}
