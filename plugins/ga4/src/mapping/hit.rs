//! Makes a hit: the event, its user, and the parameters that reports need.

use tracklane_http::{EventJson, Json, JsonObject, number, text};

use super::params::{self, Params};
use super::{HitParts, Made, Mapping};

impl Mapping {
    /// Maps an event without the user's hook.
    pub(crate) fn hit<'e>(&'e self, json: &'e EventJson<'_>) -> Made<'e, HitParts<'e>> {
        let (name, mut params) = self.call(json)?;
        let who = self.who(json)?;
        if !self.is_app {
            add_page(json, &mut params);
        }
        let mut params = params::fit(params);
        self.add_reporting(json, &mut params);
        let timestamp_micros = json.timestamp().map(|timestamp| timestamp.as_unix_millis().saturating_mul(1_000));
        Ok(HitParts { who, name, params, timestamp_micros })
    }

    /// Adds the parameters that reports need. Without a session and a time of engagement, an event appears only in
    /// Realtime.
    fn add_reporting<'e>(&self, json: &'e EventJson<'_>, params: &mut Params<'e>) {
        // Google drops an event with any other value, and answers 2xx.
        let option = |names: [&str; 2]| {
            let options = self.options(json)?;
            names.iter().find_map(|name| options.get(name)).filter(|value| number(value).is_some()).cloned()
        };
        if let Some(session) = option(["sessionId", "session_id"]) {
            params.set("session_id", session);
        }
        let engaged = option(["engagementTimeMsec", "engagement_time_msec"]).unwrap_or(Json::Raw("1"));
        params.set("engagement_time_msec", engaged);
        if self.debug {
            params.set("debug_mode", Json::Raw("1"));
        }
    }
}

/// Where on the site it was, as Google's own tag adds it to every event. What the event says stays.
fn add_page<'e>(json: &'e EventJson<'_>, params: &mut JsonObject<'e>) {
    let Some(page) = json.context().get("page").and_then(Json::as_object) else { return };
    for (member, param) in [("url", "page_location"), ("title", "page_title"), ("referrer", "page_referrer")] {
        if let Some(text) = page.get(member).and_then(text) {
            params.insert_missing(param, text);
        }
    }
}
