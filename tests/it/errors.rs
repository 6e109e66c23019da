//! Every public error displays itself once, returns its cause from `source()`, and suggests a remedy if there is one.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use pollster::block_on;
use tracklane::event::{Event, InvalidEvent, InvalidField, InvalidTimestamp};
use tracklane::plugin::{Answer, Batch, Destination, Flow, RetryPolicy, Verdict, before_fn, utility};
use tracklane::segment::Segment;
use tracklane::testing::{ExpectError, Expectation, Reply, TrackingApi};
use tracklane::transport::DefaultClient;
use tracklane::{
    Analytics, BlockingError, BoxError, CallError, DeliveryError, RefusalReason, SettingsErrorKind, Stopped, global,
};

use crate::support::{SOON, recorder, track};

/// An error with a cause, as user code makes them.
#[derive(Debug, thiserror::Error)]
#[error("no paper")]
struct NoPaper(#[source] std::io::Error);

fn no_paper() -> NoPaper {
    NoPaper(std::io::Error::other("the tray is empty"))
}

/// The error and its causes, from the outermost on.
fn chain(error: &(dyn Error + 'static)) -> Vec<String> {
    let (mut texts, mut next) = (Vec::new(), Some(error));
    while let Some(error) = next {
        texts.push(error.to_string());
        next = error.source();
    }
    texts
}

/// A client without retries whose destination fails like this, for calls that wait.
fn failing(answer: impl Fn() -> Result<Answer, BoxError> + Send + Sync + 'static) -> tracklane::BlockingAnalytics {
    let answer = Arc::new(answer);
    let destination = Destination::from_fn("printer", move |_: Batch| {
        let answer = answer();
        async move { answer }
    });
    let destination = destination.retry(RetryPolicy::new().max_retries(0));
    Analytics::builder().plugin(destination).build().unwrap().blocking(SOON)
}

fn delivery_error(answer: impl Fn() -> Result<Answer, BoxError> + Send + Sync + 'static) -> Arc<DeliveryError> {
    match failing(answer).send(track("x")).unwrap_err() {
        BlockingError::Lost(end) => end.destinations[0].error.clone().unwrap(),
        other => panic!("{other}"),
    }
}

struct Fails(&'static str);

impl tracklane::plugin::Plugin for Fails {
    fn name(&self) -> &str {
        "printer"
    }

    async fn load(&self, _: &tracklane::plugin::Host) -> Result<(), BoxError> {
        if self.0 == "load" { Err(no_paper().into()) } else { Ok(()) }
    }

    async fn unload(&self) -> Result<(), BoxError> {
        Err(no_paper().into())
    }
}

fn register_errors() -> [Box<dyn Error>; 2] {
    let analytics = Analytics::builder().build().unwrap();
    let load = block_on(analytics.register(utility(Fails("load")))).unwrap_err();
    block_on(analytics.register(utility(Fails("unload")))).unwrap();
    [load.into(), block_on(analytics.deregister("printer")).unwrap_err().into()]
}

fn send_error() -> Box<dyn Error + Send + Sync> {
    let request = http::Request::post("http://127.0.0.1:9/").body(tracklane::transport::Body::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = DefaultClient::plaintext().unwrap();
    runtime.block_on(async { tower::ServiceExt::oneshot(client, request).await }).unwrap_err()
}

fn stopped() -> Box<dyn Error> {
    let plugin = before_fn("nobody", |_: &mut Event| Flow::drop("nobody passes"));
    let analytics = Analytics::builder().plugin(plugin).plugin(recorder("r").0).build().unwrap();
    let stopped = block_on(tower::ServiceExt::oneshot(analytics.pipeline(), track("x").into())).unwrap_err();
    Box::new(stopped.downcast::<Stopped>().unwrap().as_ref().clone())
}

#[cfg(feature = "oauth")]
fn token_error() -> Box<dyn Error> {
    use tracklane::segment::{OAuth, TokenError};

    // Nobody listens there.
    let key = include_str!("fixtures/oauth/private.pkcs8.pem");
    let oauth = OAuth::new("client", key, "id").auth_server("http://127.0.0.1:9").max_retries(0);
    let api = TrackingApi::start().unwrap();
    let segment = Segment::new("k").host(api.url()).oauth(oauth).retry(RetryPolicy::new().max_retries(0));
    let client = Analytics::builder().segment(segment).build().unwrap().blocking(SOON);
    let BlockingError::Lost(end) = client.send(track("x")).unwrap_err() else { panic!("it was not lost") };
    let error = end.destinations[0].error.clone().unwrap();
    Box::new(error.source().unwrap().downcast_ref::<TokenError>().unwrap().clone())
}

/// Each public error type, with a cause where it can have one.
fn all() -> Vec<(&'static str, Box<dyn Error>)> {
    let invalid = || Event::try_from(serde_json::json!(7)).unwrap_err();
    let [load, unload] = register_errors();
    let lost = || failing(|| Err(no_paper().into())).send(track("x")).unwrap_err();
    let hangs = Destination::from_fn("printer", |_: Batch| std::future::pending::<Result<(), BoxError>>());
    let hangs = Analytics::builder().plugin(hangs).build().unwrap().blocking(Duration::from_millis(50));
    let refused = || Analytics::builder().build().unwrap().track(tracklane::Track::new("x")).unwrap_err();
    let agent = Segment::new("k").user_agent("two\nlines").build().unwrap_err();
    vec![
        ("BlockingError", Box::new(lost())),
        ("BlockingError", Box::new(hangs.send(track("x")).unwrap_err())),
        ("BlockingError", Box::new(BlockingError::from(refused()))),
        ("CallError", Box::new(refused())),
        ("GlobalError", Box::new(global::GlobalError::NotInitialized)),
        ("GlobalError", Box::new(global::GlobalError::from(refused()))),
        ("ExpectError", Box::new(unmet())),
        ("InvalidEvent", Box::new(invalid())),
        ("InvalidEvent", Box::new(InvalidEvent::from("soon".parse::<tracklane::event::Timestamp>().unwrap_err()))),
        ("InvalidExpectation", invalid_expectation()),
        ("InvalidField", Box::new(InvalidField::MessageIdTooLong { chars: 100 })),
        ("InvalidTimestamp", Box::new("soon".parse::<tracklane::event::Timestamp>().unwrap_err())),
        ("NotMet", not_met()),
        ("RefusalReason", Box::new(RefusalReason::Invalid(InvalidField::TooLarge { bytes: 40_000 }))),
        ("RegisterError", load),
        ("RegisterError", unload),
        ("SendError", send_error() as Box<dyn Error>),
        ("SettingsError", Box::new(agent)),
        ("Stopped", stopped()),
        #[cfg(feature = "oauth")]
        ("TokenError", token_error()),
        ("UnknownSignal", Box::new(Analytics::builder().build().unwrap().on_name("eror", |_| ()).unwrap_err())),
    ]
}

/// The error of an expectation that nothing meets.
fn unmet() -> ExpectError {
    let expected = Expectation::new().event(serde_json::json!({ "event": "Signed Up" })).within(Duration::ZERO);
    TrackingApi::start().unwrap().expect(expected).unwrap_err()
}

fn not_met() -> Box<dyn Error> {
    match unmet() {
        ExpectError::NotMet(error) => error,
        other => panic!("{other}"),
    }
}

/// The error of an expectation that expects nothing.
fn invalid_expectation() -> Box<dyn Error> {
    match TrackingApi::start().unwrap().expect(Expectation::new()).unwrap_err() {
        ExpectError::Invalid(error) => Box::new(error),
        other => panic!("{other}"),
    }
}

#[test]
fn every_error_displays_itself_once() {
    for (name, error) in all() {
        let chain = chain(&*error);
        for (at, text) in chain.iter().enumerate() {
            assert!(!text.is_empty(), "{name}: {chain:?}");
            for cause in &chain[at + 1..] {
                assert!(!text.contains(cause.as_str()), "{name} says {cause:?} twice: {chain:?}");
            }
        }
    }
    for error in [delivery_error(|| Err(no_paper().into())), delivery_error(rejected)] {
        let chain = chain(&*error);
        assert_eq!(chain[1..], ["no paper", "the tray is empty"], "{chain:?}");
        assert!(!chain[0].contains("paper"), "{chain:?}");
    }
}

fn rejected() -> Result<Answer, BoxError> {
    Ok(Answer::new(Verdict::Reject).with_status(http::StatusCode::IM_A_TEAPOT).with_error(no_paper()))
}

#[test]
fn the_list_of_errors_has_every_type_of_the_library() {
    let mut found = BTreeSet::new();
    for file in crate::architecture::sources() {
        let text = fs::read_to_string(file).unwrap();
        let derived = text.split("thiserror::Error)]").skip(1).filter_map(|rest| {
            let item =
                rest.lines().find(|line| ["pub", "enum ", "struct "].iter().any(|word| line.starts_with(word)))?;
            let item = item.strip_prefix("pub enum ").or_else(|| item.strip_prefix("pub struct "))?;
            item.split(|c: char| !c.is_alphanumeric()).next().map(str::to_owned)
        });
        found.extend(derived);
        let written = text.lines().filter_map(|line| {
            let name = line.split_once("Error for ")?.1;
            line.starts_with("impl")
                .then(|| name.split(|c: char| !c.is_alphanumeric()).next().unwrap_or(name).to_owned())
        });
        found.extend(
            written.filter(|name| {
                text.contains(&format!("pub struct {name}")) || text.contains(&format!("pub enum {name}"))
            }),
        );
    }
    let mut listed: BTreeSet<String> = all().into_iter().map(|(name, _)| name.to_owned()).collect();
    listed.insert("DeliveryError".to_owned());
    assert_eq!(found, listed);
}

#[test]
fn in_one_line_an_error_has_its_causes() {
    let error = delivery_error(|| Err(no_paper().into()));
    assert_eq!(
        (error.to_string().as_str(), format!("{error:#}").as_str()),
        ("the attempt failed", "no paper: the tray is empty")
    );
    let error = delivery_error(rejected);
    let status = "HTTP status 418 I'm a teapot";
    assert_eq!(
        (error.to_string(), format!("{error:#}")),
        (status.to_owned(), format!("{status}: no paper: the tray is empty"))
    );
    let error = failing(rejected).send(track("x")).unwrap_err();
    assert_eq!(error.to_string(), "the event was dropped (rejected)");
    assert_eq!(
        format!("{error:#}"),
        format!("the event was dropped (rejected): {status}: no paper: the tray is empty")
    );
}

#[test]
fn the_kind_of_a_wrong_setting_tells_what_to_do() {
    let settings = |json| serde_json::from_value::<tracklane::Settings>(json).unwrap();
    let missing = settings(serde_json::json!({})).into_builder().unwrap_err();
    assert_eq!(missing.kind(), SettingsErrorKind::Missing);
    let invalid = Analytics::new(" ").unwrap_err();
    assert_eq!((invalid.kind(), invalid.setting()), (SettingsErrorKind::Invalid, "write_key"));
}

/// A mock of the client returns this error to the code under test.
#[test]
fn a_mock_can_make_the_error_of_a_call() {
    let reason = RefusalReason::QueueFull { events: 5, bytes: 900, max_events: 5, max_bytes: 1_000 };
    let error = CallError::new(reason.clone(), track("Signed Up"));
    assert!(error.is_queue_full() && *error.reason() == reason);
    assert_eq!(error.to_string(), format!("track refused: {reason}"));
    assert_eq!(error.into_event().name().as_deref(), Some("Signed Up"));
}

#[test]
fn a_server_that_refuses_is_the_cause_of_a_call_that_waits() {
    let api = TrackingApi::start().unwrap();
    api.set_default(Reply::status(401));
    let segment = Segment::new("k").host(api.url());
    let client = Analytics::builder().segment(segment).build().unwrap().blocking(SOON);
    let error = client.track(track("x")).unwrap_err();
    let cause = error.source().and_then(|cause| cause.downcast_ref::<DeliveryError>()).expect("why it was lost");
    assert_eq!(cause.status().map(|status| status.as_u16()), Some(401));
}

const _: fn(InvalidTimestamp) -> InvalidEvent = InvalidEvent::from;
