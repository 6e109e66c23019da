//! What an event is at Amplitude. Each test names the rule of Amplitude's that it rests on.

use proptest::prelude::*;
use serde_json::{Value, json};
use tracklane::event::{Context, Timestamp};
use tracklane::{Alias, Event, Group, Identify, Page, Screen, Track};
use tracklane_amplitude::{Amplitude, Mapped, Products, Target};

use crate::support::{amplitude, item, items, track, why_not};

fn library() -> String {
    format!("tracklane/{}", env!("CARGO_PKG_VERSION"))
}

#[test]
fn a_track_call_is_an_event_of_the_batch() {
    let time = "2024-02-29T12:00:00.123Z".parse::<Timestamp>().unwrap();
    let event = track().anonymous_id("a1").timestamp(time).property("colour", "red").property("id", 7);
    let expected = json!({
        "event_type": "Item Purchased",
        "user_id": "u1",
        "device_id": "a1",
        "time": 1_709_208_000_123_i64,
        "insert_id": "0a1801fd-3e68-49f8-a7ae-d4ab629a3c20",
        "session_id": -1,
        "event_properties": {"colour": "red", "id": 7},
        "library": library(),
    });
    assert_eq!(item(&amplitude(), event), expected);
}

#[test]
fn nothing_is_invented_and_a_users_properties_stay_where_they_are() {
    let event =
        Track::new("A").user_id("u1").property("user_id", "evil").property("time", 1).property("insert_id", "evil");
    let made = item(&amplitude(), event);
    assert_eq!((&made["user_id"], &made["event_properties"]["user_id"]), (&json!("u1"), &json!("evil")));
    for member in ["device_id", "time", "insert_id", "ip", "platform"] {
        assert_eq!(made[member], Value::Null, "{member} is invented");
    }
}

#[test]
fn the_device_of_a_mobile_app_is_its_own() {
    let on = |kind: &str| {
        let device = json!({"id": "d1", "type": kind, "advertisingId": "ad"});
        item(&amplitude(), Track::new("A").anonymous_id("a1").context(Context::new().with("device", device)))
    };
    // Type, platform, device_id, idfa, idfv, adid.
    let null = Value::Null;
    let table = [
        ("ios", "iOS", "d1", json!("ad"), json!("d1"), null.clone()),
        ("iOS", "iOS", "d1", json!("ad"), json!("d1"), null.clone()),
        ("android", "Android", "d1", null.clone(), null.clone(), json!("ad")),
        ("desktop", "desktop", "a1", null.clone(), null.clone(), null),
    ];
    for (kind, platform, device, idfa, idfv, adid) in table {
        let made = on(kind);
        assert_eq!((&made["platform"], &made["device_id"]), (&json!(platform), &json!(device)), "{kind}");
        assert_eq!((&made["idfa"], &made["idfv"], &made["adid"]), (&idfa, &idfv, &adid), "{kind}");
    }
}

#[test]
fn the_context_is_what_amplitude_calls_it() {
    let context = json!({
        "app": {"version": "1.2"},
        "os": {"name": "Windows", "version": "11"},
        "device": {"brand": "b", "manufacturer": "m", "model": "x"},
        "network": {"carrier": "Telekom"},
        "locale": "de-DE",
        "ip": "203.0.113.7",
        "userAgent": "Mozilla/5.0",
        "location": {"latitude": 52.5, "longitude": 13.4, "country": "Germany", "region": "Berlin", "city": "Berlin"},
        "groupId": "g1",
    });
    let made = item(&amplitude().group_type("company"), Track::new("A").user_id("u1").context(Context::from(context)));
    let expected = json!({
        "event_type": "A", "user_id": "u1", "session_id": -1, "event_properties": {}, "library": library(),
        "app_version": "1.2", "os_name": "Windows", "os_version": "11", "device_brand": "b",
        "device_manufacturer": "m", "device_model": "x", "carrier": "Telekom", "language": "de-DE",
        "ip": "203.0.113.7", "user_agent": "Mozilla/5.0", "platform": "Web", "location_lat": 52.5,
        "location_lng": 13.4, "country": "Germany", "region": "Berlin", "city": "Berlin", "groups": {"company": "g1"},
    });
    assert_eq!(made, expected);
}

