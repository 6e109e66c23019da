//! Maps the context of an event to Mixpanel's properties.

use tracklane_http::{CAMPAIGN, ContextTable, EventJson, JsonObject, host, text};

/// Members of `context` and of the objects in it, and the property that each is.
const PROPERTIES: ContextTable = &[
    ("", &[("ip", "ip"), ("locale", "locale"), ("timezone", "timezone")]),
    ("os", &[("name", "$os"), ("version", "$os_version")]),
    ("browser", &[("name", "$browser"), ("version", "$browser_version")]),
    ("device", &[("manufacturer", "$manufacturer"), ("model", "$model"), ("name", "$device"), ("type", "device_type")]),
    ("network", &[("carrier", "$carrier"), ("wifi", "$wifi")]),
    ("screen", &[("width", "$screen_width"), ("height", "$screen_height"), ("density", "$screen_dpi")]),
    ("app", &[("name", "$app_name"), ("version", "$app_version_string"), ("build", "$app_build_number")]),
    ("campaign", CAMPAIGN),
];

/// Members of a page, and the property that each is.
const PAGE: &[(&str, &str)] = &[
    ("url", "$current_url"),
    ("referrer", "$referrer"),
    ("title", "current_page_title"),
    ("path", "current_url_path"),
];

/// Adds the event's context. Existing properties stay.
pub(super) fn add<'e>(json: &'e EventJson<'_>, properties: &mut JsonObject<'e>) {
    json.for_each_in_context(PROPERTIES, |name, value| properties.insert_missing(name, value.clone()));
    add_page(json, properties);
    properties.insert("mp_lib", "tracklane");
    properties.insert("$lib_version", env!("CARGO_PKG_VERSION"));
}

/// Adds where it was. A page call says it itself, and what it does not say, the context does.
fn add_page<'e>(json: &'e EventJson<'_>, properties: &mut JsonObject<'e>) {
    let is_page = json.kind() == "page";
    let own = |member: &str| json.properties().get(member).filter(|value| is_page && text(value).is_some());
    for (member, property) in PAGE {
        // The context's path is not that of the page's own URL.
        let is_of_other = *member == "path" && own("url").is_some();
        let of_context = || json.context_at(&["page", member]).filter(|_| !is_of_other);
        if let Some(value) = own(member).or_else(of_context) {
            properties.insert_missing(*property, value.clone());
        }
    }
    let referrer = own("referrer").and_then(text).or_else(|| json.context_text(&["page", "referrer"]));
    if let Some(domain) = referrer.and_then(host) {
        properties.insert_missing("$referring_domain", domain);
    }
}
