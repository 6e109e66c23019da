//! What arrives behind the plugin.

mod events;
mod mmdb;
mod order;
mod places;
mod random;
