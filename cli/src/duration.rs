//! Durations on the command line: `500ms`, `5s`, `2m`, `1h`.

use std::time::Duration;

/// Reads one.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || "use a number with ms, s, m or h, such as 5s".to_owned();
    let split = text.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit.trim() {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => return Err(wrong()),
    };
    let seconds = number.parse::<f64>().map_err(|_| wrong())? * factor;
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, millis) in [("5s", 5_000), ("500ms", 500), ("1.5s", 1_500), ("2m", 120_000), ("1h", 3_600_000)] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for wrong in ["", "5", "s", "-1s", "1d", "1e99h", "."] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
