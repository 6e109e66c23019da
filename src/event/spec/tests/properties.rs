//! The keys that the setters of properties write.

use super::check;
use crate::event::spec::b2b::B2B_PROPERTIES;
use crate::event::spec::ecommerce::ECOMMERCE_PROPERTIES;
use crate::event::spec::product::PRODUCT;
use crate::event::spec::properties::{PAGE_PROPERTIES, PRODUCT_PROPERTIES, PROPERTIES};
use crate::event::{Product, Properties, Timestamp};

fn start() -> Timestamp {
    "2018-08-28T04:09:47Z".parse().unwrap()
}

#[test]
fn properties_of_any_event_and_of_views_are_the_specs() {
    check::<Properties>(
        &[
            (|p| p.revenue(0.0), r#"{"revenue":0.0}"#),
            (|p| p.currency("USD"), r#"{"currency":"USD"}"#),
            (|p| p.value(39.95), r#"{"value":39.95}"#),
            (|p| p.name("Home"), r#"{"name":"Home"}"#),
            (|p| p.path("/"), r#"{"path":"/"}"#),
            (|p| p.referrer(""), r#"{"referrer":""}"#),
            (|p| p.search("?q=1"), r#"{"search":"?q=1"}"#),
            (|p| p.title("Welcome"), r#"{"title":"Welcome"}"#),
            (|p| p.url("https://a.example/"), r#"{"url":"https://a.example/"}"#),
            (|p| p.keywords(["a", "b"]), r#"{"keywords":["a","b"]}"#),
        ],
        &[PROPERTIES, PAGE_PROPERTIES],
        "revenue currency value name path referrer search title url keywords",
    );
}

#[test]
fn properties_of_a_product_are_the_specs() {
    check::<Properties>(
        &[
            (|p| p.product_id("507f"), r#"{"product_id":"507f"}"#),
            (|p| p.sku("G-32"), r#"{"sku":"G-32"}"#),
            (|p| p.category("Games"), r#"{"category":"Games"}"#),
            (|p| p.brand("Hasbro"), r#"{"brand":"Hasbro"}"#),
            (|p| p.variant("200 pieces"), r#"{"variant":"200 pieces"}"#),
            (|p| p.price(18.99), r#"{"price":18.99}"#),
            (|p| p.quantity(0), r#"{"quantity":0}"#),
            (|p| p.coupon("MAYDEALS"), r#"{"coupon":"MAYDEALS"}"#),
            (|p| p.position("home_banner_top"), r#"{"position":"home_banner_top"}"#),
            (|p| p.image_url("https://a.example/1.jpg"), r#"{"image_url":"https://a.example/1.jpg"}"#),
        ],
        &[PRODUCT_PROPERTIES],
        // `name` and `url` are those of a view.
        "product_id sku category brand variant price quantity coupon position image_url",
    );
}

#[test]
fn products_are_the_specs() {
    check::<Product>(
        &[
            (|p| p.product_id(507), r#"{"product_id":"507"}"#),
            (|p| p.sku(45790), r#"{"sku":"45790"}"#),
            (|p| p.category("Games"), r#"{"category":"Games"}"#),
            (|p| p.name("Uno"), r#"{"name":"Uno"}"#),
            (|p| p.brand("Hasbro"), r#"{"brand":"Hasbro"}"#),
            (|p| p.variant("red"), r#"{"variant":"red"}"#),
            (|p| p.price(0.0), r#"{"price":0.0}"#),
            (|p| p.quantity(0), r#"{"quantity":0}"#),
            (|p| p.coupon("MAYDEALS"), r#"{"coupon":"MAYDEALS"}"#),
            (|p| p.position(0), r#"{"position":0}"#),
            (|p| p.url("https://a.example/1"), r#"{"url":"https://a.example/1"}"#),
            (|p| p.image_url("https://a.example/1.jpg"), r#"{"image_url":"https://a.example/1.jpg"}"#),
        ],
        &[PRODUCT],
        "product_id sku category name brand variant price quantity coupon position url image_url",
    );
}

#[test]
fn properties_of_a_shop_are_the_specs() {
    check::<Properties>(
        &[
            (|p| p.query("blue roses"), r#"{"query":"blue roses"}"#),
            (|p| p.list_id("hot_deals_1"), r#"{"list_id":"hot_deals_1"}"#),
            (|p| p.filters([("price", "under-$25")]), r#"{"filters":[{"type":"price","value":"under-$25"}]}"#),
            (|p| p.sorts(vec![("price", "desc")]), r#"{"sorts":[{"type":"price","value":"desc"}]}"#),
            (
                |p| p.products([Product::new().product_id(1).price(19.0), Product::new().product_id(2)]),
                r#"{"products":[{"product_id":"1","price":19.0},{"product_id":"2"}]}"#,
            ),
            (|p| p.promotion_id("promo_1"), r#"{"promotion_id":"promo_1"}"#),
            (|p| p.creative("top_banner_2"), r#"{"creative":"top_banner_2"}"#),
            (|p| p.cart_id("skdjsidjsdkdj29j"), r#"{"cart_id":"skdjsidjsdkdj29j"}"#),
            (|p| p.order_id(1001), r#"{"order_id":"1001"}"#),
            (|p| p.checkout_id("fksdjfsdjfisjf9sdfjsd9f"), r#"{"checkout_id":"fksdjfsdjfisjf9sdfjsd9f"}"#),
            (|p| p.step(2), r#"{"step":2}"#),
            (|p| p.shipping_method("FedEx"), r#"{"shipping_method":"FedEx"}"#),
            (|p| p.payment_method("Visa"), r#"{"payment_method":"Visa"}"#),
            (|p| p.affiliation("Google Store"), r#"{"affiliation":"Google Store"}"#),
            (|p| p.subtotal(22.5), r#"{"subtotal":22.5}"#),
            (|p| p.total(27.5), r#"{"total":27.5}"#),
            (|p| p.shipping(0.0), r#"{"shipping":0.0}"#),
            (|p| p.tax(2.0), r#"{"tax":2.0}"#),
            (|p| p.discount(2.5), r#"{"discount":2.5}"#),
            (|p| p.repeat(false), r#"{"repeat":false}"#),
            (|p| p.coupon_id("may_deals_2016"), r#"{"coupon_id":"may_deals_2016"}"#),
            (|p| p.coupon_name("May Deals"), r#"{"coupon_name":"May Deals"}"#),
            (|p| p.reason("expired"), r#"{"reason":"expired"}"#),
            (|p| p.wishlist_id("w1"), r#"{"wishlist_id":"w1"}"#),
            (|p| p.wishlist_name("Loved Games"), r#"{"wishlist_name":"Loved Games"}"#),
            (|p| p.share_via("email"), r#"{"share_via":"email"}"#),
            (|p| p.share_message("Look at this"), r#"{"share_message":"Look at this"}"#),
            (|p| p.recipient("friend@a.example"), r#"{"recipient":"friend@a.example"}"#),
            (|p| p.review_id("review1"), r#"{"review_id":"review1"}"#),
            (|p| p.review_body("I love this product"), r#"{"review_body":"I love this product"}"#),
            (|p| p.rating(4.5), r#"{"rating":4.5}"#),
        ],
        &[ECOMMERCE_PROPERTIES],
        // By event, each key where it comes first. `repeat` is older than v2.
        "query list_id filters sorts products promotion_id creative cart_id order_id affiliation shipping tax discount
         checkout_id step shipping_method payment_method subtotal total reason coupon_id coupon_name
         wishlist_id wishlist_name share_via share_message recipient review_id review_body rating
         repeat",
    );
}

#[test]
fn properties_of_a_b2b_product_are_the_specs() {
    check::<Properties>(
        &[
            (|p| p.account_name("Initech"), r#"{"account_name":"Initech"}"#),
            (|p| p.kind("organic"), r#"{"type":"organic"}"#),
            (|p| p.first_name("Peter"), r#"{"first_name":"Peter"}"#),
            (|p| p.last_name("Gibbons"), r#"{"last_name":"Gibbons"}"#),
            (|p| p.email("pgibbons@initech.example"), r#"{"email":"pgibbons@initech.example"}"#),
            (|p| p.phone("410-555-9412"), r#"{"phone":"410-555-9412"}"#),
            (|p| p.username("pgibbons"), r#"{"username":"pgibbons"}"#),
            (|p| p.invitee_email("m@initech.example"), r#"{"invitee_email":"m@initech.example"}"#),
            (|p| p.invitee_first_name("Michael"), r#"{"invitee_first_name":"Michael"}"#),
            (|p| p.invitee_last_name("Bolton"), r#"{"invitee_last_name":"Bolton"}"#),
            (|p| p.invitee_role("Owner"), r#"{"invitee_role":"Owner"}"#),
            (|p| p.role("Owner"), r#"{"role":"Owner"}"#),
            (|p| p.trial_start_date(start()), r#"{"trial_start_date":"2018-08-28T04:09:47.000Z"}"#),
            (|p| p.trial_end_date(start()), r#"{"trial_end_date":"2018-08-28T04:09:47.000Z"}"#),
            (|p| p.trial_plan_name("Business"), r#"{"trial_plan_name":"Business"}"#),
        ],
        &[B2B_PROPERTIES],
        "account_name type first_name last_name email phone username invitee_email invitee_first_name
         invitee_last_name invitee_role role trial_start_date trial_end_date trial_plan_name",
    );
}
