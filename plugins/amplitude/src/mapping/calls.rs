//! The six calls: which events each is at Amplitude.

use std::borrow::Cow;

use tracklane_http::{EventJson, Json, JsonObject, Mapped, object, text};

use super::{Made, Mapping, Part, Products, Target, context, ids, operations, revenue};

/// Names by which Amplitude would take an event for something else.
const RESERVED: &[&str] = &["$identify", "$groupidentify"];

impl Mapping {
    pub(super) fn items<'e>(&'e self, json: &'e EventJson<'_>) -> Made<'e, Vec<Part<'e>>> {
        match json.kind() {
            "identify" => Ok(vec![self.event(json, "$identify", 0, self.operations(json))?]),
            "group" => self.group(json),
            "alias" => self.alias(json),
            "page" | "screen" => self.view(json),
            _ => self.track(json),
        }
    }

    fn track<'e>(&'e self, json: &'e EventJson<'_>) -> Made<'e, Vec<Part<'e>>> {
        let name = json.text("event").ok_or_else(|| Mapped::reject("it has no name, which Amplitude refuses"))?;
        if RESERVED.contains(&name) {
            return Err(Mapped::reject(format!("Amplitude takes an event called {name} for something else")));
        }
        let mut properties = json.properties().clone();
        let products = self.order_products(json, name);
        let has_prices = revenue::all_have_prices(&products);
        let mut own = JsonObject::with_capacity(16);
        // If the products of an order have the revenue, it stays a property.
        if products.is_empty() || !has_prices {
            own = revenue::take(&mut properties);
        }
        own.insert("event_properties", properties);
        own.extend(operations::of_origin(json));
        let mut items = vec![self.event(json, name, 0, own)?];
        for (part, product) in products.into_iter().enumerate() {
            let own = revenue::of_product(product, json.properties(), has_prices);
            items.push(self.event(json, "Product Purchased", part + 1, own)?);
        }
        Ok(items)
    }

    /// Returns the products that become events of their own.
    fn order_products<'j>(&self, json: &EventJson<'j>, name: &str) -> Vec<JsonObject<'j>> {
        if self.products == Products::Keep || name != "Order Completed" {
            return Vec::new();
        }
        let Some(Json::Array(products)) = json.properties().get("products").cloned().map(Json::parsed) else {
            return Vec::new();
        };
        let object = |product: Json<'j>| match product.parsed() {
            Json::Object(product) => Some(product),
            _ => None,
        };
        products.into_iter().filter_map(object).collect()
    }

    fn view<'e>(&'e self, json: &'e EventJson<'_>) -> Made<'e, Vec<Part<'e>>> {
        let mut properties: JsonObject<'e> = json.properties().clone();
        for member in ["name", "category"] {
            if let Some(text) = json.text(member) {
                properties.insert(member, text);
            }
        }
        let mut own = object([("event_properties", properties.into())]);
        own.extend(operations::of_origin(json));
        Ok(vec![self.event(json, json.viewed(), 0, own)?])
    }

    /// The user's membership, then the group's properties.
    fn group<'e>(&'e self, json: &'e EventJson<'_>) -> Made<'e, Vec<Part<'e>>> {
        let own = self.group_of(json)?;
        let mut groups = own.clone();
        self.add_groups_of_options(json, &mut groups);
        let set = object([("$set", groups.clone().into())]);
        let member = object([("groups", groups.into()), ("user_properties", set.into())]);
        let mut items = vec![self.event(json, "$identify", 0, member)?];
        let mut traits = json.traits().clone();
        traits.remove("groupType");
        if !traits.is_empty() {
            let set = object([("$set", traits.into())]);
            // The traits are of this group, and not of the others.
            let own = object([("groups", own.into()), ("group_properties", set.into())]);
            items.push(self.event(json, "$groupidentify", 1, own)?);
        }
        Ok(items)
    }

    /// Returns the group of a group call. Its type is that in its traits, otherwise that of the settings.
    fn group_of<'e>(&'e self, json: &'e EventJson<'_>) -> Made<'e, JsonObject<'e>> {
        let group = json.text("groupId").ok_or_else(|| Mapped::reject("it has no groupId"))?;
        let group_type = json.traits().get("groupType").and_then(text).unwrap_or(&self.group_type);
        Ok(object([(group_type, group.into())]))
    }

    /// Adds the groups in the options of any call, by their type. Existing ones stay.
    fn add_groups_of_options<'e>(&self, json: &'e EventJson<'_>, groups: &mut JsonObject<'e>) {
        let of_options = self.options(json).and_then(|options| options.get("groups")?.as_object());
        let Some(of_options) = of_options else { return };
        for (group_type, group) in of_options.iter().filter(|(_, group)| !group.is_null()) {
            groups.insert_missing(group_type, group.clone());
        }
    }

    fn alias<'e>(&self, json: &'e EventJson<'_>) -> Made<'e, Vec<Part<'e>>> {
        if !self.user_mapping {
            return Err(Mapped::skip("Amplitude maps users only with an add-on: see user_mapping"));
        }
        let (Some(user), Some(previous)) = (json.user_id(), json.text("previousId")) else {
            return Err(Mapped::reject("it has no userId or no previousId"));
        };
        ids::check(user)?;
        ids::check(previous)?;
        let body = object([("user_id", previous.into()), ("global_user_id", user.into())]);
        Ok(vec![Part { target: Target::UserMap, body }])
    }

    /// Makes an event with its own members and the common ones. `part` numbers the items of one event, from 0.
    fn event<'e>(
        &'e self,
        json: &'e EventJson<'_>,
        name: impl Into<Cow<'e, str>>,
        part: usize,
        own: JsonObject<'e>,
    ) -> Made<'e, Part<'e>> {
        let (mut item, name): (_, Cow<'e, str>) = (own, name.into());
        ids::write(json, &mut item)?;
        item.insert("event_type", name);
        context::add(json, &mut item);
        if let Some(timestamp) = json.timestamp() {
            item.insert("time", timestamp.as_unix_millis());
        }
        let id = json.message_id();
        if !id.is_empty() {
            let insert_id: Cow<'e, str> = if part == 0 { id.into() } else { format!("{id}-{part}").into() };
            item.insert("insert_id", insert_id);
        }
        item.insert("session_id", self.session(json));
        if !item.contains_key("groups") {
            let mut groups = JsonObject::new();
            self.add_groups_of_options(json, &mut groups);
            if let Some(group) = json.context_text(&["groupId"]).filter(|_| self.groups_from_context) {
                groups.insert_missing(&*self.group_type, group);
            }
            if !groups.is_empty() {
                item.insert("groups", groups);
            }
        }
        Ok(Part { target: Target::Batch, body: item })
    }

    /// The session's start in milliseconds, which only the client knows; −1 is none.
    fn session(&self, json: &EventJson<'_>) -> i64 {
        let options = self.options(json);
        let says = |name: &str| options.and_then(|options| options.get(name)).and_then(tracklane_http::number);
        let session = says("session_id").or_else(|| says("sessionId")).filter(|session| *session >= 0.0);
        session.map_or(-1, |session| session as i64)
    }
}
