//! What arrives at a destination behind the plugin.

use std::time::Duration;

use serde_json::{Value, json};
use tracklane::testing::RecordingDestination;
use tracklane::{Alias, Analytics, Event, Group, Identify, Page, Track};
use tracklane_redact::{Action, Detector, Redact, RedactError, RedactSettings};

/// Sends the event through the plugin. What arrives, or null.
fn through(redact: &Redact, event: impl Into<Event>) -> Value {
    let recording = RecordingDestination::new("Recording");
    let analytics =
        Analytics::builder().plugin(redact.build().unwrap()).plugin(recording.destination()).build().unwrap();
    analytics.send(event).unwrap();
    let report = analytics.close_blocking(Duration::from_secs(5));
    assert_eq!(report.pending, 0, "the event has an outcome");
    recording.events().first().map_or(Value::Null, |event| serde_json::to_value(event).unwrap())
}

fn track(properties: Value) -> Track {
    Track::new("Order Completed").user_id("u1").properties(properties)
}

#[test]
fn the_secrets_of_a_plain_event_are_gone_and_the_rest_is_as_it_was() {
    let properties = json!({
        "password": "hunter2", "Api-Key": "k", "total": 39.95, "card": "4111 1111 1111 1111", "number": 4111111111111111_u64,
        "nested": [{ "accessToken": "t", "plan": "pro" }, "https://u:p@example.com/?token=abc&page=2"],
        "order_id": "1234567890123456", "email": "ann@example.com", "at": 1_700_000_000_000_u64,
    });
    let seen = through(&Redact::secrets(), track(properties));
    let expected = json!({
        "total": 39.95, "card": "**** **** **** 1111", "number": "************1111",
        "nested": [{ "plan": "pro" }, "https://[redacted]@example.com/?token=[redacted]&page=2"],
        "order_id": "1234567890123456", "email": "ann@example.com", "at": 1_700_000_000_000_u64,
    });
    assert_eq!(seen["properties"], expected);
}

#[test]
fn an_event_without_anything_sensitive_is_not_touched() {
    let redact = Redact::pii().mark(true);
    let event = track(json!({ "total": 39.950, "sku": "G-32", "nested": { "a": [1, null, true] } }));
    let seen = through(&redact, event);
    assert_eq!(seen["properties"], json!({ "total": 39.95, "sku": "G-32", "nested": { "a": [1, null, true] } }));
    assert!(seen["context"].get("redacted").is_none(), "nothing is marked: {seen}");
    assert_eq!(redact.counts().to_string(), "0 by path, 0 by key, 0 not allowed");
}

#[test]
fn personal_data_goes_with_its_preset_only_in_each_kind_of_call() {
    let identify = || Identify::new().user_id("u1").traits(json!({ "email": "ann@example.com", "plan": "pro" }));
    assert_eq!(through(&Redact::secrets(), identify())["traits"]["email"], "ann@example.com");
    assert_eq!(through(&Redact::pii(), identify())["traits"], json!({ "email": "[redacted]", "plan": "pro" }));
    let group = Group::new("g1").user_id("u1").traits(json!({ "owner": "mail ann@example.com" }));
    assert_eq!(through(&Redact::pii(), group)["traits"]["owner"], "mail [redacted]");
    let page = Page::new("Reset for ann@example.com").user_id("u1");
    assert_eq!(through(&Redact::pii(), page)["name"], "Reset for [redacted]", "names are text, too");
    let alias = Alias::new("ann@example.com", "u2");
    assert_eq!(through(&Redact::pii(), alias)["previousId"], "ann@example.com", "ids are changed by path only");
}

#[test]
fn context_is_redacted_and_an_ip_is_cut() {
    let context = json!({ "ip": "203.0.113.7", "page": { "url": "https://x.example/?password=a" } });
    let seen = through(&Redact::gdpr_ip(), track(json!({})).context(context));
    assert_eq!(seen["context"]["ip"], "203.0.113.0");
    assert_eq!(seen["context"]["page"]["url"], "https://x.example/?password=[redacted]");
}

