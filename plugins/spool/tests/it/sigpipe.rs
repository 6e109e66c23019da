//! What the spool's thread does to the signals of its process: nothing but for itself.

use std::fs;
use std::path::PathBuf;

use tracklane_spool::Spool;

use crate::support::{Directory, SOON, Sink, settings, wait_until};

/// Whether SIGPIPE is blocked, of each thread of that name.
fn blocked(name: &str) -> Vec<bool> {
    const SIGPIPE: u64 = 1 << 12;
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten().map(|task| task.path());
    let read = |file: PathBuf| fs::read_to_string(file).unwrap_or_default();
    let named = tasks.filter(|task| read(task.join("comm")).trim_end() == name);
    let mask = |status: String| {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:").map(str::trim).map(str::to_owned));
        mask.map_or(u64::MAX, |mask| u64::from_str_radix(&mask, 16).unwrap())
    };
    named.map(|task| mask(read(task.join("status"))) & SIGPIPE != 0).collect()
}

/// The thread inherits the mask of the one that starts it, which on a host's runtime is the host's.
#[test]
fn the_spools_thread_blocks_sigpipe_on_any_runtime() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let directory = Directory::new();
    let spool = Spool::new(directory.spool());
    let analytics = settings(&spool, &Sink::up()).runtime(runtime.handle().clone()).build().unwrap();
    // Those of the tests beside this one may be about to do so.
    wait_until("they block SIGPIPE", || {
        let blocked = blocked("tracklane-spool");
        !blocked.is_empty() && !blocked.contains(&false)
    });
    analytics.close_blocking(SOON);
}
