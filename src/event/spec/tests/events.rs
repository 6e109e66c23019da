//! The semantic events of the Spec: their names, and what they must have.

use crate::event::{Event, Properties, Track, b2b, ecommerce};

type Shop = fn(Properties) -> Track;
type B2b = fn(u32, Properties) -> Track;

#[test]
fn events_of_a_shop_have_the_specs_names() {
    let events: &[(Shop, &str)] = &[
        (ecommerce::products_searched, "Products Searched"),
        (ecommerce::product_list_viewed, "Product List Viewed"),
        (ecommerce::product_list_filtered, "Product List Filtered"),
        (ecommerce::promotion_viewed, "Promotion Viewed"),
        (ecommerce::promotion_clicked, "Promotion Clicked"),
        (ecommerce::product_clicked, "Product Clicked"),
        (ecommerce::product_viewed, "Product Viewed"),
        (ecommerce::product_added, "Product Added"),
        (ecommerce::product_removed, "Product Removed"),
        (ecommerce::cart_viewed, "Cart Viewed"),
        (ecommerce::checkout_started, "Checkout Started"),
        (ecommerce::checkout_step_viewed, "Checkout Step Viewed"),
        (ecommerce::checkout_step_completed, "Checkout Step Completed"),
        (ecommerce::payment_info_entered, "Payment Info Entered"),
        (ecommerce::order_updated, "Order Updated"),
        (ecommerce::order_completed, "Order Completed"),
        (ecommerce::order_refunded, "Order Refunded"),
        (ecommerce::order_cancelled, "Order Cancelled"),
        (ecommerce::coupon_entered, "Coupon Entered"),
        (ecommerce::coupon_applied, "Coupon Applied"),
        (ecommerce::coupon_denied, "Coupon Denied"),
        (ecommerce::coupon_removed, "Coupon Removed"),
        (ecommerce::product_added_to_wishlist, "Product Added to Wishlist"),
        (ecommerce::product_removed_from_wishlist, "Product Removed from Wishlist"),
        (ecommerce::wishlist_product_added_to_cart, "Wishlist Product Added to Cart"),
        (ecommerce::product_shared, "Product Shared"),
        (ecommerce::cart_shared, "Cart Shared"),
        (ecommerce::product_reviewed, "Product Reviewed"),
    ];
    for (event, name) in events {
        let event = Event::from(event(Properties::new().order_id(1)).user_id("u1"));
        assert_eq!(event.name().as_deref(), Some(*name));
        assert_eq!(event.section().get_str("order_id").as_deref(), Some("1"));
    }
    let names: Vec<_> = events.iter().map(|(_, name)| *name).collect();
    assert_eq!(names, ecommerce::EVENTS);
}

#[test]
fn events_of_a_b2b_product_have_the_specs_names_and_a_group() {
    let events: &[(B2b, &str)] = &[
        (b2b::account_created, "Account Created"),
        (b2b::account_deleted, "Account Deleted"),
        (b2b::signed_up, "Signed Up"),
        (b2b::signed_in, "Signed In"),
        (b2b::signed_out, "Signed Out"),
        (b2b::invite_sent, "Invite Sent"),
        (b2b::account_added_user, "Account Added User"),
        (b2b::account_removed_user, "Account Removed User"),
        (b2b::trial_started, "Trial Started"),
        (b2b::trial_ended, "Trial Ended"),
    ];
    for (event, name) in events {
        let event = Event::from(event(123, Properties::new().role("Owner")).user_id("u1"));
        assert_eq!(event.name().as_deref(), Some(*name));
        assert_eq!(event.context().get_str("groupId").as_deref(), Some("123"));
        assert_eq!(event.section().get_str("role").as_deref(), Some("Owner"));
    }
    let names: Vec<_> = events.iter().map(|(_, name)| *name).collect();
    assert_eq!(names, b2b::EVENTS);
}

#[test]
fn an_empty_group_is_none() {
    let event = Event::from(b2b::signed_out("", Properties::new()));
    assert!(event.context().is_empty());
    assert!(event.section().is_empty());
}
