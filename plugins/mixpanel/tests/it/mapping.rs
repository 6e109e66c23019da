//! What an event is at Mixpanel. Each row names the rule of Mixpanel's that it rests on.

use proptest::prelude::*;
use serde_json::{Value, json};
use tracklane::event::{Context, Timestamp, message_uuid, part_uuid};
use tracklane::{Event, Page, Screen, Track};
use tracklane_mixpanel::{IdMerge, Mapped, Mixpanel, Products, Target};

use crate::support::{items, mixpanel, properties, track, why_not};

fn original() -> Mixpanel {
    mixpanel().id_merge(IdMerge::Original)
}

#[test]
fn a_track_call_is_an_event_of_the_import() {
    let time = "2024-02-29T12:00:00.123Z".parse::<Timestamp>().unwrap();
    let event = track().anonymous_id("a1").timestamp(time).property("revenue", 39.95);
    let expected = json!({
        "event": "Item Purchased",
        "properties": {
            "revenue": 39.95,
            "distinct_id": "u1",
            "$user_id": "u1",
            "$device_id": "a1",
            "$insert_id": "0a1801fd-3e68-49f8-a7ae-d4ab629a3c20",
            "time": 1_709_208_000_123_i64,
            "mp_lib": "tracklane",
            "$lib_version": env!("CARGO_PKG_VERSION"),
        },
    });
    assert_eq!(items(&mixpanel(), Target::Import, event), [expected]);
}

#[test]
fn who_it_was_follows_the_projects_merging() {
    let (user, anonymous) = (|| Track::new("A").user_id("u1"), || Track::new("A").anonymous_id("a1"));
    let both = || user().anonymous_id("a1");
    let null = Value::Null;
    // Event, project, distinct_id, $user_id, $device_id.
    let table = [
        ("both merge", both(), mixpanel(), "u1", json!("u1"), json!("a1")),
        ("known", user(), mixpanel(), "u1", json!("u1"), null.clone()),
        ("anonymous: by the device", anonymous(), mixpanel(), "$device:a1", null.clone(), json!("a1")),
        ("original: the user", both(), original(), "u1", null.clone(), null.clone()),
        ("original: else the anonymous id", anonymous(), original(), "a1", null.clone(), null),
    ];
    for (rule, event, mixpanel, distinct_id, user_id, device_id) in table {
        let made = properties(&mixpanel, event);
        assert_eq!(made["distinct_id"], distinct_id, "{rule}");
        assert_eq!((&made["$user_id"], &made["$device_id"]), (&user_id, &device_id), "{rule}");
    }
}

#[test]
fn a_users_properties_never_say_who_when_where_or_which_and_never_hide_the_event() {
    const NAMES: [&str; 12] = [
        "distinct_id",
        "$user_id",
        "$device_id",
        "$insert_id",
        "id",
        "time",
        "ip",
        "token",
        "$ignore",
        "bucket",
        "$bucket",
        "$identified_id",
    ];
    let event =
        NAMES.iter().fold(Track::new("A").user_id("u1").message_id("m1"), |event, name| event.property(name, "evil"));
    let made = properties(&mixpanel(), event);
    assert!(!made.to_string().contains("evil"), "{made}");
    assert_eq!((&made["distinct_id"], &made["$insert_id"]), (&json!("u1"), &json!("m1")));
    assert_eq!(made["time"], Value::Null, "no time is invented");
}

#[test]
fn an_insert_id_is_the_message_id_if_mixpanel_takes_it() {
    let long = "x".repeat(37);
    let refused = ["ajs-next-1690000000:abc", "a_b", "a/b", "a b", "ä", "undefined", "0", "-1", &long];
    let taken = ["m1", "0A1801FD-3e68-49f8-a7ae-d4ab629a3c20", &long[..36]];
    let of = |id: &str| properties(&mixpanel(), Track::new("A").user_id("u1").message_id(id))["$insert_id"].clone();
    for id in taken {
        assert_eq!(of(id), id);
    }
    for id in refused {
        assert_eq!(of(id), *message_uuid(id), "36 bytes of letters, digits and dashes, and none that is refused");
    }
}

#[test]
fn ids_that_mixpanel_refuses_are_refused_here_by_name() {
    for id in
        ["Anonymous", "null", "N/A", "undefined", "<nil>", "0", "-1", "[]", "00000000-0000-0000-0000-000000000000"]
    {
        for event in [Track::new("A").user_id(id), Track::new("A").user_id("u1").anonymous_id(id)] {
            let (reason, is_loss) = why_not(&mixpanel(), event);
            assert!(is_loss && reason.contains("refuses the id"), "{id}: {reason}");
        }
    }
    for (event, reason) in
        [(Track::new("A"), "neither userId nor anonymousId"), (Track::new("").user_id("u"), "no name")]
    {
        let (told, is_loss) = why_not(&mixpanel(), event);
        assert!(is_loss && told.contains(reason), "{told}");
    }
}

