//! An answer as an HTTP response, or as the failure that it asks for.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::Response;
use http::header::{self, HeaderValue};
use http_body::Frame;
use tokio::time::{Sleep, sleep};

use super::Wire;
use crate::{Answer, Fault};

/// The time in which the bytes before a broken body are sent. hyper drops the rest when a body breaks.
const FLUSHED: Duration = Duration::from_millis(20);

/// The response, without its faults.
pub(crate) fn json(answer: &Answer) -> Response<Body> {
    let mut response = Response::new(Body::from(answer.body()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    status(answer, &mut response);
    response
}

/// Gives a response the status of the answer, and its `Retry-After`.
pub(crate) fn status(answer: &Answer, response: &mut Response<Body>) {
    *response.status_mut() = answer.status;
    if let Some(seconds) = answer.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
}

/// The response, after the delay and with the fault that the answer has.
pub(crate) async fn answer(answer: Answer, wire: Option<&Wire>) -> Response<Body> {
    if !answer.delay.is_zero() {
        sleep(answer.delay).await;
    }
    let response = json(&answer);
    let Some(fault) = answer.fault else { return response };
    let text = Bytes::from(answer.body());
    let length = text.len() as u64;
    let (pieces, announced) = match fault {
        // The client ends it, or the server.
        Fault::Hang => return std::future::pending().await,
        Fault::Reset | Fault::Garbage => {
            if let Some(wire) = wire {
                if fault == Fault::Reset { wire.reset() } else { wire.spoil() }
            }
            // The socket breaks when this is written.
            (Pieces::new([text], Duration::ZERO, false), length)
        }
        Fault::Drip(pause) => {
            let bytes: Vec<Bytes> = (0..text.len()).map(|at| text.slice(at..=at)).collect();
            (Pieces::new(bytes, pause, false), length)
        }
        Fault::Truncated => (Pieces::new([text], Duration::ZERO, true), length + 64),
    };
    let mut response = response.map(|_| Body::new(pieces));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(announced));
    response
}

/// A body that comes in pieces, with a pause before each, and may break at the end.
struct Pieces {
    left: VecDeque<Bytes>,
    pause: Duration,
    breaks: bool,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Pieces {
    fn new(pieces: impl IntoIterator<Item = Bytes>, pause: Duration, breaks: bool) -> Self {
        Self { left: pieces.into_iter().collect(), pause, breaks, waiting: None }
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.left.is_empty() && !self.breaks {
            return Poll::Ready(None);
        }
        let pause = if self.left.is_empty() { FLUSHED } else { self.pause };
        if !pause.is_zero() {
            let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(pause)));
            std::task::ready!(waiting.as_mut().poll(cx));
            self.waiting = None;
        }
        let piece = self.left.pop_front().map(Frame::data);
        Poll::Ready(Some(piece.ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionAborted))))
    }
}
