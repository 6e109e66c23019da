//! Ids that PostHog merges no person with, because many programs send them by mistake.

/// Ids that PostHog's ingestion refuses, compared without case.
const ILLEGAL: &[&str] = &[
    "0",
    "00000000-0000-0000-0000-000000000000",
    "[object object]",
    "anonymous",
    "anonymous-user",
    "backend",
    "distinct_id",
    "distinctid",
    "email",
    "false",
    "guest",
    "id",
    "nan",
    "none",
    "not_authenticated",
    "null",
    "system",
    "true",
    "undefined",
    "user",
];

/// The id as PostHog's list has it, if it is there.
pub(crate) fn illegal(id: &str) -> Option<&'static str> {
    let id = id.trim();
    ILLEGAL.iter().copied().find(|illegal| id.eq_ignore_ascii_case(illegal))
}
