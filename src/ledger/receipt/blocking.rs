//! Waiting for a receipt in code that is not async. Left out in WebAssembly, where nothing can block.

use std::pin::Pin;
use std::time::Duration;

use super::{Receipt, Settlement};
use crate::sync::Instant;
use crate::threads;

impl Receipt {
    /// Blocks the thread until the event has its outcome. That includes every retry, so it can take hours if the
    /// destination is down. [`wait_timeout`](Self::wait_timeout) has a limit.
    #[must_use]
    pub fn wait(mut self) -> Settlement {
        loop {
            match self.wait_timeout(Duration::MAX) {
                Ok(settlement) => return settlement,
                Err(receipt) => self = receipt,
            }
        }
    }

    /// Blocks the thread until the event has its outcome, at most `timeout`.
    ///
    /// # Errors
    ///
    /// Returns the receipt if the event had no outcome in time, to wait again.
    pub fn wait_timeout(mut self, timeout: Duration) -> Result<Settlement, Self> {
        // A time that the clock cannot reach is no limit.
        let deadline = Instant::now().checked_add(timeout);
        threads::block_until(Pin::new(&mut self), deadline).ok_or(self)
    }
}
