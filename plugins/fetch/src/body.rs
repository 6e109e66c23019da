//! The body of a response, read as it comes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Frame;
use tokio::sync::mpsc;

use crate::error::FetchError;

/// The body of a response. What nobody reads any more is let go when this is dropped.
#[derive(Debug)]
pub struct FetchBody(pub(crate) mpsc::Receiver<Result<Bytes, FetchError>>);

impl http_body::Body for FetchBody {
    type Data = Bytes;
    type Error = FetchError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, FetchError>>> {
        Poll::Ready(ready!(self.0.poll_recv(cx)).map(|read| read.map(Frame::data)))
    }
}
