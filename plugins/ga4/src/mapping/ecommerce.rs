//! Events of Segment's Spec that Google recommends under other names, with items and a value.

use std::borrow::Cow;

use tracklane_http::{Json, JsonObject, number};

use super::rules::{self, is_currency};

/// A property, and the parameter that it is.
type Renamed = &'static [(&'static str, &'static str)];
/// An event of the Spec, Google's event, the renamed members, and what its products are.
type Row = (&'static str, &'static str, Renamed, Products);

/// What the products of an event are at Google.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Products {
    /// Nothing: it has none.
    None,
    /// Items, if it has `products`.
    Items,
    /// Items that have a value together. Without `products` the properties themselves are one.
    Sale,
}

/// Letters of an item's texts at most.
const LONGEST_TEXT: usize = 100;

const PROMOTION: Renamed = &[
    ("promotion_id", "promotion_id"),
    ("name", "promotion_name"),
    ("creative", "creative_name"),
    ("position", "creative_slot"),
];
const ORDER: Renamed = &[("order_id", "transaction_id")];

const RECOMMENDED: &[Row] = &[
    ("Products Searched", "search", &[("query", "search_term")], Products::None),
    (
        "Product List Viewed",
        "view_item_list",
        &[("list_id", "item_list_id"), ("category", "item_list_name")],
        Products::Sale,
    ),
    ("Promotion Viewed", "view_promotion", PROMOTION, Products::Items),
    ("Promotion Clicked", "select_promotion", PROMOTION, Products::Items),
    ("Product Clicked", "select_item", &[], Products::Sale),
    ("Product Viewed", "view_item", &[], Products::Sale),
    ("Product Added", "add_to_cart", &[], Products::Sale),
    ("Product Removed", "remove_from_cart", &[], Products::Sale),
    ("Cart Viewed", "view_cart", &[], Products::Sale),
    ("Checkout Started", "begin_checkout", &[], Products::Sale),
    ("Checkout Step Completed", "add_shipping_info", &[("shipping_method", "shipping_tier")], Products::Sale),
    ("Payment Info Entered", "add_payment_info", &[("payment_method", "payment_type")], Products::Sale),
    ("Order Completed", "purchase", ORDER, Products::Sale),
    ("Order Refunded", "refund", ORDER, Products::Sale),
    ("Product Added to Wishlist", "add_to_wishlist", &[], Products::Sale),
    ("Product Shared", "share", &[("share_via", "method"), ("product_id", "item_id")], Products::None),
    ("Cart Shared", "share", &[("share_via", "method"), ("cart_id", "item_id")], Products::Items),
    ("Signed Up", "sign_up", &[], Products::None),
    ("Signed In", "login", &[], Products::None),
];

/// The members of an item, and the properties of a product that they are; the first that is there counts.
const ITEM: &[(&str, &[&str], bool)] = &[
    ("item_id", &["product_id", "sku"], false),
    ("item_name", &["name"], false),
    ("item_brand", &["brand"], false),
    ("item_category", &["category"], false),
    ("item_variant", &["variant"], false),
    ("index", &["position"], true),
    ("price", &["price"], true),
    ("quantity", &["quantity"], true),
    ("coupon", &["coupon"], false),
    ("affiliation", &["affiliation"], false),
    ("discount", &["discount"], true),
];

/// The event that Google recommends for one of the Spec's, with its parameters.
pub(super) fn recommended<'e>(
    name: &str,
    properties: &JsonObject<'e>,
    currency: Option<&'e str>,
) -> Option<(&'static str, JsonObject<'e>)> {
    let (_, google, renamed, products) = row(name)?;
    // Currency, value, items, and those of the page.
    let mut params = properties.with_room(6);
    for (property, param) in *renamed {
        if let Some(value) = params.remove(property) {
            params.insert(*param, value);
        }
    }
    let items = match products {
        Products::None => Vec::new(),
        Products::Items if !params.contains_key("products") => Vec::new(),
        Products::Items | Products::Sale => items(&mut params),
    };
    if *products == Products::Sale {
        let value = value(&params, &items);
        let revenue = params.remove("revenue");
        for gone in ["total", "value"] {
            params.remove(gone);
        }
        if let Some(value) = value {
            params.insert("value", value);
        }
        // Another amount than the value: mostly without tax and shipping.
        if let Some(revenue) = revenue.as_ref().and_then(number).filter(|revenue| Some(*revenue) != value) {
            params.insert("revenue", revenue);
        }
    }
    if !items.is_empty() {
        params.insert("items", items);
    }
    for name in ["tax", "shipping"] {
        if let Some(amount) = params.get(name).and_then(number) {
            params.insert(name, amount);
        }
    }
    settle_currency(&mut params, currency);
    // Neither amount goes without a currency.
    if *products == Products::Sale && !params.contains_key("value") {
        params.remove("revenue");
    }
    Some((google, params))
}

