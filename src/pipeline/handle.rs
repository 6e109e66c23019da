//! What the handle asks of the pipeline from outside, and what a plugin asks of its client.

use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::oneshot;

use super::client::Client;
use super::command::Command;
use super::deadline::deadline;
use crate::clock::Instant;
use crate::event::Event;
use crate::ledger::{FlushReport, Stats};
use crate::plugin::{Client as PluginClient, ClientFuture, Registration};
use crate::refusal::{CallError, RefusalReason, RegisterError};
use crate::supervise::hops;
use crate::threads;

impl Client {
    /// Queues the command to register, at once. Returns a future of its answer.
    pub(crate) fn register(
        self: &Arc<Self>,
        plugin: Registration,
    ) -> impl Future<Output = Result<(), RegisterError>> + Send + 'static + use<> {
        let checked = plugin.check().map_err(|error| RegisterError::settings(plugin.name(), error));
        let (reply, answer) = oneshot::channel();
        let queued = checked.and_then(|()| Ok(self.intake.command(Command::Register(plugin, reply))?));
        self.clone().answer(queued, answer)
    }

    /// Queues the command to deregister, at once. Returns a future of its answer.
    pub(crate) fn deregister(
        self: &Arc<Self>,
        name: &str,
    ) -> impl Future<Output = Result<(), RegisterError>> + Send + 'static + use<> {
        let (reply, answer) = oneshot::channel();
        let queued = self.intake.command(Command::Deregister(name.to_owned(), reply)).map_err(RegisterError::from);
        self.clone().answer(queued, answer)
    }

    async fn answer(
        self: Arc<Self>,
        queued: Result<(), RegisterError>,
        answer: oneshot::Receiver<Result<(), RegisterError>>,
    ) -> Result<(), RegisterError> {
        queued?;
        // Without an answer the worker has ended.
        let ended = || self.intake.refusal_reason().map_or(RegisterError::Closed, RegisterError::from);
        self.background.run(answer).await.unwrap_or_else(|_| Err(ended()))
    }

    /// Waits on a thread of its own: user code may hold up any other, and the deadline must be kept.
    pub(crate) async fn wait<T: Send + 'static>(
        self: Arc<Self>,
        timeout: Duration,
        wait: fn(&Arc<Self>, Instant) -> T,
    ) -> T {
        let deadline = deadline(timeout);
        if self.background.is_forked() || self.background.is_shut_down() {
            // Nothing moves any more, and nothing is waited for.
            return wait(&self, Instant::now());
        }
        let (reply, report) = oneshot::channel();
        let (waiting, depth) = (self.clone(), hops::current());
        let thread = threads::spawn("tracklane-wait", move || {
            let _scope = hops::set(depth);
            // Whoever asked may not wait for the answer any more.
            let _ = reply.send(wait(&waiting, deadline));
        });
        match thread {
            Ok(()) => report.await.unwrap_or_else(|_| wait(&self, Instant::now())),
            // There is only the caller's thread.
            Err(_) => wait(&self, deadline),
        }
    }
}

/// The client that a plugin's `Host` speaks to. It does not keep the pipeline alive.
pub(crate) struct HostClient(pub(crate) Weak<Client>);

impl PluginClient for HostClient {
    fn send(&self, event: Event) -> Result<(), CallError> {
        match self.0.upgrade() {
            Some(client) => client.intake.push(event),
            None => Err(CallError::new(RefusalReason::Closed, event)),
        }
    }

    fn register(&self, plugin: Registration) -> ClientFuture<Result<(), RegisterError>> {
        match self.0.upgrade() {
            Some(client) => {
                let answer = client.register(plugin);
                Box::pin(answer)
            }
            None => Box::pin(std::future::ready(Err(RegisterError::Closed))),
        }
    }

    fn flush(&self, timeout: Duration) -> ClientFuture<FlushReport> {
        match self.0.upgrade() {
            Some(client) => Box::pin(client.flush_within(timeout)),
            None => Box::pin(std::future::ready(FlushReport::default())),
        }
    }

    fn stats(&self) -> Stats {
        self.0.upgrade().map(|client| client.stats()).unwrap_or_default()
    }
}
