//! Maps the context of an event to Mixpanel's properties.

use tracklane_http::{EventJson, JsonObject, host};

/// A path in `context`, and the property that it is.
const PROPERTIES: &[(&[&str], &str)] = &[
    (&["ip"], "ip"),
    (&["page", "url"], "$current_url"),
    (&["page", "referrer"], "$referrer"),
    (&["page", "title"], "current_page_title"),
    (&["page", "path"], "current_url_path"),
    (&["os", "name"], "$os"),
    (&["os", "version"], "$os_version"),
    (&["browser", "name"], "$browser"),
    (&["browser", "version"], "$browser_version"),
    (&["device", "manufacturer"], "$manufacturer"),
    (&["device", "model"], "$model"),
    (&["device", "name"], "$device"),
    (&["device", "type"], "device_type"),
    (&["locale"], "locale"),
    (&["timezone"], "timezone"),
    (&["network", "carrier"], "$carrier"),
    (&["network", "wifi"], "$wifi"),
    (&["screen", "width"], "$screen_width"),
    (&["screen", "height"], "$screen_height"),
    (&["screen", "density"], "$screen_dpi"),
    (&["app", "name"], "$app_name"),
    (&["app", "version"], "$app_version_string"),
    (&["app", "build"], "$app_build_number"),
    (&["campaign", "source"], "utm_source"),
    (&["campaign", "medium"], "utm_medium"),
    (&["campaign", "name"], "utm_campaign"),
    (&["campaign", "content"], "utm_content"),
    (&["campaign", "term"], "utm_term"),
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
