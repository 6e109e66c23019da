//! The size limit of an event: exact to the byte of the JSON that is sent.

use serde_json::json;
use tracklane::event::{Context, InvalidField, MAX_EVENT_BYTES};
use tracklane::testing::ManualClock;
use tracklane::{Analytics, Identify, RefusalReason, Track};

use crate::support::{SOON, api, client, segment};

fn event(filler: String) -> Track {
    Track::new("Größe").user_id("u1").property("filler", filler).context(json!({"app": {"build": 1}}))
}

fn client_with_context(api: &tracklane::testing::TrackingApi) -> Analytics {
    let defaults = Context::from(json!({"app": {"name": "überall"}, "locale": "de"}));
    let settings = Analytics::builder().segment(segment(api).flush_at(1));
    settings.clock(ManualClock::new()).context(defaults).build().unwrap()
}

/// Returns the size of the event on the wire without filler.
fn frame() -> usize {
    let api = api();
    let analytics = client_with_context(&api);
    analytics.track(event(String::new())).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    sizes(&api)[0]
}

/// The size of each event in the requests, as text.
fn sizes(api: &tracklane::testing::TrackingApi) -> Vec<usize> {
    let requests = api.requests();
    let events = requests.iter().map(|request| {
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        let end = body.rfind(r#"],"writeKey""#).unwrap();
        assert_eq!(request.events().len(), 1);
        end - r#"{"batch":["#.len()
    });
    events.collect()
}

#[test]
fn the_limit_is_that_of_the_final_json_to_the_byte() {
    assert_eq!(MAX_EVENT_BYTES, 32_768);
    let frame = frame();
    // Characters of one byte, of four bytes, and those that JSON writes as two bytes and as six.
    for (character, width) in [("x", 1), ("𝄞", 4), ("\"", 2), ("\u{1}", 6)] {
        let api = api();
        let analytics = client_with_context(&api);
        for bytes in [32_767, 32_768] {
            let room = bytes - frame;
            let filler = character.repeat(room / width) + &"x".repeat(room % width);
            analytics.track(event(filler)).unwrap();
        }
        let room = 32_769 - frame;
        let filler = character.repeat(room / width) + &"x".repeat(room % width);
        let error = analytics.track(event(filler.clone())).unwrap_err();
        assert_eq!(*error.reason(), RefusalReason::Invalid(InvalidField::TooLarge { bytes: 32_769 }));
        assert_eq!(error.into_event().section().get_str("filler").as_deref(), Some(filler.as_str()));
        // The API has the same limit, and refuses larger events.
        assert!(analytics.close_blocking(SOON).is_complete());
        let mut sizes = sizes(&api);
        sizes.sort_unstable();
        assert_eq!(sizes, [32_767, 32_768], "{character:?}");
    }
}

#[test]
fn a_message_id_and_a_timestamp_that_are_given_count_as_they_are() {
    let api = api();
    let analytics = client_with_context(&api);
    for id in ["m", "\u{1}\"", "𝄞𝄞"] {
        let at_most = |filler: usize| event("x".repeat(filler)).message_id(id);
        let largest = (30_000..33_000).rev().find(|filler| analytics.track(at_most(*filler)).is_ok()).unwrap();
        let error = analytics.track(at_most(largest + 1)).unwrap_err();
        assert_eq!(*error.reason(), RefusalReason::Invalid(InvalidField::TooLarge { bytes: 32_769 }), "{id:?}");
    }
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(sizes(&api), [32_768; 3]);
}

#[test]
fn every_section_counts() {
    let api = api();
    let analytics = client(&api).build().unwrap();
    let filler = "x".repeat(33_000);
    let bytes = |error: tracklane::CallError| match error.reason() {
        RefusalReason::Invalid(InvalidField::TooLarge { bytes }) => *bytes,
        other => panic!("{other}"),
    };
    let small = || Identify::new().user_id("u");
    for error in [
        analytics.identify(small().with_trait("k", &filler)),
        analytics.identify(small().context(json!({ "k": filler }))),
        analytics.identify(small().integration("k", json!({ "k": filler }))),
        analytics.identify(Identify::new().user_id(&filler)),
        analytics.identify(small().anonymous_id(&filler)),
    ] {
        let bytes = bytes(error.unwrap_err());
        assert!((33_000..33_300).contains(&bytes), "{bytes}");
    }
    assert_eq!(analytics.stats().accepted, 0);
}
