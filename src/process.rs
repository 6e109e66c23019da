//! The process, which a fork makes two of.

/// Its number, which differs in a process that was forked from it.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
pub(crate) fn id() -> u32 {
    std::process::id()
}

/// WebAssembly has no processes, and nothing forks.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub(crate) fn id() -> u32 {
    0
}
