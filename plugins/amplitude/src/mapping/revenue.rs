//! Revenue: of an event, or of each product of an order, and never of both.

use tracklane_http::{Json, JsonObject, number, object, text};

/// The names that a member of a revenue event has in Segment's Spec, and the one at Amplitude.
const MEMBERS: &[(&str, &[&str])] =
    &[("productId", &["productId", "product_id"]), ("revenueType", &["revenueType", "revenue_type"])];

/// Takes the revenue out of an event's properties, as the members that Amplitude has for it. Nothing if there is none.
pub(super) fn take<'e>(properties: &mut JsonObject<'e>) -> JsonObject<'e> {
    let mut own = JsonObject::with_capacity(16);
    let Some(revenue) = properties.get("revenue").and_then(number) else { return own };
    properties.remove("revenue");
    own.insert("revenue", revenue);
    let quantity = properties.get("quantity").and_then(whole);
    if let Some(quantity) = quantity {
        properties.remove("quantity");
        own.insert("quantity", quantity);
    }
    let price = properties.get("price").and_then(number);
    if let Some(price) = price.filter(|price| is_product(revenue, *price, quantity.unwrap_or(1))) {
        properties.remove("price");
        own.insert("price", price);
    }
    for (name, spellings) in MEMBERS {
        if let Some(value) = spellings.iter().find_map(|spelling| properties.remove(spelling)) {
            own.insert(*name, value);
        }
    }
    copy_currency(properties, &mut own);
    own
}

/// Returns whether the revenue is price × quantity, up to the rounding of numbers. Amplitude counts that product as the
/// revenue if it has both, and 1 as the quantity if it has none. A price that says otherwise stays a property.
fn is_product(revenue: f64, price: f64, quantity: i64) -> bool {
    (price * quantity as f64 - revenue).abs() <= revenue.abs() * 1e-9
}

/// Returns whether the products account for all of the revenue.
pub(super) fn all_have_prices(products: &[JsonObject<'_>]) -> bool {
    products.iter().all(|product| product.get("price").and_then(number).is_some())
}

/// The members of the event of a product, with its revenue if it has that.
pub(super) fn of_product<'e>(product: JsonObject<'e>, order: &JsonObject<'e>, has_revenue: bool) -> JsonObject<'e> {
    let price = product.get("price").and_then(number).filter(|_| has_revenue);
    let quantity = product.get("quantity").and_then(number).unwrap_or(1.0);
    let id = product.get("product_id").cloned();
    let mut properties = product;
    for name in ["order_id", "checkout_id", "currency"] {
        if let Some(value) = order.get(name) {
            properties.insert_missing(name, value.clone());
        }
    }
    let Some(price) = price else { return object([("event_properties", properties.into())]) };
    let mut own = object([("revenue", (price * quantity).into())]);
    if let Some(quantity) = whole_number(quantity) {
        own.insert("price", price);
        own.insert("quantity", quantity);
    }
    if let Some(id) = id {
        own.insert("productId", id);
    }
    copy_currency(&properties, &mut own);
    own.insert("event_properties", properties);
    own
}

fn copy_currency<'e>(properties: &JsonObject<'e>, own: &mut JsonObject<'e>) {
    if let Some(currency) = properties.get("currency").filter(|currency| text(currency).is_some()) {
        own.insert("currency", currency.clone());
    }
}

/// A whole number: Amplitude refuses any other quantity.
fn whole(value: &Json<'_>) -> Option<i64> {
    number(value).and_then(whole_number)
}

fn whole_number(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64)
}
