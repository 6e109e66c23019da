//! The code that the benchmark times.

use std::error::Error;
use std::hint::black_box;

use serde::{Deserialize, Serialize};

use crate::item_purchased::{call, properties};
use crate::loopback::report::ClientReport;
use crate::loopback::scenario;
use crate::loopback::{bare_queue, client, timing};

pub(crate) type Scenario = scenario::Scenario<Work>;

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) enum Work {
    /// Two readings of the clock.
    #[default]
    Nothing,
    /// Drops the event without sending it.
    Freed,
    /// A queue alone, whose consumer is woken once per batch.
    BareQueue,
    /// The same, with the event's JSON, which is copied.
    BareQueueOfText,
    /// A channel alone.
    SyncChannel,
    /// This crate, with an event that was built before.
    Track,
    /// This crate, with an event that is built in the call.
    TrackBuiltInCall,
    /// A `serde_json` map of the same properties, built and dropped.
    Map,
}

impl scenario::Work for Work {
    fn run(self, url: &str, scenario: &Scenario) -> Result<ClientReport, Box<dyn Error>> {
        Ok(match self {
            Self::Nothing => bare_queue::nothing(scenario),
            Self::Freed => bare_queue::event_freed(scenario),
            Self::BareQueue => bare_queue::batched_wake_ups(scenario),
            Self::BareQueueOfText => bare_queue::text_copied(scenario),
            Self::SyncChannel => bare_queue::sync_channel(scenario),
            Self::Track => client::time(&client::segment(url, scenario)?, scenario, call, |event| event)?,
            Self::TrackBuiltInCall => client::time(&client::segment(url, scenario)?, scenario, |number| number, call)?,
            Self::Map => timing::report(timing::time(scenario, |_| (), |()| drop(black_box(properties())))),
        })
    }

    fn is_sent(self) -> bool {
        matches!(self, Self::Track | Self::TrackBuiltInCall)
    }

    fn id_key(self) -> &'static str {
        "userId"
    }
}
