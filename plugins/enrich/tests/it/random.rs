//! Random contexts: nothing panics, and nothing that was there is changed.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tracklane::Track;
use tracklane_enrich::Enrich;

use crate::events::context;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,24}",
        "https?://[a-z.@:\\[\\]]{0,20}[/?#]?(utm_source=[%&a-z=+]{0,10})?",
        "Mozilla/5.0 \\((Windows NT|iPhone; CPU iPhone OS|Android|iPad; CPU OS) ?[0-9_.]{0,6}\\) (Chrome|Edg|Version|Firefox)/[0-9.]{0,6}\\PC{0,8}",
        "[0-9a-f:.]{0,16}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        text().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let names = prop::sample::select(vec![
            "url",
            "referrer",
            "search",
            "brands",
            "brand",
            "version",
            "platform",
            "platformVersion",
            "mobile",
            "type",
            "name",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(names.prop_map(str::to_owned), inner, 0..4)
                .prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}

/// Everything of `before` is in `after`.
fn keeps(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            before.iter().all(|(name, value)| after.get(name).is_some_and(|after| keeps(value, after)))
        }
        (before, after) => before == after,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn nothing_that_is_there_is_changed(members in prop::collection::btree_map(
        prop::sample::select(vec!["page", "userAgent", "userAgentData", "ip", "campaign", "referrer", "os", "browser", "device", "bot", "location"])
            .prop_map(str::to_owned), value(), 0..8), page in text(), referrer in text(), agent in text()) {
        let mut sent: Map<String, Value> = members.into_iter().collect();
        sent.entry("page").or_insert_with(|| json!({ "url": page, "referrer": referrer }));
        sent.entry("userAgent").or_insert_with(|| json!(agent));
        let sent = Value::Object(sent);
        let seen = context(&Enrich::new(), Track::new("Ping").user_id("u1").context(sent.clone()));
        prop_assert!(keeps(&sent, &seen), "{sent} became {seen}");
    }
}
