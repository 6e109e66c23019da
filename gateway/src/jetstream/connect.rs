//! Connects to NATS, and asks for the version.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::connection::State;
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions};

use super::trouble::LogError;
use crate::config::JetStreamConfig;

/// The time that NATS has for an acknowledgement, or for any other answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// The oldest version whose consumers can be pinned to one client.
const OLDEST: (u64, u64) = (2, 11);

/// Returns a client that reconnects by itself, and the context for requests to JetStream.
pub(super) async fn connect(config: &JetStreamConfig) -> Result<(Client, Context), LogError> {
    let mut options = ConnectOptions::new()
        .name("tracklane")
        .retry_on_initial_connect()
        .connection_timeout(PATIENCE)
        .request_timeout(Some(PATIENCE))
        .reconnect_delay_callback(|attempts| {
            Duration::from_millis(50).saturating_mul(u32::try_from(attempts).unwrap_or(u32::MAX)).min(PATIENCE / 2)
        });
    if let (Some(user), Some(password)) = (&config.user, &config.password) {
        options = options.user_and_password(user.clone(), password.clone());
    }
    if let Some(file) = &config.root_certificates {
        options = options.add_root_certificates(file.clone());
    }
    let client = options.connect(&config.servers).await.map_err(|error| {
        let servers = config.servers.join(", ");
        LogError::Connect { servers, source: Arc::new(error) }
    })?;
    let context = jetstream::ContextBuilder::new().timeout(PATIENCE).ack_timeout(PATIENCE).build(client.clone());
    Ok((client, context))
}

/// Waits until a server answers, five times as long as for other requests.
pub(super) async fn await_connected(client: &Client, config: &JetStreamConfig) -> Result<(), LogError> {
    let deadline = Instant::now() + 5 * PATIENCE;
    while server_version(client).is_none() {
        if Instant::now() > deadline {
            return Err(away(config));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// Checks that a server is there and has what the log needs.
pub(super) fn check_server(client: &Client, config: &JetStreamConfig) -> Result<(), LogError> {
    let version = server_version(client).ok_or_else(|| away(config))?;
    check_version(version)
}

/// Returns the version of the server; `None` while there is none. The client is connected a moment before it knows what
/// the server has said of itself.
fn server_version(client: &Client) -> Option<String> {
    if client.connection_state() != State::Connected {
        return None;
    }
    client.try_server_info().map(|info| info.version)
}

fn check_version(version: String) -> Result<(), LogError> {
    match version_of(&version) {
        Some(found) if found >= OLDEST => Ok(()),
        _ => Err(LogError::TooOld { version }),
    }
}

/// The first two numbers.
fn version_of(text: &str) -> Option<(u64, u64)> {
    let mut numbers = text.trim_start_matches('v').split(['.', '-']).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

pub(super) fn away(config: &JetStreamConfig) -> LogError {
    LogError::Away { servers: config.servers.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_servers_say_them() {
        for (text, expected) in [
            ("2.11.0", Some((2, 11))),
            ("2.15.1", Some((2, 15))),
            ("v2.12.0-RC.1", Some((2, 12))),
            ("2.10.25", Some((2, 10))),
            ("3.0", Some((3, 0))),
            ("", None),
            ("latest", None),
        ] {
            assert_eq!(version_of(text), expected, "{text}");
        }
        assert!(matches!(check_version("2.10.25".to_owned()), Err(LogError::TooOld { .. })));
        assert!(matches!(check_version("2.11.0".to_owned()), Ok(())));
        assert!(version_of("2.9.10") < Some(OLDEST) && version_of("3.0") > Some(OLDEST));
    }
}
