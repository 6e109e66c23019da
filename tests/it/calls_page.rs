//! Compares the calls of docs/CALLS.md with the JSON beside them: each call arrives as this JSON.

use serde_json::{Map, Value};
use tracklane::event::{Product, b2b, ecommerce};
use tracklane::{Alias, Analytics, Event, Group, Identify, Integrations, Page, Properties, Screen, Track, Traits};

use super::pages::text;
use crate::support::{SOON, api, segment};

/// The calls as they stand on the page, and as text to be found there.
macro_rules! calls {
    ($($call:expr;)*) => { vec![$((stringify!($call), Event::from($call))),*] };
}

#[rustfmt::skip]
fn calls() -> Vec<(&'static str, Event)> {
    calls! {
        Identify::new().user_id("019mr8mf4r").traits(
            Traits::new().name("Michael Bolton").email("mbolton@example.com").plan("Enterprise").with("friends", 42),
        );
        Track::new("Item Purchased").user_id("019mr8mf4r").property("revenue", 39.95).property("shippingMethod", "2-day");
        ecommerce::order_completed(
            Properties::new()
                .order_id(1001)
                .revenue("39.95")
                .currency("EUR")
                .coupon(None::<&str>)
                .products([Product::new().product_id(507).price(39.95).quantity(1)]),
        )
        .anonymous_id("a-17");
        b2b::account_created("g-1", Properties::new().account_name("Initech")).user_id("019mr8mf4r");
        Page::new("Node.js Library")
            .category("Docs")
            .user_id("019mr8mf4r")
            .properties(Properties::new().path("/docs/node/").title("Node.js Library - Segment"));
        Screen::new("Library").category("Docs").user_id("019mr8mf4r").property("variation", "blue");
        Group::new("56").user_id("019mr8mf4r").traits(Traits::new().name("Initech").description("Accounting Software"));
        Alias::new("anonymous_user", "identified@example.com");
        Track::new("Membership Upgraded")
            .user_id("97234974")
            .integrations(Integrations::new().all(false).enable("Vero").disable("Google Analytics"));
    }
}

/// The blocks of the page that are fenced with `language`.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let blocks = page.split("```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(&format!("{language}\n"))).map(str::to_owned).collect()
}

fn squeezed(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace()).collect()
}

#[test]
fn each_call_arrives_as_the_page_says() {
    let page = text("docs/CALLS.md");
    let (api, calls) = (api(), calls());
    let analytics = Analytics::builder().segment(segment(&api).max_in_flight(1)).build().unwrap();
    calls.iter().for_each(|(_, event)| analytics.send(event.clone()).unwrap());
    assert!(analytics.close_blocking(SOON).is_complete());

    let json = blocks(&page, "json");
    // Before the calls the page has a whole snippet, which is compiled with the documentation.
    let code: Vec<String> = blocks(&page, "rust,ignore").iter().map(|block| squeezed(block)).collect();
    assert_eq!((json.len(), code.len()), (calls.len(), calls.len()));
    for (((call, _), arrived), (json, code)) in calls.iter().zip(api.events()).zip(json.iter().zip(code)) {
        assert_eq!(squeezed(call), code, "the call on the page is the one that was sent");
        let mut arrived: Map<String, Value> = arrived.as_object().unwrap().clone();
        for made in ["messageId", "timestamp"] {
            assert!(arrived.remove(made).is_some(), "{made}");
        }
        let context = arrived.get_mut("context").and_then(Value::as_object_mut).unwrap();
        assert!(context.remove("library").is_some(), "library");
        if context.is_empty() {
            arrived.remove("context");
        }
        let shown: Map<String, Value> = serde_json::from_str(json).unwrap();
        assert_eq!(shown, arrived, "{call}");
    }
}
