//! Finds one HTTP/1.1 request at the front of a buffer.
//!
//! Looking is free of side effects and starts from the front each time, so that the same bytes
//! can be looked at before they are taken. Bodies are not copied, only located.

use std::ops::Range;
use std::sync::Arc;

use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

/// Far beyond what the API takes, to bound what one client can make the server hold.
pub(super) const MAX_BODY: usize = 64 << 20;
const MAX_HEAD: usize = 1 << 20;
const MAX_HEADERS: usize = 128;

pub(super) struct Head {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
}

/// A complete request; positions are relative to its first byte.
pub(super) struct Message {
    pub(super) head: Arc<Head>,
    pub(super) body: Body,
    pub(super) length: usize,
    pub(super) keep_alive: bool,
}

pub(super) enum Body {
    Plain(Range<usize>),
    Chunked(Vec<Range<usize>>),
}

pub(super) enum Found {
    Partial { awaits_continue: bool },
    Complete(Message),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    NotHttp,
    TooLarge,
}

impl Malformed {
    pub(super) fn status(self) -> u16 {
        match self {
            Malformed::NotHttp => 400,
            Malformed::TooLarge => 413,
        }
    }
}

impl<E: Into<http::Error>> From<E> for Malformed {
    fn from(_: E) -> Self {
        Malformed::NotHttp
    }
}

pub(super) fn find(bytes: &[u8]) -> Result<Found, Malformed> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut fields);
    let head_length = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() > MAX_HEAD => return Err(Malformed::TooLarge),
        Ok(httparse::Status::Partial) => {
            return Ok(Found::Partial { awaits_continue: false });
        }
        Err(_) => return Err(Malformed::NotHttp),
    };
    let framing = Framing::of(parsed.headers)?;
    let Some((body, length)) = framing.locate(bytes, head_length)? else {
        return Ok(Found::Partial {
            awaits_continue: field(parsed.headers, &EXPECT).any(|value| value.eq_ignore_ascii_case(b"100-continue")),
        });
    };
    let keep_alive = if parsed.version == Some(0) {
        lists(parsed.headers, &CONNECTION, b"keep-alive")
    } else {
        !lists(parsed.headers, &CONNECTION, b"close")
    };
    let head = Arc::new(Head {
        method: Method::from_bytes(parsed.method.unwrap_or_default().as_bytes())?,
        uri: Uri::try_from(parsed.path.unwrap_or_default())?,
        headers: header_map(parsed.headers)?,
    });
    Ok(Found::Complete(Message { head, body, length, keep_alive }))
}

enum Framing {
    Length(usize),
    Chunked,
}

impl Framing {
    fn of(fields: &[httparse::Header<'_>]) -> Result<Framing, Malformed> {
        if lists(fields, &TRANSFER_ENCODING, b"chunked") {
            return Ok(Framing::Chunked);
        }
        let Some(length) = field(fields, &CONTENT_LENGTH).next() else {
            return Ok(Framing::Length(0));
        };
        let length = std::str::from_utf8(length).ok().and_then(|text| text.parse().ok());
        match length {
            None => Err(Malformed::NotHttp),
            Some(length) if length > MAX_BODY => Err(Malformed::TooLarge),
            Some(length) => Ok(Framing::Length(length)),
        }
    }

    /// The body and the length of the whole message, if all of it is there.
    fn locate(&self, bytes: &[u8], from: usize) -> Result<Option<(Body, usize)>, Malformed> {
        match self {
            Framing::Length(length) => {
                let end = from + length;
                Ok((end <= bytes.len()).then_some((Body::Plain(from..end), end)))
            }
            Framing::Chunked => {
                let located = locate_chunks(bytes, from)?;
                Ok(located.map(|(chunks, end)| (Body::Chunked(chunks), end)))
            }
        }
    }
}

type Chunks = (Vec<Range<usize>>, usize);

fn locate_chunks(bytes: &[u8], from: usize) -> Result<Option<Chunks>, Malformed> {
    let mut chunks = Vec::new();
    let mut total = 0_usize;
    let mut at = from;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let (used, size) = match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(Malformed::NotHttp),
        };
        at += used;
        if size == 0 {
            return Ok(locate_trailer_end(bytes, at)?.map(|end| (chunks, end)));
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        total = total.saturating_add(size);
        if total > MAX_BODY {
            return Err(Malformed::TooLarge);
        }
        let end = at + size;
        match bytes.get(end..end + 2) {
            None => return Ok(None),
            Some(b"\r\n") => chunks.push(at..end),
            Some(_) => return Err(Malformed::NotHttp),
        }
        at = end + 2;
    }
}

fn locate_trailer_end(bytes: &[u8], at: usize) -> Result<Option<usize>, Malformed> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
    match httparse::parse_headers(bytes.get(at..).unwrap_or_default(), &mut fields) {
        Ok(httparse::Status::Complete((used, _))) => Ok(Some(at + used)),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(_) => Err(Malformed::NotHttp),
    }
}

fn field<'a>(fields: &'a [httparse::Header<'_>], name: &'a HeaderName) -> impl Iterator<Item = &'a [u8]> {
    fields
        .iter()
        .filter(move |field| field.name.eq_ignore_ascii_case(name.as_str()))
        .map(|field| field.value.trim_ascii())
}

/// Returns whether a comma-separated field has this member.
fn lists(fields: &[httparse::Header<'_>], name: &HeaderName, member: &[u8]) -> bool {
    field(fields, name)
        .flat_map(|value| value.split(|&byte| byte == b','))
        .any(|listed| listed.trim_ascii().eq_ignore_ascii_case(member))
}

fn header_map(fields: &[httparse::Header<'_>]) -> Result<HeaderMap, Malformed> {
    let mut headers = HeaderMap::with_capacity(fields.len());
    for field in fields {
        headers.append(HeaderName::from_bytes(field.name.as_bytes())?, HeaderValue::from_bytes(field.value)?);
    }
    Ok(headers)
}
