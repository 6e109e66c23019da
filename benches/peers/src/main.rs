//! Compares this crate with other Rust clients, on the same work and in the same run.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml              # everything, about five minutes
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- --quick   # fewer and shorter runs
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- path      # this section only: path, slow, calls, quiet
//! ```
//!
//! Each peer is used as its own documentation says, with the event that all benchmarks send and in batches of a
//! hundred. The server, the counting and the meters are those of `cargo bench --bench whole_path`; what a peer lost or
//! sent twice is part of the table.

#[path = "../../item_purchased/mod.rs"]
mod item_purchased;
#[path = "../../loopback/mod.rs"]
mod loopback;

#[cfg_attr(not(feature = "posthog"), path = "no_posthog.rs")]
mod posthog;
mod rudder;
mod sections;
mod segment;
mod work;

use std::error::Error;

use loopback::Wanted;

fn main() -> Result<(), Box<dyn Error>> {
    if loopback::ran_as_part::<work::Work>()? {
        return Ok(());
    }
    sections::run(&Wanted::from_arguments())
}
