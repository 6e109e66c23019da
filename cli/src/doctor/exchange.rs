//! One exchange over HTTP, by the client that the library sends with.

use std::time::Duration;

use tokio::time::timeout;
use tracklane::transport::DefaultClient;
use tracklane::{BoxError, SettingsError};

use crate::client::block_on;
use crate::exit::Failure;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) fn client(is_tls: bool) -> Result<DefaultClient, SettingsError> {
    if is_tls { DefaultClient::new() } else { DefaultClient::plaintext() }
}

/// Waits for an answer, for ten seconds at most.
pub(super) fn answer<T>(exchange: impl Future<Output = Result<T, BoxError>>) -> Result<Result<T, BoxError>, Failure> {
    let answer = block_on(async { Ok(timeout(ANSWER_TIMEOUT, exchange).await) })?;
    Ok(answer.unwrap_or_else(|_| Err(format!("no answer within {ANSWER_TIMEOUT:?}").into())))
}
