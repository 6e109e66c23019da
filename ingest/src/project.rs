//! The settings of a project, which browsers and phones ask for before they send anything.
//!
//! They allow everything and send events to the server of the settings, so that analytics.js needs nothing from
//! elsewhere.

use serde_json::{Value, json};

/// The key in `/v1/projects/KEY/settings`.
pub(crate) fn key(path: &str) -> Option<&str> {
    let key = path.strip_prefix("/v1/projects/")?.strip_suffix("/settings")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (!key.is_empty() && key.bytes().all(plain)).then_some(key)
}

/// The settings, for a client that asked for them at `host`; `secure` if by HTTPS, which a proxy in front ended.
pub(crate) fn settings(key: &str, host: &str, secure: bool) -> Value {
    let enabled = json!({ "__default": { "enabled": true, "integrations": {} } });
    json!({
        "integrations": {
            "Segment.io": {
                "apiKey": key,
                "apiHost": format!("{host}/v1"),
                "protocol": if secure { "https" } else { "http" },
                "unbundledIntegrations": [],
                "addBundledMetadata": true,
                "maybeBundledConfigIds": {},
                "versionSettings": { "version": "4.4.7", "componentTypes": ["browser"] },
            },
        },
        "plan": { "track": enabled, "identify": enabled, "group": enabled },
        "edgeFunction": {},
        "analyticsNextEnabled": true,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": { "sampleRate": 0 },
        "legacyVideoPluginsEnabled": false,
        "remotePlugins": [],
    })
}
