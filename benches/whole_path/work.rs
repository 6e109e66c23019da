//! The clients of this benchmark.

use std::error::Error;

use serde::{Deserialize, Serialize};

use crate::held;
use crate::loopback::report::ClientReport;
use crate::loopback::scenario;
use crate::loopback::{bare_queue, client, limits};

pub(crate) type Scenario = scenario::Scenario<Work>;

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) enum Work {
    /// This crate.
    #[default]
    Tracklane,
    /// This crate, where the caller waits for the receipts of so many events before it goes on.
    Receipts(usize),
    /// No SDK: build, serialise and send on one thread.
    OneThread,
    /// No SDK: build and serialise on one thread, hand whole batches of bytes to another that sends.
    BytesInBatches,
    /// This crate with destinations that do nothing, and no network.
    NoNetwork,
    /// This crate with a destination for which events wait, and no network.
    Held,
    /// This crate in a service that sends little.
    Quiet,
    /// The same with a destination that takes each event by itself, and no network.
    QuietSingle,
    /// No SDK: a channel wakes a thread for each event, which drops it.
    QuietChannel,
    /// No SDK: a queue that wakes nobody for a thousand events.
    QuietQueue,
}

impl scenario::Work for Work {
    fn run(self, url: &str, scenario: &Scenario) -> Result<ClientReport, Box<dyn Error>> {
        match self {
            Self::Tracklane => client::send(&client::segment(url, scenario)?, scenario),
            Self::Receipts(at_once) => client::send_with_receipts(&client::segment(url, scenario)?, scenario, at_once),
            Self::OneThread => limits::one_thread(url, scenario),
            Self::BytesInBatches => limits::bytes_in_batches(url, scenario),
            Self::NoNetwork => client::send(&client::no_network(scenario)?, scenario),
            Self::Held => held::run(scenario),
            Self::Quiet => client::send_quietly(url, scenario),
            Self::QuietSingle => client::send_quietly_one_by_one(scenario),
            Self::QuietChannel => Ok(bare_queue::quiet_channel(scenario)),
            Self::QuietQueue => Ok(bare_queue::batched_wake_ups(&Scenario { flush_at: 1_000, ..*scenario })),
        }
    }

    fn is_sent(self) -> bool {
        !matches!(self, Self::NoNetwork | Self::Held | Self::QuietSingle | Self::QuietChannel | Self::QuietQueue)
    }

    fn id_key(self) -> &'static str {
        "userId"
    }
}
