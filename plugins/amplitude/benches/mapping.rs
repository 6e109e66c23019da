//! Events per second and core, from a batch to requests that are answered at once, and allocations.
//!
//! `cargo bench -p tracklane-amplitude`. The allocations are those of a batch of a hundred events.

#[path = "../../../benches/vendor/mod.rs"]
mod vendor;

use divan::{AllocProfiler, Bencher};
use tracklane_amplitude::Amplitude;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 100, sample_size = 10)]
fn a_hundred_purchases(bencher: Bencher<'_, '_>) {
    vendor::per_event(bencher, 100, |client| {
        let destination = Amplitude::new("key").gzip(false).http_client(client).build();
        destination.expect("the settings are valid")
    });
}
