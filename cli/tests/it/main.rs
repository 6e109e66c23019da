//! The binary over real sockets and pipes.

mod api;
mod commands;
mod connections;
mod dev;
mod expecting;
mod files;
mod gateway;
mod importing;
mod inspecting;
#[cfg(unix)]
mod jetstream;
mod page_of_tool;
mod security;
mod support;
