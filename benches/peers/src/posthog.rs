//! The crate `posthog-rs`: it has a queue, and a thread that sends one batch after the other.

use std::error::Error;

use posthog_rs::{Client, ClientOptionsBuilder, Event};
use tokio::runtime::Runtime;

use crate::item_purchased::{NAME, PRODUCT, TAGS};
use crate::loopback::meter::Meter;
use crate::loopback::quiet;
use crate::loopback::report::ClientReport;
use crate::loopback::scenario::Scenario;
use crate::loopback::timing;

fn event(distinct_id: impl ToString) -> Result<Event, posthog_rs::Error> {
    let mut event = Event::new(NAME.to_owned(), distinct_id.to_string());
    event.insert_prop("revenue", 39.95)?;
    event.insert_prop("currency", "USD")?;
    event.insert_prop("order_id", "50314b8e9bcf000000000000")?;
    event.insert_prop("coupon", "MAYDEALS")?;
    event.insert_prop("product", PRODUCT)?;
    event.insert_prop("tags", TAGS)?;
    Ok(event)
}

pub(crate) fn run<S>(url: &str, scenario: &Scenario<S>) -> Result<ClientReport, Box<dyn Error>> {
    let runtime = Runtime::new()?;
    let client = runtime.block_on(client(url, scenario))?;
    client.capture(event("first")?);
    runtime.block_on(client.flush());
    let report = match scenario.calls {
        None if scenario.rate.is_some() => {
            let prepare = |number| event(number).expect("properties that JSON can hold");
            quiet::run(scenario, prepare, |event| client.capture(event))
        }
        None => {
            let meter = Meter::start();
            for number in 0..scenario.events {
                client.capture(event(number)?);
            }
            runtime.block_on(client.flush());
            meter.report()
        }
        Some(_) => {
            let prepare = |number| event(number).expect("properties that JSON can hold");
            timing::report(timing::time(scenario, prepare, |event| client.capture(event)))
        }
    };
    runtime.block_on(client.flush());
    runtime.block_on(client.shutdown());
    Ok(report)
}

/// It drops events that do not fit into its queue, without telling its caller. So the queue is large enough for all.
async fn client<S>(url: &str, scenario: &Scenario<S>) -> Result<Client, Box<dyn Error>> {
    let mut options = ClientOptionsBuilder::default();
    options.host(url).api_key("phc_key".to_owned()).flush_at(scenario.flush_at).max_batch_size(scenario.flush_at);
    options.max_queue_size(scenario.events as usize + 1);
    Ok(posthog_rs::client(options.build()?).await)
}
