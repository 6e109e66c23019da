//! Plugins and layers that replace an event, keep it, or empty it.

use std::sync::Mutex;

use serde_json::{Value, json};
use tower::util::MapRequestLayer;
use tracklane::plugin::{Flow, Plugin, Registration, Transform, before, before_fn, enrichment, enrichment_fn};
use tracklane::{Analytics, BoxError, DropReason, Event, Outcome, Track};

use crate::support::{Arrived, SOON, recorder, track, with_failures};

/// An async plugin that awaits something and then calls the closure.
struct Later<F>(F);

impl<F: Send + Sync + 'static> Plugin for Later<F> {
    fn name(&self) -> &str {
        "plugin"
    }
}

impl<F: Fn(&mut Event) -> Result<Flow, BoxError> + Send + Sync + 'static> Transform for Later<F> {
    async fn transform(&self, event: &mut Event) -> Result<Flow, BoxError> {
        tokio::task::yield_now().await;
        let flow = (self.0)(event);
        tokio::task::yield_now().await;
        flow
    }
}

/// The work of a plugin on an event.
type Work = fn(&mut Event) -> Result<Flow, BoxError>;

/// The closure as a plugin of every form: whether it fails closed, and the plugin.
fn forms(work: Work) -> [(bool, Registration); 4] {
    [
        (true, before_fn("plugin", work)),
        (true, before(Later(work))),
        (false, enrichment_fn("plugin", work)),
        (false, enrichment(Later(work))),
    ]
}

fn with(plugins: impl IntoIterator<Item = Registration>) -> (Analytics, Arrived) {
    let (destination, arrived) = recorder("recorder");
    let builder = Analytics::builder().plugin(destination);
    (plugins.into_iter().fold(builder, |builder, plugin| builder.plugin(plugin)).build().unwrap(), arrived)
}

/// Sends one event through the plugin. Returns its outcome and the arrived events, and checks the counts.
fn one_through(plugin: Registration) -> (Outcome, Vec<Value>) {
    let (analytics, arrived) = with([plugin]);
    let end = analytics.send_with_receipt(track("original").message_id("m").property("kept", 1)).unwrap();
    assert_eq!(analytics.close_blocking(SOON).pending, 0);
    let stats = analytics.stats();
    assert_eq!((stats.accepted, stats.delivered + stats.dropped.total()), (1, 1));
    let end = end.wait();
    assert_eq!(end.message_id, "m");
    (end.outcome, arrived.all())
}

fn replace(event: &mut Event) -> Result<Flow, BoxError> {
    *event = Track::new("other").anonymous_id("a").message_id("another").into();
    Ok(Flow::Continue)
}

#[test]
fn another_event_in_its_place_is_the_same_event_with_other_content() {
    for (_, plugin) in forms(replace) {
        let (outcome, arrived) = one_through(plugin);
        assert_eq!(outcome, Outcome::Delivered);
        let event = &arrived[0];
        assert_eq!((&event["event"], &event["messageId"]), (&json!("other"), &json!("m")));
        assert_eq!((event.get("userId"), event.get("properties")), (None, None));
        assert!(event["timestamp"].is_string(), "it happened when the call was made: {event}");
    }
}

#[test]
fn the_old_event_may_be_kept_and_sent_in_the_place_of_a_later_one() {
    let kept = Mutex::new(Event::from(track("first")));
    let swap = move |event: &mut Event| std::mem::swap(event, &mut kept.lock().unwrap());
    let fail = |event: &mut Event| {
        event.set_name("half edited");
        Err::<(), _>("out of paper")
    };
    let (analytics, arrived) = with([enrichment_fn("swap", swap), enrichment_fn("fail", fail)]);
    let ids = ["1", "2", "3"];
    let ends = ids.map(|id| analytics.send_with_receipt(track(&format!("name {id}")).message_id(id)).unwrap());
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(ends.map(|end| end.wait().message_id), ids);
    assert_eq!(arrived.ids(), ids);
    assert_eq!(arrived.names(), ["first", "name 1", "name 2"], "as they were before the plugin that failed");
}

#[test]
fn a_plugin_that_replaces_the_event_and_fails_has_replaced_nothing() {
    let failures: [Work; 3] = [
        |event| {
            *event = track("other").property("load", f64::NAN).into();
            Ok(Flow::Continue)
        },
        |event| {
            event.set_name("half edited");
            replace(event).and(Err("out of paper".into()))
        },
        |event| {
            drop(std::mem::replace(event, track("other").into()));
            panic!("out of paper")
        },
    ];
    for failure in failures {
        for (fails_closed, plugin) in forms(failure) {
            let (outcome, arrived) = one_through(plugin);
            if fails_closed {
                assert_eq!((outcome, arrived.len()), (Outcome::Dropped(DropReason::BeforeFailed), 0));
                continue;
            }
            assert_eq!(outcome, Outcome::Delivered);
            assert_eq!((&arrived[0]["event"], &arrived[0]["userId"]), (&json!("original"), &json!("u1")));
            assert_eq!(arrived[0]["properties"], json!({"kept": 1}));
        }
    }
}

