//! Maps the context of an event to Mixpanel's properties.

use tracklane_http::{CAMPAIGN, ContextTable, EventJson, JsonObject, host};

/// Members of `context` and of the objects in it, and the property that each is.
const PROPERTIES: ContextTable = &[
    ("", &[("ip", "ip"), ("locale", "locale"), ("timezone", "timezone")]),
    (
        "page",
        &[
            ("url", "$current_url"),
            ("referrer", "$referrer"),
            ("title", "current_page_title"),
            ("path", "current_url_path"),
        ],
    ),
    ("os", &[("name", "$os"), ("version", "$os_version")]),
    ("browser", &[("name", "$browser"), ("version", "$browser_version")]),
    ("device", &[("manufacturer", "$manufacturer"), ("model", "$model"), ("name", "$device"), ("type", "device_type")]),
    ("network", &[("carrier", "$carrier"), ("wifi", "$wifi")]),
    ("screen", &[("width", "$screen_width"), ("height", "$screen_height"), ("density", "$screen_dpi")]),
    ("app", &[("name", "$app_name"), ("version", "$app_version_string"), ("build", "$app_build_number")]),
    ("campaign", CAMPAIGN),
];

/// Adds the event's context. Existing properties stay.
pub(super) fn add<'e>(json: &'e EventJson<'_>, properties: &mut JsonObject<'e>) {
    json.for_each_in_context(PROPERTIES, |name, value| properties.insert_missing(name, value.clone()));
    if let Some(domain) = json.context_text(&["page", "referrer"]).and_then(host) {
        properties.insert_missing("$referring_domain", domain);
    }
    properties.insert("mp_lib", "tracklane");
    properties.insert("$lib_version", env!("CARGO_PKG_VERSION"));
}