#[test]
fn the_session_is_what_the_client_says() {
    let table = [
        (json!({"session_id": 1_700_000_000_000_i64}), 1_700_000_000_000_i64),
        (json!({"sessionId": "1700000000000"}), 1_700_000_000_000),
        (json!({"session_id": "soon"}), -1),
        (json!({}), -1),
        (json!(true), -1),
    ];
    for name in ["Amplitude", "Actions Amplitude"] {
        for (options, expected) in &table {
            let made = item(&amplitude(), Track::new("A").user_id("u1").integration(name, options));
            assert_eq!(made["session_id"], *expected, "{name}: {options}");
        }
    }
}

#[test]
fn revenue_becomes_members_with_what_belongs_to_it() {
    let own = |event: Track| {
        let made = item(&amplitude(), event);
        let members = ["revenue", "price", "quantity", "productId", "revenueType", "currency"];
        let own: Vec<Value> = members.iter().map(|member| made[*member].clone()).collect();
        (own, made["event_properties"].clone())
    };
    let sale = || Track::new("Sale").user_id("u1");
    let null = Value::Null;
    let table = [
        (
            sale().properties(json!({"revenue": "39.95", "price": 19.975, "quantity": 2, "product_id": "p1",
                "revenueType": "sale", "currency": "EUR", "colour": "red"})),
            vec![json!(39.95), json!(19.975), json!(2), json!("p1"), json!("sale"), json!("EUR")],
            json!({"currency": "EUR", "colour": "red"}),
        ),
        (
            sale().properties(json!({"revenue": 5, "quantity": 1.5})),
            vec![json!(5.0), null.clone(), null.clone(), null.clone(), null.clone(), null.clone()],
            json!({"quantity": 1.5}),
        ),
        // Amplitude takes price × quantity for the revenue if it has all three, so a price that says otherwise is none.
        (
            sale().properties(json!({"revenue": 35.5, "price": 19.5, "quantity": 2, "productId": "p1"})),
            vec![json!(35.5), null.clone(), json!(2), json!("p1"), null.clone(), null.clone()],
            json!({"price": 19.5}),
        ),
        (
            sale().properties(json!({"revenue": 0.3, "price": 0.1, "quantity": 3})),
            vec![json!(0.3), json!(0.1), json!(3), null.clone(), null.clone(), null.clone()],
            json!({}),
        ),
        // Amplitude's quantity is 1 unless it is said.
        (
            sale().properties(json!({"revenue": 39, "price": 19.5})),
            vec![json!(39.0), null.clone(), null.clone(), null.clone(), null.clone(), null.clone()],
            json!({"price": 19.5}),
        ),
        (
            sale().properties(json!({"revenue": 19.5, "price": 19.5})),
            vec![json!(19.5), json!(19.5), null.clone(), null.clone(), null.clone(), null.clone()],
            json!({}),
        ),
        (
            sale().properties(json!({"revenue": 15, "price": 10, "quantity": 1.5})),
            vec![json!(15.0), null.clone(), null.clone(), null.clone(), null.clone(), null.clone()],
            json!({"price": 10, "quantity": 1.5}),
        ),
        (
            sale().properties(json!({"revenue": -39, "price": 19.5, "quantity": -2})),
            vec![json!(-39.0), json!(19.5), json!(-2), null.clone(), null.clone(), null.clone()],
            json!({}),
        ),
        // Without revenue a price is a property like any other.
        (
            sale().properties(json!({"price": 5, "productId": "p1", "revenue": "free"})),
            vec![null.clone(); 6],
            json!({"price": 5, "productId": "p1", "revenue": "free"}),
        ),
    ];
    for (event, members, properties) in table {
        assert_eq!(own(event), (members, properties));
    }
}

