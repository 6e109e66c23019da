//! What the transform costs: nanoseconds and allocations of one event.
//!
//! `cargo bench -p tracklane-sampling`

#[path = "../../../benches/transform/mod.rs"]
mod transform;

use tracklane_sampling::Sampling;

/// The user is in the share of 0.99.
fn main() {
    let kept = |mark| Sampling::new(0.99).mark(mark).build().expect("the rules are valid");
    transform::compare([("sampling: kept, unmarked", kept(false)), ("sampling: kept, marked", kept(true))]);
}