#[test]
fn rules_by_path_win_and_kept_paths_stay() {
    let redact = Redact::secrets()
        .path("properties.**.email", Action::Hash)
        .path("userId", Action::Hash)
        .path("traits.birthday", Action::Generalise)
        .keep("properties.device.token")
        .hash_key("0123456789abcdef");
    let properties = json!({ "a": { "email": "ann@example.com" }, "device": { "token": "push-1" }, "token": "t" });
    let seen = through(&redact, track(properties));
    let hash = seen["properties"]["a"]["email"].as_str().unwrap().to_owned();
    assert_eq!(hash.len(), 32, "{hash}");
    assert_eq!(seen["properties"], json!({ "a": { "email": hash }, "device": { "token": "push-1" } }));
    assert_eq!(seen["userId"].as_str().unwrap().len(), 32);
    assert_eq!(redact.counts().by_path(), 2);
    assert_eq!(redact.counts().by_key(), 1);
}

#[test]
fn items_of_arrays_have_paths_too() {
    let properties = json!({ "tags": ["a", "b"], "deep": [["x"], [["y"]]], "n": 1 });
    for (path, expected) in [
        ("properties.tags.1", json!({ "tags": ["a", "[redacted]"], "deep": [["x"], [["y"]]], "n": 1 })),
        ("properties.*.0", json!({ "tags": ["[redacted]", "b"], "deep": ["[redacted]", [["y"]]], "n": 1 })),
        ("properties.deep.1.0.*", json!({ "tags": ["a", "b"], "deep": [["x"], [["[redacted]"]]], "n": 1 })),
    ] {
        let redact = Redact::new().path(path, Action::replace());
        assert_eq!(through(&redact, track(properties.clone()))["properties"], expected, "{path}");
    }
}

