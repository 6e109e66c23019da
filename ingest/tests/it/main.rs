//! The server over real sockets.

mod answers;
mod bounds;
mod browsers;
mod connections;
mod openapi;
mod support;
