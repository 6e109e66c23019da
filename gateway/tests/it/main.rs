//! A gateway over loopback sockets: in this process where that will do, and as a process of its own where it is killed.

mod answers;
mod bad_input;
mod config;
mod faults;
mod fuzzed;
#[cfg(unix)]
mod jetstream;
#[cfg(unix)]
mod jetstream_kill;
#[cfg(unix)]
mod kill;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(unix)]
mod nats;
#[cfg(target_os = "linux")]
mod open_load;
#[cfg(unix)]
mod oracle;
#[cfg(target_os = "linux")]
mod outage;
mod outcomes;
mod page;
#[cfg(unix)]
mod park;
#[cfg(unix)]
mod process;
mod support;
#[cfg(unix)]
mod worker;
