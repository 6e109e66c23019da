//! Replaces `posthog-rs` in builds without it.

use std::error::Error;

use crate::loopback::report::ClientReport;
use crate::loopback::scenario::Scenario;

pub(crate) fn run<S>(_: &str, _: &Scenario<S>) -> Result<ClientReport, Box<dyn Error>> {
    Err("built without the feature `posthog`".into())
}
