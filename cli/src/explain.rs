//! Explains in plain words why events were not delivered, and what to do.

use std::error::Error;

use http::StatusCode;
use tracklane::DeliveryError;
use tracklane::transport::{SendError, SendErrorKind};

/// Returns what went wrong at `target` and the remedy, in one line.
pub(crate) fn explain(error: &DeliveryError, target: &str) -> String {
    if let Some(status) = error.status() {
        return of_status(status, target);
    }
    let causes = || std::iter::successors(Some(error as &(dyn Error + 'static)), |cause| (*cause).source());
    let kind = causes().find_map(|cause| cause.downcast_ref::<SendError>()).map(SendError::kind);
    let cause = causes().last().map(ToString::to_string).unwrap_or_default();
    match kind {
        Some(SendErrorKind::Connect) if is_local(target) => {
            format!("cannot reach {target}: {cause}. Start it with: tracklane dev")
        }
        Some(SendErrorKind::Connect) => {
            format!("cannot reach {target}: {cause}. Check --host, and whether the server runs")
        }
        Some(SendErrorKind::Dns) => {
            format!("cannot reach {target}: its name cannot be looked up. Check --host and the network")
        }
        Some(SendErrorKind::Tls) => {
            format!("cannot reach {target} by TLS: {cause}. Check its certificate; without TLS, --host needs http://")
        }
        Some(_) => format!("{target} did not answer: {error:#}"),
        None => format!("{target} did not answer: {error:#}. Try again later"),
    }
}

fn of_status(status: StatusCode, target: &str) -> String {
    let answered = format!("{target} answered {status}");
    match status.as_u16() {
        401 | 403 => format!("{answered}: it refuses the write key. Check --write-key, or TRACKLANE_WRITE_KEY"),
        404 | 405 => format!("{answered}: it has no tracking API there. Check --host"),
        413 => format!("{answered}: the event is too large for it"),
        429 => format!("{answered}: it takes no more events for now. Try again later"),
        408 | 500..=599 => format!("{answered}: it cannot take events now. Try again later"),
        300..=399 => format!("{answered}, and redirects are not followed. Write the URL that it names into --host"),
        _ => format!("{answered}: it refuses the event. `tracklane check` finds what Segment refuses"),
    }
}

/// Returns whether the target is on this machine, where `tracklane dev` listens.
fn is_local(target: &str) -> bool {
    ["http://127.", "http://localhost", "http://[::1]"].iter().any(|local| target.starts_with(local))
}
