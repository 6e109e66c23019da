//! Maps the context of an event to PostHog's properties.

use tracklane_http::{EventJson, JsonObject, host};

/// A path in `context`, and the property that it is.
const PROPERTIES: &[(&[&str], &str)] = &[
    (&["ip"], "$ip"),
    (&["userAgent"], "$raw_user_agent"),
    (&["browser", "name"], "$browser"),
    (&["browser", "version"], "$browser_version"),
    (&["os", "name"], "$os"),
    (&["os", "version"], "$os_version"),
    (&["device", "id"], "$device_id"),
    (&["device", "manufacturer"], "$device_manufacturer"),
    (&["device", "model"], "$device_model"),
    (&["device", "name"], "$device_name"),
    (&["device", "type"], "$device_type"),
    (&["app", "name"], "$app_name"),
    (&["app", "version"], "$app_version"),
    (&["app", "build"], "$app_build"),
    (&["app", "namespace"], "$app_namespace"),
    (&["locale"], "$locale"),
    (&["timezone"], "$timezone"),
    (&["screen", "width"], "$screen_width"),
    (&["screen", "height"], "$screen_height"),
    (&["screen", "density"], "$screen_density"),
    (&["network", "carrier"], "$network_carrier"),
    (&["campaign", "source"], "utm_source"),
    (&["campaign", "medium"], "utm_medium"),
    (&["campaign", "name"], "utm_campaign"),
    (&["campaign", "content"], "utm_content"),
    (&["campaign", "term"], "utm_term"),
    (&["page", "url"], "$current_url"),
    (&["page", "path"], "$pathname"),
    (&["page", "referrer"], "$referrer"),
    (&["page", "title"], "title"),
];

/// Members of the context of an event from the user's own device.
const CLIENT: &[&str] = &["userAgent", "device", "os"];

/// Adds the event's context. Existing properties stay.
pub(super) fn add<'e>(json: &'e EventJson<'_>, properties: &mut JsonObject<'e>) {
    json.for_each_in_context(PROPERTIES, |name, value| properties.insert_missing(name, value.clone()));
    if let Some(domain) = json.context_text(&["page", "referrer"]).and_then(host) {
        properties.insert_missing("$referring_domain", domain);
    }
    // Otherwise PostHog would take the address of the request for the user's.
    if !properties.contains_key("$ip") {
        properties.insert("$geoip_disable", true);
    }
    // Otherwise it would take the server's system for the user's.
    if CLIENT.iter().all(|member| json.context_at(&[member]).is_none()) {
        properties.insert("$is_server", true);
    }
    properties.insert("$lib", "tracklane");
    properties.insert("$lib_version", env!("CARGO_PKG_VERSION"));
}
