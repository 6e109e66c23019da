//! Runs the examples from the documentation of Segment's libraries as programs of this crate, and compares the results.
//!
//! `ports/recorded.json` has what `@segment/analytics-node` 3.1.0 and `analytics-node` 6.2.0 sent to a recording server
//! for each example. Ids and times that they generate are `<made>` there. Examples in other languages were recorded
//! with the same calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tracklane::segment::Segment;
use tracklane::{
    Alias, Analytics, Context, Event, Group, Identify, Integrations, Page, Properties, Screen, Timestamp, Track, Traits,
};

use super::pages::text;
use crate::support::{SOON, api};

#[derive(Deserialize)]
struct Recording {
    sdks: BTreeMap<String, String>,
    recorded: BTreeMap<String, Example>,
}

/// What both libraries sent for one call.
#[derive(Deserialize)]
struct Example {
    call: (String, Value),
    node: Map<String, Value>,
    classic: Map<String, Value>,
}

static RECORDING: LazyLock<Recording> =
    LazyLock::new(|| serde_json::from_str(include_str!("ports/recorded.json")).unwrap());

const ANONYMOUS: &str = "48d213bb-95c3-4f8d-af97-86b2b404dcfe";
const USER: &str = "019mr8mf4r";

fn past() -> Timestamp {
    "2010-01-18T00:00:00Z".parse().unwrap()
}

fn purchase(event: Track) -> Event {
    event.property("revenue", 39.95).property("shippingMethod", "2-day").into()
}

/// The examples, by their names in the recording.
fn ports() -> Vec<(&'static str, Event)> {
    let bought = || Track::new("Item Purchased");
    let old = |name: &str| Track::new(name).user_id("anonymous_user");
    let new = || "identified@example.com";
    let upgraded = || Track::new("Membership Upgraded");
    let docs = "https://segment.com/docs/connections/sources/catalog/librariesnode";
    let michael =
        Traits::new().name("Michael Bolton").email("mbolton@example.com").plan("Enterprise").with("friends", 42);
    let view = Properties::new()
        .url(docs)
        .path("/docs/connections/sources/catalog/librariesnode/")
        .title("Node.js Library - Segment")
        .referrer("https://github.com/segmentio/analytics-node");
    let initech = Traits::new().name("Initech").description("Accounting Software");
    let options = Context::new().with("app", "Bitcoin Miner").with("language", "en-us");
    vec![
        ("identify, anonymous", Identify::new().anonymous_id(ANONYMOUS).with_trait("friends", 42).into()),
        ("identify", Identify::new().user_id(USER).traits(michael).into()),
        ("track, anonymous", purchase(bought().anonymous_id(ANONYMOUS))),
        ("track", purchase(bought().user_id(USER))),
        ("page", Page::new("Node.js Library").category("Docs").user_id(USER).properties(view).into()),
        ("group", Group::new("56").user_id(USER).traits(initech).into()),
        ("alias", Alias::new("old_id", "new_id").into()),
        ("alias, example: anonymous event", old("Anonymous Event").into()),
        ("alias, example: alias", Alias::new("anonymous_user", new()).into()),
        ("alias, example: identify", Identify::new().user_id(new()).traits(Traits::new().plan("Free")).into()),
        ("alias, example: identified action", Track::new("Identified Action").user_id(new()).into()),
        ("screen", Screen::new("Library").category("Docs").user_id(USER).property("variation", "blue").into()),
        (
            "selecting destinations",
            upgraded()
                .user_id("97234974")
                .integrations(Integrations::new().all(false).enable("Vero").disable("Google Analytics"))
                .into(),
        ),
        ("callback", Track::new("Ultimate Played").user_id(USER).on_delivery(|end| assert!(end.is_delivered())).into()),
        (
            "context traits",
            purchase(
                Track::new("New Test")
                    .anonymous_id(ANONYMOUS)
                    .context(Context::new().traits(Traits::new().email("test@test.com"))),
            ),
        ),
        ("oauth example", Track::new("bar").user_id("foo").into()),
        ("historical import", bought().user_id(USER).timestamp("2010-01-18T00:00:00Z").into()),
        (
            "date among properties",
            Track::new("Test event")
                .anonymous_id("a1")
                .properties(json!({"name": "Test event", "timestamp": past()}))
                .into(),
        ),
        ("go: track", Track::new("Signed Up").user_id("f4ca124298").property("plan", "Enterprise").into()),
        (
            "go: page",
            Page::new("Go Library")
                .user_id("f4ca124298")
                .properties(Properties::new().url("https://segment.com/libraries/go/"))
                .into(),
        ),
        (
            "go: selecting destinations",
            upgraded().user_id(USER).integrations(Integrations::new().all(false).enable("Mixpanel")).into(),
        ),
        (
            "go: context",
            Identify::new().user_id(USER).with_trait("friends", 42).context(Context::new().active(true)).into(),
        ),
        (
            "go: typed properties",
            Track::new("Signed Up")
                .user_id("f4ca124298")
                .properties(Properties::new().category("Enterprise").coupon("synapse").discount(10))
                .into(),
        ),
        (
            "net: page without a user",
            Page::new("Login").user_id(None::<&str>).anonymous_id("some-id").property("path", "/login").into(),
        ),
        (
            "net: track with options",
            Track::new("Purchased Item")
                .user_id(USER)
                .property("revenue", 39.95)
                .property("shipping", "2-day")
                .context(options)
                .integrations(json!({"all": false, "Mixpanel": true, "KISSmetrics": true}))
                .into(),
        ),
    ]
}

