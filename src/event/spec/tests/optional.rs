//! Values that may be missing, and numbers of every type.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Serialize, Serializer};
use serde_json::json;

use super::super::context::{Device, Page as WebPage};
use crate::event::{
    Address, Alias, Company, Context, Event, Group, Identify, InvalidField, JsonType, Page, Product, Properties, Track,
    Traits, b2b, check,
};

fn text(value: impl Serialize) -> String {
    serde_json::to_string(&value).unwrap()
}

/// As decimal crates serialize: text.
struct Decimal(&'static str);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

#[test]
fn a_visitor_who_may_be_logged_in_takes_one_line() {
    struct Session {
        user_id: Option<String>,
        cookie: Option<u64>,
    }
    let page = |session: &Session| Page::new("Login").user_id(session.user_id.as_deref()).anonymous_id(session.cookie);
    let in_both = Session { user_id: Some("u1".into()), cookie: Some(7) };
    let event = Event::from(page(&in_both));
    assert_eq!((event.user_id(), event.anonymous_id()), (Some("u1".into()), Some("7".into())));
    let anonymous = Session { user_id: None, cookie: Some(7) };
    let event = Event::from(page(&anonymous));
    assert_eq!((event.user_id(), event.anonymous_id()), (None, Some("7".into())));
    assert_eq!(check(&event), Ok(()));
    let nobody = Session { user_id: None, cookie: None };
    assert!(matches!(check(&page(&nobody).into()), Err(InvalidField::MissingId { .. })));
    // A reference will do, and `None` takes away what was there.
    let event = Event::from(Identify::new().user_id(&in_both.user_id).anonymous_id(1).anonymous_id(None::<u64>));
    assert_eq!((event.user_id(), event.anonymous_id()), (Some("u1".into()), None));
}

#[test]
fn every_id_takes_an_option() {
    let (some, none) = (Some("g"), None::<&str>);
    assert_eq!(Event::from(Group::new(some)).group_id().as_deref(), Some("g"));
    assert_eq!(Event::from(Group::new(none)).group_id(), None);
    let alias = Event::from(Alias::new(Some(1), "u".to_owned()));
    assert_eq!((alias.previous_id(), alias.user_id()), (Some("1".into()), Some("u".into())));
    assert_eq!(Event::from(Track::new("A").message_id(some)).message_id(), "g");
    assert_eq!(Event::from(Track::new("A").message_id(none)).message_id(), "");
    let group = |id: Option<u32>| Event::from(b2b::trial_started(id, Properties::new())).context().get("groupId");
    assert_eq!((group(Some(3)), group(None)), (Some("3".into()), None));
    let time = |time: Option<SystemTime>| Event::from(Track::new("A").timestamp(time)).timestamp();
    assert_eq!(time(None), None);
    assert_eq!(time(Some(SystemTime::UNIX_EPOCH)).unwrap().to_string(), "1970-01-01T00:00:00.000Z");
    let text = Event::from(Track::new("A").user_id("u").timestamp(&Some("soon".to_owned())));
    assert!(matches!(check(&text), Err(InvalidField::Timestamp { .. })));
}

#[test]
fn typed_setters_take_options_and_leave_out_none() {
    let none: &Option<f64> = &None;
    let nothing = Properties::new()
        .coupon(None::<String>)
        .total(None::<f64>)
        .quantity(None::<u32>)
        .discount(none)
        .order_id(None::<u64>)
        .repeat(None)
        .trial_start_date(None::<SystemTime>)
        .query(None::<String>)
        .products(None::<Vec<Product>>)
        .keywords(None::<[&str; 1]>)
        .filters(None::<[(&str, &str); 1]>);
    assert_eq!(text(nothing), "{}");
    let all = Properties::new()
        .coupon(Some("MAY"))
        .total(Some(1.5))
        .quantity(Some(2_u8))
        .order_id(Some(7))
        .repeat(Some(false))
        .trial_start_date(Some("2018-08-28T04:09:47Z"))
        .query(Some("soap"))
        .products(Some(vec![Product::new().sku(1)]))
        .keywords(Some(["a"]))
        .filters(Some([("size", "S")]));
    assert_eq!(
        text(all),
        r#"{"coupon":"MAY","total":1.5,"quantity":2,"order_id":"7","repeat":false,"trial_start_date":"2018-08-28T04:09:47.000Z","query":"soap","products":[{"sku":"1"}],"keywords":["a"],"filters":[{"type":"size","value":"S"}]}"#
    );
    let address = Some(Address::new().city("Austin"));
    let traits = Traits::new().address(address).company(None::<Company>).birthday(None::<&str>);
    assert_eq!(text(traits), r#"{"address":{"city":"Austin"}}"#);
    let context = Context::new().ip(Some([127, 0, 0, 1])).page(None).device(Device::new().id(None::<u8>));
    assert_eq!(text(context), r#"{"ip":"127.0.0.1","device":{}}"#);
    assert_eq!(text(Context::new().ip(None::<std::net::IpAddr>).page(WebPage::new())), r#"{"page":{}}"#);
    // What was set before is taken away.
    assert_eq!(text(Properties::new().revenue(5).currency("EUR").revenue(None::<u8>)), r#"{"currency":"EUR"}"#);
}

#[test]
fn a_number_may_have_any_type() {
    let number = |properties: Properties| text(properties);
    let nine: &i64 = &9;
    for (properties, json) in [
        (Properties::new().revenue(40), "40"),
        (Properties::new().revenue(40_u8), "40"),
        (Properties::new().revenue(-3_i16), "-3"),
        (Properties::new().revenue(39.95_f32), "39.95"),
        (Properties::new().revenue(u64::MAX), "18446744073709551615"),
        (Properties::new().revenue([1, 2].len()), "2"),
        (Properties::new().revenue(5_u128), "5"),
        (Properties::new().revenue(NonZeroU16::MIN), "1"),
        (Properties::new().revenue(nine), "9"),
        (Properties::new().revenue(json!(1.5)), "1.5"),
        // Decimals are text in serde, and numbers for Segment.
        (Properties::new().revenue(Decimal("40.00")), "40.0"),
        (Properties::new().revenue(Decimal("-0.10")), "-0.1"),
        (Properties::new().revenue(Some(Decimal("12"))), "12"),
        (Properties::new().revenue("1E+3"), "1000.0"),
    ] {
        assert_eq!(number(properties), format!(r#"{{"revenue":{json}}}"#));
    }
    assert_eq!(text(Product::new().quantity(2.5).position(1_i32)), r#"{"quantity":2.5,"position":1}"#);
    assert_eq!(text(Traits::new().age("42").employees(3_u32)), r#"{"age":42,"employees":3}"#);
    // In an object that is a map, too.
    let many = (0..100).fold(Properties::new(), |many, n| many.with(format!("property number {n}"), n));
    assert_eq!(many.revenue(Decimal("40.00")).get("revenue"), Some(json!(40.0)));
}

#[test]
fn what_is_no_number_or_no_list_is_refused_by_name() {
    let refused = |properties: Properties| check(&Track::new("A").user_id("u").properties(properties).into());
    for (given, found) in [
        (json!("forty"), JsonType::String),
        (json!(""), JsonType::String),
        (json!("0x10"), JsonType::String),
        (json!("NaN"), JsonType::String),
        (json!(true), JsonType::Boolean),
        (json!([1]), JsonType::Array),
        (json!({"amount": 1}), JsonType::Object),
    ] {
        let expected = InvalidField::NotANumber { field: "properties.revenue".into(), found };
        assert_eq!(refused(Properties::new().revenue(&given)), Err(expected), "{given}");
    }
    let field = || "properties.revenue".to_owned();
    assert_eq!(refused(Properties::new().revenue(f64::NAN)), Err(InvalidField::NotFinite { field: field() }));
    let long = Decimal("0.12345678901234567890123");
    assert_eq!(refused(Properties::new().revenue(long)), Err(InvalidField::Inexact { field: field() }));
    let inside = Product::new().price("free");
    let expected = InvalidField::NotANumber { field: "properties.products.price".into(), found: JsonType::String };
    assert_eq!(refused(Properties::new().products([inside])), Err(expected));
    for (given, found) in [(json!("a"), JsonType::String), (json!({}), JsonType::Object)] {
        let expected = InvalidField::NotAList { field: "properties.keywords".into(), found };
        assert_eq!(refused(Properties::new().keywords(given)), Err(expected));
    }
}

#[test]
fn a_list_may_be_a_collection_or_an_iterator() {
    let (array, set) = (["a", "b"], BTreeSet::from(["a", "b"]));
    for properties in [
        Properties::new().keywords(array),
        Properties::new().keywords(array.as_slice()),
        Properties::new().keywords(array.to_vec()),
        Properties::new().keywords(Some(array.to_vec())),
        Properties::new().keywords(set),
        Properties::new().keywords(array.iter().map(|word| word.to_string())),
    ] {
        assert_eq!(text(properties), r#"{"keywords":["a","b"]}"#);
    }
}

#[test]
fn names_and_keys_may_be_any_string() {
    enum Named {
        Bought,
    }
    impl AsRef<str> for Named {
        fn as_ref(&self) -> &str {
            "Bought"
        }
    }
    let key = || Arc::<str>::from("k");
    for track in [
        Track::new(Named::Bought),
        Track::new(String::from("Bought")),
        Track::new(Cow::from("Bought")),
        Track::new(format!("{}ght", "Bou")),
    ] {
        let event = Event::from(track.property(String::from("a"), 1).property(key(), 2).integration(key(), false));
        assert_eq!((event.name().as_deref(), text(event.section())), (Some("Bought"), r#"{"a":1,"k":2}"#.to_owned()));
    }
    let page = |name: Option<String>| Event::from(Page::new(&name).category(&name));
    assert_eq!(page(Some("Home".into())).name().as_deref(), Some("Home"));
    assert_eq!((page(None).name(), page(None).category()), (None, None));
    assert_eq!(text(Traits::new().with(key(), 1).email("a@b.c".to_owned())), r#"{"k":1,"email":"a@b.c"}"#);
}

#[test]
fn a_view_has_its_category_among_its_properties() {
    let sent = |page: Page| text(Event::from(page).section());
    assert_eq!(sent(Page::new("Home").category("Docs")), r#"{"category":"Docs"}"#);
    assert_eq!(sent(Page::new("Home").category("Docs").category("Help")), r#"{"category":"Help"}"#);
    assert_eq!(sent(Page::new("Home")), "{}");
    assert_eq!(sent(Page::new("Home").category("Docs").property("category", 7)), r#"{"category":7}"#);
    assert_eq!(sent(Page::new("Home").property("category", ()).category("Docs")), r#"{"category":null}"#);
    let screen = Event::from(crate::event::Screen::new("Home").category("Docs").property("a", 1));
    assert_eq!(text(screen.section()), r#"{"a":1,"category":"Docs"}"#);
}
