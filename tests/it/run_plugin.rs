//! Runs plugins on one event, without a client.

use pollster::block_on;
use tracklane::plugin::{Flow, Host, Plugin, Transform, after_fn, before, enrichment_fn};
use tracklane::testing::run_plugin;
use tracklane::{BoxError, Event, Kind};

use crate::support::{recorder, track};

struct Slow;

impl Plugin for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    async fn load(&self, _: &Host) -> Result<(), BoxError> {
        Err("it is not loaded".into())
    }
}

impl Transform for Slow {
    async fn transform(&self, event: &mut Event) -> Result<Flow, BoxError> {
        event.context_mut().insert("slow", true);
        match event.user_id().as_deref() {
            Some("bad") => Err("a bad user".into()),
            _ => Ok(Flow::Continue),
        }
    }
}

#[test]
fn a_plugin_is_run_on_one_event() {
    let lower = enrichment_fn("lower", |event: &mut Event| {
        let name = event.name().unwrap_or_default().to_lowercase();
        event.set_name(&name);
    });
    let (event, flow) = block_on(run_plugin(&lower, track("SHOUTED"))).unwrap();
    assert_eq!((event.name().as_deref(), flow), (Some("shouted"), Flow::Continue));
    let (event, flow) = block_on(run_plugin(&before(Slow), track("x"))).unwrap();
    assert_eq!((event.context().get("slow"), flow), (Some(true.into()), Flow::Continue));
    let error = block_on(run_plugin(&before(Slow), track("x").user_id("bad"))).unwrap_err();
    assert_eq!(error.to_string(), "a bad user");
}

#[test]
fn what_a_plugin_does_not_see_goes_on_as_it_is() {
    let drops = || enrichment_fn("drops", |_: &mut Event| Flow::drop("all of them"));
    let (_, flow) = block_on(run_plugin(&drops().only([Kind::Identify]), track("x"))).unwrap();
    assert_eq!(flow, Flow::Continue);
    let (_, flow) = block_on(run_plugin(&drops().only([Kind::Track]), track("x"))).unwrap();
    assert_eq!(flow, Flow::drop("all of them"));
}

#[test]
fn a_plugin_that_changes_no_events_is_refused_by_name() {
    let error = block_on(run_plugin(&after_fn("audit", |_, _| ()), track("x"))).unwrap_err().to_string();
    assert_eq!(error, "\"audit\" is a plugin in the role after, and changes no events");
    let error = block_on(run_plugin(&recorder("r").0.into(), track("x"))).unwrap_err().to_string();
    assert_eq!(error, "\"r\" is a plugin in the role destination, and changes no events");
}
