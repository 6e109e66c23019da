//! Tests: the length that the intake computes is the length that the fan-out writes.

use std::time::SystemTime;

use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::event::{Alias, Context, Event, Group, Identify, Object, PackedEvent, Page, Screen, Track};

/// Few keys, so that defaults and context meet.
fn members() -> impl Strategy<Value = Map<String, Value>> {
    let key = prop_oneof![3 => "[a-f]", 1 => any::<String>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(("[a-f]", inner), 0..3).prop_map(|members| members.into_iter().collect()),
        ]
    });
    prop::collection::vec((key, value), 0..8).prop_map(|members| members.into_iter().collect())
}

/// The same members, as text or as a map.
fn object() -> impl Strategy<Value = Object> {
    (members(), any::<bool>()).prop_map(|(members, as_map)| {
        let mut object = Object::from(members);
        if as_map {
            object.as_map_mut();
        }
        object
    })
}

fn event() -> impl Strategy<Value = Event> {
    let optional = || prop::option::of(object());
    let text = "\\PC{1,12}|[\"\\\\\u{0}-\u{1f}]{1,4}";
    let id = prop::option::of("[a-z\"\\\\é]{1,20}");
    (0..6_u8, text, id, optional(), optional(), optional()).prop_map(
        |(kind, text, id, section, context, integrations)| {
            let mut event = match kind {
                0 => Event::from(with_id(Track::new(&text).user_id("u"), id)),
                1 => Identify::new().user_id(&text).into(),
                2 => Page::new(&text).anonymous_id("a").into(),
                3 => Screen::new(&text).anonymous_id("a").into(),
                4 => Group::new(&text).user_id("u").into(),
                _ => Alias::new(&text, "p").into(),
            };
            section.into_iter().for_each(|section| *event.section_mut() = section);
            context.into_iter().for_each(|context| *event.context_mut() = context.into());
            integrations.into_iter().for_each(|integrations| *event.integrations_mut() = integrations.into());
            event.stamp(|| SystemTime::UNIX_EPOCH.into());
            event
        },
    )
}

fn with_id(call: Track, id: Option<String>) -> Track {
    match id {
        Some(id) => call.message_id(id),
        None => call,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn an_object_is_as_long_as_it_says(object in object(), defaults in object()) {
        prop_assert_eq!(object.members_len(), object.members_text().len());
        let expected = object.merged_len(&defaults);
        let mut merged = object;
        merged.merge_under(&defaults);
        prop_assert_eq!(merged.members_text().len(), expected);
    }

    #[test]
    fn text_and_map_are_one_value(members in members()) {
        let text = Object::from(members.clone());
        let mut map = text.clone();
        map.as_map_mut();
        prop_assert_eq!(serde_json::to_value(&text).unwrap(), Value::Object(members));
        prop_assert_eq!(serde_json::to_value(&text).unwrap(), serde_json::to_value(&map).unwrap());
        let mut read = Object::new();
        read.set_members(&map.members_text());
        prop_assert_eq!(read, text);
    }

    /// Through the intake's buffer, as every event goes.
    #[test]
    fn an_event_is_as_long_as_it_says(event in event(), defaults in object()) {
        let defaults = Context::from(defaults);
        let expected = event.final_len(&defaults);
        let mut buffer = Vec::new();
        let record = PackedEvent::pack(&event, &mut buffer);
        let mut event = record.unpack(&mut buffer.as_slice(), crate::random::uuid);
        let json = event.seal(0, &defaults).unwrap();
        prop_assert_eq!(json.json().len(), expected, "{}", String::from_utf8_lossy(json.json()));
        prop_assert!(serde_json::from_slice::<Value>(json.json()).is_ok());
    }
}
