//! Asks a NATS server at its monitoring port when it syncs its files, which it does not tell its clients.

use std::time::Duration;

use http::{Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use serde::Deserialize;
use tower::ServiceExt;
use tracklane::text_with_causes;
use tracklane::transport::Body;

use super::exchange::{answer, client};
use crate::exit::Failure;

const MAX_ANSWER: usize = 4 << 20;

/// When a server syncs what it has stored.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FileSync {
    /// Before it acknowledges.
    Always,
    Every(Duration),
}

/// The members of `/varz` that say it: <https://docs.nats.io/running-a-nats-service/nats_admin/monitoring>.
#[derive(Deserialize)]
struct Varz {
    #[serde(default)]
    server_name: String,
    #[serde(default)]
    jetstream: JetStream,
}

#[derive(Default, Deserialize)]
struct JetStream {
    config: Option<Config>,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    sync_always: bool,
    /// Nanoseconds.
    sync_interval: Option<u64>,
}

/// Returns the server's name and its setting, or why it cannot be known.
pub(super) fn sync_of(url: &str) -> Result<Result<(String, FileSync), String>, Failure> {
    let client = match client(url.starts_with("https://")) {
        Ok(client) => client,
        Err(error) => return Ok(Err(text_with_causes(&error))),
    };
    let request = Request::builder().uri(format!("{}/varz", url.trim_end_matches('/'))).body(Body::default());
    let request = request.map_err(|error| Failure::usage(format!("--nats-monitor: {url:?}: {error}")))?;
    let exchange = async {
        let answer = client.oneshot(request).await?;
        let status = answer.status();
        if status != StatusCode::OK {
            return Err(format!("it answers {status}").into());
        }
        Ok(Limited::new(answer.into_body(), MAX_ANSWER).collect().await?.to_bytes())
    };
    let answer = answer(exchange)?.map_err(|error| text_with_causes(&*error));
    Ok(answer.and_then(|body| read(&body)))
}

fn read(body: &[u8]) -> Result<(String, FileSync), String> {
    let varz: Varz = serde_json::from_slice(body).map_err(|error| format!("it is no NATS server: {error}"))?;
    let Some(config) = varz.jetstream.config else { return Err("JetStream is off at this server".to_owned()) };
    match config {
        Config { sync_always: true, .. } => Ok((varz.server_name, FileSync::Always)),
        Config { sync_interval: Some(nanos), .. } => {
            Ok((varz.server_name, FileSync::Every(Duration::from_nanos(nanos))))
        }
        Config { .. } => Err("its version does not tell".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_about_its_syncs_is_read() {
        // As nats-server 2.15.1 says it.
        for (config, expected) in [
            (
                r#"{"sync_interval":120000000000,"strict":true}"#,
                Ok(("n".to_owned(), FileSync::Every(Duration::from_secs(120)))),
            ),
            (r#"{"sync_interval":120000000000,"sync_always":true}"#, Ok(("n".to_owned(), FileSync::Always))),
            ("{}", Err("its version does not tell".to_owned())),
            ("null", Err("JetStream is off at this server".to_owned())),
        ] {
            let body = format!(r#"{{"server_name":"n","jetstream":{{"config":{config}}}}}"#);
            assert_eq!(read(body.as_bytes()), expected, "{config}");
        }
        assert_eq!(read(b"{}"), Err("JetStream is off at this server".to_owned()));
        assert!(read(b"<html>").unwrap_err().starts_with("it is no NATS server"));
    }
}
