//! The verdict on an answer of ClickHouse. Its error code decides, because its status is mostly 500.

use tracklane::plugin::{Answer, Batch, Verdict};
use tracklane_http::{EventError, Outgoing, Received, Secret, message_id};

/// The meaning of an error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    /// A row cannot be read, or does not fit its columns.
    BadRow,
    /// The operator can mend it: no such table, database or column.
    Schema,
    /// The user or the password is refused, or may not insert.
    Credentials,
}

/// The codes that are not tried again as they are.
const CODES: &[(u32, Means)] = &[
    (6, Means::BadRow),        // CANNOT_PARSE_TEXT
    (26, Means::BadRow),       // CANNOT_PARSE_QUOTED_STRING
    (27, Means::BadRow),       // CANNOT_PARSE_INPUT_ASSERTION_FAILED
    (38, Means::BadRow),       // CANNOT_PARSE_DATE
    (41, Means::BadRow),       // CANNOT_PARSE_DATETIME
    (53, Means::BadRow),       // TYPE_MISMATCH
    (72, Means::BadRow),       // CANNOT_PARSE_NUMBER
    (117, Means::BadRow),      // INCORRECT_DATA
    (16, Means::Schema),       // NO_SUCH_COLUMN_IN_TABLE
    (60, Means::Schema),       // UNKNOWN_TABLE
    (81, Means::Schema),       // UNKNOWN_DATABASE
    (192, Means::Credentials), // UNKNOWN_USER
    (193, Means::Credentials), // WRONG_PASSWORD
    (194, Means::Credentials), // REQUIRED_PASSWORD
    (497, Means::Credentials), // ACCESS_DENIED
    (516, Means::Credentials), // AUTHENTICATION_FAILED
];

/// The answer to the rows of a request.
///
/// | ClickHouse | rows |
/// |---|---|
/// | 2xx | stored |
/// | a row that cannot be read, and says which | it is refused; nothing was stored, so the others come again |
/// | a row that cannot be read | split once a batch was taken, else refused |
/// | no such table, database or column | tried again: it can be mended |
/// | user or password | refused credentials |
/// | any other code, such as too many parts, a timeout, no memory | tried again |
/// | no code | by its status |
pub(crate) fn answer(request: &Outgoing, received: &Received, batch: &Batch, secrets: &[Secret]) -> Answer {
    let said = |verdict| received.answer_with(verdict, request.client.endpoint(), secrets);
    let text = String::from_utf8_lossy(&received.body);
    let by_status = received.verdict(batch.timer().now());
    // An exception may come after the head of a 200.
    let header = received.headers.get("x-clickhouse-exception-code").and_then(|code| code.to_str().ok()?.parse().ok());
    let Some(code) = header.or_else(|| number_behind(&text, "Code: ")) else { return said(by_status) };
    let means = CODES.iter().find(|(known, _)| *known == code).map(|(_, means)| *means);
    match means {
        Some(Means::Credentials) => said(Verdict::Unauthorized),
        Some(Means::BadRow) => match number_behind(&text, "(at row ").and_then(|row| bad_row(row, request)) {
            Some(row) => {
                let words = received.words(secrets);
                let id = request.events.get(row).map(|event| message_id(batch, *event)).unwrap_or_default();
                let error = EventError::new(id, format!("ClickHouse refuses it: {words}"));
                let refused = Answer::new(Verdict::Reject).with_status(received.status).with_error(error);
                Answer::each(said(Verdict::Retry), [(row, refused)])
            }
            None => said(Verdict::SplitIfProven),
        },
        Some(Means::Schema) | None => {
            let is_pause = matches!(by_status, Verdict::Pause(_));
            said(if is_pause { by_status } else { Verdict::Retry })
        }
    }
}

/// The index of a row that ClickHouse counts from 1.
fn bad_row(row: u32, request: &Outgoing) -> Option<usize> {
    let index = usize::try_from(row).ok()?.checked_sub(1)?;
    (index < request.events.len()).then_some(index)
}

/// The number that stands behind some words.
fn number_behind(text: &str, words: &str) -> Option<u32> {
    let (_, rest) = text.split_once(words)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
