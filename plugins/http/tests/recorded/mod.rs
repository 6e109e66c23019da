//! What destinations sent of hostile events, compared with what they send now.
//!
//! Each vendor crate includes this file, and has a recording of its own: a line of JSON for each request, with the items
//! of a batch of all events, and one for each event of which nothing was sent. Times of sending and the version are left out. A recording
//! is changed by hand or by `RECORDED=write cargo test -p CRATE recorded`, and then read.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tracklane::Event;
use tracklane::plugin::{Batching, Destination};
use tracklane_http::testing::{Reply, Server};

/// Members of bodies that are times of sending.
const TIMES: &[&str] = &["sent_at", "client_upload_time"];

/// Older than any event here: some destinations drop old ones.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Sends a third of the events in one batch to the destination that `make` makes for the server's URL, and compares the requests with
/// the recording at `path`.
#[track_caller]
pub(crate) fn check(
    path: &str,
    third: usize,
    why_not: impl Fn(&Event) -> Option<String>,
    make: impl FnOnce(&str) -> Destination,
) {
    let events = events(third);
    let server = Server::start([]).unwrap();
    server.otherwise(Reply::new(200).body("{}"));
    let whole = Batching::every(events.len(), Duration::from_secs(3600)).max_bytes(usize::MAX);
    let analytics = tracklane_http::testing::client(make(&server.url("")).batching(whole).max_age(LONGEST)).unwrap();
    let mut rows = Vec::new();
    for (number, event) in events.into_iter().enumerate() {
        if let Some(reason) = why_not(&event) {
            rows.push(json!({ "event": number, "not_sent": reason }));
        }
        analytics.send(event).unwrap();
    }
    let _ = analytics.close_blocking(Duration::from_secs(20));
    for request in server.requests() {
        rows.extend(request.text().unwrap().lines().map(|line| row(&request.path, line)));
    }
    compare(path, &rows);
}

/// A body, or a line of one, without times of sending and without the version.
fn row(path: &str, text: &str) -> Value {
    let text = &text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let mut body = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()));
    if let Value::Object(members) = &mut body {
        members.retain(|name, _| !TIMES.contains(&name.as_str()));
    }
    json!({ "path": path.split('?').next(), "body": body })
}

#[track_caller]
fn compare(path: &str, rows: &[Value]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(path);
    if std::env::var_os("RECORDED").is_some_and(|value| value == "write") {
        let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
        std::fs::write(&path, lines).unwrap();
    }
    let recorded = std::fs::read_to_string(&path).unwrap();
    let recorded: Vec<Value> = recorded.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (at, (now, then)) in rows.iter().zip(&recorded).enumerate() {
        assert_eq!(now, then, "line {} of {}", at + 1, path.display());
    }
    assert_eq!(rows.len(), recorded.len(), "lines of {}", path.display());
}

/// Every call with a third of the hostile sections, each with one of the contexts and one of the options.
fn events(third: usize) -> Vec<Event> {
    let (sections, contexts, options) = (sections(), contexts(), options());
    let mut events = Vec::new();
    for (at, call) in calls().into_iter().enumerate() {
        for section in sections.iter().skip((at + third) % 3).step_by(3) {
            let number = events.len();
            let mut event: Map<String, Value> = call.as_object().unwrap().clone();
            let name =
                if matches!(call["type"].as_str(), Some("identify" | "group")) { "traits" } else { "properties" };
            event.insert(name.to_owned(), section.clone());
            event.insert("context".to_owned(), contexts[number % contexts.len()].clone());
            event.insert("integrations".to_owned(), options[number % options.len()].clone());
            event.insert("messageId".to_owned(), message_id(number).into());
            event.insert("timestamp".to_owned(), "2024-02-29T12:00:00.123Z".into());
            events.push(Event::try_from(Value::Object(event)).unwrap());
        }
    }
    events
}

fn message_id(number: usize) -> String {
    match number % 3 {
        0 => format!("0a1801fd-3e68-49f8-a7ae-d4ab629a{number:04}"),
        1 => format!("order {number} \"é\""),
        _ => format!("m{number}"),
    }
}

