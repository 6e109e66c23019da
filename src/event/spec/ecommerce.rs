//! The events of a shop: one function per name, so that no name is misspelt.
//!
//! They follow [Spec: Ecommerce v2](https://segment.com/docs/connections/spec/ecommerce/v2/). A function makes a
//! [`Track`] with the properties that it is given: [`Properties`], a [`Product`](super::Product), a struct of yours, or
//! `Properties::new()` for none. It requires no property, because most destinations require few.
//!
//! ```
//! use tracklane::event::{Product, Properties, ecommerce};
//!
//! let order = Properties::new().order_id(1001).revenue(39.95).currency("EUR");
//! let order = order.products([Product::new().product_id(507).price(39.95).quantity(1)]);
//! let event = ecommerce::order_completed(order).user_id("u1");
//! ```

use serde::Serialize;

use super::setters::setters;
use crate::event::{Properties, Track};

macro_rules! events {
    ($($event:ident: $name:literal $doc:literal;)+) => {
        $(
            #[doc = concat!("`", $name, "`: ", $doc, ".")]
            pub fn $event(properties: impl Serialize) -> Track {
                Track::new($name).properties(properties)
            }
        )+

        #[cfg(test)]
        pub(super) const EVENTS: &[&str] = &[$($name),+];
    };
}

events! {
    products_searched: "Products Searched" "a search for products";
    product_list_viewed: "Product List Viewed" "a list or category was viewed";
    product_list_filtered: "Product List Filtered" "a list or category was filtered";
    promotion_viewed: "Promotion Viewed" "a promotion was shown";
    promotion_clicked: "Promotion Clicked" "a promotion was clicked";
    product_clicked: "Product Clicked" "a product in a list was clicked";
    product_viewed: "Product Viewed" "the details of a product were viewed";
    product_added: "Product Added" "a product went into the cart";
    product_removed: "Product Removed" "a product was taken out of the cart";
    cart_viewed: "Cart Viewed" "the cart was viewed";
    checkout_started: "Checkout Started" "an order was begun";
    checkout_step_viewed: "Checkout Step Viewed" "a step of the checkout was viewed";
    checkout_step_completed: "Checkout Step Completed" "a step of the checkout was done";
    payment_info_entered: "Payment Info Entered" "how to pay was given";
    order_updated: "Order Updated" "an order was changed";
    order_completed: "Order Completed" "an order was placed";
    order_refunded: "Order Refunded" "an order was refunded";
    order_cancelled: "Order Cancelled" "an order was cancelled";
    coupon_entered: "Coupon Entered" "a coupon was entered for a cart or order";
    coupon_applied: "Coupon Applied" "a coupon was accepted";
    coupon_denied: "Coupon Denied" "a coupon was refused";
    coupon_removed: "Coupon Removed" "a coupon was taken back";
    product_added_to_wishlist: "Product Added to Wishlist" "a product went on a wish list";
    product_removed_from_wishlist: "Product Removed from Wishlist" "a product was taken off a wish list";
    wishlist_product_added_to_cart: "Wishlist Product Added to Cart" "a product went from a wish list into the cart";
    product_shared: "Product Shared" "a product was shared with others";
    cart_shared: "Cart Shared" "a cart was shared with others";
    product_reviewed: "Product Reviewed" "a product was reviewed";
}

setters! { Properties, ECOMMERCE_PROPERTIES:
    query: "query" "What was searched for, text or an object" any;
    list_id: "list_id" "Id of the product list" id;
    filters: "filters" "Filters of the product list" pairs("type", "value");
    sorts: "sorts" "Orders of the product list" pairs("type", "value");
    products: "products" "Products, as [`Product`](super::Product) or anything that serializes" list;
    promotion_id: "promotion_id" "Id of the promotion" id;
    creative: "creative" "Creative of the promotion" text;
    cart_id: "cart_id" "Id of the cart" id;
    order_id: "order_id" "Id of the order" id;
    checkout_id: "checkout_id" "Id of the checkout" id;
    step: "step" "Number of the checkout's step" number;
    shipping_method: "shipping_method" "How it is shipped" text;
    payment_method: "payment_method" "How it is paid" text;
    affiliation: "affiliation" "Store or affiliate that the order came from" text;
    subtotal: "subtotal" "Total after discount, before tax and shipping" number;
    total: "total" "Total with discounts, tax and shipping" number;
    shipping: "shipping" "Cost of shipping" number;
    tax: "tax" "Tax" number;
    discount: "discount" "Discount" number;
    repeat: "repeat" "Whether the customer has ordered before" flag;
    coupon_id: "coupon_id" "Id of the coupon" id;
    coupon_name: "coupon_name" "Name of the coupon" text;
    reason: "reason" "Why the coupon was refused" text;
    wishlist_id: "wishlist_id" "Id of the wish list" id;
    wishlist_name: "wishlist_name" "Name of the wish list" text;
    share_via: "share_via" "How it was shared, such as `email`" text;
    share_message: "share_message" "What was written to share it" text;
    recipient: "recipient" "With whom it was shared" text;
    review_id: "review_id" "Id of the review" id;
    review_body: "review_body" "Text of the review" text;
    rating: "rating" "Rating of the review" number;
}
