//! Events: track, page and screen calls.

use serde_json::{Map, Value};
use tracklane::event::part_uuid;
use tracklane_http::{EventJson, Mapped, number, object};

use super::ids::{Who, stamp};
use super::{Item, Mapping, Products, Target, context};

/// Properties that would change identity, time, place or de-duplication, or that make Mixpanel silently drop or hide
/// the event (`$ignore`, `bucket`).
const NEVER: &[&str] = &[
    "distinct_id",
    "$distinct_id",
    "$user_id",
    "$device_id",
    "$identified_id",
    "$anon_id",
    "$insert_id",
    "id",
    "time",
    "$time",
    "ip",
    "token",
    "$ignore",
    "bucket",
    "$bucket",
];

/// The name of the event of one of an order's products.
const PURCHASED: &str = "Product Purchased";

impl Mapping {
    pub(super) fn track(&self, json: &EventJson, who: &Who) -> Result<Vec<Item>, Mapped<Item>> {
        let name = json.text("event").ok_or_else(|| Mapped::reject("it has no name, which Mixpanel refuses"))?;
        let mut items = vec![self.event(json, who, name, properties(json.properties()))];
        if self.products == Products::PerProduct && name == "Order Completed" {
            items.extend(self.purchases(json, who));
        }
        items.extend(self.charge(json, who));
        Ok(items)
    }

    /// Makes the event `name` with these properties, and the common ones.
    pub(super) fn event(&self, json: &EventJson, who: &Who, name: &str, mut properties: Map<String, Value>) -> Item {
        context::add(json, &mut properties);
        if let Some(group) = json.context_text(&["groupId"]).filter(|_| self.groups_from_context)
            && !properties.contains_key(&self.group_key)
        {
            properties.insert(self.group_key.clone(), vec![group].into());
        }
        who.write(&mut properties);
        stamp(json, &mut properties);
        Item::new(Target::Import, object([("event", name.into()), ("properties", properties.into())]))
    }

    /// The properties of a view: its own, and its name and category.
    pub(super) fn view_properties(&self, json: &EventJson) -> Map<String, Value> {
        let mut properties = properties(json.properties());
        for member in ["name", "category"] {
            if let Some(text) = json.text(member) {
                properties.insert(member.to_owned(), text.into());
            }
        }
        properties
    }

    /// An event for each product of an order.
    fn purchases(&self, json: &EventJson, who: &Who) -> Vec<Item> {
        let order = json.properties();
        let products = order.get("products").and_then(Value::as_array).into_iter().flatten();
        let purchase = |(part, product): (usize, &Value)| {
            let mut of_product = properties(product.as_object()?);
            for name in ["order_id", "checkout_id", "currency"] {
                if let Some(value) = order.get(name) {
                    of_product.entry(name).or_insert_with(|| value.clone());
                }
            }
            let mut item = self.event(json, who, PURCHASED, of_product);
            if !json.message_id().is_empty()
                && let Some(properties) = item.body.get_mut("properties").and_then(Value::as_object_mut)
            {
                properties.insert("$insert_id".to_owned(), part_uuid(json.message_id(), part).into());
            }
            Some(item)
        };
        products.enumerate().filter_map(purchase).collect()
    }

    /// The charge on the user's profile.
    fn charge(&self, json: &EventJson, who: &Who) -> Option<Item> {
        let revenue = json.properties().get("revenue").and_then(number).filter(|_| self.track_charges)?;
        let mut charge = object([("$amount", revenue.into())]);
        if let Some(time) = json.text("timestamp") {
            charge.insert("$time".to_owned(), time.into());
        }
        let append = object([("$transactions", charge.into())]);
        Some(super::profiles::user(json, who, "$append", append))
    }
}

fn properties(own: &Map<String, Value>) -> Map<String, Value> {
    let mut properties = own.clone();
    NEVER.iter().for_each(|name| drop(properties.remove(*name)));
    properties
}
