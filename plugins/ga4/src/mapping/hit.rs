//! Makes a hit: the event, its user, and the parameters that reports need.

use serde_json::{Map, Value};
use tracklane_http::{EventJson, Mapped};

use super::{Hit, Mapping, params};

impl Mapping {
    pub(super) fn hit(&self, json: &EventJson) -> Result<Hit, Mapped<Hit>> {
        let (name, mut params) = self.call(json)?;
        let who = self.who(json)?;
        if !self.is_app {
            add_page(json, &mut params);
        }
        let mut params = params::fit(params);
        self.add_reporting(json, &mut params);
        let mut event = Map::from_iter([("name".to_owned(), name.into()), ("params".to_owned(), params.into())]);
        if let Some(timestamp) = json.timestamp() {
            event.insert("timestamp_micros".to_owned(), timestamp.as_unix_millis().saturating_mul(1_000).into());
        }
        Ok(Hit { who, event: event.into() })
    }

    /// Adds the parameters that reports need. Without a session and a time of engagement, an event appears only in
    /// Realtime.
    fn add_reporting(&self, json: &EventJson, params: &mut Map<String, Value>) {
        let option = |names: [&str; 2]| {
            let options = self.options(json)?;
            names.iter().find_map(|name| options.get(*name)).filter(|value| !value.is_null()).cloned()
        };
        if let Some(session) = option(["sessionId", "session_id"]) {
            params.insert("session_id".to_owned(), session);
        }
        let engaged = option(["engagementTimeMsec", "engagement_time_msec"]).unwrap_or_else(|| 1.into());
        params.insert("engagement_time_msec".to_owned(), engaged);
        if self.debug {
            params.insert("debug_mode".to_owned(), 1.into());
        }
    }
}

/// Where on the site it was, as Google's own tag adds it to every event. What the event says stays.
fn add_page(json: &EventJson, params: &mut Map<String, Value>) {
    for (member, param) in [("url", "page_location"), ("title", "page_title"), ("referrer", "page_referrer")] {
        if let Some(text) = json.context_text(&["page", member])
            && !params.contains_key(param)
        {
            params.insert(param.to_owned(), text.into());
        }
    }
}
