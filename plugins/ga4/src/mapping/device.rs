//! From which device and place an event is.

use std::borrow::Cow;

use tracklane_http::{EventJson, JsonObject, object};

/// Paths in `context`, and the member of `device` that they are; the first that is there counts.
const DEVICE: &[(&str, &[&[&str]])] = &[
    ("operating_system", &[&["os", "name"]]),
    ("operating_system_version", &[&["os", "version"]]),
    ("model", &[&["device", "model"]]),
    ("brand", &[&["device", "brand"], &["device", "manufacturer"]]),
    ("browser", &[&["browser", "name"]]),
    ("browser_version", &[&["browser", "version"]]),
    ("language", &[&["locale"]]),
];

/// What says more of a device than its user agent.
const KNOWN: &[&str] = &["os", "device", "browser"];

/// Adds the device, the user agent, the place and the address. Google reads no user agent where there is a device, and no
/// address where there is a place, so that each goes only where the other would say less.
pub(super) fn add<'e>(json: &'e EventJson<'_>, who: &mut JsonObject<'e>) {
    let user_agent = json.context_text(&["userAgent"]);
    if let Some(user_agent) = user_agent {
        who.insert("user_agent", user_agent);
    }
    let is_known = KNOWN.iter().any(|member| json.context_at(&[member]).is_some());
    if is_known || user_agent.is_none() {
        let device = device(json);
        if !device.is_empty() {
            who.insert("device", device);
        }
    }
    match (json.context_text(&["ip"]), json.context_text(&["location", "country_code"])) {
        (Some(ip), _) => who.insert("ip_override", ip),
        (None, Some(country)) => {
            let mut place = object([("country_id", country.into())]);
            if let Some(city) = json.context_text(&["location", "city"]) {
                place.insert("city", city);
            }
            who.insert("user_location", place);
        }
        (None, None) => {}
    }
}

fn device<'e>(json: &'e EventJson<'_>) -> JsonObject<'e> {
    let mut device = JsonObject::new();
    for (member, paths) in DEVICE {
        if let Some(text) = paths.iter().find_map(|path| json.context_text(path)) {
            device.insert(*member, text);
        }
    }
    if let Some(kind) = json.context_text(&["device", "type"]) {
        let kind = kind.to_ascii_lowercase();
        let category: Cow<'e, str> = if matches!(&*kind, "ios" | "android") { "mobile".into() } else { kind.into() };
        device.insert("category", category);
    }
    let pixels = |side: &str| json.context_at(&["screen", side]).and_then(tracklane_http::number);
    if let (Some(width), Some(height)) = (pixels("width"), pixels("height")) {
        device.insert("screen_resolution", format!("{width}x{height}"));
    }
    device
}
