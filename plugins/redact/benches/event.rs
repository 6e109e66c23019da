//! What the transform costs: nanoseconds and allocations of one event.
//!
//! `cargo bench -p tracklane-redact`. What is to be known is the difference to `without`.

#[path = "../../../benches/transform/mod.rs"]
mod transform;

use divan::{AllocProfiler, Bencher};
use tracklane_redact::Redact;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 200, sample_size = 100)]
fn without(bencher: Bencher<'_, '_>) {
    transform::through(bencher, []);
}

#[divan::bench(sample_count = 200, sample_size = 100)]
fn secrets(bencher: Bencher<'_, '_>) {
    transform::through(bencher, Redact::secrets().build());
}

#[divan::bench(sample_count = 200, sample_size = 100)]
fn pii_that_replaces_the_address(bencher: Bencher<'_, '_>) {
    transform::through(bencher, Redact::pii().build());
}
