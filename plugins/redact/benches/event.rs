//! What the transform costs: nanoseconds and allocations of one event.
//!
//! `cargo bench -p tracklane-redact`

#[path = "../../../benches/transform/mod.rs"]
mod transform;

use tracklane_redact::Redact;

fn main() {
    transform::compare([
        ("redact: secrets", Redact::secrets().build()),
        ("redact: pii, which replaces the address", Redact::pii().build()),
    ]);
}
