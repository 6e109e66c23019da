//! The body of a request: read with bounds on time and bytes, and freed of gzip.
//!
//! Invariant: bytes are taken from the [budget](crate::budget) before there is memory for them.

use std::io::Read;
use std::time::Duration;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout, timeout_at};

use crate::Limits;
use crate::budget::{Buffer, Exhausted, Share};
use crate::elements::TooMany;

/// The size of one step of decompressing.
const STEP: usize = 16 << 10;

/// The reason why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undecodable {
    /// More bytes than one body may have.
    TooLarge,
    /// More events than one body may have.
    TooManyEvents,
    /// More bytes than all bodies together may have.
    Overloaded,
    /// The client took too long.
    TooSlow,
    /// The connection broke.
    Broken,
    /// It is not gzip, although the request says so.
    MalformedGzip,
    /// Neither gzip nor plain.
    UnknownEncoding,
}

impl From<TooMany> for Undecodable {
    fn from(_: TooMany) -> Self {
        Undecodable::TooManyEvents
    }
}

impl From<Exhausted> for Undecodable {
    fn from(_: Exhausted) -> Self {
        Undecodable::Overloaded
    }
}

/// The coding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Gzip,
}

impl Encoding {
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Undecodable> {
        let Some(value) = headers.get(CONTENT_ENCODING) else { return Ok(Encoding::Plain) };
        match value.as_bytes().trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Ok(Encoding::Plain),
            b"gzip" | b"x-gzip" => Ok(Encoding::Gzip),
            _ => Err(Undecodable::UnknownEncoding),
        }
    }
}

/// Reads all of the body.
pub(crate) async fn read<B>(mut body: B, limits: &Limits, share: &mut Share) -> Result<Bytes, Undecodable>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let announced = body.size_hint().lower();
    if announced > limits.max_body_bytes as u64 {
        return Err(Undecodable::TooLarge);
    }
    let deadline = Instant::now() + limits.body_timeout;
    let mut read = Buffer::new(share);
    loop {
        let frame = timeout_at(deadline, within(limits.idle_timeout, body.frame())).await;
        let frame = frame.map_err(|_| Undecodable::TooSlow)??;
        let Some(frame) = frame else { return Ok(read.finish().into()) };
        let Ok(data) = frame.map_err(|_| Undecodable::Broken)?.into_data() else { continue };
        if read.len() + data.len() > limits.max_body_bytes {
            return Err(Undecodable::TooLarge);
        }
        read.push(&data)?;
    }
}

async fn within<F: Future>(limit: Duration, future: F) -> Result<F::Output, Undecodable> {
    timeout(limit, future).await.map_err(|_| Undecodable::TooSlow)
}

/// The body without its compression.
pub(crate) fn decode(body: Bytes, encoding: Encoding, max: usize, share: &mut Share) -> Result<Bytes, Undecodable> {
    if encoding == Encoding::Plain {
        return Ok(body);
    }
    let mut text = Buffer::new(share);
    let mut decoder = MultiGzDecoder::new(&body[..]);
    let mut step = vec![0; STEP];
    loop {
        let count = decoder.read(&mut step).map_err(|_| Undecodable::MalformedGzip)?;
        let Some(read) = step.get(..count).filter(|read| !read.is_empty()) else { break };
        if text.len() + read.len() > max {
            return Err(Undecodable::TooLarge);
        }
        text.push(read)?;
    }
    Ok(text.finish_in_place_of(body).into())
}
