//! What is parked: how long it waits, what else goes on meanwhile, and an operator who has it tried at once.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tracklane::testing::{Reply, TrackingApi};
use tracklane_gateway::JetStreamLog;

use crate::nats::Nats;
use crate::support::{Sink, plain, wait_until};
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
fn what_a_destination_refuses_for_a_wrong_key_is_parked_and_others_go_on_until_it_has_the_right_one() {
    let Some(nats) = Nats::start() else { return };
    let (api, taken) = (TrackingApi::start().unwrap(), Arc::new(Mutex::new(Vec::new())));
    let takes = Arc::clone(&taken);
    api.reply_with(move |request| {
        // Base64 of the key and a colon.
        if request.headers().get("authorization").is_none_or(|value| value != "Basic UklHSFQ6") {
            return Reply::status(401);
        }
        let ids = request.events().into_iter().map(|event| event["messageId"].as_str().unwrap().to_owned());
        takes.lock().unwrap().extend(ids);
        Reply::as_segment()
    });
    let segment = format!(
        "plugin = \"segment\"\nsettings = {{ name = \"paid\", write_key = \"WRONG\", host = {:?} }}\n",
        api.url()
    );
    let config = format!("{}\n[[pipelines.main.destinations]]\n{segment}", plain("", ""));
    // So long that nothing but the refused key parks it.
    let gateway = nats.gateway_with(TempDir::new().unwrap(), "park_after = \"1h\"", &config, true);
    let (sink, context) = (Sink::default(), nats.context(&gateway.runtime));
    let worker = InProcess::start(&gateway, &sink);
    let mut ids = Vec::new();
    send_twenty(&gateway, &mut ids);
    wait_until("the other destination has all", || sink.events().len() == 20);
    wait_until("all is parked and acknowledged", || {
        parked(&context, &gateway.runtime, "paid") > 0 && unacknowledged(&context, &gateway.runtime).0 == 0
    });
    assert_eq!(*taken.lock().unwrap(), Vec::<String>::new());
    worker.stop();
    let text = std::fs::read_to_string(gateway.path()).unwrap();
    std::fs::write(gateway.path(), text.replace("WRONG", "RIGHT")).unwrap();
    let worker = InProcess::start(&gateway, &sink);
    send_twenty(&gateway, &mut ids);
    wait_until("all has arrived with the right key", || taken.lock().unwrap().len() >= ids.len());
    assert_eq!(*taken.lock().unwrap(), ids, "in the order in which they were taken");
    worker.stop();
}