#[test]
fn the_revenue_of_an_order_is_counted_once() {
    let order = |products: Value| {
        let order = Track::new("Order Completed").user_id("u1").message_id("m1");
        order.properties(json!({"order_id": "o1", "revenue": 25, "currency": "EUR", "products": products}))
    };
    let products =
        json!([{"product_id": "p1", "price": 5, "quantity": 2, "name": "A"}, {"product_id": "p2", "price": 15}]);
    let kept = item(&amplitude(), order(products.clone()));
    assert_eq!((&kept["revenue"], &kept["event_properties"]["products"]), (&json!(25.0), &products));
    let each = amplitude().products(Products::PerProduct);
    let [whole, one, two] = <[Value; 3]>::try_from(items(&each, order(products))).unwrap();
    assert_eq!((&whole["revenue"], &whole["event_properties"]["revenue"]), (&Value::Null, &json!(25)));
    assert_eq!((&one["revenue"], &one["quantity"], &one["productId"]), (&json!(10.0), &json!(2), &json!("p1")));
    assert_eq!((&two["revenue"], &two["quantity"]), (&json!(15.0), &json!(1)));
    for (item, id) in [(&whole, "m1"), (&one, "m1-1"), (&two, "m1-2")] {
        assert_eq!(item["insert_id"], id);
    }
    assert_eq!(one["event_type"], "Product Purchased");
    assert_eq!((&one["event_properties"]["order_id"], &one["event_properties"]["name"]), (&json!("o1"), &json!("A")));
    assert_eq!((&one["currency"], &one["user_id"]), (&json!("EUR"), &json!("u1")));
    // A quantity that Amplitude does not take.
    let [_, half] = <[Value; 2]>::try_from(items(&each, order(json!([{"price": 10, "quantity": 1.5}])))).unwrap();
    assert_eq!((&half["revenue"], &half["price"], &half["quantity"]), (&json!(15.0), &Value::Null, &Value::Null));
    assert_eq!((&half["event_properties"]["price"], &half["event_properties"]["quantity"]), (&json!(10), &json!(1.5)));
    // A product without a price: what the others say is not all of it.
    let [whole, one, two] =
        <[Value; 3]>::try_from(items(&each, order(json!([{"price": 5}, {"name": "gift"}])))).unwrap();
    assert_eq!((&whole["revenue"], &one["revenue"], &two["revenue"]), (&json!(25.0), &Value::Null, &Value::Null));
}

#[test]
fn identify_has_operations_alone() {
    let context = json!({
        "campaign": {"source": "s", "name": "n"},
        "page": {"referrer": "https://b.example/x"},
    });
    let options = json!({"$add": {"visits": 1}, "$setOnce": {"first": true}, "$nonsense": {"a": 1}, "$append": 5});
    let event = Identify::new()
        .user_id("u1")
        .traits(json!({"plan": "Pro", "createdAt": "2024-01-01"}))
        .context(Context::from(context))
        .integration("Amplitude", options);
    let made = item(&amplitude().set_once(["createdAt"]), event);
    let expected = json!({
        "$set": {"plan": "Pro", "utm_source": "s", "utm_campaign": "n"},
        "$setOnce": {
            "createdAt": "2024-01-01", "initial_utm_source": "s", "initial_utm_campaign": "n",
            "initial_referrer": "https://b.example/x", "initial_referring_domain": "b.example", "first": true,
        },
        "$add": {"visits": 1},
    });
    assert_eq!((&made["event_type"], &made["user_properties"]), (&json!("$identify"), &expected));
}

/// What brought a user here is a property of theirs, as in Amplitude's own SDKs, on whatever event tells it.
#[test]
fn campaign_and_referrer_of_any_event_are_properties_of_the_user() {
    let context = || {
        let context = json!({"campaign": {"source": "s", "name": "n"}, "page": {"referrer": "https://b.example/x"}});
        Context::from(context)
    };
    let expected = json!({
        "$set": {"utm_source": "s", "utm_campaign": "n"},
        "$setOnce": {
            "initial_utm_source": "s", "initial_utm_campaign": "n", "initial_referrer": "https://b.example/x",
            "initial_referring_domain": "b.example",
        },
    });
    let events: [Event; 3] = [
        track().context(context()).into(),
        Page::new("Docs").user_id("u1").context(context()).into(),
        Screen::new("Home").user_id("u1").context(context()).into(),
    ];
    for event in events {
        assert_eq!(item(&amplitude(), event)["user_properties"], expected);
    }
    let page = Page::new("Docs").user_id("u1").property("referrer", "https://c.example/y").context(context());
    let once = &item(&amplitude(), page)["user_properties"]["$setOnce"];
    assert_eq!(once["initial_referrer"], "https://c.example/y", "a page's own referrer comes first");
    assert_eq!(once["initial_referring_domain"], "c.example");
    assert_eq!(item(&amplitude(), track())["user_properties"], Value::Null);
}

