//! Events per second and core, from a batch to requests that are answered at once, and allocations.
//!
//! `cargo bench -p tracklane-ga4`. The allocations are those of a batch of a hundred events.

#[path = "../../../benches/vendor/mod.rs"]
mod vendor;

use divan::{AllocProfiler, Bencher};
use tracklane::plugin::Destination;
use tracklane::transport::HttpClient;
use tracklane_ga4::Ga4;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// A request for each event: Google wants one for each user.
#[divan::bench(sample_count = 100, sample_size = 10)]
fn a_hundred_purchases(bencher: Bencher<'_, '_>) {
    vendor::per_event(bencher, 100, destination);
}

/// Four requests.
#[divan::bench(sample_count = 100, sample_size = 10)]
fn a_hundred_purchases_of_one_user(bencher: Bencher<'_, '_>) {
    vendor::per_event_of(1, bencher, 100, destination);
}

fn destination(client: HttpClient) -> Destination {
    Ga4::new("G-ABC123", "secret").http_client(client).build().expect("the settings are valid")
}
