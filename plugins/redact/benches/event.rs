//! What the transform costs: nanoseconds and allocations of one event.
//!
//! `cargo bench -p tracklane-redact`

#[path = "../../../benches/transform/mod.rs"]
mod transform;

use tracklane_redact::Redact;

fn main() {
    let rows = [("redact: secrets", Redact::secrets()), ("redact: pii, which replaces the address", Redact::pii())];
    transform::compare(rows.map(|(name, redact)| (name, redact.build().expect("the rules are valid"))));
}