/// Sends each example over a real socket. Returns the arrived events by name.
fn arrived() -> Vec<(&'static str, Map<String, Value>)> {
    let ports = ports();
    let api = api();
    let analytics = Analytics::builder().segment(Segment::new("KEY").host(api.url()).max_in_flight(1)).build().unwrap();
    for (name, event) in &ports {
        analytics.send(event.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    assert!(analytics.close_blocking(SOON).is_complete());
    let arrived = api.events();
    assert_eq!(arrived.len(), ports.len());
    let names = ports.into_iter().map(|(name, _)| name);
    names.zip(arrived.into_iter().map(|event| event.as_object().unwrap().clone())).collect()
}

/// Removes the intended differences between a Node library and this one, and asserts that they are there. docs/PORTS.md
/// lists each with its reason.
fn without_differences(
    name: &str,
    call: &Value,
    mut theirs: Map<String, Value>,
    mut ours: Map<String, Value>,
) -> (Value, Value) {
    // The library names itself.
    for event in [&mut theirs, &mut ours] {
        assert!(event["context"].as_object_mut().unwrap().remove("library").is_some(), "{name}");
        for made in ["messageId", "timestamp"] {
            if call.get(made).is_none() {
                assert!(event.remove(made).is_some_and(|made| made.is_string()), "{name}: {made}");
            }
        }
    }
    // Data about the platform stays private.
    assert!(theirs.remove("_metadata").is_some(), "{name}");
    // Empty sections are left out.
    for empty in ["integrations", "properties", "traits", "context"] {
        for event in [&mut theirs, &mut ours] {
            if event.get(empty).is_some_and(|section| *section == json!({})) {
                event.remove(empty);
            }
        }
    }
    // The key is `All`.
    if let Some(integrations) = theirs.get_mut("integrations").and_then(Value::as_object_mut)
        && let Some(all) = integrations.remove("all")
    {
        integrations.insert("All".to_owned(), all);
    }
    // A category is among the properties, too: of pages in analytics-node, of pages and screens here, of neither in the
    // classic library.
    let (category, properties) = (ours.get("category").cloned(), ours.get("properties"));
    if let Some(category) = category {
        assert_eq!(properties.unwrap()["category"], category, "{name}");
        let theirs = theirs.get_mut("properties").unwrap().as_object_mut().unwrap();
        theirs.entry("category").or_insert(category);
    }
    (theirs.into(), ours.into())
}

#[test]
fn what_arrives_is_what_the_libraries_of_node_send() {
    let arrived = arrived();
    for (name, ours) in &arrived {
        let example = &RECORDING.recorded[*name];
        let kind = ours["type"].as_str().unwrap();
        assert_eq!(example.call.0, kind, "{name}");
        for (sdk, theirs) in [("node", &example.node), ("classic", &example.classic)] {
            let (theirs, ours) = without_differences(name, &example.call.1, theirs.clone(), ours.clone());
            assert_eq!(theirs, ours, "{name}: what {} sends, and what arrives from here", RECORDING.sdks[sdk]);
        }
    }
}

#[test]
fn every_recorded_example_has_its_port() {
    let ports: BTreeSet<_> = ports().into_iter().map(|(name, _)| name).collect();
    let recorded: BTreeSet<_> = RECORDING.recorded.keys().map(String::as_str).collect();
    assert_eq!(ports, recorded);
    assert_eq!(RECORDING.sdks["node"], "@segment/analytics-node 3.1.0");
    assert_eq!(RECORDING.sdks["classic"], "analytics-node 6.2.0");
}

#[test]
fn a_page_of_analytics_node_has_its_category_twice_and_a_screen_once() {
    let recorded = &RECORDING.recorded;
    assert_eq!(recorded["page"].node["properties"]["category"], "Docs");
    assert_eq!(recorded["screen"].node["properties"].get("category"), None);
    assert_eq!(recorded["page"].classic["properties"].get("category"), None);
}

/// The rows of docs/PORTS.md: document, example, test.
fn rows() -> Vec<Vec<String>> {
    let page = text("docs/PORTS.md");
    let (_, tables) = page.split_once("## Events").unwrap();
    let rows = tables.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| document"));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

#[test]
fn each_row_of_the_table_of_ports_names_a_test_that_there_is() {
    let mut unknown = Vec::new();
    let rows = rows();
    for row in rows.iter().filter(|row| row.len() == 3) {
        for name in row[2].split('`').skip(1).step_by(2).filter(|_| !row[2].starts_with("not here")) {
            let (module, test) = name.split_once("::").unwrap_or((name, ""));
            let source = ["tests/it", "tests"].into_iter().map(|folder| format!("{folder}/{module}.rs"));
            let source = source.filter(|path| super::pages::root().join(path).exists()).map(|path| text(&path)).next();
            let known = match &source {
                Some(source) => source.contains(&format!("fn {test}(")),
                None => name.starts_with("examples/") && super::pages::root().join(name).exists(),
            };
            if !known {
                unknown.push(format!("{}: {name}", row[1]));
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
    // Each recorded example is one of them.
    let examples = rows.iter().filter(|row| row[2].contains("ports::")).map(|row| row[1].clone()).collect::<Vec<_>>();
    for name in RECORDING.recorded.keys() {
        assert!(examples.iter().any(|example| example.contains(&format!("\"{name}\""))), "docs/PORTS.md lacks {name}");
    }
}
