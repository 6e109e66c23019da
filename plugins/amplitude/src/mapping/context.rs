//! Maps the context of an event to Amplitude's members.

use serde_json::{Map, Value};
use tracklane_http::EventJson;

/// A path in `context`, and the member that it is.
const MEMBERS: &[(&[&str], &str)] = &[
    (&["app", "version"], "app_version"),
    (&["os", "name"], "os_name"),
    (&["os", "version"], "os_version"),
    (&["device", "brand"], "device_brand"),
    (&["device", "manufacturer"], "device_manufacturer"),
    (&["device", "model"], "device_model"),
    (&["network", "carrier"], "carrier"),
    (&["locale"], "language"),
    (&["ip"], "ip"),
    (&["userAgent"], "user_agent"),
    (&["location", "latitude"], "location_lat"),
    (&["location", "longitude"], "location_lng"),
    // Amplitude resets those of these that an event does not have beside the others.
    (&["location", "country"], "country"),
    (&["location", "region"], "region"),
    (&["location", "city"], "city"),
];

/// Adds the event's context. Without `ip` nothing is sent for it, because Amplitude would take the sender's.
pub(super) fn add(json: &EventJson, item: &mut Map<String, Value>) {
    for (path, name) in MEMBERS {
        if let Some(value) = json.context_at(path) {
            item.insert((*name).to_owned(), value.clone());
        }
    }
    if let Some(platform) = platform(json) {
        item.insert("platform".to_owned(), platform.into());
    }
    for (name, path) in advertising(json) {
        if let Some(value) = json.context_text(path) {
            item.insert((*name).to_owned(), value.into());
        }
    }
    item.insert("library".to_owned(), concat!("tracklane/", env!("CARGO_PKG_VERSION")).into());
}

/// The ids that the device's system gives: of advertisers, and on iOS of the vendor.
fn advertising(json: &EventJson) -> &'static [(&'static str, &'static [&'static str])] {
    match platform(json).as_deref() {
        Some("iOS") => &[("idfa", &["device", "advertisingId"]), ("idfv", &["device", "id"])],
        Some("Android") => &[("adid", &["device", "advertisingId"])],
        _ => &[],
    }
}

pub(super) fn is_mobile(json: &EventJson) -> bool {
    matches!(platform(json).as_deref(), Some("iOS" | "Android"))
}

/// Returns the device's type under Amplitude's name, or the web if there is a browser.
fn platform(json: &EventJson) -> Option<String> {
    match json.context_text(&["device", "type"]) {
        Some(kind) if kind.eq_ignore_ascii_case("ios") => Some("iOS".to_owned()),
        Some(kind) if kind.eq_ignore_ascii_case("android") => Some("Android".to_owned()),
        Some(kind) => Some(kind.to_owned()),
        None => json.context_text(&["userAgent"]).map(|_| "Web".to_owned()),
    }
}
