//! Events per second into a file, from a batch to its lines, and allocations.
//!
//! `cargo bench -p tracklane-jsonl`. The allocations are those of a batch of a thousand events.

#[path = "../../../benches/vendor/mod.rs"]
mod vendor;

use divan::{AllocProfiler, Bencher};
use tracklane_jsonl::{Jsonl, Sync};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench(args = ["%Y-%m-%d.jsonl", "%Y-%m-%d/{type}-{event}.jsonl"], sample_count = 100, sample_size = 1)]
fn a_thousand_purchases(bencher: Bencher<'_, '_>, file: &str) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    vendor::per_event(bencher, 1_000, |_| {
        let jsonl = Jsonl::new(directory.path()).file(file).sync(Sync::Never);
        jsonl.build().expect("the settings are valid")
    });
}
