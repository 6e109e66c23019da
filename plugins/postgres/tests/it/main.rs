//! The destination against a real PostgreSQL server, which the tests start from the installed binaries.

mod mapping;
#[cfg(unix)]
mod outages;
#[cfg(unix)]
mod refusals;
#[cfg(unix)]
mod server;
mod settings;
#[cfg(unix)]
mod storing;
#[cfg(all(unix, feature = "rustls"))]
mod tls;
