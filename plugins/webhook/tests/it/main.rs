//! The webhook, from settings to a receiver over sockets of this machine.

mod requests;
mod retries;
mod settings;
mod signatures;
mod support;
mod verdicts;
