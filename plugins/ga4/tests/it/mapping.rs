//! What an event is at Google. Each test names the rule of Google's that it rests on.

use proptest::prelude::*;
use serde_json::{Value, json};
use tracklane::event::{Context, Timestamp, message_uuid};
use tracklane::{Alias, Event, Group, Identify, Page, Screen, Track};
use tracklane_ga4::{Consent, Ga4, Mapped};

use crate::support::{ga4, hit, sent, track, why_not};

#[test]
fn a_name_is_made_of_letters_digits_and_underscores_and_has_forty_at_most() {
    let table = [
        ("Item Shipped", "Item_Shipped"),
        ("  a-b.c/d ", "a_b_c_d"),
        ("Ä b", "__b"),
        (&*"x".repeat(41), &*"x".repeat(40)),
    ];
    for (name, expected) in table {
        if name.starts_with('Ä') {
            assert_eq!(
                why_not(&ga4(), track(name)),
                ("its name does not begin with a letter, as Google wants it".into(), false)
            );
        } else {
            assert_eq!(sent(&ga4(), track(name)).0, expected);
        }
    }
}

#[test]
fn names_that_google_keeps_for_itself_are_skipped() {
    let reserved = [
        "error",
        "session_start",
        "Screen View",
        "screen_view",
        "first_visit",
        "app_store_subscription_renew",
        "notification_open",
        "dynamic_link_app_open",
        "firebase_x",
        "ga_x",
        "google_x",
        "_x",
        "1st",
        "gtag.x",
    ];
    for name in reserved {
        match ga4().map(&track(name).into()).unwrap() {
            Mapped::Skip(reason) => assert!(reason.contains("name"), "{name}: {reason}"),
            // `gtag.` is no prefix once the dot is an underscore, and only lower case is reserved.
            Mapped::Items(hits) => assert!(["gtag.x", "Screen View"].contains(&name), "{name}: {hits:?}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn what_google_has_no_call_for_is_skipped() {
    let table: [(Event, bool, &str); 5] = [
        (Identify::new().user_id("u1").into(), false, "only says who"),
        (Alias::new("old", "new").into(), false, "only says who"),
        (Screen::new("Home").user_id("u1").into(), false, "knows no screens"),
        (Track::new("A").into(), true, "neither userId nor anonymousId"),
        (Track::new("").user_id("u").into(), true, "no name"),
    ];
    for (event, is_loss, reason) in table {
        let (told, lost) = why_not(&ga4(), event);
        assert!(told.contains(reason) && lost == is_loss, "{told}");
    }
    assert_eq!(sent(&ga4().screens(true), Screen::new("Home").user_id("u1")).0, "Viewed_Home_Screen");
}

#[test]
fn pages_and_groups() {
    let page = json!({"url": "https://a.example/x", "title": "T", "referrer": "https://b.example"});
    let event = Page::new("Docs").user_id("u1").context(Context::new().with("page", page)).property("path", "/x");
    let params = json!({"page_location": "https://a.example/x", "page_title": "T", "page_referrer": "https://b.example", "path": "/x"});
    assert_eq!(sent(&ga4(), event), ("page_view".into(), params));
    let own = Page::new("Docs").user_id("u1").property("url", "https://c.example");
    assert_eq!(sent(&ga4(), own).1, json!({"page_location": "https://c.example", "page_title": "Docs"}));
    assert_eq!(sent(&ga4(), Group::new("g1").user_id("u1")), ("join_group".into(), json!({"group_id": "g1"})));
}

#[test]
fn an_order_is_a_purchase_with_items_and_a_value() {
    let properties = json!({
        "order_id": "o1", "total": "27.5", "revenue": 25, "tax": "2", "shipping": 3, "coupon": "c", "currency": "usd",
        "products": [
            {"product_id": "p1", "sku": "s1", "name": "A", "brand": "b", "category": "k", "variant": "v", "position": "3",
                "price": "5.5", "quantity": 2, "coupon": "pc", "image_url": "x"},
            {"sku": "s2", "price": 15},
            {"price": 1},
        ],
    });
    let expected = json!({
        "transaction_id": "o1", "value": 27.5, "revenue": 25.0, "tax": 2.0, "shipping": 3.0, "coupon": "c",
        "currency": "USD",
        "items": [
            {"item_id": "p1", "item_name": "A", "item_brand": "b", "item_category": "k", "item_variant": "v",
                "index": 3.0, "price": 5.5, "quantity": 2.0, "coupon": "pc"},
            {"item_id": "s2", "price": 15.0},
        ],
    });
    assert_eq!(sent(&ga4(), track("Order Completed").properties(properties)), ("purchase".into(), expected));
}

/// As Segment's own destination: the total, with tax and shipping. What was earned without them is not lost.
#[test]
fn the_value_of_an_order_is_its_total_and_another_revenue_stays() {
    for (properties, expected) in [
        (json!({"total": 30, "value": 29, "revenue": 25}), json!({"value": 30.0, "revenue": 25.0})),
        (json!({"total": 30, "revenue": "30.0"}), json!({"value": 30.0})),
        (json!({"value": 29, "revenue": "25"}), json!({"value": 29.0, "revenue": 25.0})),
        (json!({"revenue": 25}), json!({"value": 25.0})),
        (json!({"total": 30, "revenue": "much"}), json!({"value": 30.0})),
    ] {
        let mut params = sent(&ga4().currency("EUR"), track("Order Completed").properties(&properties)).1;
        assert_eq!(params.as_object_mut().unwrap().remove("currency"), Some("EUR".into()));
        assert_eq!(params, expected, "{properties}");
    }
}

/// Google's limit of 200 items.
#[test]
fn an_event_has_two_hundred_items_at_most() {
    let products: Vec<Value> = (0..250).map(|n| json!({"product_id": format!("p{n}"), "price": 1})).collect();
    let params = sent(&ga4(), track("Order Completed").properties(json!({"order_id": "o1", "products": products}))).1;
    assert_eq!(params["items"].as_array().unwrap().len(), 200);
    assert_eq!(params["items"][199]["item_id"], "p199");
}

#[test]
fn a_value_goes_with_a_currency_or_not_at_all() {
    let added = |properties: Value| track("Product Added").properties(properties);
    let product = || json!({"product_id": "p1", "price": 5, "quantity": 3});
    let item = json!({"item_id": "p1", "price": 5.0, "quantity": 3.0});
    // The price of the items, if the event says no value.
    let with = sent(&ga4().currency("EUR"), added(product()));
    assert_eq!(with, ("add_to_cart".into(), json!({"items": [item], "value": 15.0, "currency": "EUR"})));
    assert_eq!(sent(&ga4(), added(product())).1, json!({"items": [item]}));
    let both = sent(&ga4(), track("Order Completed").properties(json!({"total": 30, "revenue": 25})));
    assert_eq!(both.1, json!({}), "neither amount");
    let own = sent(&ga4().currency("EUR"), track("Custom").properties(json!({"value": 5, "currency": "GBP"})));
    assert_eq!(own.1, json!({"value": 5, "currency": "GBP"}));
    let wrong = sent(&ga4(), track("Custom").properties(json!({"value": 5, "currency": "pounds"})));
    assert_eq!(wrong.1, json!({}));
}

#[test]
fn the_events_of_the_spec_have_googles_names() {
    let table = [
        ("Products Searched", json!({"query": "q"}), "search", json!({"search_term": "q"})),
        (
            "Promotion Clicked",
            json!({"promotion_id": "p", "name": "n", "creative": "c", "position": "top"}),
            "select_promotion",
            json!({"promotion_id": "p", "promotion_name": "n", "creative_name": "c", "creative_slot": "top"}),
        ),
        // Google wants items, and no value: nothing was sold.
        (
            "Promotion Viewed",
            json!({"promotion_id": "p", "products": [{"product_id": "a", "price": 5}, {"price": 1}, 7]}),
            "view_promotion",
            json!({"promotion_id": "p", "items": [{"item_id": "a", "price": 5.0}]}),
        ),
        ("Promotion Clicked", json!({"products": []}), "select_promotion", json!({})),
        (
            "Cart Shared",
            json!({"cart_id": "c", "products": [{"product_id": "a"}]}),
            "share",
            json!({"item_id": "c", "items": [{"item_id": "a"}]}),
        ),
        ("Product Viewed", json!({"product_id": "p"}), "view_item", json!({"items": [{"item_id": "p"}]})),
        (
            "Checkout Step Completed",
            json!({"shipping_method": "air"}),
            "add_shipping_info",
            json!({"shipping_tier": "air"}),
        ),
        (
            "Payment Info Entered",
            json!({"payment_method": "card"}),
            "add_payment_info",
            json!({"payment_type": "card"}),
        ),
        ("Order Refunded", json!({"order_id": "o"}), "refund", json!({"transaction_id": "o"})),
        (
            "Product Shared",
            json!({"share_via": "mail", "product_id": "p"}),
            "share",
            json!({"method": "mail", "item_id": "p"}),
        ),
        ("Signed Up", json!({"method": "mail"}), "sign_up", json!({"method": "mail"})),
        ("Signed In", json!({}), "login", json!({})),
    ];
    for (name, properties, google, params) in table {
        assert_eq!(sent(&ga4(), track(name).properties(properties)), (google.to_owned(), params), "{name}");
    }
}

#[test]
fn parameters_are_flat_short_and_few() {
    let properties = json!({
        "nested": {"a": 1, "b": {"c": "d"}}, "list": ["x", 2], "flag": true, "empty": "", "nothing": null,
        "long": "ä".repeat(101), "page_location": "y".repeat(1_001), "ga_x": 1, "_x": 1, "1x": 1, "$x": 1,
        "with space": 1, "long list": (0..12).collect::<Vec<_>>(),
    });
    let (_, params) = sent(&ga4(), track("A").properties(properties));
    let expected = json!({
        "nested_a": 1, "nested_b_c": "d", "list_0": "x", "list_1": 2, "flag": 1, "long": "ä".repeat(100),
        "page_location": "y".repeat(1_000), "with_space": 1,
    });
    let items = (0..12).map(|index| (format!("long_list_{index}"), index.into()));
    let expected: Value = expected.as_object().unwrap().clone().into_iter().chain(items).collect();
    assert_eq!(params, expected);
}

/// Those that reports need, then the event's own, then what is in objects and arrays: the outer ones first, and those
/// of one in their order.
#[test]
fn of_too_many_parameters_the_events_own_are_kept() {
    let own = |count: usize| (0..count).map(|n| (format!("p{n:02}"), json!(n)));
    let tags = |from: usize, to: usize| (from..to).map(|n| (format!("tags_{n}"), json!(n)));
    let array = |count: usize| json!((0..count).collect::<Vec<_>>());
    type Params = serde_json::Map<String, Value>;
    let table: [(Params, Params); 5] = [
        (
            own(20).chain([("tags".into(), array(40)), ("zlast".into(), json!(1))]).collect(),
            own(20).chain([("zlast".into(), json!(1))]).chain(tags(0, 3)).collect(),
        ),
        (own(3).chain([("tags".into(), array(40))]).collect(), own(3).chain(tags(0, 21)).collect()),
        // A name alone does not say that something is nested.
        (
            [("tags".into(), array(30)), ("tags_count".into(), json!(30)), ("x".into(), json!({"y": 1}))]
                .into_iter()
                .collect(),
            tags(0, 23).chain([("tags_count".into(), json!(30))]).collect(),
        ),
        (
            own(21)
                .chain([("a".into(), json!({"a": {"a": [1, 2, 3]}, "b": {}, "z": 1})), ("b".into(), array(1))])
                .collect(),
            own(21).chain([("a_z".into(), json!(1)), ("b_0".into(), json!(0)), ("a_a_a_0".into(), json!(1))]).collect(),
        ),
        // Of what is there twice the last value, at the place of the first.
        (
            own(22)
                .chain([
                    ("a".into(), json!({"b": [1, 5], "c": 1})),
                    ("a b 0".into(), json!(2)),
                    ("a_c".into(), json!(3)),
                ])
                .collect(),
            own(22).chain([("a_b_0".into(), json!(2)), ("a_c".into(), json!(3))]).collect(),
        ),
    ];
    for (properties, expected) in table {
        assert_eq!(sent(&ga4(), track("A").properties(properties)).1, Value::from(expected));
    }
    let page = json!({"url": "https://a.example/x"});
    let event = track("A").properties(own(40).collect::<Params>()).context(Context::new().with("page", page));
    let event = event.property("session_id", 7).property("engagement_time_msec", 9);
    let params = hit(&ga4().debug(true), event).event["params"].clone();
    let needed =
        json!({"session_id": 7, "engagement_time_msec": 9, "debug_mode": 1, "page_location": "https://a.example/x"});
    let expected: Params = needed.as_object().unwrap().clone().into_iter().chain(own(21)).collect();
    assert_eq!(params, Value::from(expected));
    let many: serde_json::Map<String, Value> = (0..40).map(|n| (format!("p{n:02}"), n.into())).collect();
    let event = track("Order Completed").properties(many).property("order_id", "o1");
    let params =
        hit(&ga4().debug(true), event.integration("Google Analytics 4", json!({"sessionId": "7"}))).event["params"]
            .clone();
    assert_eq!(params.as_object().unwrap().len(), 25, "{params}");
    for needed in ["transaction_id", "session_id", "engagement_time_msec", "debug_mode"] {
        assert!(!params[needed].is_null(), "{needed} in {params}");
    }
}

/// A name that is made twice has the last value. What has too long a name, or none that can be, leaves no trace in others.
#[test]
fn flat_names_are_there_once_and_none_is_cut() {
    let (long, longer) = ("x".repeat(38), "x".repeat(39));
    let kept = format!("{long}_y");
    for (properties, expected) in [
        (json!({"a b": 1, "a_b": 2}), json!({"a_b": 2})),
        (json!({"a": {"b": 1, "c": 3}, "a_b": 2}), json!({"a_b": 2, "a_c": 3})),
        (json!({"a": {"b_c": 1}, "a b": {"c": 2, "d": {}}, "e": 3}), json!({"a_b_c": 2, "e": 3})),
        (json!({"a": {"b": [[], {"c": [null, "", {"d": true}]}]}, "e": 3}), json!({"a_b_1_c_2_d": 1, "e": 3})),
        (json!({(&long): {"y": 1, "yz": 2}, (&longer): {"y": 3, "z": [4]}, "e": 5}), json!({(&kept): 1, "e": 5})),
        (
            json!({(&longer): {"y": {"z": [1]}, "": {"": 2}}, "ga": {"x": 3, "": 4}, "1": {"a": 5}, "e": 6}),
            json!({"e": 6}),
        ),
        (json!({"a": {"": 1, "ü b": 2}, "": {"a": 3}}), json!({"a_": 1, "a___b": 2})),
    ] {
        assert_eq!(sent(&ga4(), track("A").properties(&properties)).1, expected, "{properties}");
    }
}

/// Google drops an event with a list or object anywhere but in `items`, and answers 2xx.
#[test]
fn options_and_items_of_another_kind_than_google_takes_are_left_out() {
    let table = [
        (json!({ "sessionId": { "a": 1 }, "engagementTimeMsec": [5] }), json!({ "engagement_time_msec": 1 })),
        (json!({ "sessionId": "abc", "engagementTimeMsec": true }), json!({ "engagement_time_msec": 1 })),
        (
            json!({ "sessionId": "17", "engagementTimeMsec": 5 }),
            json!({ "session_id": "17", "engagement_time_msec": 5 }),
        ),
    ];
    for (options, expected) in table {
        let event = track("A").integration("Google Analytics 4", options.clone());
        assert_eq!(hit(&ga4(), event).event["params"], expected, "{options}");
    }
    // The options first, then the event's own, if it is a number: Google drops an event with any other.
    let table = [
        (
            json!({ "session_id": 5, "engagement_time_msec": 5000 }),
            json!({}),
            json!({ "session_id": 5, "engagement_time_msec": 5000 }),
        ),
        (
            json!({ "session_id": "5", "engagement_time_msec": "50" }),
            json!({}),
            json!({ "session_id": "5", "engagement_time_msec": "50" }),
        ),
        (
            json!({ "session_id": "app-session-77", "engagement_time_msec": "long" }),
            json!({}),
            json!({ "engagement_time_msec": 1 }),
        ),
        (
            json!({ "session": { "id": "x" }, "engagement time msec": true }),
            json!({}),
            json!({ "engagement_time_msec": 1 }),
        ),
        (
            json!({ "session_id": "app-session-77" }),
            json!({ "sessionId": 17 }),
            json!({ "session_id": 17, "engagement_time_msec": 1 }),
        ),
        (
            json!({ "session_id": 5, "engagement_time_msec": 50 }),
            json!({ "session_id": 17, "engagement_time_msec": 60 }),
            json!({ "session_id": 17, "engagement_time_msec": 60 }),
        ),
        (
            json!({ "session_id": 5 }),
            json!({ "sessionId": "GS1.1.17" }),
            json!({ "session_id": 5, "engagement_time_msec": 1 }),
        ),
        (
            json!({ "a": 1, "session_id": "x", "z": 1 }),
            json!({ "sessionId": null }),
            json!({ "a": 1, "z": 1, "engagement_time_msec": 1 }),
        ),
    ];
    for (properties, options, expected) in table {
        let event = track("A").properties(&properties).integration("Google Analytics 4", options.clone());
        assert_eq!(hit(&ga4(), event).event["params"], expected, "{properties} {options}");
    }
    let (_, params) = sent(&ga4(), track("A").property("items", json!([{ "item_id": "a" }, 2, "b", [{}], null])));
    assert_eq!(params["items"], json!([{ "item_id": "a" }]));
}

#[test]
fn the_client_is_the_browsers_if_it_is_known() {
    let options = json!({"clientId": "123.456"});
    let external = Context::new().with("externalIds", json!([{"type": "ga4ClientId", "id": "789.0"}]));
    let known = || Track::new("A").user_id("u1");
    let by_option = |id: &str| known().integration("Google Analytics 4", json!({"clientId": id}));
    let by_external_id =
        |id: &str| known().context(Context::new().with("externalIds", json!([{"type": "ga4ClientId", "id": id}])));
    let table = [
        (known().anonymous_id("a1").integration("Google Analytics 4", options).context(external.clone()), "123.456"),
        (known().anonymous_id("a1").context(external), "789.0"),
        (known().anonymous_id("a1"), "a1"),
        (known(), &*message_uuid("u1").leak()),
        // The whole cookie `_ga` has it at its end.
        (by_option("GA1.1.123.456"), "123.456"),
        (by_option("GA1.1-2.123.456"), "123.456"),
        (by_external_id("GA1.2.123.456"), "123.456"),
        (by_option("GA1.1.123"), "GA1.1.123"),
        (by_option("GA1.1.12x.456"), "GA1.1.12x.456"),
        (by_option("GA.123.456"), "GA.123.456"),
        (by_option("x.GA1.1.123.456"), "x.GA1.1.123.456"),
        (by_option("GA"), "GA"),
    ];
    for (event, client) in table {
        let who = hit(&ga4(), event).who;
        assert_eq!((&who["client_id"], &who["user_id"]), (&json!(client), &json!("u1")));
        assert!(!who.contains_key("ip_override"), "the server's address is nobody's");
    }
    let context = json!({"ip": "203.0.113.7", "userAgent": "Mozilla/5.0"});
    let who = hit(&ga4(), track("A").context(Context::from(context))).who;
    assert_eq!((&who["ip_override"], &who["user_agent"]), (&json!("203.0.113.7"), &json!("Mozilla/5.0")));
    assert!(!who.contains_key("user_id"));
}

/// Google's reference of the Measurement Protocol: an app's stream has `app_instance_id` where a web stream has `client_id`.
#[test]
fn an_app_is_known_by_the_id_that_firebase_gave_it_and_by_no_other() {
    let app = || Ga4::firebase("1:12:ios:3a", "secret");
    let id = "0123456789abcdefABCDEF0123456789";
    let options = |id: Value| json!({ "appInstanceId": id });
    let by_options = |id: Value| track("A").user_id("u1").integration("Google Analytics 4", options(id));
    let external = Context::new().with("externalIds", json!([{"type": "ga4AppInstanceId", "id": id}]));
    for event in [by_options(json!(id)), track("A").user_id("u1").context(external)] {
        let who = hit(&app(), event).who;
        assert_eq!((&who["app_instance_id"], &who["user_id"]), (&json!(id), &json!("u1")));
        assert!(!who.contains_key("client_id"));
    }
    for (event, reason) in [
        (track("A").user_id("u1").anonymous_id("a1"), "has no app_instance_id"),
        (by_options(json!("")), "has no app_instance_id"),
        (by_options(json!("0123456789abcdef")), "not 32 hexadecimal digits"),
        (by_options(json!("x".repeat(32))), "not 32 hexadecimal digits"),
    ] {
        let (told, is_loss) = why_not(&app(), event);
        assert!(told.contains(reason) && is_loss, "{told}");
    }
    let screen = Screen::new("Home").user_id("u1").property("depth", 2);
    let screen = screen.context(json!({ "page": { "url": "https://a.example" } }));
    let screen = screen.integration("Google Analytics 4", options(json!(id)));
    assert_eq!(sent(&app(), screen), ("screen_view".into(), json!({"screen_name": "Home", "depth": 2})));
}

/// Its section on consent: `ad_user_data` and `ad_personalization`, `GRANTED` or `DENIED`.
#[test]
fn consent_is_what_the_event_says_else_the_settings_and_never_guessed() {
    let said = |consent: Value| track("A").integration("Google Analytics 4", json!({ "consent": consent }));
    let consent = |ga4: &Ga4, event: Track| hit(ga4, event).who.get("consent").cloned();
    assert_eq!(consent(&ga4(), track("A")), None);
    let denied = ga4().ad_user_data(Consent::Denied).ad_personalization(Consent::Denied);
    assert_eq!(consent(&denied, track("A")), Some(json!({"ad_user_data": "DENIED", "ad_personalization": "DENIED"})));
    let own = said(json!({"ad_user_data": "granted", "adPersonalization": true}));
    assert_eq!(consent(&denied, own), Some(json!({"ad_user_data": "GRANTED", "ad_personalization": "GRANTED"})));
    for unclear in [json!("maybe"), json!(null), json!(1), json!({}), json!(false), json!("DENIED")] {
        let granted = ga4().ad_user_data(Consent::Granted);
        let told = consent(&granted, said(json!({"ad_user_data": unclear})));
        assert_eq!(told, Some(json!({"ad_user_data": "DENIED"})), "{unclear}: what is not clearly granted is denied");
    }
    assert_eq!(consent(&ga4().ad_user_data(Consent::Granted), track("A")), Some(json!({"ad_user_data": "GRANTED"})));
}

/// Its limits of user properties: 36 letters of a value.
#[test]
fn the_traits_that_are_named_are_user_properties_and_no_others() {
    let traits = json!({"plan": "x".repeat(40), "seats": 5, "paying": true, "email": "ann@example.com", "none": null, "list": []});
    let event = || track("A").context(Context::new().with("traits", traits.clone()));
    assert!(!hit(&ga4(), event()).who.contains_key("user_properties"));
    let named = ga4().user_properties(["plan", "seats", "paying", "none", "list", "absent"]);
    let expected = json!({"plan": {"value": "x".repeat(36)}, "seats": {"value": 5}, "paying": {"value": "true"}});
    assert_eq!(hit(&named, event()).who["user_properties"], expected);
}

/// Its members `device` and `user_location`, which go before `user_agent` and `ip_override`.
#[test]
fn the_device_and_the_place_are_what_the_context_says() {
    let who = |context: Value| Value::from(hit(&ga4(), track("A").context(context)).who);
    let context = json!({
        "userAgent": "Mozilla/5.0", "locale": "de-DE", "os": {"name": "iOS", "version": "17.4"}, "screen": {"width": 390, "height": "844"},
        "device": {"type": "ios", "model": "iPhone15,2", "manufacturer": "Apple"}, "browser": {"name": "Safari", "version": "17"},
        "ip": "203.0.113.7", "location": {"country_code": "DE", "city": "Ulm"},
    });
    let told = who(context);
    let device = json!({
        "category": "mobile", "operating_system": "iOS", "operating_system_version": "17.4", "model": "iPhone15,2", "brand": "Apple",
        "browser": "Safari", "browser_version": "17", "language": "de-DE", "screen_resolution": "390x844",
    });
    assert_eq!(
        (&told["device"], &told["user_agent"], &told["ip_override"]),
        (&device, &json!("Mozilla/5.0"), &json!("203.0.113.7"))
    );
    assert_eq!(told["user_location"], Value::Null, "the address says more");
    let told = who(json!({"userAgent": "Mozilla/5.0", "locale": "de-DE"}));
    assert_eq!(told["device"], Value::Null, "the user agent says more than a language");
    assert_eq!(who(json!({"locale": "de-DE"}))["device"], json!({"language": "de-DE"}));
    let told = who(json!({"location": {"country_code": "DE", "city": "Ulm", "region": "Bavaria"}}));
    assert_eq!(told["user_location"], json!({"country_id": "DE", "city": "Ulm"}));
    assert_eq!(who(json!({"location": {"city": "Ulm"}}))["user_location"], Value::Null, "there is more than one");
}

/// As Google's own tag: the page on every event of the web, what brought somebody on views.
#[test]
fn the_page_is_on_every_event_and_the_campaign_on_views() {
    let context = json!({
        "page": {"url": "https://a.example/x", "title": "T", "referrer": "https://b.example"},
        "campaign": {"source": "s", "medium": "m", "name": "n", "term": "t", "content": "c", "id": 7},
    });
    let page = json!({"page_location": "https://a.example/x", "page_title": "T", "page_referrer": "https://b.example"});
    assert_eq!(sent(&ga4(), track("A").context(context.clone())).1, page);
    let own = track("A").context(context.clone()).property("page_title", "own");
    assert_eq!(sent(&ga4(), own).1["page_title"], "own");
    let view = sent(&ga4(), Page::new("Docs").user_id("u1").context(context).property("source", "own")).1;
    let told: Vec<_> = ["source", "medium", "campaign", "term", "content"].iter().map(|name| &view[*name]).collect();
    assert_eq!(told, ["own", "m", "n", "t", "c"]);
}

#[test]
fn the_time_has_its_milliseconds() {
    let time = "2024-02-29T12:00:00.123Z".parse::<Timestamp>().unwrap();
    assert_eq!(hit(&ga4(), track("A").timestamp(time)).event["timestamp_micros"], 1_709_208_000_123_000_i64);
    assert_eq!(hit(&ga4(), track("A")).event["timestamp_micros"], Value::Null, "no time is invented");
}

#[test]
fn the_hook_has_the_last_word() {
    let hooked =
        ga4().map_event(|event, hit| hit.event["name"] = format!("app_{}", event.name().unwrap_or_default()).into());
    assert_eq!(sent(&hooked, track("A")).0, "app_A");
}

proptest! {
    #[test]
    fn no_event_breaks_a_limit(
        name in "\\PC{1,60}",
        properties in prop::collection::btree_map("\\PC{0,50}", "\\PC{0,200}", 0..40),
        nested in prop::collection::btree_map("[a-z_]{0,45}", any::<i32>(), 0..10),
        is_order in any::<bool>(),
    ) {
        let name = if is_order { "Order Completed" } else { &name };
        let event = track(name).properties(&properties).property("nested", &nested);
        let ga4: Ga4 = ga4().currency("EUR").debug(true);
        let Mapped::Items(hits) = ga4.map(&event.into()).unwrap() else { return Ok(()) };
        let is_name = |name: &str| {
            name.len() <= 40
                && name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        for hit in hits {
            prop_assert!(is_name(hit.event["name"].as_str().unwrap()));
            let params = hit.event["params"].as_object().unwrap();
            prop_assert!(params.len() <= 25);
            for (name, value) in params {
                prop_assert!(is_name(name), "{}", name);
                prop_assert!(name == "items" || !value.is_array() && !value.is_object());
                prop_assert!(value.as_str().is_none_or(|text| text.chars().count() <= 1_000));
            }
        }
    }
}
