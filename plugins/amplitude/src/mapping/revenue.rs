//! Revenue: of an event, or of each product of an order, and never of both.

use serde_json::{Map, Value};
use tracklane_http::{number, object};

/// The names that a member of a revenue event has in Segment's Spec, and the one at Amplitude.
const MEMBERS: &[(&str, &[&str])] =
    &[("productId", &["productId", "product_id"]), ("revenueType", &["revenueType", "revenue_type"])];

/// Takes the revenue out of an event's properties, as the members that Amplitude has for it. Nothing if there is none.
pub(super) fn take(properties: &mut Map<String, Value>) -> Map<String, Value> {
    let mut own = Map::new();
    let Some(revenue) = properties.get("revenue").and_then(number) else { return own };
    properties.remove("revenue");
    own.insert("revenue".to_owned(), revenue.into());
    if let Some(price) = properties.get("price").and_then(number) {
        properties.remove("price");
        own.insert("price".to_owned(), price.into());
    }
    if let Some(quantity) = properties.get("quantity").and_then(whole) {
        properties.remove("quantity");
        own.insert("quantity".to_owned(), quantity.into());
    }
    for (name, spellings) in MEMBERS {
        if let Some(value) = spellings.iter().find_map(|spelling| properties.remove(*spelling)) {
            own.insert((*name).to_owned(), value);
        }
    }
    copy_currency(properties, &mut own);
    own
}

/// Returns whether the products account for all of the revenue.
pub(super) fn all_have_prices(products: &[Map<String, Value>]) -> bool {
    products.iter().all(|product| product.get("price").and_then(number).is_some())
}

/// The members of the event of a product, with its revenue if it has that.
pub(super) fn of_product(
    product: &Map<String, Value>,
    order: &Map<String, Value>,
    has_revenue: bool,
) -> Map<String, Value> {
    let mut properties = product.clone();
    for name in ["order_id", "checkout_id", "currency"] {
        if let Some(value) = order.get(name) {
            properties.entry(name).or_insert_with(|| value.clone());
        }
    }
    let price = product.get("price").and_then(number).filter(|_| has_revenue);
    let Some(price) = price else { return object([("event_properties", properties.into())]) };
    let quantity = product.get("quantity").and_then(whole).unwrap_or(1);
    let mut own =
        object([("price", price.into()), ("quantity", quantity.into()), ("revenue", (price * quantity as f64).into())]);
    if let Some(id) = product.get("product_id") {
        own.insert("productId".to_owned(), id.clone());
    }
    copy_currency(&properties, &mut own);
    own.insert("event_properties".to_owned(), properties.into());
    own
}

fn copy_currency(properties: &Map<String, Value>, own: &mut Map<String, Value>) {
    if let Some(currency) = properties.get("currency").and_then(tracklane_http::text) {
        own.insert("currency".to_owned(), currency.into());
    }
}

/// A whole number: Amplitude refuses any other quantity.
fn whole(value: &Value) -> Option<i64> {
    let number = number(value).filter(|number| number.fract() == 0.0 && number.abs() < 1e15)?;
    Some(number as i64)
}