#[test]
fn views_are_named_after_the_page() {
    let name = |event: Event| items(&mixpanel(), Target::Import, event).remove(0)["event"].clone();
    let table: [(Event, &str); 5] = [
        (Page::new("Docs").user_id("u1").into(), "Viewed Docs Page"),
        (Page::new("").user_id("u1").into(), "Viewed Page"),
        (Page::new("").user_id("u1").property("name", "Inner").into(), "Viewed Inner Page"),
        (Screen::new("Home").user_id("u1").into(), "Viewed Home Screen"),
        (Screen::new("").user_id("u1").into(), "Viewed Screen"),
    ];
    for (event, expected) in table {
        assert_eq!(name(event), expected);
    }
    let made = properties(&mixpanel(), Page::new("Docs").category("Help").user_id("u1").property("url", "https://a"));
    assert_eq!((&made["name"], &made["category"], &made["url"]), (&json!("Docs"), &json!("Help"), &json!("https://a")));
}

#[test]
fn a_page_says_itself_where_it_was_before_the_context_does() {
    let here = json!({"url": "https://a.example/x", "referrer": "https://b.example/y", "title": "T", "path": "/x"});
    let context = || Context::new().with("page", here.clone());
    let null = Value::Null;
    let page = |own: Value| Page::new("").user_id("u1").properties(own);
    let of_context = ["https://a.example/x", "/x", "T", "https://b.example/y", "b.example"].map(Value::from);
    // Event, $current_url, current_url_path, current_page_title, $referrer, $referring_domain.
    let table: Vec<(&str, Event, [Value; 5])> =
        vec![
        (
            "its own, without a context",
            page(json!({"url": "https://c.example/p", "path": "/p", "title": "Own", "referrer": "https://d.example/q"}))
                .into(),
            ["https://c.example/p", "/p", "Own", "https://d.example/q", "d.example"].map(Value::from),
        ),
        (
            "its own before the context's",
            page(json!({"url": "https://c.example/p", "path": "/p", "title": "Own", "referrer": "https://d.example/q"}))
                .context(context())
                .into(),
            ["https://c.example/p", "/p", "Own", "https://d.example/q", "d.example"].map(Value::from),
        ),
        (
            "the path of another URL is not the page's",
            page(json!({"url": "https://c.example/p"})).context(context()).into(),
            [json!("https://c.example/p"), null.clone(), json!("T"), json!("https://b.example/y"), json!("b.example")],
        ),
        (
            "the domain of another referrer is not the page's",
            page(json!({"referrer": "/q"})).context(context()).into(),
            [json!("https://a.example/x"), json!("/x"), json!("T"), json!("/q"), null.clone()],
        ),
        (
            "what is no text says nothing",
            page(json!({"url": "", "title": 5, "referrer": null})).context(context()).into(),
            of_context.clone(),
        ),
        ("the context's, of a page", page(json!({})).context(context()).into(), of_context.clone()),
        (
            "of a track call these are properties like any other",
            track().properties(json!({"url": "/own", "title": "Own"})).context(context()).into(),
            of_context.clone(),
        ),
        (
            "and of a screen",
            Screen::new("A").user_id("u1").properties(json!({"url": "/own"})).context(context()).into(),
            of_context.clone(),
        ),
        (
            "Mixpanel's own names come first of all",
            page(json!({"url": "https://c.example/p", "$current_url": "https://e.example"})).into(),
            [json!("https://e.example"), null.clone(), null.clone(), null.clone(), null.clone()],
        ),
    ];
    for (rule, event, expected) in table {
        let made = properties(&mixpanel(), event);
        let names = ["$current_url", "current_url_path", "current_page_title", "$referrer", "$referring_domain"];
        assert_eq!(names.map(|name| made[name].clone()), expected, "{rule}: {made:#}");
    }
}

