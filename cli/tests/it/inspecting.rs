//! A client with an inspector, and what the page has of it.

use std::time::Duration;

use serde_json::{Value, json};
use tracklane::plugin::{Flow, RetryPolicy, before_fn, enrichment_fn};
use tracklane::segment::Segment;
use tracklane::{Analytics, Event, Track};

use crate::support::{Dev, run, stderr, tracklane};

const TIME: Duration = Duration::from_secs(20);

/// The row of the event, and all that the page shows of it.
fn shown(dev: &Dev, name: &str) -> (Value, Value) {
    let list = dev.get("events?limit=100");
    let row = list["events"].as_array().unwrap().iter().find(|row| row["name"] == name);
    let row = row.unwrap_or_else(|| panic!("{name}: {list}")).clone();
    (row.clone(), dev.get(&format!("events/{}", row["seq"])))
}

#[test]
fn the_page_has_the_whole_way_of_each_event_from_a_running_client() {
    let dev = Dev::start(&[]);
    let fault = r#"{"fault":{"type":"status","status":503},"count":1}"#;
    assert_eq!(dev.ask("PUT", "faults/once", fault).0, 200);
    let retry = RetryPolicy::new().backoff(Duration::from_millis(1), Duration::from_millis(5));
    let analytics = Analytics::builder()
        .segment(Segment::new("K").host(&dev.url).retry(retry))
        .inspector(&dev.url)
        .plugin(before_fn("consent", |event: &mut Event| match event.name().as_deref() {
            Some("Forbidden") => Flow::drop("the user has not agreed"),
            _ => Flow::Continue,
        }))
        .plugin(enrichment_fn("lower-case", |event: &mut Event| event.set_name("order completed")))
        .plugin(enrichment_fn("geo", |event: &mut Event| {
            event.context_mut().insert("half", "done");
            Err::<(), _>("no database")
        }))
        .build()
        .unwrap();
    analytics.track(Track::new("Order Completed").user_id("42")).unwrap();
    analytics.track(Track::new("Forbidden").user_id("42").property("n", 1)).unwrap();
    assert!(analytics.close_blocking(TIME).is_complete());

    // The newest row of the name is the one that was taken.
    let (row, all) = shown(&dev, "order completed");
    assert_eq!((&row["arrived"], &row["path"]["state"]), (&json!(true), &json!("delivered")), "{row}");
    assert_eq!((&row["path"]["attempts"], &row["path"]["destinations"]), (&json!(2), &json!(1)));
    let path = &all["path"];
    let steps: Vec<_> =
        path["steps"].as_array().unwrap().iter().map(|step| (&step["plugin"], &step["outcome"])).collect();
    let (kept, failed) = (json!("kept"), json!("failed"));
    let expected = [(&json!("consent"), &kept), (&json!("lower-case"), &kept), (&json!("geo"), &failed)];
    assert_eq!(steps, expected);
    let renamed = json!([{"op":"replace","path":"/event","old":"Order Completed","value":"order completed"}]);
    assert_eq!(path["steps"][1]["patch"], renamed);
    assert_eq!(path["steps"][2]["reason"], "failed: no database");
    let segment = &path["destinations"][0];
    assert_eq!((&segment["name"], &segment["outcome"]), (&json!("Segment.io"), &json!("delivered")));
    let attempts: Vec<_> = segment["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["n"], &one["status"], &one["verdict"]))
        .collect();
    let expected = [(&json!(1), &json!(503), &json!("retry")), (&json!(2), &json!(200), &json!("delivered"))];
    assert_eq!(attempts, expected);

    // It never arrives, and is shown nevertheless: by whom it was dropped, and why.
    let (row, all) = shown(&dev, "Forbidden");
    assert_eq!((&row["arrived"], &row["path"]["state"]), (&json!(false), &json!("dropped")), "{row}");
    assert_eq!((&all["event"]["properties"]["n"], &all["request"]), (&json!(1), &Value::Null));
    assert_eq!(all["path"]["reason"], "consent: the user has not agreed");
    assert_eq!(all["path"]["steps"].as_array().unwrap().len(), 1, "{}", all["path"]);
    let (status, verdict) = dev.ask("POST", "expect", r#"{"none":[{"event":"Forbidden"}],"withinMs":1}"#);
    assert_eq!(status, 200, "what was told of has not arrived: {verdict}");
}

#[test]
fn a_program_that_dev_runs_has_it_as_its_inspector() {
    let script = format!(
        "{0} send track --event Gone --user-id 42 --host http://127.0.0.1:9 --timeout 1s; {0} tail --no-follow",
        env!("CARGO_BIN_EXE_tracklane"),
    );
    let ran = tracklane().args(["dev", "--port", "0", "--exec", "--", "sh", "-c", &script]).output().unwrap();
    let shown = String::from_utf8_lossy(&ran.stdout).into_owned();
    let line = shown.lines().find(|line| line.contains("Gone")).unwrap_or_else(|| panic!("{shown}{}", stderr(&ran)));
    assert!(line.contains("told by an inspector") && line.contains("closed"), "{line}");
}

#[test]
fn what_a_client_could_not_tell_is_counted_on_the_page() {
    let dev = Dev::start(&[]);
    let body = r#"{"traces":[],"missed":7}"#;
    assert_eq!(dev.ask("POST", "trace", body).0, 200);
    assert_eq!(dev.get("events")["counters"]["missed"], 7);
    let tail = run(&["tail", "--url", &dev.url, "--no-follow"]);
    assert_eq!(tail.status.code(), Some(0));
}
