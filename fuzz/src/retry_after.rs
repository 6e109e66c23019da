//! The `Retry-After` header, at any time of the clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderValue, header};

/// `data`: four bytes of the clock (seconds since 1970), then the header's value.
pub fn check(data: &[u8]) {
    let Some((clock, value)) = data.split_first_chunk::<4>() else { return };
    let Ok(header) = HeaderValue::from_bytes(value) else { return };
    let now = UNIX_EPOCH + Duration::from_secs(u32::from_le_bytes(*clock).into());
    let headers = HeaderMap::from_iter([(header::RETRY_AFTER, header)]);
    let wait = tracklane::segment::retry_after(&headers, now).map(|wait| wait.as_millis());

    let text = value.trim_ascii();
    if !text.is_empty() && text.iter().all(u8::is_ascii_digit) {
        assert_eq!(wait, Some(clamped(text)), "seconds are read and clamped");
    } else if let Some(wait) = wait {
        assert!((1_000..=300_000).contains(&wait), "{wait} ms is out of bounds");
        assert!(text.len() >= 24, "{text:?} is too short for a date");
    }
    let later = tracklane::segment::retry_after(&headers, SystemTime::now());
    assert_eq!(later.is_some(), wait.is_some(), "whether the form is known does not depend on the clock");
}

/// What the digits mean, in milliseconds.
fn clamped(digits: &[u8]) -> u128 {
    let seconds = digits.iter().fold(0_u128, |sum, digit| (sum * 10 + u128::from(digit - b'0')).min(1_000));
    seconds.clamp(1, 300) * 1_000
}
