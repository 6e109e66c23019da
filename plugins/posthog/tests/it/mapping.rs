//! What an event is at PostHog. Each row names the rule of PostHog's that it rests on.

use proptest::prelude::*;
use serde_json::{Value, json};
use tracklane::event::Context;
use tracklane::{Alias, Event, Group, Identify, Page, Screen, Track};
use tracklane_posthog::{Mapped, PersonProfiles, PostHog};

use crate::support::{item, posthog, track, why_not};

/// What stands at a path such as `properties.$ip`.
fn at<'v>(item: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(item, |value, key| &value[key])
}

/// Rule, event, and what stands where in the item.
type Row = (&'static str, Event, Vec<(&'static str, Value)>);

#[track_caller]
fn check(posthog: &PostHog, table: Vec<Row>) {
    for (rule, event, expected) in table {
        let item = item(posthog, event);
        for (path, value) in expected {
            assert_eq!(*at(&item, path), value, "{rule}: {path} in {item:#}");
        }
    }
}

fn stamped(event: Track) -> Track {
    event.timestamp("2024-02-29T12:00:00.123Z".parse::<tracklane::event::Timestamp>().unwrap())
}

#[test]
fn a_track_call_is_the_event_of_its_name() {
    let event = stamped(track()).property("revenue", 39.95).property("nested", json!({"a": [1, null]}));
    let expected = json!({
        "event": "Item Purchased",
        "distinct_id": "u1",
        "uuid": "0a1801fd-3e68-49f8-a7ae-d4ab629a3c20",
        "timestamp": "2024-02-29T12:00:00.123Z",
        "properties": {
            "revenue": 39.95,
            "nested": {"a": [1, null]},
            "$geoip_disable": true,
            "$is_server": true,
            "$lib": "tracklane",
            "$lib_version": env!("CARGO_PKG_VERSION"),
        },
    });
    assert_eq!(item(&posthog(), event), expected);
}

#[test]
fn who_it_was() {
    let null = Value::Null;
    let both = || Track::new("A").user_id("u1").anonymous_id("a1");
    let table: Vec<Row> = vec![
        ("the user is distinct_id", both().into(), vec![("distinct_id", json!("u1"))]),
        ("else the anonymous id", Track::new("A").anonymous_id("a1").into(), vec![("distinct_id", json!("a1"))]),
        (
            "an anonymous event makes no person",
            Track::new("A").anonymous_id("a1").into(),
            vec![("properties.$process_person_profile", json!(false))],
        ),
        ("a plain event merges nobody", both().into(), vec![("properties.$anon_distinct_id", null.clone())]),
        (
            "a user's properties never say who it was, when, or which event",
            both()
                .property("distinct_id", "evil")
                .property("$anon_distinct_id", "evil")
                .property("token", "evil")
                .property("uuid", "evil")
                .property("$ignore_sent_at", true)
                .into(),
            ["distinct_id", "$anon_distinct_id", "token", "uuid", "$ignore_sent_at"]
                .map(|name| (&*format!("properties.{name}").leak(), null.clone()))
                .to_vec(),
        ),
        (
            "an id that is no UUID becomes one, always the same",
            Track::new("A").user_id("u1").message_id("ajs-next-1690000000:abc_def/1").into(),
            vec![("uuid", json!("1e48e95d-c93e-5a51-8e40-17bc1efd42be"))],
        ),
        ("no time is invented", Track::new("A").user_id("u1").into(), vec![("timestamp", null.clone())]),
        ("no id is invented", Track::new("A").user_id("u1").into(), vec![("uuid", null)]),
    ];
    check(&posthog(), table);
}

