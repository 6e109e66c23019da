//! What a plugin can do with its client.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use pollster::block_on;
use tracklane::plugin::{Host, Plugin, enrichment_fn, utility};
use tracklane::{Analytics, BoxError, Event, RegisterError, Stats};

use crate::support::{SOON, eventually, recorder, track};

/// Keeps its host, and registers another plugin when it loads.
struct Helper(Arc<OnceLock<Host>>);

impl Plugin for Helper {
    fn name(&self) -> &str {
        "helper"
    }

    async fn load(&self, host: &Host) -> Result<(), BoxError> {
        let marks = enrichment_fn("marks", |event: &mut Event| {
            event.context_mut().insert("marked", true);
        });
        // Not awaited: it loads after this one.
        drop(host.register(marks));
        let _ = self.0.set(host.clone());
        Ok(())
    }
}

fn with_helper() -> (Analytics, Host, crate::support::Arrived) {
    let (destination, arrived) = recorder("r");
    let host = Arc::new(OnceLock::new());
    let analytics = Analytics::builder().plugin(destination).plugin(utility(Helper(host.clone()))).build().unwrap();
    eventually("it has loaded", || host.get().is_some());
    let host = host.get().unwrap().clone();
    (analytics, host, arrived)
}

#[test]
fn a_plugin_registers_sends_flushes_and_counts() {
    let (analytics, host, arrived) = with_helper();
    // A command behind the one of `load`: its answer comes when both are done.
    block_on(host.register(enrichment_fn("second", |_: &mut Event| ()))).unwrap();
    host.send(track("own")).unwrap();
    let report = block_on(host.flush(SOON));
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(arrived.all()[0]["context"]["marked"], true, "the plugin that it registered has seen it");
    assert_eq!(host.stats(), analytics.stats());
    assert_eq!(host.stats().delivered, 1);
    let error = block_on(host.register(enrichment_fn("marks", |_: &mut Event| ()))).unwrap_err();
    assert!(matches!(error, RegisterError::Duplicate { .. }), "{error}");
}

#[test]
fn what_the_client_refuses_comes_back_with_the_event() {
    let (analytics, host, _) = with_helper();
    let refused = host.send(tracklane::Track::new("nobody")).unwrap_err();
    assert!(refused.is_invalid());
    assert_eq!(refused.into_event().name().as_deref(), Some("nobody"));
    analytics.close_blocking(SOON);
    assert!(host.send(track("late")).unwrap_err().is_closed());
    assert!(matches!(block_on(host.register(utility(Helper(Arc::default())))), Err(RegisterError::Closed)));
}

#[test]
fn a_client_that_is_gone_is_closed() {
    let (analytics, host, _) = with_helper();
    drop(analytics);
    eventually("the client is gone", || host.stats() == Stats::default());
    let refused = host.send(track("late").message_id("m")).unwrap_err();
    assert!(refused.is_closed());
    assert_eq!(refused.into_event().message_id(), "m");
    assert!(matches!(block_on(host.register(utility(Helper(Arc::default())))), Err(RegisterError::Closed)));
    assert_eq!(block_on(host.flush(Duration::MAX)), tracklane::FlushReport::default());
}

#[test]
fn a_destination_that_takes_nothing_at_once_is_refused() {
    let analytics = Analytics::builder().build().unwrap();
    let error = block_on(analytics.register(recorder("stuck").0.max_in_flight(0))).unwrap_err();
    assert_eq!(error.to_string(), "the plugin \"stuck\" could not be loaded");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "setting max_in_flight is 0: must be at least 1, at \"stuck\"");
    let error = Analytics::builder().plugin(recorder("stuck").0.max_in_flight(0)).build().unwrap_err();
    assert_eq!(error.to_string(), cause);
}

#[test]
fn a_schedule_of_retries_may_hold_what_it_needs() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (log, waits) = (asked.clone(), vec![Duration::ZERO; 2]);
    let policy = tracklane::plugin::RetryPolicy::new().max_retries(2).schedule(move |retry| {
        log.lock().unwrap().push(retry);
        waits[retry as usize - 1]
    });
    let fails = |_: tracklane::plugin::Batch| async { Err::<(), _>(std::io::Error::other("down")) };
    let destination = tracklane::plugin::Destination::from_fn("down", fails).retry(policy.clone());
    let analytics = Analytics::builder().plugin(destination).build().unwrap();
    analytics.track(track("x")).unwrap();
    assert_eq!(analytics.close_blocking(SOON).failed, 1);
    assert_eq!(*asked.lock().unwrap(), [1, 2]);
    assert!(format!("{policy:?}").contains("max_retries: 2"));
}
