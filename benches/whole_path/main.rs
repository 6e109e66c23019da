//! The whole path: from the call to the acknowledged batch, over HTTP on the loopback interface.
//!
//! ```text
//! cargo bench --bench whole_path                 # all sections, about three minutes
//! cargo bench --bench whole_path -- --quick      # the same with fewer and shorter runs
//! cargo bench --bench whole_path -- path burst   # these sections: path, receipts, latency, burst, scale, quiet
//! ```
//!
//! Client and server are processes of their own (this program again), so that the CPU time and memory of the client
//! are its own. The server counts every event by its number: a run in which an event is missing or came twice
//! fails. Variants take turns, and the tables show medians.

#[path = "../item_purchased/mod.rs"]
mod item_purchased;
#[path = "../loopback/mod.rs"]
mod loopback;

mod held;
mod sections;
mod work;

use std::error::Error;

use loopback::Wanted;

fn main() -> Result<(), Box<dyn Error>> {
    if loopback::ran_as_part::<work::Work>()? {
        return Ok(());
    }
    sections::run(&Wanted::from_arguments())
}
