//! A product of a shop: an item of `products`, or the subject of an event.
//!
//! The keys are those of ecommerce v2 (`product_id`, `sku`). Prices carry no currency; the event has it.

use super::setters::setters;
use crate::event::Properties;
use crate::event::sections::section;

section! {
    /// A product, in a list or alone: [Spec: Ecommerce v2](https://segment.com/docs/connections/spec/ecommerce/v2/).
    ///
    /// In an event about one product, its members are the properties of the event: convert it into [`Properties`].
    ///
    /// ```
    /// use tracklane::event::{Product, Properties, ecommerce};
    ///
    /// let soap = Product::new().product_id(507).sku("45360-32").price(12.6).quantity(1);
    /// let viewed = ecommerce::product_viewed(Properties::from(soap).currency("EUR")).user_id("u1");
    /// ```
    Product
}

setters! { Product, PRODUCT:
    product_id: "product_id" "Id of the product in your database" id;
    sku: "sku" "Stock keeping unit" id;
    category: "category" "Category of the product" text;
    name: "name" "Name of the product" text;
    brand: "brand" "Brand of the product" text;
    variant: "variant" "Variant of the product, such as its colour" text;
    price: "price" "Price of one" number;
    quantity: "quantity" "How many" number;
    coupon: "coupon" "Coupon for the product" text;
    position: "position" "Position in the list of products" number;
    url: "url" "URL of the product's page" text;
    image_url: "image_url" "URL of a picture of the product" text;
}

/// Makes the product the subject of an event: its members become properties.
impl From<Product> for Properties {
    fn from(product: Product) -> Self {
        crate::event::Object::from(product).into()
    }
}
