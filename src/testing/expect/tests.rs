//! Expectations as tables.

use serde_json::{Value, json};

use super::{Expectation, Judge, Matcher, Verdict};

fn matches(matcher: Value, event: &Value) -> bool {
    Matcher::new(matcher).unwrap().matches(event)
}

#[test]
fn a_matcher_is_a_partial_event() {
    let event = json!({"type":"track","event":"E","properties":{"total":10,"tags":["a","b"],"none":null}});
    let taken = [
        json!({}),
        json!({"event":"E"}),
        json!({"properties":{"total":10.0}}),
        json!({"properties":{"tags":["a","b"]}}),
        json!({"properties":{"total":{"$gt":9,"$lt":11}}}),
        json!({"properties":{"total":{"$gte":10,"$lte":10}}}),
        json!({"event":{"$regex":"^E$"}}),
        json!({"event":{"$type":"string"}}),
        json!({"event":{"$in":["D","E"]}}),
        json!({"event":{"$eq":"E"}}),
        json!({"userId":{"$absent":true}}),
        json!({"properties":{"none":{"$any":true}}}),
        json!({"properties":{"none":null}}),
    ];
    for matcher in taken {
        assert!(matches(matcher.clone(), &event), "{matcher}");
    }
    let left = [
        json!({"event":"e"}),
        json!({"properties":{"tags":["a"]}}),
        json!({"properties":{"total":"10"}}),
        json!({"properties":{"total":{"$gt":10}}}),
        json!({"event":{"$absent":true}}),
        json!({"userId":{"$any":true}}),
        json!({"event":{"$type":"number"}}),
        json!({"userId":null}),
        json!({"properties":{"total":{"more":1}}}),
    ];
    for matcher in left {
        assert!(!matches(matcher.clone(), &event), "{matcher}");
    }
}

#[test]
fn a_wrong_matcher_is_an_error_and_no_silence() {
    for wrong in [
        json!(7),
        json!({"a":{"$gt":"x"}}),
        json!({"a":{"$regex":"("}}),
        json!({"a":{"$near":1}}),
        json!({"a":{"$type":"int"}}),
    ] {
        assert!(Matcher::new(wrong.clone()).is_err(), "{wrong}");
    }
    for wrong in ["{}", r#"{"all":[7]}"#, r#"{"alll":[]}"#, r#"{"none":[{}],"exactly":1}"#, "["] {
        assert!(Expectation::from_json(wrong.as_bytes()).is_err(), "{wrong}");
    }
}

/// The verdict on these events, by name: the early one if there is one.
fn judge(expectation: Value, names: &[&str]) -> (bool, Verdict) {
    let mut judge = Judge::new(Expectation::from_json(expectation.to_string().as_bytes()).unwrap());
    for (index, name) in names.iter().enumerate() {
        judge.see(index as u64 + 1, &json!({"event": name, "n": index}));
        if let Some(verdict) = judge.early() {
            return (true, verdict);
        }
    }
    (false, judge.late())
}

#[test]
fn each_expectation_ends_as_it_should() {
    let (a, b, end) = (json!({"event":"A"}), json!({"event":"B"}), json!({"event":"End"}));
    // Expectation, events, whether it ends early, whether it is met.
    let table = [
        (json!({"all":[a]}), vec!["B", "A"], true, true),
        (json!({"all":[a]}), vec!["B"], false, false),
        (json!({"all":[a, a]}), vec!["A"], false, false),
        (json!({"all":[a, a]}), vec!["A", "A"], true, true),
        (json!({"all":[b, a], "inOrder":true}), vec!["A", "B"], false, false),
        (json!({"all":[b, a], "inOrder":true}), vec!["A", "B", "A"], true, true),
        (json!({"all":[{"n":{"$any":true}}, a]}), vec!["A", "B"], true, true),
        (json!({"all":[a], "exactly":1}), vec!["A", "B"], false, true),
        (json!({"all":[a], "exactly":1}), vec!["A", "A"], true, false),
        (json!({"all":[a], "exactly":2}), vec!["A"], false, false),
        (json!({"all":[a], "exactly":2, "until":end}), vec!["A", "A", "End", "A"], true, true),
        (json!({"all":[a], "exactly":2, "until":end}), vec!["A", "End", "A"], true, false),
        (json!({"none":[b]}), vec!["A"], false, true),
        (json!({"none":[b]}), vec!["A", "B"], true, false),
        (json!({"none":[b], "until":end}), vec!["A", "End", "B"], true, true),
        (json!({"none":[b], "until":end}), vec!["A"], false, false),
        (json!({"all":[a], "none":[b], "until":end}), vec!["A", "End"], true, true),
        (json!({"all":[a], "until":end}), vec!["End", "A"], true, false),
        (json!({"until":end}), vec!["A", "End"], true, true),
    ];
    for (expectation, names, early, met) in table {
        let (was_early, verdict) = judge(expectation.clone(), &names);
        assert_eq!((was_early, verdict.met), (early, met), "{expectation} on {names:?}: {:?}", verdict.reason);
        assert_eq!(verdict.met, verdict.reason.is_none());
        assert_eq!(verdict.timed_out, !met && !early, "{expectation} on {names:?}");
    }
}

#[test]
fn a_miss_shows_the_nearest_events_and_where_they_differ() {
    let (_, verdict) = judge(json!({"all":[{"event":"A","n":{"$gt":1}}]}), &["A", "B", "B", "B"]);
    let shown = serde_json::to_value(&verdict).unwrap();
    let nearest = shown["missing"][0]["nearest"].as_array().unwrap();
    assert_eq!(nearest.len(), 3);
    // The newest of those that differ in one place.
    assert_eq!(nearest[0]["seq"], 4);
    assert_eq!(nearest[0]["differ"], json!([{"path":"event","expected":"\"A\"","found":"B"}]));
    let first = nearest.iter().find(|near| near["seq"] == 1);
    assert!(first.is_none() || first.unwrap()["differ"][0]["expected"] == "more than 1", "{shown}");
}
