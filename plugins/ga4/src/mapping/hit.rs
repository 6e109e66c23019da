//! Makes a hit: the event, its user, and the parameters that reports need.

use tracklane_http::{EventJson, Json, JsonObject, number, object};

use super::{HitParts, Made, Mapping, params};

impl Mapping {
    pub(super) fn hit<'e>(&'e self, json: &'e EventJson<'_>) -> Made<'e, HitParts<'e>> {
        let (name, mut params) = self.call(json)?;
        let who = self.who(json)?;
        if !self.is_app {
            add_page(json, &mut params);
        }
        let mut params = params::fit(params);
        self.add_reporting(json, &mut params);
        let mut event = object([("name", name.into()), ("params", params.into())]);
        if let Some(timestamp) = json.timestamp() {
            event.insert("timestamp_micros", timestamp.as_unix_millis().saturating_mul(1_000));
        }
        Ok(HitParts { who, event })
    }

    /// Adds the parameters that reports need. Without a session and a time of engagement, an event appears only in
    /// Realtime.
    fn add_reporting<'e>(&self, json: &'e EventJson<'_>, params: &mut JsonObject<'e>) {
        // Google drops an event with any other value, and answers 2xx.
        let option = |names: [&str; 2]| {
            let options = self.options(json)?;
            names.iter().find_map(|name| options.get(name)).filter(|value| number(value).is_some()).cloned()
        };
        if let Some(session) = option(["sessionId", "session_id"]) {
            params.insert("session_id", session);
        }
        let engaged = option(["engagementTimeMsec", "engagement_time_msec"]).unwrap_or_else(|| Json::from(1_u64));
        params.insert("engagement_time_msec", engaged);
        if self.debug {
            params.insert("debug_mode", 1_u64);
        }
    }
}

/// Where on the site it was, as Google's own tag adds it to every event. What the event says stays.
fn add_page<'e>(json: &'e EventJson<'_>, params: &mut JsonObject<'e>) {
    for (member, param) in [("url", "page_location"), ("title", "page_title"), ("referrer", "page_referrer")] {
        if let Some(text) = json.context_text(&["page", member]) {
            params.insert_missing(param, text);
        }
    }
}