#[test]
fn identify_sets_the_person_and_merges_the_anonymous_one() {
    let traits = json!({"email": "a@b.c", "createdAt": "2024-01-01", "plan": "Free"});
    let identify = || Identify::new().traits(traits.clone());
    let null = Value::Null;
    let table: Vec<Row> = vec![
        (
            "$identify of a known user",
            identify().user_id("u1").anonymous_id("a1").into(),
            vec![
                ("event", json!("$identify")),
                ("distinct_id", json!("u1")),
                ("$set", traits.clone()),
                ("properties.$anon_distinct_id", json!("a1")),
                ("properties.$process_person_profile", null.clone()),
            ],
        ),
        (
            "no merge with itself",
            identify().user_id("u1").anonymous_id("u1").into(),
            vec![("properties.$anon_distinct_id", null.clone())],
        ),
        (
            "no merge with an id that PostHog merges nobody with",
            identify().user_id("u1").anonymous_id("Undefined").into(),
            vec![("properties.$anon_distinct_id", null.clone()), ("$set", traits.clone())],
        ),
        (
            "$set of an anonymous one, whose traits are lost without a person",
            identify().anonymous_id("a1").into(),
            vec![
                ("event", json!("$set")),
                ("distinct_id", json!("a1")),
                ("$set", traits.clone()),
                ("properties.$process_person_profile", null),
            ],
        ),
    ];
    check(&posthog(), table);
    let once = item(&posthog().set_once(["createdAt", "absent"]), identify().user_id("u1"));
    assert_eq!(once["$set_once"], json!({"createdAt": "2024-01-01"}));
    assert_eq!(once["$set"], json!({"email": "a@b.c", "plan": "Free"}));
}

#[test]
fn views_have_the_properties_of_web_analytics() {
    let page = Page::new("Docs").category("Help").user_id("u1");
    let here = json!({"url": "https://a.example:8443/x?y=1", "referrer": "https://b.example/z", "title": "T"});
    let context = Context::new().with("page", here);
    let expected = vec![
        ("event", json!("$pageview")),
        ("properties.$current_url", json!("https://a.example:8443/x?y=1")),
        ("properties.$host", json!("a.example:8443")),
        ("properties.$pathname", json!("/x")),
        ("properties.$referrer", json!("https://b.example/z")),
        ("properties.$referring_domain", json!("b.example")),
        ("properties.title", json!("T")),
        ("properties.name", json!("Docs")),
        ("properties.category", json!("Help")),
    ];
    let table: Vec<Row> = vec![
        ("from context.page", page.clone().context(context.clone()).into(), expected),
        (
            "properties come first",
            page.context(context.clone()).property("url", "https://c.example/p").property("path", "/q").into(),
            vec![
                ("properties.$current_url", json!("https://c.example/p")),
                ("properties.$pathname", json!("/q")),
                ("properties.$host", json!("c.example")),
            ],
        ),
        (
            "the path and the host of another URL are not the page's",
            Page::new("A")
                .user_id("u1")
                .context(Context::new().with("page", json!({"url": "https://a.example/x", "path": "/x"})))
                .property("url", "https://c.example/p")
                .into(),
            vec![("properties.$pathname", json!("/p")), ("properties.$host", json!("c.example"))],
        ),
        (
            "the domain of another referrer is not the page's",
            Page::new("A")
                .user_id("u1")
                .context(Context::new().with("page", json!({"path": "/x", "referrer": "https://b.example/z"})))
                .property("referrer", "/z")
                .property("url", "/relative")
                .into(),
            vec![
                ("properties.$referrer", json!("/z")),
                ("properties.$referring_domain", Value::Null),
                ("properties.$pathname", Value::Null),
            ],
        ),
        (
            "a page without anything is one all the same",
            Page::new("").user_id("u1").into(),
            vec![("event", json!("$pageview")), ("properties.$current_url", Value::Null)],
        ),
        (
            "what is no URL has no host",
            Page::new("A").user_id("u1").property("url", "/relative").into(),
            vec![("properties.$current_url", json!("/relative")), ("properties.$host", Value::Null)],
        ),
        (
            "a screen's name is $screen_name",
            Screen::new("Welcome").category("Start").user_id("u1").into(),
            vec![
                ("event", json!("$screen")),
                ("properties.$screen_name", json!("Welcome")),
                ("properties.category", json!("Start")),
            ],
        ),
        (
            "the page is known to a track call, too",
            track().context(context).into(),
            vec![
                ("properties.$current_url", json!("https://a.example:8443/x?y=1")),
                ("properties.$referring_domain", json!("b.example")),
            ],
        ),
    ];
    check(&posthog(), table);
}

