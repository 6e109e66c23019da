//! What a setter and `extra` say of the same key.

use serde_json::json;

use crate::event::context::{App, Device, Location, Network};
use crate::event::{Context, Event, Group, Identify, InvalidField, Product, Properties, Track, Traits, check};

fn track(properties: impl serde::Serialize) -> Event {
    Track::new("Order Completed").user_id("u1").properties(properties).into()
}

fn in_context(context: Context) -> Event {
    Track::new("Order Completed").user_id("u1").context(context).into()
}

fn conflict(field: &str) -> Result<(), InvalidField> {
    Err(InvalidField::Conflict { field: field.into() })
}

#[test]
fn false_and_zero_reach_the_event() {
    let context = Context::new()
        .active(false)
        .direct(false)
        .location(Location::new().latitude(0.0).speed(0.0))
        .network(Network::new().wifi(false));
    let event = in_context(context);
    assert_eq!(check(&event), Ok(()));
    let json =
        r#""context":{"active":false,"direct":false,"location":{"latitude":0.0,"speed":0.0},"network":{"wifi":false}}"#;
    let written = serde_json::to_string(&event).unwrap();
    assert!(written.contains(json), "{written}");
}

#[test]
fn extra_adds_what_is_not_there() {
    let properties = Properties::new().revenue(39.95).extra(json!({"gift": true, "a note": null}));
    assert_eq!(serde_json::to_string(&properties).unwrap(), r#"{"revenue":39.95,"a note":null,"gift":true}"#);
    assert_eq!(check(&track(properties)), Ok(()));
}

#[test]
fn an_equal_value_is_no_conflict() {
    let app = App::new().name("Shop").build(7);
    let context = Context::new().locale("en").app(app.clone()).extra(json!({"locale": "en", "app": app}));
    assert_eq!(context.len(), 2);
    assert_eq!(check(&in_context(context)), Ok(()));
}

#[test]
fn another_value_is_a_conflict_and_the_first_one_stays() {
    let context = Context::new().locale("en").extra(json!({"locale": "de", "timezone": "UTC"}));
    assert_eq!(serde_json::Value::from(context.to_map()), json!({"locale": "en", "timezone": "UTC"}));
    let event = in_context(context);
    assert_eq!(check(&event), conflict("context.locale"));
    let message = check(&event).unwrap_err().to_string();
    assert!(message.starts_with("context.locale has one value from a setter and another from extra"), "{message}");
}

#[test]
fn a_setter_that_comes_later_is_as_much_of_a_conflict() {
    let extra = || Context::new().extra(json!({"locale": "de", "app": {"name": "Shop"}}));
    assert_eq!(check(&in_context(extra().locale("en"))), conflict("context.locale"));
    assert_eq!(check(&in_context(extra().app(App::new().name("Till")))), conflict("context.app"));
    assert_eq!(check(&in_context(extra().locale("de").app(App::new().name("Shop")).timezone("UTC"))), Ok(()));
}

#[test]
fn a_setter_replaces_what_a_setter_has_set_whatever_extra_said_before() {
    let extra = || Context::new().extra(json!({"locale": "de"}));
    for context in [
        Context::new().locale("de").locale("en"),
        extra().locale("de").locale("en"),
        extra().with("locale", "en"),
        extra().with("locale", "fr").locale("en"),
        Context::new().locale("de").extra(json!({"locale": "de"})).locale("en"),
    ] {
        assert_eq!(serde_json::to_string(&context).unwrap(), r#"{"locale":"en"}"#);
        assert_eq!(check(&in_context(context)), Ok(()));
    }
}

#[test]
fn a_conflict_is_found_in_large_sections_too() {
    let many: Properties = (0..100).map(|n| (format!("key {n}"), n)).collect();
    assert_eq!(check(&track(many.clone().extra(json!({"key 7": 7})))), Ok(()));
    assert_eq!(check(&track(many.clone().extra(json!({"key 7": 8})))), conflict("properties.key 7"));
    assert_eq!(check(&track(many.extra(json!({"plan": "Free"})).coupon("x").currency("EUR"))), Ok(()));
}

#[test]
fn setters_go_on_replacing() {
    let traits = Traits::new().plan("Team").with("plan", "Free").extra(json!({"seats": 1})).with("seats", 2);
    assert_eq!(serde_json::to_string(&traits).unwrap(), r#"{"plan":"Free","seats":2}"#);
    assert_eq!(check(&Group::new("g1").user_id("u1").traits(traits).into()), Ok(()));
}

#[test]
fn the_fault_of_a_section_inside_is_the_events() {
    let device = Device::new().id("a").extra(json!({"id": "b"}));
    assert_eq!(check(&in_context(Context::new().device(device.clone()))), conflict("context.device.id"));
    let by_key = Track::new("A").user_id("u1").property("device", &device);
    assert_eq!(check(&by_key.into()), conflict("properties.device.id"));

    let products = [Product::new().sku(1), Product::new().sku(1).extra(json!({"sku": 1}))];
    assert_eq!(check(&track(Properties::new().products(products))), conflict("properties.products.sku"));

    #[derive(serde::Serialize)]
    struct Mine {
        #[serde(flatten)]
        product: Product,
    }
    let product = Product::new().price(f64::NAN);
    let not_finite = Err(InvalidField::NotFinite { field: "properties.price".into() });
    assert_eq!(check(&track(Mine { product: product.clone() })), not_finite);
    assert_eq!(check(&track(Properties::from(product))), not_finite);
}

#[test]
fn a_fault_stays_with_its_own_event() {
    let faulty = Traits::new().plan("Team").extra(json!({"plan": "Free"}));
    // Written outside of any event it is refused there, and no event is to blame.
    let error = serde_json::to_string(&faulty).unwrap_err().to_string();
    assert!(error.contains("plan: one value from a setter"), "{error}");
    assert_eq!(check(&Identify::new().user_id("u1").with_trait("plan", "Team").into()), Ok(()));
    assert_eq!(check(&Identify::new().user_id("u1").traits(&faulty).into()), conflict("traits.plan"));
    assert_eq!(check(&Identify::new().user_id("u1").traits(json!({"plan": 1})).into()), Ok(()));
}

#[test]
fn context_that_is_merged_brings_its_fault() {
    let mut event = in_context(Context::new());
    event.add_context(&Context::new().locale("en").extra(json!({"locale": "de"})));
    assert_eq!(check(&event), conflict("context.locale"));
}

#[test]
fn extra_that_is_no_object_is_refused() {
    let expected = InvalidField::NotAnObject { field: "properties".into(), found: "an array" };
    assert_eq!(check(&track(Properties::new().extra([1, 2]))), Err(expected));
}
