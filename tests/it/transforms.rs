//! All forms of before and enrichment plugins: closures, tower services and layers, traits. Also the direct pipeline.

use std::convert::Infallible;

use serde_json::json;
use tower::util::MapRequestLayer;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_service::Service as _;
use tracklane::plugin::Registration;
use tracklane::plugin::{
    Flow, Plugin, Transform, before, before_fn, before_service, enrichment, enrichment_fn, enrichment_layer,
    enrichment_service,
};
use tracklane::{Alias, Analytics, BoxError, CallError, DropReason, Event, Group, Kind, Outcome, Page, Stopped};

use crate::support::{Arrived, SOON, recorder, track};

fn with(plugins: impl IntoIterator<Item = Registration>) -> (Analytics, Arrived) {
    let (destination, arrived) = recorder("recorder");
    let builder = Analytics::builder().plugin(destination);
    (plugins.into_iter().fold(builder, |builder, plugin| builder.plugin(plugin)).build().unwrap(), arrived)
}

/// The sample of Segment's Node document: an enrichment plugin that writes event names in lower case.
mod sample {
    use super::*;

    struct Lowercase;

    #[rustfmt::skip]
    impl Plugin for Lowercase {
        fn name(&self) -> &str { "Lowercase events" }
    }

    impl Transform for Lowercase {
        async fn transform(&self, event: &mut Event) -> Result<Flow, BoxError> {
            event.set_name(&event.name().unwrap_or_default().to_lowercase());
            Ok(Flow::Continue)
        }
    }

    #[test]
    fn it_lowers_the_names_of_tracked_events_only() {
        let closure = enrichment_fn("Lowercase events", |event: &mut Event| {
            event.set_name(&event.name().unwrap_or_default().to_lowercase());
        });
        for plugin in [enrichment(Lowercase), closure] {
            let (analytics, arrived) = with([plugin.only([Kind::Track])]);
            analytics.track(track("Item PURCHASED")).unwrap();
            analytics.page(Page::new("Pricing").user_id("u")).unwrap();
            assert!(analytics.close_blocking(SOON).is_complete());
            let events = arrived.all();
            assert_eq!((&events[0]["event"], &events[1]["name"]), (&json!("item purchased"), &json!("Pricing")));
        }
    }
}

#[test]
fn a_closure_returns_nothing_a_flow_or_a_result() {
    let plugins = [
        before_fn("nothing", |event: &mut Event| {
            event.section_mut().insert("1", 1);
        }),
        before_fn("flow", |event: &mut Event| match event.name().as_deref() {
            Some("secret") => Flow::drop("no consent"),
            _ => Flow::Continue,
        }),
        enrichment_fn("result of nothing", |event: &mut Event| {
            let age: u32 = event.section().get_str("age").ok_or("no age")?.parse()?;
            event.section_mut().insert("age", age);
            Ok::<_, BoxError>(())
        }),
        enrichment_fn("result of a flow", |event: &mut Event| match event.name().as_deref() {
            Some("bot") => Ok(Flow::drop("a bot")),
            Some("odd") => Err("odd"),
            _ => Ok(Flow::Continue),
        }),
    ];
    let (analytics, arrived) = with(plugins);
    let dropped = ["secret", "bot"].map(|name| analytics.send_with_receipt(track(name)).unwrap());
    analytics.track(track("good").property("age", "42")).unwrap();
    analytics.track(track("odd")).unwrap();
    let report = analytics.close_blocking(SOON);
    assert_eq!(report.pending, 0);
    for end in dropped.map(tracklane::Receipt::wait) {
        assert_eq!(end.outcome, Outcome::Dropped(DropReason::Plugin));
        assert!(end.destinations.is_empty(), "no destination saw it");
    }
    assert_eq!(arrived.names(), ["good", "odd"]);
    assert_eq!(arrived.all()[0]["properties"], json!({"1": 1, "age": 42}));
    assert_eq!(analytics.stats().dropped.get(DropReason::Plugin), 2);
}

#[test]
fn plugins_run_in_order_before_first_each_on_what_the_last_one_made() {
    let append = |letter: &'static str| {
        move |event: &mut Event| event.set_name(&format!("{}{letter}", event.name().unwrap_or_default()))
    };
    let slow = |letter: &'static str| {
        service_fn(move |mut event: Event| async move {
            tokio::task::yield_now().await;
            append(letter)(&mut event);
            Ok::<_, Infallible>(event)
        })
    };
    let (analytics, arrived) = with([
        enrichment_fn("3", append("c")),
        before_fn("1", append("a")),
        enrichment_service("4", slow("d")),
        before_service("2", slow("b")),
        enrichment_fn("5", append("e")),
    ]);
    analytics.track(track("")).unwrap_err();
    analytics.track(track("-")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(arrived.names(), ["-abcde"]);
}

