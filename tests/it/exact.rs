//! Values that JSON text can hold and a `serde_json` value cannot: numbers beyond 64 bits, and keys that `serde_json`
//! reserves. Each way into an event keeps such a value exactly, or refuses it by name.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use tracklane::event::Context;
use tracklane::plugin::{Batch, Batching, Destination, Flow, enrichment_fn};
use tracklane::{Analytics, Builder, Event, Identify, Track};

use crate::support::{Log, SOON, track, with_failures};

/// The JSON that arrived, or the error.
type Said = Result<String, String>;

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

/// A destination that keeps the text which it got, and checks that the event reads as the same.
fn keeper() -> (Destination, Log<String>) {
    let texts = Log::new();
    let log = texts.clone();
    let destination = Destination::from_fn("keeper", move |batch: Batch| {
        for message in batch.messages() {
            let text = String::from_utf8(message.json().to_vec()).unwrap();
            assert_eq!(serde_json::to_string(&message.event()).unwrap(), text, "the message as an event");
            log.push(text);
        }
        async { Ok::<(), std::io::Error>(()) }
    });
    (destination, texts)
}

/// Sends one event through a client of these settings.
fn send(settings: Builder, event: Event) -> Said {
    let (destination, texts) = keeper();
    let (settings, failures) = with_failures(settings);
    let analytics = settings.plugin(destination).build().map_err(|error| error.to_string())?;
    analytics.send(event).map_err(|error| error.to_string())?;
    analytics.close_blocking(SOON);
    let stats = analytics.stats();
    assert_eq!(stats.accepted, stats.delivered + stats.dropped.total(), "every event is counted");
    match texts.all().pop() {
        Some(text) => Ok(text),
        None => Err(failures.all().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
    }
}

fn plain() -> Builder {
    Analytics::builder()
}

fn edits(edit: impl Fn(&mut Event) + Send + Sync + 'static) -> Builder {
    plain().plugin(enrichment_fn("edits", move |event: &mut Event| {
        edit(event);
        Flow::Continue
    }))
}

fn touches() -> Builder {
    edits(|event| {
        event.section_mut().as_map_mut();
        event.context_mut().as_map_mut();
    })
}

fn json_of(member: &str, text: &str) -> String {
    format!(r#" {{ "type":"track","event":"x","userId":"u", "{member}" : {{ "k" : {text} }} }} "#)
}

fn from_str(json: &str) -> Result<Event, String> {
    serde_json::from_str::<Event>(json).map_err(|error| error.to_string())
}

fn unsent(event: Event) -> Said {
    let asked = Log::new();
    let log = asked.clone();
    let hangs = Destination::from_fn("hangs", move |_: Batch| {
        log.push(());
        std::future::pending::<Result<(), std::io::Error>>()
    });
    let hangs = hangs.batching(Batching::single());
    let analytics = plain().plugin(hangs).build().map_err(|error| error.to_string())?;
    analytics.send(event).map_err(|error| error.to_string())?;
    asked.wait_for(1);
    let report = analytics.close_blocking(std::time::Duration::ZERO);
    let event = report.unsent.iter().next().ok_or("nothing was handed back")?;
    serde_json::to_string(&event).map_err(|error| error.to_string())
}

/// Sends the JSON `text` in each way that leads into an event. Returns the results.
fn ways(text: &str) -> Vec<(&'static str, Said)> {
    let value = raw(text);
    let members = BTreeMap::from([("k", &value)]);
    let crowd = |mut call: Track| {
        for number in 0..100 {
            call = call.property(format!("member number {number}"), number);
        }
        call
    };
    let default = |context: Context| plain().context(context);
    vec![
        ("setter", send(plain(), track("x").property("k", &value).into())),
        ("in a list", send(plain(), track("x").property("k", [&value]).into())),
        ("section", send(plain(), track("x").properties(&members).into())),
        (
            "object",
            send(plain(), track("x").properties(members.iter().collect::<tracklane::event::Properties>()).into()),
        ),
        (
            "with_all",
            send(plain(), track("x").properties(tracklane::event::Properties::new().with_all(&members)).into()),
        ),
        ("trait", send(plain(), Identify::new().user_id("u").with_trait("k", &value).into())),
        ("context", send(plain(), track("x").context(&members).into())),
        ("integrations", send(plain(), track("x").integration("k", &value).into())),
        ("crowded before", send(plain(), crowd(track("x").property("k", &value)).into())),
        ("crowded behind", send(plain(), crowd(track("x")).property("k", &value).into())),
        ("a plugin sets", {
            let text = text.to_owned();
            send(edits(move |event| _ = event.section_mut().insert("k", raw(&text))), track("x").into())
        }),
        ("a plugin sets in a map", {
            let text = text.to_owned();
            send(
                edits(move |event| {
                    event.section_mut().as_map_mut();
                    _ = event.section_mut().insert("k", raw(&text));
                }),
                track("x").into(),
            )
        }),
        ("a plugin touches", send(touches(), track("x").property("k", &value).into())),
        ("default context", send(default(Context::new().with("k", &value)), track("x").into())),
        (
            "merged context",
            send(
                default(Context::new().with("a", json!({"b": 1}))),
                track("x").context(&members).context(json!({"a": {"c": 1}})).into(),
            ),
        ),
        (
            "merged default context",
            send(
                default(Context::new().with("a", json!({"b": 1})).with("k", &value)),
                track("x").context(json!({"a": {"c": 1}})).into(),
            ),
        ),
        ("call context", {
            let text = text.to_owned();
            let context = move || Some(Context::new().with("k", raw(&text)));
            send(plain().call_context(context), track("x").into())
        }),
        ("JSON in", from_str(&json_of("properties", text)).and_then(|event| send(plain(), event))),
        ("JSON in, another field", from_str(&json_of("of our own", text)).and_then(|event| send(plain(), event))),
        (
            "JSON in, by bytes",
            serde_json::from_slice::<Event>(json_of("properties", text).as_bytes())
                .map_err(|error| error.to_string())
                .and_then(|event| send(plain(), event)),
        ),
        (
            "JSON in, from a reader",
            serde_json::from_reader::<_, Event>(json_of("properties", text).as_bytes())
                .map_err(|error| error.to_string())
                .and_then(|event| send(plain(), event)),
        ),
        ("JSON in, touched", from_str(&json_of("context", text)).and_then(|event| send(touches(), event))),
        (
            "JSON in, a section",
            serde_json::from_str::<Context>(&format!(r#"{{"k":{text}}}"#))
                .map_err(|error| error.to_string())
                .and_then(|context| send(plain(), track("x").context(context).into())),
        ),
        ("hand-back", unsent(track("x").property("k", &value).into())),
        (
            "hand-back, touched",
            unsent({
                let mut event = Event::from(track("x").property("k", &value));
                event.section_mut().as_map_mut();
                event
            }),
        ),
    ]
}

/// All ways must have the same result: the JSON that is sent, or a refusal that names the key.
#[track_caller]
fn assert_everywhere(text: &str, expected: Option<&str>) {
    for (way, said) in ways(text) {
        match (expected, said) {
            // User code that returns a value that cannot be sent has failed. The event continues without the value.
            (None, Ok(sent)) if way == "call context" || way.starts_with("a plugin sets") => {
                assert!(!sent.contains("\"k\""), "{text}: {sent}")
            }
            (Some(out), Ok(sent)) => {
                let (one, list) = (format!("\"k\":{out}"), format!("\"k\":[{out}]"));
                assert!(sent.contains(&one) || sent.contains(&list), "{text} by the way {way:?} became {sent}");
            }
            (None, Err(said)) => {
                let named = [".k", "k:", "k.", "\"k\""].iter().any(|name| said.contains(name));
                let whole = matches!(way, "section" | "context" | "with_all" | "merged context");
                assert!(named || whole, "{text} by the way {way:?} is refused without its name: {said}");
            }
            (_, said) => panic!("{text} by the way {way:?}: {said:?}"),
        }
    }
}

#[test]
fn a_number_goes_out_exactly_or_is_refused_by_name_on_every_way() {
    let same = ["0", "-1", "18446744073709551615", "-9223372036854775808", "0.1", "-2.5", "9007199254740993"];
    same.into_iter().for_each(|text| assert_everywhere(text, Some(text)));
    let spelled = |number: f64| serde_json::to_string(&number).unwrap();
    let respelled = [
        ("39.950", 39.95),
        ("1E9", 1e9),
        ("1e+300", 1e300),
        ("-0", -0.0),
        ("0.10000000000000001", 0.1),
        ("0.1000000000000000055511151231257827021181583404541015625", 0.1),
        ("100000000000000000000.0", 1e20),
        ("5e-324", 5e-324),
        ("1.7976931348623157e308", f64::MAX),
        ("0e99999", 0.0),
    ];
    respelled.into_iter().for_each(|(text, number)| assert_everywhere(text, Some(&spelled(number))));
    let nines = "9".repeat(400);
    let refused = [
        "18446744073709551616",
        "-9223372036854775809",
        "123456789012345678901234567890",
        "340282366920938463463374607431768211455",
        &nines,
        "3.14159265358979323846264338327950288",
        "9007199254740993.0",
        "0.1234567890123456789",
        "1e400",
        "1e-400",
    ];
    refused.into_iter().for_each(|text| assert_everywhere(text, None));
}

#[test]
fn whole_numbers_of_rust_beyond_64_bits_are_refused_by_name() {
    let crowd: BTreeMap<String, u8> = (0..100_u8).map(|number| (format!("member number {number}"), number)).collect();
    for crowded in [false, true] {
        let event = |value: &dyn Fn(Track) -> Track| {
            let call = if crowded { track("x").properties(&crowd) } else { track("x") };
            send(plain(), value(call).into())
        };
        let fits = event(&|call| call.property("k", u128::from(u64::MAX)).property("l", i128::from(i64::MIN))).unwrap();
        assert!(fits.contains(r#""k":18446744073709551615"#) && fits.contains(r#""l":-9223372036854775808"#), "{fits}");
        for said in [
            event(&|call| call.property("k", u128::MAX)),
            event(&|call| call.property("k", u128::from(u64::MAX) + 1)),
            event(&|call| call.property("k", i128::from(i64::MIN) - 1)),
            event(&|call| call.property("k", [i128::MIN])),
        ] {
            let said = said.unwrap_err();
            assert!(said.contains("properties.k") && said.contains("64 bits"), "{said}");
        }
    }
    assert_eq!(Event::from(Track::new("x").user_id(u128::MAX)).user_id().unwrap(), u128::MAX.to_string());
}

/// One id for two users would be worse than no event.
#[test]
fn a_numeric_id_is_its_digits_or_an_error() {
    for field in ["userId", "anonymousId", "groupId", "previousId"] {
        let read = |number: &str| {
            let json = format!(r#"{{"type":"alias","{field}":{number}}}"#);
            let event = from_str(&json)?;
            Ok::<_, String>(serde_json::to_value(&event).unwrap()[field].as_str().unwrap().to_owned())
        };
        for number in ["0", "42", "-7", "18446744073709551615", "-9223372036854775808"] {
            assert_eq!(read(number).as_deref(), Ok(number), "{field}");
        }
        for number in ["18446744073709551616", "123456789012345678901234567890", "1e3", "1.5", "12345678901234567890.0"]
        {
            let error = read(number).unwrap_err();
            assert!(error.contains(field), "{field} of {number}: {error}");
        }
        let value = json!({"type": "alias", field: 1.5e30});
        assert!(Event::try_from(value).unwrap_err().to_string().contains(field));
    }
}

/// Keys with a special meaning for `serde_json`, first or last in their object.
fn odd_objects() -> Vec<String> {
    let mut texts = Vec::new();
    for key in
        ["$serde_json::private::RawValue", "$serde_json::private::Number", r"\u0024serde_json::private::RawValue"]
    {
        for value in [r#""[1]""#, r#""v""#, r#""1""#, "1"] {
            texts.push(format!(r#"{{"{key}":{value}}}"#));
            texts.push(format!(r#"{{"a":1,"{key}":{value}}}"#));
            texts.push(format!(r#"[{{"b":{{"{key}":{value}}}}}]"#));
        }
    }
    texts
}

#[test]
fn a_key_that_serde_json_keeps_for_itself_is_refused_by_name_on_every_way() {
    for text in odd_objects() {
        assert_everywhere(&text, None);
    }
}

#[test]
fn a_key_of_serde_json_in_a_map_costs_its_own_event_and_no_other() {
    for key in ["$serde_json::private::RawValue", "$serde_json::private::Number"] {
        for nested in [false, true] {
            let put = move |event: &mut Event| {
                if event.name().as_deref() != Some("odd") {
                    return;
                }
                let map = event.section_mut().as_map_mut();
                if nested {
                    map.insert("k".into(), json!([{ key: "v" }]));
                } else {
                    map.insert(key.into(), json!("v"));
                }
            };
            // In the call.
            let mut event = Event::from(track("odd"));
            put(&mut event);
            assert!(serde_json::to_string(&event).is_err(), "it is not written as if nothing was wrong");
            assert!(serde_json::to_string(event.section()).is_err());
            let said = send(plain(), event).unwrap_err();
            assert!(said.contains("properties.") && said.contains("serde_json"), "{said}");
            // In a plugin.
            let (destination, texts) = keeper();
            let (settings, failures) = with_failures(edits(put));
            let analytics = settings.plugin(destination).build().unwrap();
            for name in ["before", "odd", "behind"] {
                analytics.track(track(name).property("kept", 1)).unwrap();
            }
            analytics.close_blocking(SOON);
            let texts = texts.all();
            // An enrichment that breaks an event is rolled back.
            assert_eq!(texts.len(), 3, "{texts:?}");
            assert!(texts.iter().all(|text| text.contains(r#""kept":1"#) && !text.contains("serde_json")), "{texts:?}");
            let said = failures.all().iter().map(ToString::to_string).collect::<String>();
            assert!(said.contains("properties") && said.contains("edits"), "{said}");
        }
    }
}

#[test]
fn a_default_context_that_is_a_map_is_checked_where_it_is_set() {
    let mut context = Context::new();
    context.as_map_mut().insert("k".into(), json!({"$serde_json::private::RawValue": "1"}));
    let error = plain().context(context).build().unwrap_err().to_string();
    assert!(error.contains("context") && error.contains('k'), "{error}");
}

/// Accepted JSON is accepted again: it returns with the same length.
#[test]
fn what_was_accepted_is_accepted_again_at_the_limit() {
    for number in ["1E9", "1e2", "1.50", "-0", "100000000000000000000.0", "0.10000000000000001"] {
        let filler = |bytes: usize| {
            track("x")
                .message_id("m")
                .timestamp(std::time::UNIX_EPOCH)
                .property("k", raw(&format!("[{number}]")))
                .property("f", "x".repeat(bytes))
        };
        let largest = (32_000..33_000).rev().find_map(|bytes| send(plain(), filler(bytes).into()).ok()).unwrap();
        let again = from_str(&largest).unwrap();
        assert_eq!(send(plain(), again).map(|sent| sent.len()), Ok(largest.len()), "{number}");
        let value: Value = serde_json::from_str(&largest).unwrap();
        assert_eq!(send(plain(), Event::try_from(value).unwrap()).unwrap().len(), largest.len(), "{number}");
    }
}
