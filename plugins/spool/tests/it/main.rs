//! The spool as an application sees it: one binary, a module per subject.

mod accepted;
mod credentials;
mod damage;
mod dead;
mod destinations;
mod example;
mod files;
mod kill;
mod limits;
mod metrics;
mod outage;
mod sharing;
#[cfg(target_os = "linux")]
mod sigpipe;
mod support;
