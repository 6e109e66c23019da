//! Asks a running `tracklane dev`.

use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::dev::DEFAULT_PORT;
use crate::exit::Failure;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The server to ask.
#[derive(Clone, Debug, Args)]
pub(crate) struct DevUrl {
    /// Where `tracklane dev` listens
    #[arg(long, value_name = "URL", env = "TRACKLANECTL_URL", default_value_t = format!("http://127.0.0.1:{DEFAULT_PORT}"))]
    url: String,
    /// The token that it was started with
    #[arg(long, value_name = "TOKEN", env = "TRACKLANECTL_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// An answer, with its body still to come.
pub(crate) type Response = http::Response<Incoming>;

impl DevUrl {
    /// Sends a request to a path below `/__tracklane`.
    pub(crate) async fn send(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Result<Response, Failure> {
        let uri: Uri = self.url.parse().map_err(|_| Failure::usage(format!("--url: {:?} is no URL", self.url)))?;
        if uri.scheme_str() != Some("http") {
            return Err(Failure::usage(format!("--url: {:?} must begin with http://", self.url)));
        }
        let host = uri.host().unwrap_or_default();
        let port = uri.port_u16().unwrap_or(80);
        let unreachable = |problem: String| {
            Failure::cannot_run(format!("cannot reach {}: {problem}. Start it with: tracklane dev", self.url))
        };
        let connect = TcpStream::connect((host.trim_matches(['[', ']']), port));
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, connect)
            .await
            .map_err(|_| unreachable("it does not answer".to_owned()))?
            .map_err(|error| unreachable(error.to_string()))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/__tracklane/{path}"))
            .header(header::HOST, format!("{host}:{port}"));
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(body.into())).map_err(|error| Failure::usage(error.to_string()))?;
        let response = sender.send_request(request).await.map_err(|error| unreachable(error.to_string()))?;
        match response.status() {
            StatusCode::UNAUTHORIZED => Err(Failure::usage("the server needs a token: give it with --token")),
            StatusCode::FORBIDDEN => Err(Failure::cannot_run(text(response).await?.trim_end().to_owned())),
            _ => Ok(response),
        }
    }

    /// The JSON at a path, with its status.
    pub(crate) async fn get(&self, path: &str) -> Result<(StatusCode, Value), Failure> {
        json(self.send(Method::GET, path, Bytes::new()).await?).await
    }
}

/// All of the body.
pub(crate) async fn text(response: Response) -> Result<String, Failure> {
    let broken = |error: hyper::Error| Failure::cannot_run(format!("the answer broke off: {error}"));
    let body = response.into_body().collect().await.map_err(broken)?.to_bytes();
    Ok(String::from_utf8_lossy(&body).into_owned())
}

pub(crate) async fn json(response: Response) -> Result<(StatusCode, Value), Failure> {
    let status = response.status();
    let text = text(response).await?;
    let value = serde_json::from_str(&text);
    value.map(|value| (status, value)).map_err(|_| {
        Failure::cannot_run(format!(
            "the answer is not that of tracklane dev (HTTP status {status}): is this its port?"
        ))
    })
}

/// Text for a query.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Runs a future on a runtime of its own.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::cannot_run(format!("cannot start: {error}")))?.block_on(future)
}
