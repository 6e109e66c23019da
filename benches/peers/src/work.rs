//! The clients that the benchmark compares.

use std::error::Error;

use serde::{Deserialize, Serialize};

use crate::item_purchased::call;
use crate::loopback::report::ClientReport;
use crate::loopback::scenario;
use crate::loopback::{bare_queue, client, limits};
use crate::{posthog, rudder, segment};

pub(crate) type Scenario = scenario::Scenario<Work>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Work {
    /// This crate.
    #[default]
    Tracklane,
    /// No SDK: build, serialise and send on one thread.
    OneThread,
    /// No SDK: build and serialise on one thread, hand whole batches of bytes to another that sends.
    BytesInBatches,
    /// A queue alone, for single calls.
    BareQueue,
    Segment,
    Posthog,
    /// In batches that the caller makes.
    Rudder,
    /// A request for each event.
    RudderOneByOne,
}

impl scenario::Work for Work {
    fn run(self, url: &str, scenario: &Scenario) -> Result<ClientReport, Box<dyn Error>> {
        match self {
            Self::Tracklane if scenario.calls.is_some() => {
                client::time(&client::segment(url, scenario)?, scenario, call, |event| event)
            }
            Self::Tracklane if scenario.rate.is_some() => client::send_quietly(url, scenario),
            Self::Tracklane => client::send(&client::segment(url, scenario)?, scenario),
            Self::OneThread => limits::one_thread(url, scenario),
            Self::BytesInBatches => limits::bytes_in_batches(url, scenario),
            Self::BareQueue => Ok(bare_queue::batched_wake_ups(scenario)),
            Self::Segment => segment::run(url, scenario),
            Self::Posthog => posthog::run(url, scenario),
            Self::Rudder => rudder::in_batches(url, scenario),
            Self::RudderOneByOne => rudder::one_by_one(url, scenario),
        }
    }

    fn is_sent(self) -> bool {
        self != Self::BareQueue
    }

    fn id_key(self) -> &'static str {
        match self {
            Self::Posthog => "distinct_id",
            _ => "userId",
        }
    }
}
