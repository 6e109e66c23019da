//! Counts and reports as data for logs and dashboards.

use serde_json::{Value, json};
use tracklane::plugin::{Answer, Batch, Destination, Flow, Verdict, before_fn};
use tracklane::{Analytics, Event, Outcome};

use crate::support::{SOON, recorder, track};

fn data(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

#[test]
fn counts_and_reports_are_serialized_under_the_names_of_their_fields() {
    let teapot = Destination::from_fn("teapot", |_: Batch| async {
        let answer = Answer::new(Verdict::Reject).with_status(http::StatusCode::IM_A_TEAPOT);
        Ok::<_, std::io::Error>(answer.with_error(std::io::Error::other("no coffee")))
    });
    let picky = before_fn("picky", |event: &mut Event| match event.name().as_deref() {
        Some("bot") => Flow::drop("a bot"),
        _ => Flow::Continue,
    });
    let analytics = Analytics::builder().plugin(picky).plugin(teapot).build().unwrap();
    analytics.track(track("bot")).unwrap();
    let end = analytics.send_with_receipt(track("secret name").message_id("m")).unwrap().wait();
    let settled = json!({
        "message_id": "m",
        "outcome": {"dropped": "rejected"},
        "destinations": [{
            "destination": "teapot",
            "outcome": {"dropped": "rejected"},
            "error": "HTTP status 418 I'm a teapot: no coffee",
        }],
    });
    assert_eq!(data(&end), settled);
    assert_eq!(data(&Outcome::Delivered), "delivered");
    let flush = analytics.flush_blocking(SOON);
    let stats = data(&analytics.stats());
    assert_eq!((&stats["accepted"], &stats["pending"]), (&json!(2), &json!(0)));
    assert_eq!(stats["dropped"], json!({"plugin": 1, "rejected": 1}), "the reasons that there were");
    assert_eq!(
        (&stats["destinations"][0]["name"], &stats["destinations"][0]["attempts"]),
        (&json!("teapot"), &json!(1))
    );
    assert_eq!(stats["plugins"], json!([{"name": "picky", "failed": 0, "dropped": 1}]));
    assert_eq!(data(&flush)["pending"], 0);
}

#[test]
fn a_report_says_how_many_events_are_left_and_not_what_they_say() {
    let hangs = Destination::from_fn("hangs", |_: Batch| std::future::pending::<Result<(), std::io::Error>>());
    let analytics = Analytics::builder().plugin(hangs).plugin(recorder("r").0).build().unwrap();
    for _ in 0..3 {
        analytics.track(track("secret name").integration("r", false)).unwrap();
    }
    let report = data(&analytics.close_blocking(std::time::Duration::from_millis(200)));
    assert_eq!((&report["pending"], &report["unsent"]), (&json!(3), &json!(3)));
    assert!(!report.to_string().contains("secret name"), "{report}");
}