#[test]
fn any_tower_service_or_layer_is_a_plugin() {
    let service = ServiceBuilder::new().concurrency_limit(1).service(service_fn(|mut event: Event| async move {
        match event.name().as_deref() {
            Some("bad") => Err("out of paper"),
            _ => {
                event.section_mut().insert("service", true);
                Ok(event)
            }
        }
    }));
    let layer = MapRequestLayer::new(|mut event: Event| {
        event.context_mut().insert("layer", true);
        event
    });
    let (analytics, arrived) = with([enrichment_service("s", service.clone()), enrichment_layer("l", layer)]);
    let good = analytics.send_with_receipt(track("good").message_id("m")).unwrap();
    analytics.track(track("bad")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(good.wait().message_id, "m", "whoever waits for the event still does");
    let events = arrived.all();
    assert_eq!((&events[0]["properties"]["service"], &events[0]["context"]["layer"]), (&json!(true), &json!(true)));
    assert_eq!(events[1].get("properties"), None, "fails open");

    let (analytics, arrived) = with([before_service("s", service)]);
    analytics.track(track("bad")).unwrap();
    analytics.track(track("good")).unwrap();
    analytics.close_blocking(SOON);
    assert_eq!(arrived.names(), ["good"], "fails closed");
}

/// Removes the user id, and for "nobody" the anonymous id, too.
struct Forget;

impl Plugin for Forget {
    fn name(&self) -> &str {
        "forget"
    }
}

impl Transform for Forget {
    async fn transform(&self, event: &mut Event) -> Result<Flow, BoxError> {
        event.set_user_id("");
        if event.name().as_deref() == Some("nobody") {
            event.set_anonymous_id("");
        }
        event.set_timestamp(std::time::UNIX_EPOCH);
        Ok(Flow::Continue)
    }
}

#[test]
fn a_plugin_may_take_ids_away_but_not_all_and_never_the_identity_of_the_event() {
    let (analytics, arrived) = with([before(Forget)]);
    analytics.track(track("x").anonymous_id("a").message_id("m")).unwrap();
    let nobody = analytics.send_with_receipt(track("nobody").anonymous_id("a")).unwrap();
    analytics.close_blocking(SOON);
    assert_eq!(nobody.wait().outcome, Outcome::Dropped(DropReason::Invalid), "Segment would discard it in silence");
    assert_eq!(arrived.names(), ["x"]);
    let event = &arrived.all()[0];
    assert_eq!((event.get("userId"), &event["anonymousId"], &event["messageId"]), (None, &json!("a"), &json!("m")));
    assert_eq!(event["timestamp"], "1970-01-01T00:00:00.000Z");
}

#[test]
fn a_plugin_reaches_every_field_that_it_can_read() {
    let redact = before_fn("redact", |event: &mut Event| {
        let hidden = |_: std::borrow::Cow<'_, str>| "hidden".to_owned();
        if let Some(category) = event.category().map(hidden) {
            event.set_category(&category);
        }
        if let Some(group) = event.group_id().map(hidden) {
            event.set_group_id(&group);
        }
        if let Some(previous) = event.previous_id().map(hidden) {
            event.set_previous_id(&previous);
        }
        if event.name().as_deref() == Some("no category") {
            event.set_category("");
        }
    });
    let (analytics, arrived) = with([redact]);
    analytics.page(Page::new("x").category("secret").user_id("u")).unwrap();
    analytics.page(Page::new("no category").category("secret").user_id("u")).unwrap();
    analytics.group(Group::new("secret").user_id("u")).unwrap();
    analytics.alias(Alias::new("secret", "u")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    let field = |event: usize, field: &str| arrived.all()[event].get(field).cloned();
    let hidden = Some(json!("hidden"));
    assert_eq!([field(0, "category"), field(2, "groupId"), field(3, "previousId")], [&hidden; 3].map(Clone::clone));
    assert_eq!(field(1, "category"), None);
}

#[test]
fn an_event_that_plugins_make_too_large_is_dropped_and_named() {
    let grow = enrichment_fn("grow", |event: &mut Event| {
        if event.name().as_deref() == Some("big") {
            event.section_mut().insert("filler", "x".repeat(40_000));
        }
    });
    let (analytics, arrived) = with([grow]);
    let big = analytics.send_with_receipt(track("big")).unwrap();
    analytics.track(track("small")).unwrap();
    analytics.close_blocking(SOON);
    assert_eq!(big.wait().outcome, Outcome::Dropped(DropReason::TooLarge));
    assert_eq!(arrived.names(), ["small"]);
}

#[test]
fn the_pipeline_can_be_driven_by_hand() {
    let stop = before_fn("stop", |event: &mut Event| match event.name().as_deref() {
        Some("stop") => Flow::drop("told to"),
        _ => Flow::Continue,
    });
    let (analytics, arrived) = with([stop]);
    let mut pipeline = analytics.pipeline();
    // The plugins that the settings name are loaded by then.
    analytics.track(track("first")).unwrap();
    assert!(analytics.flush_blocking(SOON).is_complete());
    pollster::block_on(async {
        let ready = pipeline.ready().await.unwrap();
        ready.call(track("by hand").message_id("m").into()).await.unwrap();
        let error = ready.call(track("stop").into()).await.unwrap_err();
        assert_eq!(error.downcast::<Stopped>().unwrap().reason, DropReason::Plugin);
        let error = analytics.pipeline().oneshot(track("").into()).await.unwrap_err();
        assert!(error.downcast::<CallError>().unwrap().is_invalid());
    });
    let report = analytics.close_blocking(SOON);
    assert_eq!(report.pending, 0);
    assert_eq!(arrived.ids()[1], "m");
    let stats = analytics.stats();
    assert_eq!((stats.accepted, stats.refused, stats.delivered, stats.dropped.total()), (3, 1, 2, 1));
    let error = pollster::block_on(analytics.pipeline().oneshot(track("late").into())).unwrap_err();
    assert!(error.downcast::<CallError>().unwrap().is_closed());
}
