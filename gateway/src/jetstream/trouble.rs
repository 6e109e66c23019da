//! Errors of the log in JetStream.

use std::sync::Arc;
use std::time::Duration;

/// The reason why the log in JetStream takes nothing, or cannot be trusted.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// No server can be reached.
    #[error("no NATS server can be reached at {servers}")]
    Away {
        /// The addresses of the configuration.
        servers: String,
    },
    /// The configuration names no connection that can be made, such as a file of certificates that cannot be read.
    #[error("the connection to NATS at {servers} cannot be made")]
    Connect {
        /// The addresses of the configuration.
        servers: String,
        /// The reason.
        source: Cause,
    },
    /// The server is too old.
    #[error("the NATS server has version {version:?}, and the log needs 2.11 or later: update the server")]
    TooOld {
        /// The server's own text.
        version: String,
    },
    /// A stream is not there.
    #[error(
        "the stream {stream:?} does not exist. If the log is new, make it with `tracklane gateway --create-streams`. \
         If it is not, the stream was deleted, and what nobody had read in it is lost: find out why before you make it again"
    )]
    Missing {
        /// Its name.
        stream: String,
    },
    /// No server takes messages for a stream. It is not known to be missing: after the end of a server, its streams have
    /// no leader for some seconds.
    #[error("no NATS server takes messages for the stream {stream:?}: it has no leader for now, or does not exist")]
    NoLeader {
        /// Its name.
        stream: String,
    },
    /// A stream is another than the log needs.
    #[error("the stream {stream:?} has {setting} = {found}, and the log needs {needed}: change the stream")]
    Differs {
        /// Its name.
        stream: String,
        /// The setting of JetStream.
        setting: &'static str,
        /// Its value.
        found: String,
        /// The value that it must have.
        needed: String,
    },
    /// A stream has all the bytes that it may have.
    #[error("the stream {stream:?} is full: workers have not read what it holds, or max_bytes is too small")]
    Full {
        /// Its name.
        stream: String,
    },
    /// No acknowledgement came in time. The message may be stored or not.
    #[error("the stream {stream:?} did not acknowledge within {after:?}")]
    NotAcknowledged {
        /// Its name.
        stream: String,
        /// The time that it had.
        after: Duration,
    },
    /// NATS refused a request.
    #[error("NATS refused a request about the stream {stream:?}")]
    Refused {
        /// Its name.
        stream: String,
        /// The answer of NATS.
        source: Cause,
    },
}

/// An error that is shared.
pub(crate) type Cause = Arc<dyn std::error::Error + Send + Sync>;

impl LogError {
    /// Returns whether a 200 would promise too much. Nothing is published then.
    pub(super) fn is_unfit(&self) -> bool {
        matches!(self, Self::TooOld { .. } | Self::Differs { .. })
    }

    /// Returns whether an operator must act, rather than wait.
    pub(super) fn is_alarm(&self) -> bool {
        self.is_unfit() || matches!(self, Self::Missing { .. } | Self::Full { .. })
    }
}
