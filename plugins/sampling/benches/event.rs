//! What the transform costs: nanoseconds and allocations of one event.
//!
//! `cargo bench -p tracklane-sampling`. What is to be known is the difference to `without`.

#[path = "../../../benches/transform/mod.rs"]
mod transform;

use divan::{AllocProfiler, Bencher};
use tracklane_sampling::Sampling;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 200, sample_size = 100)]
fn without(bencher: Bencher<'_, '_>) {
    transform::through(bencher, []);
}

/// The user is in the share.
#[divan::bench(sample_count = 200, sample_size = 100)]
fn kept_unmarked(bencher: Bencher<'_, '_>) {
    transform::through(bencher, Sampling::new(0.99).mark(false).build());
}

#[divan::bench(sample_count = 200, sample_size = 100)]
fn kept_marked(bencher: Bencher<'_, '_>) {
    transform::through(bencher, Sampling::new(0.99).build());
}
