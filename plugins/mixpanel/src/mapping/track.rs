//! Events: track, page and screen calls.

use std::borrow::Cow;

use tracklane::event::part_uuid;
use tracklane_http::{EventJson, Json, JsonObject, Mapped, number, object};

use super::ids::{Who, stamp};
use super::{Made, Mapping, Part, Products, Target, context};

/// Returns whether a property would change identity, time, place or de-duplication, or makes Mixpanel silently drop or hide
/// the event (`$ignore`, `bucket`).
fn is_never(name: &str) -> bool {
    matches!(
        name,
        "distinct_id"
            | "$distinct_id"
            | "$user_id"
            | "$device_id"
            | "$identified_id"
            | "$anon_id"
            | "$insert_id"
            | "id"
            | "time"
            | "$time"
            | "ip"
            | "token"
            | "$ignore"
            | "bucket"
            | "$bucket"
    )
}

/// About as many properties as are added to an event's own.
const ADDED: usize = 16;
/// The name of the event of one of an order's products.
const PURCHASED: &str = "Product Purchased";

impl Mapping {
    pub(super) fn track<'e>(&'e self, json: &'e EventJson<'_>, who: &Who<'e>) -> Made<'e, Vec<Part<'e>>> {
        let name = json.text("event").ok_or_else(|| Mapped::reject("it has no name, which Mixpanel refuses"))?;
        let mut items = vec![self.event(json, who, name, properties(json.properties().with_room(ADDED)))];
        if self.products == Products::PerProduct && name == "Order Completed" {
            items.extend(self.purchases(json, who));
        }
        items.extend(self.charge(json, who));
        Ok(items)
    }

    /// Makes the event `name` with these properties, and the common ones.
    pub(super) fn event<'e>(
        &'e self,
        json: &'e EventJson<'_>,
        who: &Who<'e>,
        name: impl Into<Cow<'e, str>>,
        mut properties: JsonObject<'e>,
    ) -> Part<'e> {
        let name: Cow<'e, str> = name.into();
        context::add(json, &mut properties);
        if let Some(group) = json.context_text(&["groupId"]).filter(|_| self.groups_from_context) {
            properties.insert_missing(&*self.group_key, vec![group]);
        }
        who.write(&mut properties);
        stamp(json, &mut properties);
        Part::new(Target::Import, object([("event", name.into()), ("properties", properties.into())]))
    }

    /// The properties of a view: its own, and its name and category.
    pub(super) fn view_properties<'e>(&self, json: &'e EventJson<'_>) -> JsonObject<'e> {
        let mut properties = properties(json.properties().with_room(ADDED));
        for member in ["name", "category"] {
            if let Some(text) = json.text(member) {
                properties.insert(member, text);
            }
        }
        properties
    }

    /// An event for each product of an order.
    fn purchases<'e>(&'e self, json: &'e EventJson<'_>, who: &Who<'e>) -> Vec<Part<'e>> {
        let order = json.properties();
        let Some(Json::Array(products)) = order.get("products").cloned().map(Json::parsed) else { return Vec::new() };
        let purchase = |(part, product): (usize, Json<'e>)| {
            let Json::Object(product) = product.parsed() else { return None };
            let mut of_product = properties(product);
            for name in ["order_id", "checkout_id", "currency"] {
                if let Some(value) = order.get(name) {
                    of_product.insert_missing(name, value.clone());
                }
            }
            let mut item = self.event(json, who, PURCHASED, of_product);
            if !json.message_id().is_empty()
                && let Some(properties) = item.body.get_mut("properties").and_then(Json::as_object_mut)
            {
                properties.insert("$insert_id", part_uuid(json.message_id(), part));
            }
            Some(item)
        };
        products.into_iter().enumerate().filter_map(purchase).collect()
    }

    /// The charge on the user's profile.
    fn charge<'e>(&self, json: &'e EventJson<'_>, who: &Who<'e>) -> Option<Part<'e>> {
        let revenue = json.properties().get("revenue").and_then(number).filter(|_| self.track_charges)?;
        let mut charge = object([("$amount", revenue.into())]);
        if let Some(time) = json.text("timestamp") {
            charge.insert("$time", time);
        }
        let append = object([("$transactions", charge.into())]);
        Some(super::profiles::user(json, who, "$append", append))
    }
}

fn properties(mut own: JsonObject<'_>) -> JsonObject<'_> {
    own.retain(|name| !is_never(name));
    own
}