fn calls() -> Vec<Value> {
    let long = "long-".repeat(41);
    vec![
        json!({ "type": "track", "event": "Item Purchased", "userId": "u1", "anonymousId": "a1" }),
        json!({ "type": "track", "event": "Order Completed", "userId": "u1" }),
        json!({ "type": "track", "event": "Product Added", "anonymousId": "3f2504e0-4f89-41d3-9a0c-0305e82c3301" }),
        json!({ "type": "track", "event": "naïve \"event\" ✓ with-dashes", "userId": "ü\\\"1" }),
        json!({ "type": "track", "userId": long, "event": "A" }),
        json!({ "type": "identify", "userId": "u2", "anonymousId": "3f2504e0-4f89-41d3-9a0c-0305e82c3301" }),
        json!({ "type": "group", "groupId": "g1", "userId": "u1", "anonymousId": "a\tb" }),
        json!({ "type": "page", "name": "Docs", "category": "Help", "userId": "u1" }),
        json!({ "type": "screen", "anonymousId": "a1" }),
        json!({ "type": "alias", "userId": "u1", "previousId": "p1" }),
    ]
}

/// Properties or traits.
fn sections() -> Vec<Value> {
    let many: Map<String, Value> = (0..30).map(|number| (format!("member {number:02}"), number.into())).collect();
    vec![
        json!({}),
        json!({ "revenue": 39.95, "currency": "usd", "total": "41.5", "tax": 1, "shipping": "2", "coupon": "MAY",
            "order_id": "o1", "price": "19.0", "quantity": 2, "product_id": "p1", "productId": "p2", "revenueType": "x" }),
        json!({ "products": [
            { "product_id": "p1", "sku": "s", "name": "Monopoly: 3rd \"Edition\"", "price": 19, "quantity": 1, "brand": "" },
            { "product_id": 7, "name": null, "price": "8.5", "quantity": "2", "position": 3, "category": { "a": 1 } },
            "no object", null, [], {}, { "name": "é".repeat(120), "distinct_id": "evil", "time": 1, "price": true } ],
            "order_id": "o2", "checkout_id": 5, "currency": "EUR", "value": 5, "revenue": "3" }),
        json!({ "products": { "a": 1 }, "currency": "euros", "value": "much", "name": "Chess", "sku": ["a"] }),
        json!({ "null": null, "empty": "", "object": {}, "list": [], "no": false, "yes": true, "blank": " " }),
        json!({ "deep": { "er": { "est": [[[{ "a": [1, null, { "b": "c\"d\\" }] }]]] } }, "list": [1, "2", { "c": [] }],
            "tags": ["games", "board \"games\"", "\u{2028}\u{7}\u{1f600}"] }),
        json!({ "quote\"": "back\\slash", "tab\t": "\u{0}\u{1f}\u{7f}\n\r", "é 中": "\u{1f600}\u{feff}", "": "no name",
            "a.b": "</script>", "$set": { "x": 1 }, "sp ace": "\u{2029}", "long": "é1 ".repeat(40) }),
        json!({ "u64": u64::MAX, "i64": i64::MIN, "large": 1e300, "small": 5e-324, "zero": -0.0, "one": 1.0, "tenth": 0.1,
            "exact": 9_007_199_254_740_993_u64, "revenue": 1e20, "quantity": 1e16, "price": -3 }),
        json!({ "distinct_id": "evil", "$ip": "1.2.3.4", "ip": 7, "time": 1, "token": "t", "$token": "t", "$lib": "other",
            "uuid": "x", "$insert_id": "x", "$groups": { "a": "b" }, "utm_source": "own", "title": "own", "$os": null,
            "$current_url": "own", "$device_id": "own", "event": "own", "name": "own name", "category": 5, "id": 1,
            "user_id": "evil", "session_id": 5, "items": [{ "item_id": 1 }, 2], "page_title": "own", "alias": "evil",
            "$group_id": ["own"], "properties": {}, "$referring_domain": "own", "groupType": "team", "platform": "own" }),
        json!({ "url": "https://User:pw@Shop.Example:8443/Path/é?q=1#f", "path": "/own", "referrer": "//nothing", "search": "?q" }),
        json!({ "url": "not a url", "referrer": "https://xn--mller-kva.example/a b", "title": null, "name": "" }),
        json!({ "email": "ann@example.com", "firstName": "Ann", "lastName": "Example", "createdAt": 1_700_000_000,
            "phone": null, "address": { "city": "Köln", "state": 5, "country": "DE", "street": "A \"1\"" }, "plan": "pro",
            "groupType": "company", "company": { "name": "X", "id": 1 }, "unsubscribed": true }),
        json!({ "email": 5, "name": "Whole Name", "created_at": "2024-02-29", "address": "Main Street", "firstName": "" }),
        Value::Object(many),
    ]
}