#[test]
fn a_group_call_makes_a_member_and_sets_the_group() {
    let group = || Group::new("g1").user_id("u1").message_id("m1");
    let event = group().traits(json!({"name": "Initech", "groupType": "company"}));
    let [member, set] = <[Value; 2]>::try_from(items(&amplitude(), event)).unwrap();
    assert_eq!((&member["event_type"], &set["event_type"]), (&json!("$identify"), &json!("$groupidentify")));
    assert_eq!((&member["groups"], &set["groups"]), (&json!({"company": "g1"}), &json!({"company": "g1"})));
    assert_eq!(member["user_properties"], json!({"$set": {"company": "g1"}}));
    assert_eq!(set["group_properties"], json!({"$set": {"name": "Initech"}}));
    assert_eq!((&member["insert_id"], &set["insert_id"]), (&json!("m1"), &json!("m1-1")));
    let of_setting = item(&amplitude().group_type("team"), group());
    assert_eq!(of_setting["groups"], json!({"team": "g1"}), "without traits there is no group to set");
}

#[test]
fn the_options_add_groups_to_every_call() {
    let options = json!({"groups": {"org": ["a", "b"], "team": "t", "none": null}});
    let context = || Context::new().with("groupId", "g7");
    let table: Vec<(&str, Event, Value)> = vec![
        ("track", track().into(), json!({"org": ["a", "b"], "team": "t"})),
        ("page", Page::new("A").user_id("u1").into(), json!({"org": ["a", "b"], "team": "t"})),
        ("screen", Screen::new("A").user_id("u1").into(), json!({"org": ["a", "b"], "team": "t"})),
        ("identify", Identify::new().user_id("u1").into(), json!({"org": ["a", "b"], "team": "t"})),
        ("a group", Group::new("g1").user_id("u1").into(), json!({"group": "g1", "org": ["a", "b"], "team": "t"})),
        (
            "the call's own group comes first",
            Group::new("g1").user_id("u1").with_trait("groupType", "team").into(),
            json!({"team": "g1", "org": ["a", "b"]}),
        ),
        (
            "the context's group",
            track().context(context()).into(),
            json!({"group": "g7", "org": ["a", "b"], "team": "t"}),
        ),
    ];
    for (rule, event, groups) in table {
        let mut json = serde_json::to_value(&event).unwrap();
        json["integrations"] = json!({"Amplitude": options});
        let made = item(&amplitude(), serde_json::from_value::<Event>(json).unwrap());
        assert_eq!(made["groups"], groups, "{rule}");
        let is_group = made["user_properties"]["$set"] == groups;
        assert_eq!(is_group, rule.contains("group") && !rule.contains("context"), "{rule}: {made}");
    }
    let other = json!({"groups": {"group": "other"}});
    let told = item(&amplitude(), track().context(context()).integration("Actions Amplitude", &other));
    assert_eq!(told["groups"], json!({"group": "other"}), "the options say more than the context");
    for none in [json!({"groups": {}}), json!({"groups": "none"}), json!({"groups": {"org": null}})] {
        assert_eq!(item(&amplitude(), track().integration("Amplitude", &none))["groups"], Value::Null, "{none}");
    }
    // The traits are of the call's group alone.
    let event = Group::new("g1").user_id("u1").with_trait("plan", "Pro").integration("Amplitude", &options);
    let [member, set] = <[Value; 2]>::try_from(items(&amplitude(), event)).unwrap();
    assert_eq!(member["groups"], json!({"group": "g1", "org": ["a", "b"], "team": "t"}));
    assert_eq!(set["groups"], json!({"group": "g1"}));
}

