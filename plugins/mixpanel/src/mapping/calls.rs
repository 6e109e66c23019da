//! Maps each of the six calls to its items.

use tracklane_http::EventJson;

use super::ids::Who;
use super::{Made, Mapping, Part};

impl Mapping {
    pub(super) fn items<'e>(&'e self, json: &'e EventJson<'_>) -> Made<'e, Vec<Part<'e>>> {
        if json.kind() == "alias" {
            return self.alias(json);
        }
        let who = Who::of(json, self.id_merge)?;
        match json.kind() {
            "identify" => self.identify(json, &who),
            "group" => self.group(json, &who),
            "page" | "screen" => Ok(vec![self.event(json, &who, json.viewed(), self.view_properties(json))]),
            _ => self.track(json, &who),
        }
    }
}