fn contexts() -> Vec<Value> {
    vec![
        json!({}),
        json!({ "ip": "81.2.69.160", "userAgent": "Mozilla/5.0 (X11; \"quoted\") Chrome/124", "locale": "de-DE", "timezone": "Europe/Berlin",
            "page": { "url": "https://shop.example/games?utm_source=news", "path": "/games", "title": "Games é", "referrer": "https://www.Google.com/search?q=x" },
            "os": { "name": "iOS", "version": "17.1" }, "browser": { "name": "Safari", "version": "17" },
            "device": { "id": "d1", "type": "ios", "manufacturer": "Apple", "model": "iPhone", "name": "n", "advertisingId": "ad", "brand": "A" },
            "app": { "name": "Shop", "version": "1.2", "build": "34", "namespace": "com.shop" }, "groupId": "g7",
            "screen": { "width": 390, "height": 844, "density": 3 }, "network": { "carrier": "T", "wifi": true },
            "campaign": { "source": "news", "medium": "email", "name": "spring", "content": "c", "term": "t" },
            "location": { "city": "London", "country": "United Kingdom", "country_code": "GB", "latitude": 51.5, "longitude": -0.09, "region": "E" },
            "traits": { "email": "ann@example.com", "plan": "pro", "vip": true, "age": 30, "nested": { "a": [1] } } }),
        json!({ "page": "text", "os": null, "ip": 5, "traits": [1, { "a": 2 }], "campaign": { "source": 7, "name": "" },
            "device": { "type": {}, "id": 9, "model": null }, "locale": "", "groupId": 12, "app": [], "screen": { "width": "390", "height": "x" } }),
        json!({ "page": { "url": "HTTPS://EXAMPLE.com:443", "referrer": "https://bücher.example:80/x" }, "device": { "type": "Android", "advertisingId": "ad\"1\"" },
            "location": { "country_code": "DE", "city": "Köln" }, "externalIds": [5, { "type": "x" }, { "type": "ga4ClientId", "id": "1.2" },
            { "type": "ga4AppInstanceId", "id": "0123456789abcdef0123456789abcdef" }], "os": { "name": "\u{1f600}" } }),
        json!({ "page": { "referrer": "http://192.168.0.1/a" }, "traits": {}, "userAgent": "", "network": { "wifi": false }, "screen": { "width": 1.5, "height": 2 } }),
    ]
}

/// The entries in `integrations`, of each vendor under its own name.
fn options() -> Vec<Value> {
    let of_all = |options: &Value| -> Value {
        let names = ["PostHog", "Mixpanel", "Amplitude", "Google Analytics 4", "ClickHouse"];
        names.into_iter().map(|name| (name.to_owned(), options.clone())).collect::<Map<_, _>>().into()
    };
    vec![
        json!({}),
        of_all(
            &json!({ "sessionId": 1_700_000_000_000_u64, "groupType": "team", "clientId": "c.1", "engagementTimeMsec": 12,
            "groups": { "team": ["a", "b"] }, "$add": { "visits": 1 }, "$setOnce": { "first": "x" },
            "consent": { "ad_user_data": "granted", "adPersonalization": false } }),
        ),
        of_all(&true.into()),
        of_all(&json!({ "session_id": "77", "sessionId": null, "groups": "none", "$unset": 5, "clientId": 5,
            "appInstanceId": "0123456789ABCDEF0123456789abcdef", "consent": "granted", "nested": { "a": [{ "b": 1 }] } })),
    ]
}
