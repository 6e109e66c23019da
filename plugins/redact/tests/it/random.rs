//! Random events: whatever they hold, a planted secret never arrives, and an event without one arrives as it was.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;

const SECRET: &str = "hunter2-hunter2";

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-zé ]{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-e]{1,6}", inner, 0..4)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn section() -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[a-e]{1,6}", value(), 0..5)
        .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>()))
}

/// Puts the secret under `password` into the deepest object on the way that `choices` name.
fn plant(value: &mut Value, choices: &[prop::sample::Index]) {
    match value {
        Value::Object(map) => match (choices, map.is_empty()) {
            ([choice, rest @ ..], false) => {
                let at = choice.index(map.len());
                let next = map.values_mut().nth(at).unwrap();
                if next.is_object() || next.is_array() {
                    return plant(next, rest);
                }
                map.insert("passWord".to_owned(), SECRET.into());
            }
            _ => {
                map.insert("passWord".to_owned(), SECRET.into());
            }
        },
        Value::Array(items) => {
            let mut object = Value::from(Map::new());
            plant(&mut object, choices);
            items.push(object);
        }
        _ => {}
    }
}

/// Text that one of the detectors names, whatever stands around it.
fn sensitive() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "4111 1111 1111 1111",
        "GB29NWBK60161331926819",
        "eyJhbGciOiJI.eyJzdWIiOiI.abc",
        "sk_live_abcdefghij",
        "https://user:secret@h/",
        "ann@example.com",
        "+14155552671",
        "203.0.113.7",
        "00:1b:44:11:3a:b7",
        "078-05-1120",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_planted_text_never_arrives(
        mut properties in section(),
        choices in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        text in sensitive(),
        around in "[ \"\\\\\n\t(é]{0,12}",
    ) {
        plant(&mut properties, &choices);
        let planted = properties.to_string().replace(
            &Value::from(SECRET).to_string(),
            &Value::from(format!("{around} {text} {around}")).to_string(),
        );
        let properties: Value = serde_json::from_str(&planted.replace("passWord", "note")).unwrap();
        let seen = through(&Redact::pii(), track(properties));
        prop_assert!(!seen.is_null(), "the event arrives");
        prop_assert!(!seen.to_string().contains(text), "{seen}");
    }

    #[test]
    fn a_planted_secret_never_arrives(mut properties in section(), choices in prop::collection::vec(any::<prop::sample::Index>(), 0..4)) {
        let before = through(&Redact::secrets(), track(properties.clone()));
        prop_assert_eq!(before.get("properties").cloned().unwrap_or_else(|| json!({})), properties.clone());
        plant(&mut properties, &choices);
        let seen = through(&Redact::secrets(), track(properties.clone()));
        prop_assert!(!seen.is_null(), "the event arrives");
        prop_assert!(!seen.to_string().contains(SECRET), "{seen}");
    }
}
