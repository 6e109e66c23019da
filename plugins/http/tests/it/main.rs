//! The kit, part by part, and over sockets of this machine.

mod answers;
mod chunks;
mod client;
mod endpoint;
mod host;
mod json;
mod payload;
mod verdict;
