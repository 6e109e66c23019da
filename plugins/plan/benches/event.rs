//! What the transform costs: nanoseconds and allocations of one event.
//!
//! `cargo bench -p tracklane-plan`

#[path = "../../../benches/transform/mod.rs"]
mod transform;

use serde_json::json;
use tracklane_plan::TrackingPlan;

/// A plan of a hundred events, of which one is the purchase.
fn main() {
    let schema = json!({ "type": "object", "properties": { "context": {}, "traits": {}, "properties": {
        "type": "object", "required": ["revenue", "currency", "order_id"],
        "properties": {
            "revenue": { "type": "number", "minimum": 0 }, "currency": { "type": "string", "pattern": "^[A-Z]{3}$" },
            "order_id": { "type": "string" }, "coupon": { "type": ["string", "null"] },
            "product": { "type": "object", "required": ["sku"], "properties": {
                "product_id": { "type": "string" }, "sku": { "type": "string" }, "name": { "type": "string" },
                "price": { "type": "number" }, "quantity": { "type": "integer", "minimum": 1 } } },
            "tags": { "type": "array", "items": { "type": "string" } } } } } });
    let name = |number| if number == 50 { "Item Purchased".to_owned() } else { format!("Event {number}") };
    let rules: Vec<_> =
        (0..100).map(|number| json!({ "type": "TRACK", "key": name(number), "jsonSchema": schema })).collect();
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), json!({ "name": "Shop", "rules": rules }).to_string()).expect("it is written");
    let plan = TrackingPlan::new(file.path()).build().expect("the plan is valid");
    transform::compare([("plan of a hundred events", plan)]);
}