#[test]
fn groups_are_updated_and_events_tied_to_them() {
    let group = || Group::new("g1").traits(json!({"name": "Initech", "groupType": "company"}));
    let table: Vec<Row> = vec![
        (
            "$groupidentify, with the type of the trait",
            group().user_id("u1").into(),
            vec![
                ("event", json!("$groupidentify")),
                ("distinct_id", json!("u1")),
                ("properties.$group_type", json!("company")),
                ("properties.$group_key", json!("g1")),
                ("properties.$group_set", json!({"name": "Initech"})),
                ("properties.$groups", json!({"company": "g1"})),
                ("properties.$process_person_profile", Value::Null),
            ],
        ),
        (
            "one constant in place of a person for each group",
            group().anonymous_id("a1").into(),
            vec![("distinct_id", json!("tracklane-groups")), ("properties.$process_person_profile", Value::Null)],
        ),
        (
            "the type of the options comes first",
            group().user_id("u1").integration("PostHog", json!({"groupType": "team"})).into(),
            vec![("properties.$group_type", json!("team"))],
        ),
        (
            "else the setting",
            Group::new("g1").user_id("u1").into(),
            vec![("properties.$group_type", json!("segment_group")), ("properties.$group_set", json!({}))],
        ),
        (
            "PostHog ties only what says $groups",
            track().context(Context::new().with("groupId", "g1")).into(),
            vec![("properties.$groups", json!({"segment_group": "g1"}))],
        ),
        (
            "unless the event says them itself",
            track().context(Context::new().with("groupId", "g1")).property("$groups", json!({"team": "t"})).into(),
            vec![("properties.$groups", json!({"team": "t"}))],
        ),
    ];
    check(&posthog(), table);
    let untied = posthog().groups_from_context(false);
    assert_eq!(
        item(&untied, track().context(Context::new().with("groupId", "g1")))["properties"]["$groups"],
        Value::Null
    );
    // Personless, the update of a group would be dropped.
    let never =
        item(&posthog().person_profiles(PersonProfiles::Never).group_type("company"), Group::new("g1").user_id("u1"));
    assert_eq!(never["properties"]["$process_person_profile"], Value::Null);
    assert_eq!(never["properties"]["$group_type"], "company");
}

#[test]
fn an_alias_keeps_the_new_id() {
    let item_of = |posthog: PostHog| item(&posthog, Alias::new("old", "new"));
    let made = item_of(posthog());
    assert_eq!((&made["event"], &made["distinct_id"]), (&json!("$create_alias"), &json!("new")));
    assert_eq!(made["properties"]["alias"], "old");
    assert_eq!(item_of(posthog().merge_dangerously(true))["event"], "$merge_dangerously");
}

#[test]
fn what_is_no_use_is_skipped_and_what_posthog_would_mangle_refused() {
    let never = posthog().person_profiles(PersonProfiles::Never);
    let long = "x".repeat(201);
    let table: Vec<(&PostHog, Event, bool, &str)> = vec![
        (&never, Identify::new().user_id("u1").into(), false, "need persons"),
        (&never, Alias::new("a", "b").into(), false, "need persons"),
    ];
    let plain = posthog();
    let illegal = ["0", "NULL", "undefined", "Anonymous", "[object Object]", "00000000-0000-0000-0000-000000000000"];
    let mut table = table;
    for id in illegal {
        table.push((&plain, Identify::new().user_id(id).into(), false, "merges no person with the id"));
        table.push((&plain, Alias::new(id, "u1").into(), false, "merges no person with the id"));
        table.push((&plain, Alias::new("u1", id).into(), false, "merges no person with the id"));
    }
    table.push((&plain, Track::new("A").user_id(&*long).into(), true, "more than 200 characters"));
    table.push((&plain, Alias::new(&*long, "u1").into(), true, "more than 200 characters"));
    table.push((&plain, Track::new("A").into(), true, "neither userId nor anonymousId"));
    table.push((&plain, Track::new("").user_id("u1").into(), true, "no name"));
    for (posthog, event, is_loss, reason) in table {
        let shown = format!("{event:?}");
        let (told, lost) = why_not(posthog, event);
        assert!(told.contains(reason) && lost == is_loss, "{shown}: {told}");
    }
    // A plain event of such an id is stored as it is.
    assert_eq!(item(&plain, Track::new("A").user_id("undefined"))["distinct_id"], "undefined");
}

