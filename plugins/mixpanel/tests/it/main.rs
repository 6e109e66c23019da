//! Mixpanel as a destination, from settings to a server on this machine.

mod charges;
mod mapping;
mod profiles;
mod recorded;
mod requests;
mod settings;
mod support;
