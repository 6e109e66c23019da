//! Maps the context of an event to PostHog's properties.

use tracklane_http::{CAMPAIGN, ContextTable, EventJson, JsonObject, host};

/// Members of `context` and of the objects in it, and the property that each is.
const PROPERTIES: ContextTable = &[
    ("", &[("ip", "$ip"), ("userAgent", "$raw_user_agent"), ("locale", "$locale"), ("timezone", "$timezone")]),
    ("browser", &[("name", "$browser"), ("version", "$browser_version")]),
    ("os", &[("name", "$os"), ("version", "$os_version")]),
    (
        "device",
        &[
            ("id", "$device_id"),
            ("manufacturer", "$device_manufacturer"),
            ("model", "$device_model"),
            ("name", "$device_name"),
            ("type", "$device_type"),
        ],
    ),
    (
        "app",
        &[("name", "$app_name"), ("version", "$app_version"), ("build", "$app_build"), ("namespace", "$app_namespace")],
    ),
    ("screen", &[("width", "$screen_width"), ("height", "$screen_height"), ("density", "$screen_density")]),
    ("network", &[("carrier", "$network_carrier")]),
    ("campaign", CAMPAIGN),
];

/// The same of the page, for calls that are no page calls. Those have it.
const PAGE: ContextTable =
    &[("page", &[("url", "$current_url"), ("path", "$pathname"), ("referrer", "$referrer"), ("title", "title")])];

/// Members of the context of an event from the user's own device.
const CLIENT: &[&str] = &["userAgent", "device", "os"];

/// Adds the event's context. Existing properties stay.
pub(super) fn add<'e>(json: &'e EventJson<'_>, properties: &mut JsonObject<'e>) {
    json.for_each_in_context(PROPERTIES, |name, value| properties.insert_missing(name, value.clone()));
    if json.kind() != "page" {
        json.for_each_in_context(PAGE, |name, value| properties.insert_missing(name, value.clone()));
        if let Some(domain) = json.context_text(&["page", "referrer"]).and_then(host) {
            properties.insert_missing("$referring_domain", domain);
        }
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
