//! PostHog as a destination, from settings to a server on this machine.

mod mapping;
mod recorded;
mod requests;
mod settings;
mod support;
