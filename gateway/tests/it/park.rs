//! What is parked, and an operator who has it tried at once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tempfile::TempDir;
use tracklane::testing::{Reply, TrackingApi};
use tracklane_gateway::JetStreamLog;

use crate::nats::Nats;
use crate::support::{plain, wait_until};
use crate::worker::{InProcess, parked, send_twenty, unacknowledged};

#[test]
fn what_is_parked_waits_as_long_as_its_destination_asks_and_a_release_ends_that_in_order() {
    let Some(nats) = Nats::start() else { return };
    let config = plain("", "") + "settings = { name = \"pausing\" }\n";
    let gateway = nats.gateway_with(TempDir::new().unwrap(), "", &config, true);
    let (sink, context) = (gateway.sink.clone(), nats.context(&gateway.runtime));
    let log = gateway.runtime.block_on(JetStreamLog::of(gateway.path())).unwrap().unwrap();
    sink.down.store(true, Ordering::Release);
    let worker = InProcess::start(&gateway, &sink);
    let mut ids = Vec::new();
    send_twenty(&gateway, &mut ids);
    let acknowledged = || unacknowledged(&context, &gateway.runtime).0 == 0;
    wait_until("all is parked", || parked(&context, &gateway.runtime, "pausing") > 0 && acknowledged());
    // The worker has tried what is parked, and is told to wait.
    std::thread::sleep(Duration::from_secs(2));
    sink.down.store(false, Ordering::Release);
    send_twenty(&gateway, &mut ids);
    wait_until("later events of the user are parked behind it", acknowledged);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(sink.ids(), Vec::<String>::new(), "the destination has asked for an hour");
    let found = gateway.runtime.block_on(log.parked()).unwrap();
    assert_eq!(found.iter().map(|parked| parked.place.as_str()).collect::<Vec<_>>(), ["main/pausing"]);
    assert!(gateway.runtime.block_on(log.release(&found[0])).unwrap(), "the worker has heard it");
    wait_until("nothing is parked", || parked(&context, &gateway.runtime, "pausing") == 0);
    send_twenty(&gateway, &mut ids);
    wait_until("all arrived", || sink.events().len() >= ids.len());
    assert_eq!(sink.ids(), ids, "in the order in which they were taken");
    worker.stop();
    assert!(!gateway.runtime.block_on(log.release(&found[0])).unwrap(), "there is no worker");
}

#[test]
fn what_a_destination_refuses_for_its_key_is_parked_and_arrives_in_order_once_the_key_is_right() {
    let Some(nats) = Nats::start() else { return };
    let api = TrackingApi::start().unwrap();
    api.set_default(Reply::status(401));
    let segment = format!(
        "[[pipelines.main.destinations]]\nplugin = \"segment\"\nsettings = {{ write_key = \"k\", host = {:?} }}\n",
        api.url()
    );
    let config = plain("", "") + &segment;
    let gateway = nats.gateway_with(TempDir::new().unwrap(), "park_after = \"500ms\"", &config, true);
    let (sink, context) = (gateway.sink.clone(), nats.context(&gateway.runtime));
    let worker = InProcess::start(&gateway, &sink);
    let mut ids = Vec::new();
    send_twenty(&gateway, &mut ids);
    wait_until("all is parked for the one, and delivered to the other", || {
        parked(&context, &gateway.runtime, PARKED_SEGMENT) > 0
            && unacknowledged(&context, &gateway.runtime).0 == 0
            && sink.ids() == ids
    });
    send_twenty(&gateway, &mut ids);
    assert_eq!(api.delivered_ids(), Vec::<String>::new());
    api.set_default(Reply::as_segment());
    // It is tried once a minute, or when an operator says so.
    let log = gateway.runtime.block_on(JetStreamLog::of(gateway.path())).unwrap().unwrap();
    let found = gateway.runtime.block_on(log.parked()).unwrap();
    assert_eq!(found.iter().map(|parked| parked.place.as_str()).collect::<Vec<_>>(), ["main/Segment.io"]);
    assert!(gateway.runtime.block_on(log.release(&found[0])).unwrap(), "the worker has heard it");
    wait_until("nothing is parked", || parked(&context, &gateway.runtime, PARKED_SEGMENT) == 0);
    wait_until("all arrived", || api.delivered_ids().len() >= ids.len());
    assert_eq!(api.delivered_ids(), ids, "in the order in which they were taken");
    worker.stop();
}

/// `Segment.io`, as the name of a stream has it.
const PARKED_SEGMENT: &str = "Segment=2Eio";
