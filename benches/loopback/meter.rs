//! Measures the CPU time and the memory of a process.

use std::time::Instant;

use super::report::ClientReport;

/// Measures from its creation to [`report`](Self::report).
pub(crate) struct Meter {
    started: Instant,
    cpu: u64,
    before: u64,
}

impl Meter {
    pub(crate) fn start() -> Self {
        Self { cpu: cpu(), before: status("VmRSS:"), started: Instant::now() }
    }

    pub(crate) fn report(&self) -> ClientReport {
        let elapsed = self.started.elapsed().as_nanos() as u64;
        let (cpu, peak, before) = (cpu() - self.cpu, status("VmHWM:"), self.before);
        ClientReport { elapsed, cpu, peak, before, ..ClientReport::default() }
    }
}

/// Returns the CPU time of all threads so far, in nanoseconds.
#[cfg(unix)]
fn cpu() -> u64 {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Returns the CPU time of all threads except the calling one so far, in nanoseconds.
#[cfg(unix)]
pub(super) fn cpu_of_others() -> u64 {
    use rustix::time::{ClockId, clock_gettime};
    let own = clock_gettime(ClockId::ThreadCPUTime);
    cpu().saturating_sub(own.tv_sec as u64 * 1_000_000_000 + own.tv_nsec as u64)
}

/// Does not measure CPU time on other systems.
#[cfg(not(unix))]
fn cpu() -> u64 {
    0
}

#[cfg(not(unix))]
pub(super) fn cpu_of_others() -> u64 {
    0
}

/// Reads a line of `/proc/self/status`, in bytes. Returns 0 without such a file.
fn status(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|text| text.strip_prefix(line)).unwrap_or("0");
    found.trim().trim_end_matches(" kB").parse().unwrap_or(0) * 1024
}
