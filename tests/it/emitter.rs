//! The signals: their content, their listeners, and how often they are emitted.

use std::sync::Mutex;
use std::sync::mpsc;

use pollster::block_on;
use tracklane::plugin::{Role, enrichment_fn};
use tracklane::signal::{self, Emitted};
use tracklane::testing::Reply;
use tracklane::{Alias, Analytics, Builder, DropReason, Event, Group, Identify, Page, Screen};

use crate::support::{Log, SOON, api, client, eventually, quick_retries, recorder, segment, track};

fn local() -> Analytics {
    Analytics::builder().plugin(recorder("r").0).build().unwrap()
}

fn logged<S: signal::Signal>(builder: Builder, signal: S) -> (Builder, Log<S::Payload>)
where
    S::Payload: Clone + Send + 'static,
{
    let heard = Log::new();
    let log = heard.clone();
    (builder.on(signal, move |payload: &S::Payload| log.push(payload.clone())), heard)
}

#[test]
fn each_call_is_told_as_it_was_accepted() {
    let analytics = local();
    let heard: Log<(&'static str, String)> = Log::new();
    for name in ["track", "identify", "page", "screen", "group", "alias"] {
        let log = heard.clone();
        let listener = move |emitted: &Emitted| {
            let (Emitted::Track(event)
            | Emitted::Identify(event)
            | Emitted::Page(event)
            | Emitted::Screen(event)
            | Emitted::Group(event)
            | Emitted::Alias(event)) = emitted
            else {
                panic!("{}", emitted.name())
            };
            assert_eq!(event.kind().as_str(), name);
            log.push((emitted.name(), event.message_id().into_owned()));
        };
        analytics.on_name(name, listener).unwrap();
    }
    let six: [Event; 6] = [
        track("x").message_id("track").into(),
        Identify::new().user_id("u").message_id("identify").into(),
        Page::new("x").user_id("u").message_id("page").into(),
        Screen::new("x").user_id("u").message_id("screen").into(),
        Group::new("g").user_id("u").message_id("group").into(),
        Alias::new("p", "u").message_id("alias").into(),
    ];
    for event in six {
        analytics.send(event).unwrap();
    }
    analytics.track(track("")).unwrap_err();
    assert!(analytics.close_blocking(SOON).is_complete());
    let heard = heard.wait_for(6);
    assert_eq!(heard.len(), 6);
    assert!(heard.iter().all(|(signal, id)| signal == id), "{heard:?}");
}

#[test]
fn requests_responses_flushes_and_errors_are_told_without_secrets() {
    let api = api();
    api.script([Reply::status(500), Reply::reset()]);
    let settings = Analytics::builder().segment(segment(&api).retry(quick_retries(5)).flush_at(2));
    let (settings, requests) = logged(settings, signal::HttpRequest);
    let (settings, responses) = logged(settings, signal::HttpResponse);
    let (settings, flushes) = logged(settings, signal::Flush);
    let (settings, errors) = logged(settings, signal::Error);
    let analytics = settings.build().unwrap();
    analytics.track(track("secret name")).unwrap();
    analytics.track(track("x")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());

    let requests = requests.wait_for(3);
    let body = api.requests()[0].body().len();
    let url = format!("{}/v1/batch", api.url());
    for (at, request) in requests.iter().enumerate() {
        assert_eq!((request.method.as_str(), &*request.url), ("POST", url.as_str()));
        assert_eq!((request.events, request.bytes, request.attempt), (2, body, at as u32 + 1));
        assert!(request.headers.iter().any(|name| name == "authorization"), "its name, and not its value");
    }
    let responses = responses.wait_for(3);
    let told: Vec<_> = responses.iter().map(|one| (one.attempt, one.events, one.status.map(|s| s.as_u16()))).collect();
    assert_eq!(told, [(1, 2, Some(500)), (2, 2, None), (3, 2, Some(200))]);
    let flushes = flushes.wait_for(1);
    let flush = &flushes[0];
    assert_eq!((&*flush.destination, flush.events, flush.attempts, flush.delivered), ("Segment.io", 2, 3, true));
    assert!(flush.bytes < body && flush.bytes > 2 * 100);
    let errors = errors.wait_for(1);
    assert_eq!((&*errors[0].origin, errors[0].events, errors[0].dropped), ("Segment.io", 2, None));
    assert_eq!(errors[0].status().unwrap().as_u16(), 500);
    assert_eq!(errors.len(), 1, "one report until it works again");

    let everything = format!("{requests:?} {responses:?} {flushes:?} {errors:?} {}", errors[0]);
    for secret in ["WRITE_KEY", "V1JJVEVfS0VZOg", "secret name", "u1"] {
        assert!(!everything.contains(secret), "{secret} in {everything}");
    }
}

#[test]
fn a_batch_that_is_dropped_is_an_error_and_a_flush() {
    let api = api();
    api.script([Reply::status(401)]);
    let (settings, flushes) = logged(client(&api), signal::Flush);
    let (settings, errors) = logged(settings, signal::Error);
    let analytics = settings.build().unwrap();
    analytics.track(track("x")).unwrap();
    assert_eq!(analytics.close_blocking(SOON).failed, 1);
    let flush = &flushes.wait_for(1)[0];
    assert_eq!((flush.delivered, flush.attempts, flush.events), (false, 1, 1));
    let error = &errors.wait_for(1)[0];
    assert_eq!((error.dropped, error.status().unwrap().as_u16()), (Some(DropReason::Unauthorized), 401));
    assert!(error.to_string().contains("401"), "{error}");
}

#[test]
fn plugins_that_come_and_go_are_told() {
    let (settings, came) = logged(Analytics::builder().plugin(recorder("r").0), signal::Register);
    let (settings, went) = logged(settings, signal::Deregister);
    let (settings, ready) = logged(settings, signal::Initialize);
    let analytics = settings.build().unwrap();
    block_on(analytics.register(enrichment_fn("e", |_: &mut Event| ()))).unwrap();
    block_on(analytics.register(enrichment_fn("e", |_: &mut Event| ()))).unwrap_err();
    block_on(analytics.deregister("e")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    let told = |log: &Log<signal::PluginInfo>, n| {
        log.wait_for(n).iter().map(|plugin| (plugin.name.to_string(), plugin.role)).collect::<Vec<_>>()
    };
    assert_eq!(told(&came, 2), [("r".to_owned(), Role::Destination), ("e".to_owned(), Role::Enrichment)]);
    assert_eq!(told(&went, 2), [("e".to_owned(), Role::Enrichment), ("r".to_owned(), Role::Destination)]);
    assert_eq!(ready.wait_for(1).len(), 1);
    assert_eq!(ready.all()[0].plugins.iter().map(|name| &**name).collect::<Vec<_>>(), ["r"]);
}

#[test]
fn drained_and_call_after_close_are_told() {
    let (settings, drained) = logged(Analytics::builder().plugin(recorder("r").0), signal::Drained);
    let (settings, late) = logged(settings, signal::CallAfterClose);
    let analytics = settings.build().unwrap();
    analytics.track(track("1")).unwrap();
    assert!(analytics.flush_blocking(SOON).is_complete());
    assert_eq!(drained.wait_for(1)[0].accepted, 1);
    assert!(analytics.close_blocking(SOON).is_complete());
    analytics.track(track("late").message_id("m")).unwrap_err();
    assert_eq!(late.wait_for(1)[0].message_id(), "m");
}

#[test]
fn events_that_a_plugin_drops_drain_the_client_too() {
    let drop = tracklane::plugin::before_fn("drop", |_: &mut Event| tracklane::plugin::Flow::drop("all"));
    let (settings, drained) = logged(Analytics::builder().plugin(drop), signal::Drained);
    // The flush counts what has no outcome when it begins, and nothing has before this client is driven.
    let analytics = settings.driven(|_| std::future::pending::<()>()).build().unwrap();
    analytics.track(track("1")).unwrap();
    let flushed = block_on(analytics.flush(SOON));
    assert_eq!((flushed.dropped, flushed.failed), (1, 0), "it was asked for");
    assert_eq!(drained.wait_for(1)[0].accepted, 1);
}

#[test]
fn once_is_once_and_unsubscribed_is_never() {
    let analytics = local();
    let (once, never, always) = (Log::new(), Log::new(), Log::new());
    let (a, b, c) = (once.clone(), never.clone(), always.clone());
    analytics.once(signal::Track, move |event| a.push(event.name().unwrap().into_owned()));
    let subscription = analytics.on(signal::Track, move |_| b.push(()));
    subscription.unsubscribe();
    drop(analytics.on(signal::Track, move |_| c.push(())));
    for name in ["1", "2", "3"] {
        analytics.track(track(name)).unwrap();
    }
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(always.wait_for(3).len(), 3, "to drop the subscription ends nothing");
    assert_eq!((once.all(), never.len()), (vec!["1".to_owned()], 0));
}

#[test]
fn a_name_that_is_no_signal_is_an_error_with_those_that_are() {
    let error = local().on_name("eror", |_| ()).unwrap_err();
    assert_eq!(error.name, "eror");
    let said = error.to_string();
    assert!(said.starts_with("there is no signal \"eror\"; there are error, track, identify,"), "{said}");
    let names = [
        "error",
        "track",
        "identify",
        "page",
        "screen",
        "group",
        "alias",
        "flush",
        "http_request",
        "http_response",
        "register",
        "deregister",
        "call_after_close",
        "initialize",
        "drained",
        "lost",
    ];
    assert_eq!(Emitted::NAMES, names);
}

#[test]
fn a_slow_listener_misses_the_oldest_and_they_are_counted() {
    let analytics = local();
    let (release, held) = mpsc::channel::<()>();
    let (held, heard) = (Mutex::new(held), Log::new());
    let log = heard.clone();
    let subscription = analytics.on(signal::Track, move |event| {
        log.push(event.name().unwrap().into_owned());
        let _ = held.lock().unwrap().recv();
    });
    analytics.track(track("first")).unwrap();
    heard.wait_for(1);
    for number in 0..1_100 {
        analytics.track(track(&number.to_string())).unwrap();
    }
    assert!(analytics.flush_blocking(SOON).is_complete(), "nobody waits for it");
    assert_eq!(subscription.missed(), 1_100 - 1_024);
    drop(release);
    let heard = heard.wait_for(1_025);
    assert_eq!((heard.len(), heard[1].as_str(), heard[1_024].as_str()), (1_025, "76", "1099"));
}

#[test]
fn a_subscription_that_ended_takes_nothing_more() {
    let analytics = local();
    let heard = Log::new();
    let log = heard.clone();
    let subscription = analytics.on(signal::Track, move |_| log.push(()));
    analytics.track(track("1")).unwrap();
    eventually("the first is heard", || heard.len() == 1);
    subscription.unsubscribe();
    analytics.track(track("2")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(heard.len(), 1);
}

#[test]
fn signals_can_be_subscribed_to_by_name_before_the_client_is_built() {
    let (all, first) = (Log::new(), Log::new());
    let (every, one, typed) = (all.clone(), first.clone(), first.clone());
    let settings = Analytics::builder().plugin(recorder("r").0);
    let settings = settings.on_name("track", move |emitted: &Emitted| every.push(emitted.to_string()));
    let settings = settings.once_name("track", move |emitted: &Emitted| one.push(emitted.name()));
    let analytics = settings.once(signal::Track, move |_| typed.push("typed")).build().unwrap();
    let late = Log::new();
    let once = late.clone();
    let _ = analytics.once_name("drained", move |emitted: &Emitted| once.push(emitted.to_string())).unwrap();
    for id in ["1", "2"] {
        analytics.track(track("secret name").message_id(id)).unwrap();
        assert!(analytics.flush_blocking(SOON).is_complete());
    }
    assert!(analytics.close_blocking(SOON).is_complete());
    assert_eq!(all.wait_for(2), ["track: 1 was accepted", "track: 2 was accepted"]);
    let mut first = first.wait_for(2);
    first.sort_unstable();
    assert_eq!(first, ["track", "typed"], "once each");
    assert_eq!(late.wait_for(1).len(), 1);
    assert!(late.all()[0].starts_with("drained: nothing is pending of "), "{:?}", late.all());
}

#[test]
fn a_name_that_no_signal_has_is_an_error_that_lists_them() {
    let said = "there is no signal \"eror\"; there are error, track, identify";
    let analytics = local();
    for error in [analytics.on_name("eror", |_| ()).unwrap_err(), analytics.once_name("eror", |_| ()).unwrap_err()] {
        assert!(error.to_string().starts_with(said), "{error}");
    }
    for settings in [Analytics::builder().on_name("eror", |_| ()), Analytics::builder().once_name("eror", |_| ())] {
        let error = settings.build().unwrap_err();
        assert_eq!(error.setting(), "on_name");
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn what_is_told_displays_in_one_line_in_the_singular_and_plural() {
    let api = api();
    api.script([Reply::status(500)]);
    let segment = segment(&api).retry(quick_retries(5)).flush_at(2).max_in_flight(1);
    let said: Log<String> = Log::new();
    let mut settings = Analytics::builder().segment(segment).plugin(enrichment_fn("marks", |_: &mut Event| ()));
    for name in Emitted::NAMES {
        let log = said.clone();
        settings = settings.on_name(name, move |emitted| log.push(emitted.to_string()));
    }
    let analytics = settings.build().unwrap();
    analytics.track(track("secret name").message_id("1")).unwrap();
    analytics.track(track("secret name").message_id("2")).unwrap();
    assert!(analytics.flush_blocking(SOON).is_complete());
    analytics.alias(Alias::new("old", "new")).unwrap();
    assert!(analytics.close_blocking(SOON).is_complete());
    analytics.track(track("late").message_id("3")).unwrap_err();
    let url = format!("{}/v1/batch", api.url());
    for expected in [
        "register: \"Segment.io\", a plugin in the role destination".to_owned(),
        "register: \"marks\", a plugin in the role enrichment".to_owned(),
        "initialize: 2 plugins registered: marks, Segment.io".to_owned(),
        "track: 1 was accepted".to_owned(),
        "call_after_close: track 3 was refused".to_owned(),
        "deregister: \"marks\", a plugin in the role enrichment".to_owned(),
    ] {
        eventually(&expected, || said.all().contains(&expected));
    }
    for (start, end) in [
        (format!("http_request: POST {url} with 2 events in "), " bytes, attempt 2"),
        (format!("http_request: POST {url} with 1 event in "), " bytes, attempt 1"),
        (format!("http_response: 500 Internal Server Error from {url} after "), " to 2 events, attempt 1"),
        ("flush: Segment.io: 2 events in ".to_owned(), " bytes delivered after 2 attempts"),
        ("flush: Segment.io: 1 event in ".to_owned(), " bytes delivered after 1 attempt"),
        ("drained: nothing is pending of 3 accepted events".to_owned(), ""),
        ("error: Segment.io: ".to_owned(), ""),
    ] {
        eventually(&start, || said.all().iter().any(|line| line.starts_with(&start) && line.ends_with(end)));
    }
    assert!(said.all().iter().all(|line| !line.contains("secret name") && !line.contains('\n')), "{:?}", said.all());
}