#[test]
fn the_context_is_what_posthog_calls_it() {
    let context = json!({
        "ip": "203.0.113.7",
        "userAgent": "Mozilla/5.0",
        "os": {"name": "iOS", "version": "17.1"},
        "device": {"id": "d1", "manufacturer": "Apple", "model": "iPhone", "name": "mine", "type": "ios"},
        "app": {"name": "App", "version": "1.2", "build": "34", "namespace": "com.example"},
        "locale": "de-DE",
        "timezone": "Europe/Berlin",
        "screen": {"width": 390, "height": 844, "density": 3},
        "network": {"carrier": "Telekom"},
        "campaign": {"source": "s", "medium": "m", "name": "n", "content": "c", "term": "t"},
    });
    let event = track().context(Context::from(context)).integration("PostHog", json!({"sessionId": "s-1"}));
    let item = item(&posthog(), event);
    let expected = json!({
        "$ip": "203.0.113.7", "$raw_user_agent": "Mozilla/5.0", "$os": "iOS", "$os_version": "17.1",
        "$device_id": "d1", "$device_manufacturer": "Apple", "$device_model": "iPhone", "$device_name": "mine",
        "$device_type": "ios", "$app_name": "App", "$app_version": "1.2", "$app_build": "34",
        "$app_namespace": "com.example", "$locale": "de-DE", "$timezone": "Europe/Berlin", "$screen_width": 390,
        "$screen_height": 844, "$screen_density": 3, "$network_carrier": "Telekom", "utm_source": "s",
        "utm_medium": "m", "utm_campaign": "n", "utm_content": "c", "utm_term": "t", "$session_id": "s-1",
        "$lib": "tracklane", "$lib_version": env!("CARGO_PKG_VERSION"),
    });
    assert_eq!(item["properties"], expected, "neither $geoip_disable nor $is_server: the user's own device is known");
}

#[test]
fn settings_say_who_has_a_person() {
    let known = || Track::new("A").user_id("u1");
    let anonymous = || Track::new("A").anonymous_id("a1");
    let personless =
        |posthog: &PostHog, event: Track| item(posthog, event)["properties"]["$process_person_profile"] == json!(false);
    let table = [
        (PersonProfiles::Always, false, false),
        (PersonProfiles::IdentifiedOnly, false, true),
        (PersonProfiles::Never, true, true),
    ];
    for (profiles, of_known, of_anonymous) in table {
        let posthog = posthog().person_profiles(profiles);
        assert_eq!(personless(&posthog, known()), of_known, "{profiles:?}, known");
        assert_eq!(personless(&posthog, anonymous()), of_anonymous, "{profiles:?}, anonymous");
    }
    let context = Context::new().with("traits", json!({"plan": "Pro"}));
    assert_eq!(item(&posthog(), known().context(context.clone()))["$set"], Value::Null);
    assert_eq!(item(&posthog().context_traits(true), known().context(context))["$set"], json!({"plan": "Pro"}));
}

#[test]
fn the_hook_has_the_last_word() {
    let posthog = posthog().map_event(|event, item| {
        item["event"] = format!("app: {}", event.name().unwrap_or_default()).into();
        item["properties"]["extra"] = 1.into();
    });
    let item = item(&posthog, track());
    assert_eq!((&item["event"], &item["properties"]["extra"]), (&json!("app: Item Purchased"), &json!(1)));
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z$ ]{0,10}", inner, 0..4)
                .prop_map(|map| Value::from(map.into_iter().collect::<serde_json::Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn no_event_makes_the_mapping_panic_or_lose_who_it_was(
        kind in prop::sample::select(vec!["track", "identify", "page", "screen", "group", "alias"]),
        members in prop::collection::btree_map(
            prop::sample::select(vec!["userId", "anonymousId", "groupId", "previousId", "event", "name", "category"]),
            "\\PC{1,8}",
            0..6,
        ),
        sections in prop::collection::btree_map(
            prop::sample::select(vec!["properties", "traits", "context", "integrations"]),
            prop::collection::btree_map("[a-zA-Z$]{0,10}", json_value(), 0..5),
            0..4,
        ),
    ) {
        let mut event = json!({"type": kind, "messageId": "m"});
        members.iter().for_each(|(name, text)| event[*name] = text.as_str().into());
        sections.iter().for_each(|(name, object)| event[*name] = json!(object));
        let Ok(event) = serde_json::from_value::<Event>(event) else { return Ok(()) };
        let Mapped::Items(items) = posthog().map(&event).unwrap() else { return Ok(()) };
        for item in items {
            let ids = [members.get("userId"), members.get("anonymousId")];
            let who = item["distinct_id"].as_str().unwrap();
            prop_assert!(ids.into_iter().flatten().any(|id| id == who) || who == "tracklane-groups", "{}", item);
            prop_assert_eq!(&item["uuid"], "b895da37-9fe9-5719-ba3e-1aab3cb9f9f2");
        }
    }
}
