//! The six calls: which events each is at Amplitude.

use serde_json::{Map, Value};
use tracklane_http::{EventJson, Mapped, object, text};

use super::{Item, Mapping, Products, Target, context, ids, operations, revenue};

/// Names by which Amplitude would take an event for something else.
const RESERVED: &[&str] = &["$identify", "$groupidentify"];

impl Mapping {
    pub(super) fn items(&self, json: &EventJson) -> Result<Vec<Item>, Mapped<Item>> {
        match json.kind() {
            "identify" => Ok(vec![self.event(json, "$identify", 0, self.operations(json))?]),
            "group" => self.group(json),
            "alias" => self.alias(json),
            "page" | "screen" => self.view(json),
            _ => self.track(json),
        }
    }

    fn track(&self, json: &EventJson) -> Result<Vec<Item>, Mapped<Item>> {
        let name = json.text("event").ok_or_else(|| Mapped::reject("it has no name, which Amplitude refuses"))?;
        if RESERVED.contains(&name) {
            return Err(Mapped::reject(format!("Amplitude takes an event called {name} for something else")));
        }
        let mut properties = json.properties().clone();
        let products = self.order_products(json, name);
        let has_parts = !products.is_empty();
        let mut own = Map::new();
        // If the products of an order have the revenue, it stays a property.
        if !(has_parts && revenue::all_have_prices(&products)) {
            own = revenue::take(&mut properties);
        }
        own.insert("event_properties".to_owned(), properties.into());
        own.extend(operations::of_origin(json));
        let mut items = vec![self.event(json, name, 0, own)?];
        for (part, product) in products.iter().enumerate() {
            let own = revenue::of_product(product, json.properties(), revenue::all_have_prices(&products));
            items.push(self.event(json, "Product Purchased", part + 1, own)?);
        }
        Ok(items)
    }

    /// Returns the products that become events of their own.
    fn order_products(&self, json: &EventJson, name: &str) -> Vec<Map<String, Value>> {
        if self.products == Products::Keep || name != "Order Completed" {
            return Vec::new();
        }
        let products = json.properties().get("products").and_then(Value::as_array).into_iter().flatten();
        products.filter_map(Value::as_object).cloned().collect()
    }

    fn view(&self, json: &EventJson) -> Result<Vec<Item>, Mapped<Item>> {
        let mut properties = json.properties().clone();
        for member in ["name", "category"] {
            if let Some(text) = json.text(member) {
                properties.insert(member.to_owned(), text.into());
            }
        }
        let mut own = object([("event_properties", properties.into())]);
        own.extend(operations::of_origin(json));
        Ok(vec![self.event(json, &json.viewed(), 0, own)?])
    }

    /// The user's membership, then the group's properties.
    fn group(&self, json: &EventJson) -> Result<Vec<Item>, Mapped<Item>> {
        let groups = self.groups_of(json)?;
        let set = object([("$set", groups.clone().into())]);
        let member = object([("groups", groups.clone().into()), ("user_properties", set.into())]);
        let mut items = vec![self.event(json, "$identify", 0, member)?];
        let mut traits = json.traits().clone();
        traits.remove("groupType");
        if !traits.is_empty() {
            let set = object([("$set", traits.into())]);
            let own = object([("groups", groups.into()), ("group_properties", set.into())]);
            items.push(self.event(json, "$groupidentify", 1, own)?);
        }
        Ok(items)
    }

    /// Returns the groups of a group call: those of its options, otherwise one of the type in its traits or the
    /// settings.
    fn groups_of(&self, json: &EventJson) -> Result<Map<String, Value>, Mapped<Item>> {
        let of_options = self.options(json).and_then(|options| options.get("groups")?.as_object());
        if let Some(groups) = of_options {
            return Ok(groups.clone());
        }
        let group = json.text("groupId").ok_or_else(|| Mapped::reject("it has no groupId"))?;
        let group_type = json.traits().get("groupType").and_then(text).unwrap_or(&self.group_type);
        Ok(object([(group_type, group.into())]))
    }

    fn alias(&self, json: &EventJson) -> Result<Vec<Item>, Mapped<Item>> {
        if !self.user_mapping {
            return Err(Mapped::skip("Amplitude maps users only with an add-on: see user_mapping"));
        }
        let (Some(user), Some(previous)) = (json.user_id(), json.text("previousId")) else {
            return Err(Mapped::reject("it has no userId or no previousId"));
        };
        ids::check(user)?;
        ids::check(previous)?;
        let body = object([("user_id", previous.into()), ("global_user_id", user.into())]);
        Ok(vec![Item { target: Target::UserMap, body: body.into() }])
    }

    /// Makes an event with its own members and the common ones. `part` numbers the items of one event, from 0.
    fn event(&self, json: &EventJson, name: &str, part: usize, own: Map<String, Value>) -> Result<Item, Mapped<Item>> {
        let mut item = own;
        ids::write(json, &mut item)?;
        item.insert("event_type".to_owned(), name.into());
        context::add(json, &mut item);
        if let Some(timestamp) = json.timestamp() {
            item.insert("time".to_owned(), timestamp.as_unix_millis().into());
        }
        let id = json.message_id();
        if !id.is_empty() {
            let insert_id = if part == 0 { id.to_owned() } else { format!("{id}-{part}") };
            item.insert("insert_id".to_owned(), insert_id.into());
        }
        item.insert("session_id".to_owned(), self.session(json));
        let group = json.context_text(&["groupId"]).filter(|_| self.groups_from_context);
        if let Some(group) = group
            && !item.contains_key("groups")
        {
            item.insert("groups".to_owned(), object([(&*self.group_type, group.into())]).into());
        }
        Ok(Item { target: Target::Batch, body: item.into() })
    }

    /// The session's start in milliseconds, which only the client knows; −1 is none.
    fn session(&self, json: &EventJson) -> Value {
        let options = self.options(json);
        let says = |name: &str| options.and_then(|options| options.get(name)).and_then(tracklane_http::number);
        let session = says("session_id").or_else(|| says("sessionId")).filter(|session| *session >= 0.0);
        session.map_or(-1, |session| session as i64).into()
    }
}