#[test]
fn views_and_aliases() {
    let name = |event: Event| item(&amplitude(), event)["event_type"].clone();
    let table: [(Event, &str); 4] = [
        (Page::new("Docs").user_id("u1").into(), "Viewed Docs Page"),
        (Page::new("").user_id("u1").into(), "Viewed Page"),
        (Screen::new("Home").user_id("u1").into(), "Viewed Home Screen"),
        (Screen::new("").user_id("u1").into(), "Viewed Screen"),
    ];
    for (event, expected) in table {
        assert_eq!(name(event), expected);
    }
    let made = item(&amplitude(), Page::new("Docs").category("Help").user_id("u1"));
    assert_eq!(made["event_properties"], json!({"name": "Docs", "category": "Help"}));
    let Mapped::Items(mapping) = amplitude().user_mapping(true).map(&Alias::new("old", "new").into()).unwrap() else {
        panic!("it is mapped")
    };
    assert_eq!(mapping[0].target, Target::UserMap);
    assert_eq!(mapping[0].body, json!({"user_id": "old", "global_user_id": "new"}));
}

#[test]
fn what_amplitude_has_no_use_for_is_skipped_and_what_it_refuses_refused() {
    let mut table: Vec<(Amplitude, Event, bool, &str)> = vec![
        (amplitude(), Alias::new("old", "new").into(), false, "only with an add-on"),
        (amplitude(), Track::new("A").into(), true, "neither userId nor anonymousId"),
        (amplitude(), Track::new("").user_id("u1").into(), true, "no name"),
        (amplitude(), Track::new("$identify").user_id("u1").into(), true, "for something else"),
        (amplitude().user_mapping(true), Alias::new("null", "u1").into(), true, "refuses the id"),
    ];
    for id in ["Anonymous", "null", "N/A", "undefined", "LMY47D", "0", "-1", "00000000-0000-0000-0000-000000000000"] {
        table.push((amplitude(), Track::new("A").user_id(id).into(), true, "refuses the id"));
        table.push((amplitude(), Track::new("A").user_id("u1").anonymous_id(id).into(), true, "refuses the id"));
    }
    for (amplitude, event, is_loss, reason) in table {
        let shown = format!("{event:?}");
        let (told, lost) = why_not(&amplitude, event);
        assert!(told.contains(reason) && lost == is_loss, "{shown}: {told}");
    }
    assert_eq!(item(&amplitude(), Track::new("A").user_id("u"))["user_id"], "u", "short ids are allowed by an option");
}

#[test]
fn the_hook_has_the_last_word_on_every_item() {
    let hooked = amplitude()
        .map_event(|event, item| item.body["event_type"] = format!("app: {}", event.name().unwrap_or_default()).into());
    assert_eq!(item(&hooked, Track::new("A").user_id("u1"))["event_type"], "app: A");
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
        products in prop::collection::vec(prop_oneof![Just(json!({"price": "x"})), Just(json!({"price": 1e300})), Just(json!(null))], 0..4),
        revenue in prop_oneof![any::<f64>().prop_filter_map("JSON", |n| n.is_finite().then(|| json!(n))), "\\PC{0,6}".prop_map(Value::from)],
    ) {
        let mut event = json!({"type": kind, "messageId": "m1"});
        members.iter().for_each(|(name, text)| event[*name] = text.as_str().into());
        let section = if ["identify", "group"].contains(&kind) { "traits" } else { "properties" };
        event[section] = json!({"products": products, "revenue": revenue, "quantity": revenue});
        if kind == "track" {
            event["event"] = "Order Completed".into();
        }
        let Ok(event) = serde_json::from_value::<Event>(event) else { return Ok(()) };
        let Mapped::Items(items) = amplitude().products(Products::PerProduct).map(&event).unwrap() else { return Ok(()) };
        for item in items {
            let ids = [&item.body["user_id"], &item.body["device_id"]];
            prop_assert!(ids.iter().any(|id| members.values().any(|member| **id == **member)), "{}", item.body);
            prop_assert!(item.body["insert_id"].as_str().unwrap().starts_with("m1"));
        }
    }
}
