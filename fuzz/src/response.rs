//! A response of any status, with any headers, whose body comes in pieces of any size and may break off.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::Frame;
use tower::ServiceExt;
use tracklane::plugin::Verdict;
use tracklane::transport::{Body, HttpClient, MAX_RESPONSE_BYTES};

/// `data`: two bytes of status, lines of headers up to an empty one, then the body: one byte that says how long each
/// piece is, and the pieces.
pub fn check(data: &[u8]) {
    let Some((status, rest)) = data.split_first_chunk::<2>() else { return };
    let Ok(status) = StatusCode::from_u16(100 + u16::from_le_bytes(*status) % 900) else { return };
    let (headers, body) = head(rest);
    check_verdict(status, &headers);
    check_body(status, headers, Pieces::of(body));
}

fn check_verdict(status: StatusCode, headers: &HeaderMap) {
    let verdict = tracklane::segment::verdict(status, headers, UNIX_EPOCH + Duration::from_secs(784_111_777));
    assert_eq!(verdict == Verdict::Delivered, status.is_success(), "only 2xx is delivered: {status}");
    if let Verdict::Pause(pause) = verdict {
        assert!(matches!(status.as_u16(), 429 | 503), "{status} does not pause");
        assert!((Duration::from_secs(1)..=Duration::from_secs(300)).contains(&pause), "{pause:?} is out of bounds");
    }
    if status.is_redirection() || status.is_informational() {
        assert_eq!(verdict, Verdict::Reject, "{status} is final");
    }
}

fn check_body(status: StatusCode, headers: HeaderMap, pieces: Pieces) {
    let whole: Vec<u8> = pieces.0.iter().flatten().flatten().copied().collect();
    let before_break = pieces.0.iter().take_while(|piece| piece.is_some()).flatten().map(Bytes::len).sum::<usize>();
    let breaks = pieces.0.iter().any(Option::is_none) && before_break < MAX_RESPONSE_BYTES;
    let client = HttpClient::new(tower::service_fn(move |_: Request<Body>| {
        let mut response = Response::new(pieces.clone());
        (*response.status_mut(), *response.headers_mut()) = (status, headers.clone());
        std::future::ready(Ok::<_, Infallible>(response))
    }));
    match pollster::block_on(client.oneshot(Request::new(Body::default()))) {
        Ok(response) => {
            assert!(!breaks, "a body that breaks off is an error");
            assert_eq!(response.status(), status);
            let read = response.into_body().into_bytes();
            assert_eq!(read, whole[..whole.len().min(MAX_RESPONSE_BYTES)], "the body up to the limit, and no more");
        }
        Err(error) => assert!(breaks, "{error}"),
    }
}

/// The headers that the lines make, as far as they can be headers, and what follows.
fn head(data: &[u8]) -> (HeaderMap, &[u8]) {
    let mut headers = HeaderMap::new();
    let mut rest = data;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = &rest[..end];
        rest = &rest[end + 1..];
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_at(line.iter().position(|byte| *byte == b':').unwrap_or(line.len()));
        let value = HeaderValue::from_bytes(value.get(1..).unwrap_or_default().trim_ascii());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), value) {
            headers.append(name, value);
        }
    }
    (headers, rest)
}

/// A body in pieces; `None` is where the connection breaks.
#[derive(Clone, Debug)]
struct Pieces(VecDeque<Option<Bytes>>);

impl Pieces {
    /// Pieces of `data`, each repeated so often that the limit of the reader is in reach.
    fn of(data: &[u8]) -> Self {
        let Some((size, data)) = data.split_first() else { return Self(VecDeque::new()) };
        let size = usize::from(*size).max(1);
        Self(data.chunks(size).map(|piece| (piece[0] != 0xff).then(|| Bytes::from(piece.repeat(257)))).collect())
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let piece = self.0.pop_front();
        Poll::Ready(piece.map(|piece| piece.map(Frame::data).ok_or_else(|| std::io::ErrorKind::ConnectionReset.into())))
    }
}