#[test]
fn a_card_is_found_however_its_number_is_written() {
    for number in ["4111111111111111", "4111111111111111.0", "4.111111111111111e15", "411111111111111.1e1"] {
        let event = format!(r#"{{"type":"track","event":"A","userId":"u","properties":{{"n":{number},"o":1.5e20}}}}"#);
        let seen = through(&Redact::secrets(), serde_json::from_str::<Event>(&event).unwrap());
        assert_eq!(seen["properties"], json!({ "n": "************1111", "o": 1.5e20 }), "{number}");
    }
}

/// A plugin in front may have made a map of a section, which is written in another way.
#[test]
fn strings_with_escapes_are_read_like_any_other() {
    for text in
        ["a \"b\" \\ sk_live_4eC39HqLyjWDarjtT1zdp7dc", "\n4111111111111111\t", "\u{0}https://u:p@x.example/\u{1f600}"]
    {
        let seen = through(&Redact::secrets(), track(json!({ "list": [{ "a\"\\": text }], "b": "\\" })));
        let (shown, secret) = (seen["properties"]["list"][0]["a\"\\"].as_str().unwrap(), ["sk_live", "411111", "u:p"]);
        assert!(secret.iter().all(|secret| !shown.contains(secret)), "{text:?} became {shown:?}");
        let plain = track(json!({ "list": [{ "a\"\\": "q\"\\" }], "b": "\\" }));
        assert_eq!(through(&Redact::secrets(), plain)["properties"]["list"], json!([{ "a\"\\": "q\"\\" }]));
    }
}

#[test]
fn json_with_white_space_is_read_like_any_other() {
    let text = "{\n\t\"list\" : [ 1 , { \"password\" : \"x\" , \"b\":[ ]} , { } ] ,\r\n \"c\": null }";
    let raw = serde_json::value::RawValue::from_string(text.to_owned()).unwrap();
    let whole = format!(r#"{{ "type" : "track", "event":"A","userId":"u", "properties" : {{ "raw" : {text} }} }}"#);
    let events: [Event; 2] =
        [Track::new("A").user_id("u").property("raw", raw).into(), serde_json::from_str(&whole).unwrap()];
    let expected = json!({ "list": [1, { "b": [] }, {}], "c": null });
    for event in events {
        assert_eq!(through(&Redact::secrets(), event)["properties"]["raw"], expected);
    }
}

#[test]
fn with_an_allow_list_nothing_else_passes() {
    let redact = Redact::secrets().allow(["properties.total", "properties.items.*.sku", "context.locale"]);
    let properties = json!({
        "total": 1, "note": "x", "items": [{ "sku": "a", "name": "b" }], "token": "t", "deep": { "total": 2 },
    });
    let context = json!({ "locale": "de", "ip": "1.2.3.4" });
    let seen = through(&redact, track(properties).context(context));
    assert_eq!(seen["properties"], json!({ "total": 1, "items": [{ "sku": "a" }] }));
    assert_eq!(seen["context"]["locale"], "de");
    assert!(seen["context"].get("ip").is_none());
}

#[test]
fn a_dry_run_counts_and_changes_nothing() {
    let redact = Redact::secrets().dry_run(true);
    let properties = json!({ "password": "hunter2", "card": "4111111111111111" });
    assert_eq!(through(&redact, track(properties.clone()))["properties"], properties);
    assert_eq!(redact.counts().by_key(), 1);
    assert_eq!(redact.counts().by_detector(Detector::CreditCard), 1);
    assert_eq!(redact.counts().to_string(), "0 by path, 1 by key, 0 not allowed, 1 by credit_card");
}

#[test]
fn what_was_redacted_is_marked_on_request() {
    let redact = Redact::secrets().mark(true);
    let seen = through(&redact, track(json!({ "a": [{ "password": "x" }], "card": "4111111111111111" })));
    assert_eq!(seen["context"]["redacted"], json!(["properties.a.0.password", "properties.card"]));
}

/// Each part of an event is redacted for itself: what is in one says nothing about another.
#[test]
fn a_secret_is_found_in_each_part_alone_and_in_several() {
    let text = |has_secret: bool| if has_secret { "see sk_live_4eC39HqLyjWDarjtT1zdp7dc" } else { "see" };
    for parts in 0_u32..8 {
        let [name, section, context] = [1, 2, 4].map(|part| parts & part != 0);
        let event = || {
            let event = Track::new(text(name)).user_id("u1").properties(json!({ "a": [{ "b": text(section) }] }));
            event.context(json!({ "page": { "title": text(context) } }))
        };
        let redact = Redact::secrets().mark(true);
        let seen = through(&redact, event());
        let shown = |has_secret: bool| if has_secret { "see [redacted]" } else { "see" };
        assert_eq!(seen["event"], shown(name), "{parts}");
        assert_eq!(seen["properties"], json!({ "a": [{ "b": shown(section) }] }), "{parts}");
        assert_eq!(seen["context"]["page"]["title"], shown(context), "{parts}");
        assert_eq!(redact.counts().by_detector(Detector::ApiKey), u64::from(parts.count_ones()), "{parts}");
        let marks = seen["context"].get("redacted").map_or(0, |marks| marks.as_array().unwrap().len());
        assert_eq!(marks, parts.count_ones() as usize, "{parts}");
        let dry = Redact::secrets().mark(true).dry_run(true);
        let seen = through(&dry, event());
        assert_eq!(seen["event"], text(name), "{parts}");
        assert_eq!(seen["properties"], json!({ "a": [{ "b": text(section) }] }), "{parts}");
        assert_eq!(seen["context"]["page"]["title"], text(context), "{parts}");
        assert!(seen["context"].get("redacted").is_none(), "{parts}");
        assert_eq!(dry.counts().by_detector(Detector::ApiKey), u64::from(parts.count_ones()), "{parts}");
    }
}

#[test]
fn nothing_behind_the_plugin_sees_the_original() {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let (after, sent) = (seen.clone(), RecordingDestination::new("Recording"));
    let analytics = Analytics::builder()
        .plugin(Redact::secrets().build().unwrap())
        .plugin(sent.destination())
        .plugin(tracklane::plugin::after_fn("look", move |message, _| {
            after.lock().unwrap().push(String::from_utf8(message.json().to_vec()).unwrap());
        }))
        .build()
        .unwrap();
    analytics.track(track(json!({ "password": "hunter2" }))).unwrap();
    analytics.close_blocking(Duration::from_secs(5));
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 1);
    assert!(!seen[0].contains("hunter2"), "{}", seen[0]);
}

#[test]
fn a_rule_that_cannot_be_used_is_named() {
    let rows: &[(Redact, &str)] = &[
        (Redact::new().path("props.a", Action::Drop), "the path \"props.a\" begins with \"props\": begin with"),
        (Redact::new().path("properties..a", Action::Drop), "the path \"properties..a\" has an empty member"),
        (
            Redact::new().path("properties.items[0].card", Action::Drop),
            "the path \"properties.items[0].card\" has brackets: write \"properties.items.0.card\" for that item, or \
             \"properties.items.*.card\" for each",
        ),
        (
            Redact::new().keep("properties[*].a[].b[2][3]"),
            "the path \"properties[*].a[].b[2][3]\" has brackets: write \"properties.*.a.*.b.2.3\" for that item, or \
             \"properties.*.a.*.b.*.*\" for each",
        ),
        (Redact::new().key("--", Action::Drop), "the key \"--\" has no letter and no digit"),
        (Redact::new().path("userId", Action::Drop), "the path \"userId\" cannot be dropped"),
        (Redact::new().key("email", Action::Hash), "the key \"email\" hashes, and there is no hash key"),
        (Redact::new().key("a", Action::Hash).hash_key("short"), "the hash key has 5 bytes"),
        (
            Redact::new().value(Detector::Email, Action::TruncateIp),
            "the detector email: truncate_ip is for ip_address only",
        ),
    ];
    for (redact, expected) in rows {
        let error: RedactError = redact.build().unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

#[test]
fn settings_say_what_is_wrong_in_them_and_hide_the_key() {
    let read = |text: &str| serde_json::from_str::<RedactSettings>(text);
    let error = read(r#"{ "presets": "pii" }"#).unwrap_err().to_string();
    assert!(error.contains("unknown field `presets`"), "{error}");
    let error = read(r#"{ "keys": [{ "key": "a", "action": "remove" }] }"#).unwrap_err().to_string();
    assert!(error.contains("unknown variant `remove`"), "{error}");
    let settings =
        read(r#"{ "hash_key": "a very long secret", "keys": [{ "key": "email", "action": "hash" }] }"#).unwrap();
    assert!(!format!("{settings:?}").contains("very long"), "{settings:?}");
    let redact = Redact::from(settings);
    assert!(!format!("{redact:?}").contains("very long"), "{redact:?}");
    let seen = through(&redact, track(json!({ "email": "ann@example.com", "password": "x" })));
    assert_eq!(seen["properties"]["email"].as_str().unwrap().len(), 32);
}

/// Returns the rows in which `seen` differs, for one message about all of them.
fn wrong(rows: &[(&str, Value, Value)], seen: impl Fn(&Value) -> Value) -> Vec<String> {
    let rows = rows.iter().map(|(name, value, expected)| (name, expected, seen(value)));
    rows.filter(|(_, expected, seen)| *expected != seen).map(|(name, _, seen)| format!("{name}: {seen}")).collect()
}

#[test]
fn names_and_addresses_of_a_person_go_from_traits() {
    let gone = "name displayName nickname middleName username address homeAddress billing_address shipping_address street \
                line1 city postalCode zip telephone mobile_phone fax firstName user_phone_number delivery-address";
    let stay = "plan title company ip_address country state product_name description website";
    let rows: Vec<_> = (gone.split_whitespace().map(|key| (key, json!("Ann"), json!("[redacted]"))))
        .chain(stay.split_whitespace().map(|key| (key, json!("Ann"), json!("Ann"))))
        .collect();
    for (key, value, expected) in &rows {
        let identify = Identify::new().user_id("u1").traits(json!({ *key: value }));
        let event = track(json!({})).context(json!({ "traits": { *key: value } }));
        let event = [through(&Redact::pii(), identify), through(&Redact::pii(), event)];
        let seen = [&event[0]["traits"][*key], &event[1]["context"]["traits"][*key]];
        assert_eq!(seen, [expected, expected], "{key}");
    }
    let identify =
        Identify::new().user_id("u1").traits(json!({ "address": { "country": "DE" }, "company": { "name": "A" } }));
    let seen = through(&Redact::pii(), identify);
    assert_eq!(seen["traits"], json!({ "address": "[redacted]", "company": { "name": "A" } }), "an address goes whole");
}

#[test]
fn a_name_is_a_persons_in_traits_only_and_the_place_of_a_network_stays() {
    let properties =
        json!({ "name": "Monopoly", "product": { "name": "Monopoly" }, "traits": { "name": "blue" }, "city": "Bonn" });
    let context = json!({
        "os": { "name": "iOS" }, "campaign": { "name": "spring" }, "library": { "name": "x" }, "browser": { "name": "Chrome" },
        "location": { "city": "Bonn", "country": "Germany" }, "page": { "city": "Bonn" },
    });
    let expected = [
        json!({ "name": "Monopoly", "product": { "name": "Monopoly" }, "traits": { "name": "blue" }, "city": "[redacted]" }),
        json!({ "name": "iOS" }),
        json!({ "name": "spring" }),
        json!({ "name": "Chrome" }),
        json!({ "city": "Bonn", "country": "Germany" }),
        json!({ "city": "[redacted]" }),
    ];
    // With a rule for a path, an event is read in another way.
    for redact in [Redact::pii(), Redact::pii().path("properties.none", Action::Drop)] {
        let event = through(&redact, track(properties.clone()).context(context.clone()));
        let seen = ["os", "campaign", "browser", "location", "page"].map(|part| event["context"][part].clone());
        assert_eq!((&event["properties"], &seen[..]), (&expected[0], &expected[1..]));
    }
    // What a user says about the same key counts.
    let redact = Redact::pii().key("name", Action::Drop).key("city", Action::Drop);
    let seen = through(&redact, track(properties).context(context));
    assert_eq!(seen["properties"], json!({ "product": {}, "traits": {} }));
    assert_eq!(seen["context"]["location"], json!({ "country": "Germany" }));
    let identify = || Identify::new().user_id("u1").traits(json!({ "name": "Ann" }));
    let redact = Redact::pii().path("traits.name", Action::mask(1));
    assert_eq!(through(&redact, identify())["traits"]["name"], "**n");
    assert_eq!(through(&Redact::pii().keep("traits.name"), identify())["traits"]["name"], "Ann");
}

#[test]
fn keys_of_secrets_are_known_by_their_end_too() {
    let gone = "X-Api-Key X-Auth-Token X-Access-Token X-CSRF-Token X-Amz-Security-Token X-Goog-Api-Key old_password \
                new_password userPassword confirmPassword password_confirmation db_password secret_access_key \
                aws_secret_access_key developer_token super_token scraperToken helpertoken blast_token accessKey bearerToken oauth_token webhook_secret signingSecret api_keys jwt cookies \
                password PASSWD pwd new-pwd client_secret ssh_private_key passphrase my_token_ user_jwt auth_credentials \
                card_cvv a_key_that_is_longer_than_any_name_on_a_list_of_names_but_ends_as_a_secret_token";
    let stay = "tokens total_tokens max_tokens prompt_tokens secretary passwordless keyboard monkey turkey hotkey tokenizer \
                key public_key primary_key api_key_id password_strength token_type token_count price_per_token pricePerToken \
                per_token time_to_first_token cookie_consent secrets_found keyword standard screen asset purchase wd en t \
                broken ticket";
    let gone = gone.split_whitespace().map(|key| (key, json!({ key: "v" }), json!({})));
    let stay = stay.split_whitespace().map(|key| (key, json!({ key: "v" }), json!({ key: "v" })));
    let rows: Vec<_> = gone.chain(stay).collect();
    for redact in [Redact::secrets(), Redact::secrets().path("properties.none", Action::Drop)] {
        let seen = |value: &Value| {
            let event = through(&redact, track(json!({ "headers": [value], "other": 1 })));
            event["properties"]["headers"][0].clone()
        };
        assert_eq!(wrong(&rows, seen), [""; 0]);
    }
    let redact = Redact::secrets().key("push_token", Action::replace());
    assert_eq!(through(&redact, track(json!({ "push_token": "v" })))["properties"]["push_token"], "[redacted]");
}

#[test]
fn a_flag_is_no_secret_but_for_a_path() {
    let rows = [
        ("email", json!({ "email": false }), json!({ "email": false })),
        (
            "has_password",
            json!({ "has_password": true, "token": null }),
            json!({ "has_password": true, "token": null }),
        ),
        ("mobile", json!({ "mobile": false, "phone": true }), json!({ "mobile": false, "phone": true })),
        ("number", json!({ "pin": 1234, "otp": 0, "email": 1 }), json!({ "email": "[redacted]" })),
        ("nested", json!({ "password": [true], "a": { "token": {} } }), json!({ "a": {} })),
        ("path", json!({ "flag": true }), json!({ "flag": "[redacted]" })),
        ("path and key", json!({ "p": { "email": true } }), json!({ "p": {} })),
    ];
    let redact = Redact::pii().path("properties.flag", Action::replace()).path("properties.p.email", Action::Drop);
    assert_eq!(wrong(&rows, |value| through(&redact, track(value.clone()))["properties"].clone()), [""; 0]);
    let rows = &rows[..rows.len() - 2];
    assert_eq!(wrong(rows, |value| through(&Redact::pii(), track(value.clone()))["properties"].clone()), [""; 0]);
    let hints = json!({ "userAgentData": { "mobile": false, "platform": "Windows" } });
    let seen = through(&Redact::pii(), track(json!({ "email": "ann@example.com" })).context(hints.clone()));
    assert_eq!(seen["context"]["userAgentData"], hints["userAgentData"]);
    let redact = Redact::pii();
    through(&redact, track(json!({ "email": false })));
    assert_eq!(redact.counts().by_key(), 0, "what stays is not counted");
}

#[test]
fn a_key_may_say_that_a_value_is_no_address_and_no_card() {
    let agent = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36";
    let (ean, card) = ("4006381333931", "4222222222222");
    let same = [
        (
            "version",
            json!({ "version": "125.0.0.0", "appVersion": "1.2.3.4", "fullVersionList": [{ "version": "8.0.0.0" }] }),
        ),
        ("versions", json!({ "versions": ["1.2.3.4"], "build": "1.2.3.4" })),
        ("user agent", json!({ "userAgent": agent })),
        (
            "gtin",
            json!({ "gtin": card, "GTIN-13": card, "ean": card, "ean13": 4222222222222_u64, "upc": [card, [4222222222222_u64]] }),
        ),
        ("isbn", json!({ "isbn": card, "barcode": card, "isbn_13": card, "sku": ean })),
    ];
    let same = same.map(|(name, value)| (name, value.clone(), value));
    let other = [
        (
            "ip",
            json!({ "ip": "1.2.3.4", "version": { "ip": "1.2.3.4" } }),
            json!({ "ip": "[redacted]", "version": { "ip": "[redacted]" } }),
        ),
        ("mail", json!({ "version": "ann@example.com", "a": "x" }), json!({ "version": "[redacted]", "a": "x" })),
        (
            "card",
            json!({ "number": card, "gtin": { "n": card } }),
            json!({ "number": "*********2222", "gtin": { "n": "*********2222" } }),
        ),
        (
            "mean",
            json!({ "mean": card, "version": card }),
            json!({ "mean": "*********2222", "version": "*********2222" }),
        ),
    ];
    let rows: Vec<_> = same.into_iter().chain(other).collect();
    let seen = |value: &Value| {
        let mixed = through(&Redact::pii(), track(json!({ "v": value, "email": "ann@example.com" })));
        let alone = through(&Redact::pii(), track(json!({ "v": value })));
        assert_eq!(mixed["properties"]["v"], alone["properties"]["v"], "alone, it stays text");
        alone["properties"]["v"].clone()
    };
    assert_eq!(wrong(&rows, seen), [""; 0]);
}

#[test]
fn ids_are_hashed_at_their_path_only() {
    let identify = || Identify::new().user_id("ann@example.com");
    assert_eq!(through(&Redact::pii(), identify())["userId"], "ann@example.com");
    let redact = Redact::pii().path("userId", Action::Hash).hash_key("at least sixteen random bytes");
    assert_eq!(through(&redact, identify())["userId"].as_str().unwrap().len(), 32);
}

mod random;
