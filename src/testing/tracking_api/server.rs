//! Accepts connections and gives each a thread of its own.
//!
//! The accepting thread ends, after the server was stopped, with the next connection that is
//! made, and only once every connection's thread has ended.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::connection;
use super::shared::Shared;

/// How long to wait when the process has run out of descriptors before accepting again.
const BACK_OFF: Duration = Duration::from_millis(10);

pub(super) fn spawn(listener: TcpListener, shared: Arc<Shared>) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("tracking-api".to_owned()).spawn(move || {
        let threads = accept(&listener, &shared);
        // New clients are refused from here on, however long the threads take.
        drop(listener);
        for thread in threads {
            let _ = thread.join();
        }
    })
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) -> Vec<JoinHandle<()>> {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    loop {
        let Ok((stream, _)) = listener.accept() else {
            if shared.connections.pause(BACK_OFF) {
                continue;
            }
            return threads;
        };
        let stream = Arc::new(stream);
        let Some(number) = shared.connections.enter(&stream) else {
            return threads;
        };
        threads.retain(|thread| !thread.is_finished());
        match serve(stream, number, Arc::clone(shared)) {
            Ok(thread) => threads.push(thread),
            Err(_) => shared.connections.leave(number),
        }
    }
}

fn serve(stream: Arc<TcpStream>, number: usize, shared: Arc<Shared>) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(format!("tracking-api-{number}")).spawn(move || {
        let _ = connection::serve(&stream, number, &shared);
    })
}
