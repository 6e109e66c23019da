//! Maps the context of an event to Amplitude's members.

use std::borrow::Cow;

use tracklane_http::{ContextTable, EventJson, JsonObject};

/// Members of `context` and of the objects in it, and the member of an event that each is.
const MEMBERS: ContextTable = &[
    ("app", &[("version", "app_version")]),
    ("os", &[("name", "os_name"), ("version", "os_version")]),
    ("device", &[("brand", "device_brand"), ("manufacturer", "device_manufacturer"), ("model", "device_model")]),
    ("network", &[("carrier", "carrier")]),
    ("", &[("locale", "language"), ("ip", "ip"), ("userAgent", "user_agent")]),
    (
        "location",
        &[
            ("latitude", "location_lat"),
            ("longitude", "location_lng"),
            // Amplitude resets those of these that an event does not have beside the others.
            ("country", "country"),
            ("region", "region"),
            ("city", "city"),
        ],
    ),
];

/// Adds the event's context. Without `ip` nothing is sent for it, because Amplitude would take the sender's.
pub(super) fn add<'e>(json: &'e EventJson<'_>, item: &mut JsonObject<'e>) {
    json.for_each_in_context(MEMBERS, |name, value| item.insert(name, value.clone()));
    let platform = platform(json);
    for (name, path) in advertising(platform.as_deref()) {
        if let Some(value) = json.context_text(path) {
            item.insert(*name, value);
        }
    }
    if let Some(platform) = platform {
        item.insert("platform", platform);
    }
    item.insert("library", concat!("tracklane/", env!("CARGO_PKG_VERSION")));
}

/// The ids that the device's system gives: of advertisers, and on iOS of the vendor.
fn advertising(platform: Option<&str>) -> &'static [(&'static str, &'static [&'static str])] {
    match platform {
        Some("iOS") => &[("idfa", &["device", "advertisingId"]), ("idfv", &["device", "id"])],
        Some("Android") => &[("adid", &["device", "advertisingId"])],
        _ => &[],
    }
}

pub(super) fn is_mobile(json: &EventJson<'_>) -> bool {
    matches!(platform(json).as_deref(), Some("iOS" | "Android"))
}

/// Returns the device's type under Amplitude's name, or the web if there is a browser.
fn platform<'e>(json: &'e EventJson<'_>) -> Option<Cow<'e, str>> {
    match json.context_text(&["device", "type"]) {
        Some(kind) if kind.eq_ignore_ascii_case("ios") => Some("iOS".into()),
        Some(kind) if kind.eq_ignore_ascii_case("android") => Some("Android".into()),
        Some(kind) => Some(kind.into()),
        None => json.context_text(&["userAgent"]).map(|_| "Web".into()),
    }
}
