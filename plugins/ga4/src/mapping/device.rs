//! From which device and place an event is.

use serde_json::{Map, Value};
use tracklane_http::{EventJson, object};

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
pub(super) fn add(json: &EventJson, who: &mut Map<String, Value>) {
    if let Some(user_agent) = json.context_text(&["userAgent"]) {
        who.insert("user_agent".to_owned(), user_agent.into());
    }
    let is_known = KNOWN.iter().any(|member| json.context_at(&[member]).is_some());
    let device = device(json);
    if !device.is_empty() && (is_known || !who.contains_key("user_agent")) {
        who.insert("device".to_owned(), device.into());
    }
    match (json.context_text(&["ip"]), json.context_text(&["location", "country_code"])) {
        (Some(ip), _) => drop(who.insert("ip_override".to_owned(), ip.into())),
        (None, Some(country)) => {
            let mut place = object([("country_id", country.into())]);
            if let Some(city) = json.context_text(&["location", "city"]) {
                place.insert("city".to_owned(), city.into());
            }
            who.insert("user_location".to_owned(), place.into());
        }
        (None, None) => {}
    }
}

fn device(json: &EventJson) -> Map<String, Value> {
    let mut device = Map::new();
    for (member, paths) in DEVICE {
        if let Some(text) = paths.iter().find_map(|path| json.context_text(path)) {
            device.insert((*member).to_owned(), text.into());
        }
    }
    if let Some(kind) = json.context_text(&["device", "type"]) {
        let kind = kind.to_ascii_lowercase();
        let category = if matches!(&*kind, "ios" | "android") { "mobile" } else { &kind };
        device.insert("category".to_owned(), category.into());
    }
    let pixels = |side: &str| json.context_at(&["screen", side]).and_then(tracklane_http::number);
    if let (Some(width), Some(height)) = (pixels("width"), pixels("height")) {
        device.insert("screen_resolution".to_owned(), format!("{width}x{height}").into());
    }
    device
}
