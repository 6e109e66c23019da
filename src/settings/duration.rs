//! Durations as people write them.

use std::time::Duration;

use jiff::SignedDuration;

/// Reads `10s`, `1h 30m` or a number of milliseconds; `None` if it is neither, or negative.
pub(super) fn parse(text: &str) -> Option<Duration> {
    if let Ok(milliseconds) = text.parse() {
        return Some(Duration::from_millis(milliseconds));
    }
    let parsed: SignedDuration = text.parse().ok()?;
    Duration::try_from(parsed).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::parse;

    #[test]
    fn durations_have_units_or_are_milliseconds() {
        assert_eq!(parse("10s"), Some(Duration::from_secs(10)));
        assert_eq!(parse("1h 30m"), Some(Duration::from_secs(90 * 60)));
        assert_eq!(parse("250"), Some(Duration::from_millis(250)));
        for wrong in ["", "soon", "-5s", "-5", "1.5", "10 parsecs"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
