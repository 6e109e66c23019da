//! The content coding of a body: gzip, or none.
//!
//! The decoded body is never larger than the largest body that is read, however well it was compressed.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use http::header::CONTENT_ENCODING;

use super::http1::{Head, MAX_BODY};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undecodable {
    UnknownCoding,
    Malformed,
    TooLarge,
}

/// Returns the body without its content coding. One without a coding is not copied.
pub(super) fn decoded<'a>(head: &Head, body: &'a [u8]) -> Result<Cow<'a, [u8]>, Undecodable> {
    let Some(coding) = head.headers.get(CONTENT_ENCODING) else { return Ok(Cow::Borrowed(body)) };
    match coding.as_bytes().to_ascii_lowercase().as_slice() {
        b"identity" => Ok(Cow::Borrowed(body)),
        b"gzip" | b"x-gzip" => unzipped(body, MAX_BODY).map(Cow::Owned),
        _ => Err(Undecodable::UnknownCoding),
    }
}

fn unzipped(body: &[u8], limit: usize) -> Result<Vec<u8>, Undecodable> {
    let mut text = Vec::new();
    let mut decoder = MultiGzDecoder::new(body).take(limit as u64 + 1);
    decoder.read_to_end(&mut text).map_err(|_| Undecodable::Malformed)?;
    if text.len() > limit { Err(Undecodable::TooLarge) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::{Undecodable, unzipped};

    fn zipped(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_body_may_come_out_as_large_as_the_limit_and_no_larger() {
        let body = zipped(&[b' '; 1000]);
        assert_eq!(unzipped(&body, 1000).unwrap(), [b' '; 1000]);
        assert_eq!(unzipped(&body, 999), Err(Undecodable::TooLarge));
    }

    #[test]
    fn what_is_cut_short_is_malformed() {
        let body = zipped(b"{}");
        for length in 0..body.len() {
            assert_eq!(unzipped(&body[..length], 1000), Err(Undecodable::Malformed), "{length}");
        }
    }
}