fn row(name: &str) -> Option<&'static Row> {
    RECOMMENDED.iter().find(|(spec, ..)| spec.eq_ignore_ascii_case(name))
}

/// Notes what is left out or cut of the products of an event, and a value without a currency.
pub(super) fn note(name: &str, properties: &JsonObject<'_>, has_value: bool, notes: &mut Vec<String>) {
    let products = row(name).map_or(Products::None, |(.., products)| *products);
    let amounts: &[&str] = if products == Products::Sale { &["total", "value", "revenue"] } else { &["value"] };
    let is_amount = |name: &&str| properties.get(name).and_then(number).is_some();
    if !has_value && amounts.iter().any(is_amount) {
        notes.push("the value is left out: it has no currency".to_owned());
    }
    let Some(Json::Array(list)) = properties.get("products").cloned().map(Json::parsed) else { return };
    if products == Products::None {
        return;
    }
    for (index, product) in list.into_iter().map(Json::parsed).enumerate() {
        let Some(product) = product.as_object().filter(|product| item(product).is_some()) else {
            notes.push(format!("products[{index}] is left out: it has neither an id nor a name"));
            continue;
        };
        for (member, properties, is_number) in ITEM {
            let text = properties.iter().find_map(|name| product.get(name).filter(|value| !value.is_null()));
            let is_long = |text: &Json<'_>| text.as_str().is_some_and(|text| rules::is_longer(text, LONGEST_TEXT));
            if !is_number && text.is_some_and(is_long) {
                notes.push(format!("{member} of products[{index}] is cut to {LONGEST_TEXT} letters"));
            }
        }
    }
}

/// Sets the currency of a value, or takes the value out if there is none: Google wants both.
pub(super) fn settle_currency<'e>(params: &mut JsonObject<'e>, default: Option<&'e str>) {
    let own = params.remove("currency").as_ref().and_then(Json::to_text).map(uppercase).filter(|own| is_currency(own));
    let currency = own.or(default.map(Cow::Borrowed));
    if !params.contains_key("value") && !params.contains_key("items") {
        return;
    }
    match currency {
        Some(currency) => params.insert("currency", currency),
        None => drop(params.remove("value")),
    }
}

fn uppercase(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) { text.to_ascii_uppercase().into() } else { text }
}

/// The items of `products`, or the one that the properties themselves are. They are taken out of the properties.
fn items<'e>(params: &mut JsonObject<'e>) -> Vec<Json<'e>> {
    if let Some(products) = params.remove("products") {
        let Json::Array(products) = products.parsed() else { return Vec::new() };
        return products.into_iter().filter_map(|product| item(product.parsed().as_object()?)).collect();
    }
    let Some(item) = item(params) else { return Vec::new() };
    for (_, properties, _) in ITEM {
        properties.iter().filter(|name| **name != "coupon").for_each(|name| drop(params.remove(name)));
    }
    vec![item]
}

/// A product as an item. Google wants an id or a name of it.
fn item<'e>(product: &JsonObject<'e>) -> Option<Json<'e>> {
    let mut item = JsonObject::with_capacity(8);
    for (member, properties, is_number) in ITEM {
        let Some(value) = properties.iter().find_map(|name| product.get(name).filter(|value| !value.is_null())) else {
            continue;
        };
        let value = if *is_number { number(value).map(Json::from) } else { short(value) };
        if let Some(value) = value {
            item.insert(*member, value);
        }
    }
    (item.contains_key("item_id") || item.contains_key("item_name")).then(|| item.into())
}

/// A text or number as a short text.
fn short<'e>(value: &Json<'e>) -> Option<Json<'e>> {
    let text = value.to_text().map(|text| rules::cut(text, LONGEST_TEXT));
    Some(text.or_else(|| value.to_digits()).filter(|text| !text.is_empty())?.into())
}

/// Returns the value of the event: its own, or the sum of its items' prices.
fn value(params: &JsonObject<'_>, items: &[Json<'_>]) -> Option<f64> {
    let says = |name: &str| params.get(name).and_then(number);
    says("total").or_else(|| says("value")).or_else(|| says("revenue")).or_else(|| {
        let worth = |item: &Json<'_>| {
            let amount = |name: &str| item.get(name).and_then(number);
            Some(amount("price")? * amount("quantity").unwrap_or(1.0))
        };
        let worth: Vec<f64> = items.iter().filter_map(worth).collect();
        (!worth.is_empty() && worth.len() == items.len()).then(|| worth.iter().sum())
    })
}
