//! Later members replace earlier ones, and the error of a section reaches the event that holds it.

use serde_json::json;

use crate::event::context::{Device, Location, Network};
use crate::event::{
    Context, Event, Identify, InvalidField, JsonType, Object, Product, Properties, Track, Traits, check,
};

fn track(properties: impl serde::Serialize) -> Event {
    Track::new("Order Completed").user_id("u1").properties(properties).into()
}

fn in_context(context: Context) -> Event {
    Track::new("Order Completed").user_id("u1").context(context).into()
}

fn not_finite(field: &str) -> Result<(), InvalidField> {
    Err(InvalidField::NotFinite { field: field.into() })
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
fn what_comes_later_replaces_what_came_before() {
    let german = || Context::new().with_all(json!({"locale": "de"}));
    for context in [
        Context::new().locale("de").locale("en"),
        german().locale("en"),
        german().with("locale", "en"),
        Context::new().locale("de").with_all(json!({"locale": "en"})),
    ] {
        assert_eq!(serde_json::to_string(&context).unwrap(), r#"{"locale":"en"}"#);
        assert_eq!(check(&in_context(context)), Ok(()));
    }
}

#[test]
fn the_error_of_a_section_inside_is_the_events() {
    let device = Device::new().with("load", f64::NAN);
    assert_eq!(check(&in_context(Context::new().device(device.clone()))), not_finite("context.device.load"));
    let by_key = Track::new("A").user_id("u1").property("device", &device);
    assert_eq!(check(&by_key.into()), not_finite("properties.device.load"));

    let products = [Product::new().sku(1), Product::new().price(f64::NAN)];
    assert_eq!(check(&track(Properties::new().products(products))), not_finite("properties.products.price"));
    let as_map = {
        let mut properties = Object::new();
        properties.as_map_mut();
        properties.insert("device", &device);
        properties
    };
    assert_eq!(check(&track(as_map)), not_finite("properties.device.load"));
}

#[test]
fn the_error_of_a_section_passes_through_the_adapters_of_serde() {
    #[derive(serde::Serialize)]
    struct Flat {
        #[serde(flatten)]
        product: Product,
    }
    #[derive(serde::Serialize)]
    #[serde(tag = "type")]
    enum Tagged {
        Product(Product),
    }
    let product = Product::new().price(f64::NAN);
    assert_eq!(check(&track(Flat { product: product.clone() })), not_finite("properties.price"));
    assert_eq!(check(&track(Tagged::Product(product.clone()))), not_finite("properties.price"));
    assert_eq!(check(&track(Object::from(product))), not_finite("properties.price"));
}

/// Writes a map, and ignores what cannot be written.
struct Careless;

impl serde::Serialize for Careless {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        let _ = map.serialize_entry("bad", &f64::NAN);
        map.serialize_entry("good", &1)?;
        map.end()
    }
}

#[test]
fn an_error_that_is_ignored_on_the_way_is_not_lost() {
    let expected = Err(InvalidField::NotFinite { field: "properties".into() });
    assert_eq!(check(&track(Careless)), expected);
    assert_eq!(check(&track(Properties::new().with("a", [Careless]))), not_finite("properties.a"));
}

#[test]
fn an_error_stays_with_its_own_event() {
    let faulty = Traits::new().with("age", f64::NAN);
    // Written outside of any event it is refused there, and no event is to blame.
    let error = serde_json::to_string(&faulty).unwrap_err().to_string();
    assert_eq!(error, "age: a number is not finite");
    assert_eq!(check(&Identify::new().user_id("u1").with_trait("plan", "Team").into()), Ok(()));
    assert_eq!(check(&Identify::new().user_id("u1").traits(&faulty).into()), not_finite("traits.age"));
    assert_eq!(check(&Identify::new().user_id("u1").traits(json!({"plan": 1})).into()), Ok(()));
}

#[test]
fn context_that_is_merged_brings_its_error() {
    let mut event = in_context(Context::new());
    event.add_context(&Context::new().with("load", f64::NAN));
    assert_eq!(check(&event), not_finite("context.load"));
}

#[test]
fn a_section_that_is_no_object_is_refused_by_its_type() {
    let refused = |found| Err(InvalidField::NotAnObject { field: "properties".into(), found });
    assert_eq!(check(&track(())), refused(JsonType::Null));
    assert_eq!(check(&track(None::<Properties>)), refused(JsonType::Null));
    assert_eq!(check(&track(json!(null))), refused(JsonType::Null));
    // What a statement in the middle of a builder gives.
    assert_eq!(check(&track(Properties::new().insert("k", 1))), refused(JsonType::Null));
    assert_eq!(check(&track(true)), refused(JsonType::Boolean));
    assert_eq!(check(&track(1)), refused(JsonType::Number));
    assert_eq!(check(&track("k")), refused(JsonType::String));
    assert_eq!(check(&track(Properties::new().with_all([1, 2]))), refused(JsonType::Array));
    assert_eq!(check(&track(Properties::from(json!([1])))), refused(JsonType::Array));
    let context = Track::new("A").user_id("u1").context(());
    let expected = InvalidField::NotAnObject { field: "context".into(), found: JsonType::Null };
    assert_eq!(check(&context.into()), Err(expected));
}
