//! The binary over real sockets and pipes.

mod api;
mod commands;
mod dev;
mod expecting;
mod gateway;
mod importing;
#[cfg(unix)]
mod jetstream;
mod page_of_tool;
mod security;
mod support;