#[test]
fn each_plugin_that_fails_takes_back_what_it_did_and_no_more() {
    let add = |key: &'static str| move |event: &mut Event| drop(event.section_mut().insert(key, true));
    let fail = |event: &mut Event| {
        event.section_mut().insert("failed", true);
        event.section_mut().as_map_mut().remove("kept");
        Err::<(), _>("out of paper")
    };
    let later_fail = move |event: &mut Event| fail(event).map(|()| Flow::Continue).map_err(BoxError::from);
    let (analytics, arrived) = with([
        before_fn("a", add("a")),
        enrichment_fn("b", add("b")),
        enrichment_fn("looks", |event: &mut Event| assert_eq!(event.kind().as_str(), "track")),
        enrichment_fn("fails", fail),
        enrichment_fn("fails too", fail),
        enrichment_fn("c", add("c")),
        enrichment(Later(later_fail)),
        enrichment_fn("d", add("d")),
        enrichment_fn("fails at last", fail),
    ]);
    analytics.track(track("x").property("kept", 1)).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(arrived.all()[0]["properties"], json!({"kept": 1, "a": true, "b": true, "c": true, "d": true}));
}

#[test]
fn a_drop_stays_a_drop_whatever_was_written_before() {
    let refuse = |event: &mut Event| {
        event.section_mut().insert("load", f64::NAN);
        Ok(Flow::drop("no consent"))
    };
    for (_, plugin) in forms(refuse) {
        assert_eq!(one_through(plugin), (Outcome::Dropped(DropReason::Plugin), Vec::new()));
    }
}

#[test]
fn all_in_small_letters_is_taken_for_all_whoever_writes_it() {
    fn only_vero(event: &mut Event) {
        event.integrations_mut().insert("all", false);
        event.integrations_mut().insert("Vero", true);
    }
    let selected = |settings: tracklane::Builder, event: Event| {
        let (vero, to_vero) = recorder("Vero");
        let (other, to_other) = recorder("other");
        let analytics = settings.plugin(vero).plugin(other).build().unwrap();
        analytics.send(event).unwrap();
        assert!(analytics.close_blocking(SOON).is_complete());
        assert_eq!(to_vero.all()[0]["integrations"], json!({"All": false, "Vero": true}));
        assert_eq!(to_other.len(), 0);
    };
    let settings = Analytics::builder;
    let looks = |event: &mut Event| {
        let all = event.integrations().and_then(|integrations| integrations.get("All"));
        assert_eq!(all, Some(json!(false)), "the plugins that follow see it as it is sent");
    };
    for (_, plugin) in forms(|event| {
        only_vero(event);
        Ok(Flow::Continue)
    }) {
        selected(settings().plugin(plugin).plugin(enrichment_fn("looks", looks)), track("x").into());
    }
    let layer = MapRequestLayer::new(|mut event: Event| {
        only_vero(&mut event);
        event
    });
    selected(settings().layer(layer), track("x").into());
    let mut event = Event::from(track("x"));
    only_vero(&mut event);
    selected(settings(), event);
}

#[test]
fn a_layer_that_passes_on_another_event_has_dropped_the_one_it_got() {
    let others: [fn(Event) -> Event; 2] = [|event| event.clone(), |_| track("other").into()];
    for (other, name) in others.into_iter().zip(["original", "other"]) {
        let (destination, arrived) = recorder("recorder");
        let settings = Analytics::builder().plugin(destination).layer(MapRequestLayer::new(other));
        let analytics = settings.build().unwrap();
        let original = analytics.send_with_receipt(track("original")).unwrap();
        assert_eq!(original.wait().outcome, Outcome::Dropped(DropReason::Middleware));
        // The other one is accepted behind that, and a closed client would refuse it.
        assert_eq!(arrived.wait_for(1)[0]["event"], name);
        assert_eq!(analytics.close_blocking(SOON).pending, 0);
        let stats = analytics.stats();
        assert_eq!((stats.accepted, stats.delivered, stats.dropped.total()), (2, 1, 1));
    }
}

#[test]
fn what_a_layer_makes_unfit_to_be_sent_reaches_no_plugin() {
    let (destination, arrived) = recorder("recorder");
    let layer = MapRequestLayer::new(|mut event: Event| {
        if event.name().as_deref() == Some("bad") {
            event.section_mut().insert("load", f64::NAN);
        }
        event
    });
    let plugin = before_fn("plugin", |event: &mut Event| assert_ne!(event.name().as_deref(), Some("bad")));
    let settings = Analytics::builder().plugin(destination).plugin(plugin).layer(layer);
    let (settings, failures) = with_failures(settings);
    let analytics = settings.build().unwrap();
    let bad = analytics.send_with_receipt(track("bad")).unwrap();
    analytics.track(track("good")).unwrap();
    assert_eq!(analytics.close_blocking(SOON).pending, 0);
    assert_eq!(bad.wait().outcome, Outcome::Dropped(DropReason::Middleware));
    assert_eq!(arrived.names(), ["good"]);
    let failures = failures.wait_for(1);
    assert_eq!((failures.len(), failures[0].dropped), (1, Some(DropReason::Middleware)));
    assert!(failures[0].message.contains("properties.load is NaN"), "{}", failures[0]);
}
