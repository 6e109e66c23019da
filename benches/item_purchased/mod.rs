//! The event that every benchmark sends: a purchase with six properties, about 460 bytes of JSON.
//!
//! There are three forms: the call that a user of this crate writes, its properties as a `serde_json` map, and the
//! whole event as a plain struct, as code without an SDK would have it.
#![allow(dead_code, reason = "no benchmark uses all of it")]

use serde::Serialize;
use serde_json::{Map, Value, json};
use tracklane::Track;
use tracklane::event::Timestamp;

pub(crate) const NAME: &str = "Item Purchased";

#[derive(Clone, Serialize)]
pub(crate) struct Product {
    product_id: &'static str,
    sku: &'static str,
    name: &'static str,
    price: f64,
    quantity: u32,
}

pub(crate) const PRODUCT: Product = Product {
    product_id: "507f1f77bcf86cd799439011",
    sku: "45790-32",
    name: "Monopoly: 3rd Edition",
    price: 19.0,
    quantity: 2,
};
pub(crate) const TAGS: [&str; 3] = ["games", "board games", "family"];

/// The call, as a user writes it. The user id is the event's number, by which the server identifies it.
pub(crate) fn call(number: u64) -> Track {
    Track::new(NAME)
        .user_id(number)
        .property("revenue", 39.95)
        .property("currency", "USD")
        .property("order_id", "50314b8e9bcf000000000000")
        .property("coupon", "MAYDEALS")
        .property("product", PRODUCT)
        .property("tags", TAGS)
}

/// The same, with a nested value from `json!`: a map that is built, written and dropped.
pub(crate) fn call_with_json_values(number: u64) -> Track {
    Track::new(NAME)
        .user_id(number)
        .property("revenue", 39.95)
        .property("currency", "USD")
        .property("order_id", "50314b8e9bcf000000000000")
        .property("coupon", "MAYDEALS")
        .property("product", product_value())
        .property("tags", json!(TAGS))
}

fn product_value() -> Value {
    json!({
        "product_id": PRODUCT.product_id,
        "sku": PRODUCT.sku,
        "name": PRODUCT.name,
        "price": PRODUCT.price,
        "quantity": PRODUCT.quantity,
    })
}

/// The properties as a `serde_json` map.
pub(crate) fn properties() -> Map<String, Value> {
    let mut properties = Map::new();
    properties.insert("revenue".to_owned(), 39.95.into());
    properties.insert("currency".to_owned(), "USD".into());
    properties.insert("order_id".to_owned(), "50314b8e9bcf000000000000".into());
    properties.insert("coupon".to_owned(), "MAYDEALS".into());
    properties.insert("product".to_owned(), product_value());
    properties.insert("tags".to_owned(), json!(TAGS));
    properties
}

/// The event without an SDK.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Plain {
    r#type: &'static str,
    message_id: uuid::Uuid,
    timestamp: String,
    user_id: String,
    event: &'static str,
    properties: Map<String, Value>,
    context: Context,
}

#[derive(Clone, Serialize)]
struct Context {
    library: Library,
}

#[derive(Clone, Serialize)]
struct Library {
    name: &'static str,
    version: &'static str,
}

pub(crate) fn plain(number: u64) -> Plain {
    Plain {
        r#type: "track",
        message_id: uuid::Uuid::new_v4(),
        timestamp: Timestamp::from(std::time::SystemTime::now()).to_string(),
        user_id: number.to_string(),
        event: NAME,
        properties: properties(),
        context: Context { library: Library { name: "tracklane", version: env!("CARGO_PKG_VERSION") } },
    }
}

/// Appends events as the body of a batch request, one at a time.
pub(crate) struct BatchBody {
    bytes: Vec<u8>,
    pub(crate) events: usize,
}

impl BatchBody {
    pub(crate) fn new() -> Self {
        Self { bytes: Vec::with_capacity(64 * 1024), events: 0 }
    }

    pub(crate) fn push(&mut self, event: &Plain) {
        self.bytes.extend_from_slice(if self.events == 0 { b"{\"batch\":[" } else { b"," });
        serde_json::to_writer(&mut self.bytes, event).expect("a struct of strings and finite numbers");
        self.events += 1;
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(b"],\"writeKey\":\"WRITE_KEY\",\"sentAt\":\"");
        let now = Timestamp::from(std::time::SystemTime::now()).to_string();
        self.bytes.extend_from_slice(now.as_bytes());
        self.bytes.extend_from_slice(b"\"}");
        self.bytes
    }
}
