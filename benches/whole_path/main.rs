//! The whole path: from the call to the acknowledged batch, over HTTP on the loopback interface.
//!
//! ```text
//! cargo bench --bench whole_path                 # all sections, about three minutes
//! cargo bench --bench whole_path -- --quick      # the same with fewer and shorter runs
//! cargo bench --bench whole_path -- path burst   # these sections only: path, latency, burst, scale
//! ```
//!
//! Client and server are processes of their own (this program again), so that the CPU time and memory of the client
//! are its own. The server counts every event by its number: a run in which an event is missing or came twice
//! fails. Variants take turns, and the tables show medians.

#[path = "../item_purchased/mod.rs"]
mod item_purchased;

mod client;
mod limits;
mod meter;
mod scenario;
mod sections;
mod server;

use std::env;
use std::error::Error;

use scenario::{CLIENT, SERVER};

fn main() -> Result<(), Box<dyn Error>> {
    if let Ok(task) = env::var(SERVER) {
        return server::run(&serde_json::from_str(&task)?);
    }
    if let Ok(task) = env::var(CLIENT) {
        return client::run(&serde_json::from_str(&task)?);
    }
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let filter: Vec<&str> = arguments.iter().map(String::as_str).filter(|name| !name.starts_with("--")).collect();
    sections::run(quick, |section| filter.is_empty() || filter.contains(&section))
}
