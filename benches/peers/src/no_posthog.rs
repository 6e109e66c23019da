//! In place of `posthog-rs`, where it is not built.

use std::error::Error;

use crate::loopback::scenario::{ClientReport, Scenario};

pub(crate) fn run(_: &str, _: &Scenario) -> Result<ClientReport, Box<dyn Error>> {
    Err("built without the feature `posthog`".into())
}
