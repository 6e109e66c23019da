//! Many connections at one time: what each costs, and that nobody waits for them.

#![cfg(target_os = "linux")]

use std::io::Write;
use std::net::TcpStream;

use crate::support::Dev;

/// What the server may take for a connection that is silent.
const BYTES_EACH: u64 = 24 << 10;
/// What it may take once, whatever their number.
const BYTES_ONCE: u64 = 8 << 20;

/// The memory of a process, in bytes.
fn memory(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// `TRACKLANE_CONNECTIONS=10000` for the long form.
#[test]
fn silent_connections_stay_within_the_memory_bound_and_keep_nobody_waiting() {
    let count: u64 = std::env::var("TRACKLANE_CONNECTIONS").map_or(500, |count| count.parse().unwrap());
    let dev = Dev::start(&[]);
    dev.track("Before", "");
    let before = memory(dev.id());
    let held: Vec<TcpStream> = (0..count)
        .map(|_| {
            let mut stream = dev.connect();
            // The beginning of a request, which never ends.
            stream.write_all(b"POST /v1/batch HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{").unwrap();
            stream
        })
        .collect();
    dev.track("Beside them", "");
    assert_eq!(dev.received(), 2);
    let grown = memory(dev.id()).saturating_sub(before);
    println!("{count} connections: {grown} bytes, {} each", grown / count);
    assert!(grown <= count * BYTES_EACH + BYTES_ONCE, "{grown} bytes for {count} connections");
    drop(held);
    dev.track("After", "");
}