#[test]
fn the_context_is_what_mixpanel_calls_it() {
    let context = json!({
        "ip": "203.0.113.7",
        "page": {"url": "https://a.example/x", "referrer": "https://b.example/y", "title": "T", "path": "/x"},
        "locale": "de-DE",
        "timezone": "Europe/Berlin",
        "os": {"name": "iOS", "version": "17.1"},
        "device": {"manufacturer": "Apple", "model": "iPhone", "name": "mine", "type": "ios", "advertisingId": "secret"},
        "network": {"carrier": "Telekom", "wifi": true},
        "screen": {"width": 390, "height": 844, "density": 3},
        "app": {"name": "App", "version": "1.2", "build": "34"},
        "campaign": {"source": "s", "medium": "m", "name": "n", "content": "c", "term": "t"},
        "groupId": "g1",
    });
    let event = Track::new("A").user_id("u1").context(Context::from(context));
    let expected = json!({
        "distinct_id": "u1", "$user_id": "u1",
        "ip": "203.0.113.7", "$current_url": "https://a.example/x", "$referrer": "https://b.example/y",
        "current_page_title": "T", "current_url_path": "/x", "locale": "de-DE", "timezone": "Europe/Berlin",
        "device_type": "ios", "$referring_domain": "b.example", "$os": "iOS", "$os_version": "17.1", "$manufacturer": "Apple",
        "$model": "iPhone", "$device": "mine", "$carrier": "Telekom", "$wifi": true, "$screen_width": 390,
        "$screen_height": 844, "$screen_dpi": 3, "$app_name": "App", "$app_version_string": "1.2",
        "$app_build_number": "34", "utm_source": "s", "utm_medium": "m", "utm_campaign": "n", "utm_content": "c",
        "utm_term": "t", "company": ["g1"], "mp_lib": "tracklane", "$lib_version": env!("CARGO_PKG_VERSION"),
    });
    assert_eq!(properties(&mixpanel().group_key("company"), event.clone()), expected);
    let untied = properties(&mixpanel().group_key("company").groups_from_context(false), event);
    assert_eq!(untied["company"], Value::Null);
}

fn order() -> Track {
    let products = json!([{"product_id": "p1", "price": 1, "id": "evil"}, {"product_id": "p2"}, "no product"]);
    Track::new("Order Completed")
        .user_id("u1")
        .message_id("m1")
        .property("order_id", "o1")
        .property("products", products)
}

#[test]
fn products_stay_in_the_order_or_are_events_with_ids_of_their_own() {
    assert_eq!(items(&mixpanel(), Target::Import, order()).len(), 1);
    let each = mixpanel().products(Products::PerProduct);
    let [order, one, two] = <[Value; 3]>::try_from(items(&each, Target::Import, order())).unwrap();
    assert_eq!(order["properties"]["$insert_id"], "m1");
    for (part, (item, product)) in [(one, "p1"), (two, "p2")].into_iter().enumerate() {
        let properties = &item["properties"];
        assert_eq!((&item["event"], &properties["product_id"]), (&json!("Product Purchased"), &json!(product)));
        assert_eq!((&properties["order_id"], &properties["distinct_id"]), (&json!("o1"), &json!("u1")));
        assert_eq!(properties["$insert_id"], *part_uuid("m1", part), "36 bytes, and stable");
        assert_eq!(properties["id"], Value::Null);
    }
    assert_eq!(
        items(&each, Target::Import, Track::new("Other").user_id("u1").property("products", json!([{}]))).len(),
        1
    );
}

#[test]
fn a_charge_is_added_to_the_profile_if_asked_for() {
    let sale = |revenue: Value| Track::new("Sale").user_id("u1").property("revenue", revenue);
    assert!(items(&mixpanel(), Target::Engage, sale(json!(5))).is_empty());
    let charging = mixpanel().track_charges(true);
    for (revenue, amount) in [(json!(5), 5.0), (json!("39.95"), 39.95)] {
        let [charge] = <[Value; 1]>::try_from(items(&charging, Target::Engage, sale(revenue))).unwrap();
        assert_eq!(charge["$append"]["$transactions"]["$amount"], amount);
    }
    assert!(items(&charging, Target::Engage, sale(json!("much"))).is_empty());
}

#[test]
fn the_hook_has_the_last_word_on_every_item() {
    let hooked = mixpanel().map_event(|event, item| {
        if item.target == Target::Import {
            item.body["properties"]["was"] = event.name().unwrap_or_default().into_owned().into();
        }
    });
    assert_eq!(properties(&hooked, Track::new("A").user_id("u1"))["was"], "A");
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
        names in prop::collection::vec("[a-zA-Z$]{0,10}", 0..6),
        products in any::<bool>(),
        is_original in any::<bool>(),
    ) {
        let mut event = json!({"type": kind, "messageId": "m1"});
        members.iter().for_each(|(name, text)| event[*name] = text.as_str().into());
        let section = if ["identify", "group"].contains(&kind) { "traits" } else { "properties" };
        event[section] = names.iter().map(|name| (name.clone(), json!([null, {"a": name}]))).collect::<serde_json::Map<_, _>>().into();
        let Ok(event) = serde_json::from_value::<Event>(event) else { return Ok(()) };
        let products = if products { Products::PerProduct } else { Products::Keep };
        let mixpanel = if is_original { original() } else { mixpanel() }.products(products);
        let Mapped::Items(items) = mixpanel.map(&event).unwrap() else { return Ok(()) };
        for item in items {
            let body = item.body;
            let who = match item.target {
                Target::Import => &body["properties"]["distinct_id"],
                Target::Engage => &body["$distinct_id"],
                _ => continue,
            };
            let is_merge = body["event"] == "$merge";
            let who = who.as_str().unwrap_or_default().trim_start_matches("$device:");
            prop_assert!(is_merge || members.values().any(|id| id == who), "{}", body);
        }
    }
}
