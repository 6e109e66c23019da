//! A connection that can be broken on purpose, and that does not wait for ever for a client to read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

const GARBAGE: &[u8] = b"\x16\x03\x01 this is no HTTP \x00\xff\r\n\r\n";

/// Tells a connection to break at its next write.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire(Arc<AtomicU8>);

const FINE: u8 = 0;
const RESET: u8 = 1;
const SPOIL: u8 = 2;

impl Wire {
    /// With a TCP reset.
    pub(crate) fn reset(&self) {
        self.0.store(RESET, Ordering::Release);
    }

    /// With bytes that are no HTTP.
    pub(crate) fn spoil(&self) {
        self.0.store(SPOIL, Ordering::Release);
    }
}

pub(crate) struct Socket {
    stream: TcpStream,
    wire: Wire,
    idle_timeout: Duration,
    /// Runs while the client does not read.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, wire: Wire, idle_timeout: Duration) -> Self {
        Self { stream, wire, idle_timeout, stalled: None }
    }

    /// Breaks the connection as it was set to.
    fn broken(&self) -> Option<io::Error> {
        let how = self.wire.0.load(Ordering::Acquire);
        match how {
            FINE => return None,
            RESET => drop(self.stream.set_zero_linger()),
            _ => drop(self.stream.try_write(GARBAGE)),
        }
        Some(io::Error::from(io::ErrorKind::ConnectionAborted))
    }

    /// The poll of a write; an error once it has been pending for too long.
    fn bounded<T>(&mut self, cx: &mut Context<'_>, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.stalled = None;
            return poll;
        }
        let limit = self.idle_timeout;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(limit)));
        match stalled.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::Error::from(io::ErrorKind::TimedOut))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(broken) = self.broken() {
            return Poll::Ready(Err(broken));
        }
        let poll = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.bounded(cx, poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(broken) = self.broken() {
            return Poll::Ready(Err(broken));
        }
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.bounded(cx, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
