//! An event in the address of a picture, for mail and for pages without scripts.
//!
//! `GET /v1/pixel/track?data=BASE64`, where the data is the JSON of a call with its `writeKey`
//! ([Segment: pixel tracking API](https://segment.com/docs/connections/sources/catalog/libraries/server/pixel-tracking-api/)).

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use tracklane::Kind;

/// A transparent picture of one pixel.
pub(crate) const GIF: &[u8] = &[
    0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x21, 0xf9, 4, 1, 0, 0, 0,
    0, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 1, 0x44, 0, 0x3b,
];

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);

/// The call that a path such as `/v1/pixel/track` names.
pub(crate) fn kind(path: &str) -> Option<Kind> {
    Kind::from_name(path.strip_prefix("/v1/pixel/")?)
}

/// The JSON in the query; empty if there is none.
pub(crate) fn data(query: &str) -> Bytes {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("data=")).unwrap_or_default();
    // A plus sign that was not escaped has become, or means, a space.
    let text: Vec<u8> = unescaped(value).into_iter().map(|byte| if byte == b' ' { b'+' } else { byte }).collect();
    let text: Vec<u8> = text
        .into_iter()
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        })
        .collect();
    BASE64.decode(text).unwrap_or_default().into()
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
        if let (Some(high), Some(low)) = (digit(), digit()) {
            out.push((high * 16 + low) as u8);
        }
    }
    out
}
