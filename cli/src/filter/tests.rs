//! Filters as tables.

use tracklane::Kind;
use tracklane_ingest::rules::{Finding, Level};

use super::{Filter, Subject};

const EVENT: &str = r#"{"type":"track","event":"Order Completed","userId":"42","anonymousId":"a-1","messageId":"m-1",
    "context":{"app":{"name":"shop"}},"properties":{"total":39.95,"currency":"EUR","note":"Gr\u00fc\u00dfe \"x\"",
    "products":[{"sku":"A"},{"sku":"B"}]}}"#;

fn matches(filter: &str) -> bool {
    let findings =
        [Finding { rule: "number-as-text", level: Level::Smell, property: None, message: String::new(), fix: "" }];
    let mut subject = Subject::new(EVENT.as_bytes(), Some(Kind::Track));
    subject.key = Some("WEB");
    subject.findings = &findings;
    subject.path_state = Some("delivered");
    Filter::parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}")).matches(&subject)
}

#[test]
fn each_filter_takes_what_it_says() {
    let taken = [
        "",
        "kind:track",
        "kind:t*",
        "name:\"Order Completed\"",
        "name:\"Order *\"",
        "name:*Comp*d",
        "user:42",
        "anon:a-1",
        "key:WEB",
        "id:m-1",
        "has:finding",
        "level:smell",
        "rule:number-*",
        "path:delivered",
        "has:path",
        "-name:Ping",
        "-kind:page -user:7",
        "properties.total>10",
        "properties.total>=39.95",
        "properties.total<40",
        "properties.total=39.95",
        "properties.currency:EUR",
        "properties.currency:E*",
        "context.app.name:shop",
        "total>10",
        "currency=EUR",
        "properties.products.1.sku:B",
        "properties.products.1:*B*",
        "order",
        "ORDER",
        "\"order completed\"",
        "Grüße",
        "\"e \\\"x\"",
        "userId:42",
        "-\"no such text\"",
        "  kind:track   total>1 ",
    ];
    for filter in taken {
        assert!(matches(filter), "{filter} should take the event");
    }
    let left = [
        "kind:page",
        "name:Order",
        "name:Order*x",
        "user:4",
        "-user:42",
        "key:IOS",
        "id:m",
        "level:refused",
        "rule:x",
        "path:dropped",
        "properties.total>40",
        "properties.total<39.95",
        "properties.none:x",
        "properties.currency>10",
        "properties.total>abc",
        "-order",
        "nowhere",
        "kind:track nowhere",
        "10:30",
        "properties.products.2.sku:B",
    ];
    for filter in left {
        assert!(!matches(filter), "{filter} should leave the event");
    }
}

#[test]
fn members_are_found_wherever_they_stand_in_a_text_without_escapes() {
    let text = r#"{"type":"track","plan":"Free","context":{"plan":"Old"},
        "properties":{"total":1,"list":["a","b"],"nested":{"deep":true}},"integrations":{"All":false},"traits":{"age":7}}"#;
    let matches =
        |filter: &str| Filter::parse(filter).unwrap().matches(&Subject::new(text.as_bytes(), Some(Kind::Track)));
    for filter in [
        "plan:Free",
        "context.plan:Old",
        "total:1",
        "age=7",
        "properties.list.1:b",
        "list:*a*",
        "properties.nested.deep:true",
        "integrations.All:false",
        "-deep:true",
        "-properties.list.2:*",
        "-properties.plan:*",
        "-plan:Old",
    ] {
        assert!(matches(filter), "{filter} should take the event");
    }
    let escaped =
        r#"{"type":"track","pl\u0061n":"Free","properties":{"a/b":1,"note":"\"plan\":\"Old\"","c\/d":2,"\u0078":3}}"#;
    let matches =
        |filter: &str| Filter::parse(filter).unwrap().matches(&Subject::new(escaped.as_bytes(), Some(Kind::Track)));
    for filter in ["plan:Free", "a/b:1", "c/d:2", "x:3", "note:*Old*", "-properties.plan:Old"] {
        assert!(matches(filter), "{filter} should take the event");
    }
    let quoted = Subject::new(br#"{"type":"track","properties":{"a":"\"b","c\/d":2}}"#, Some(Kind::Track));
    for filter in ["c/d:2", "a:*b", "-b:*"] {
        assert!(Filter::parse(filter).unwrap().matches(&quoted), "{filter} should take the event");
    }
}

#[test]
fn what_does_not_parse_says_where() {
    for (filter, column) in [
        ("name:\"Order", 6),
        ("kind:track \"x", 12),
        ("level:bad", 7),
        ("has:everything", 5),
        ("kind:trak", 6),
        ("-kind=Track", 7),
        ("kind:x*", 6),
        ("path:lost", 6),
        ("name:", 1),
        ("a b.c>", 3),
    ] {
        let error = Filter::parse(filter).unwrap_err();
        assert_eq!(error.at, column, "{filter}: {error}");
    }
}

#[test]
fn what_there_is_none_of_is_said_with_what_there_is() {
    for (filter, said) in [
        (
            "kind:trak",
            "filter, column 6: kind is one of track, identify, page, screen, group, alias; did you mean track?",
        ),
        ("kind:event", "filter, column 6: kind is one of track, identify, page, screen, group, alias"),
        ("level:smel", "filter, column 7: level is one of refused, discarded, smell; did you mean smell?"),
        ("path:lost", "filter, column 6: path is one of delivered, dropped, pending, retrying"),
        ("has:findigns", "filter, column 5: has is one of finding, path; did you mean finding?"),
    ] {
        assert_eq!(Filter::parse(filter).unwrap_err().to_string(), said);
    }
    for filter in ["kind:*", "kind:t*", "kind=track", "level:s*", "path:d*", "has:findings", "rule:any"] {
        assert!(Filter::parse(filter).is_ok(), "{filter}");
    }
}
