//! What the application's handle and the plugins ask of a client: to register plugins, and to wait.

use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::oneshot;

use super::Client;
use super::deadline::deadline;
use crate::clock::Instant;
use crate::event::Event;
use crate::ledger::{FlushReport, Stats};
use crate::pipeline::intake::Command;
use crate::plugin::{ClientFuture, PluginClient, Registration};
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
        // Without an answer, the worker has ended.
        let ended = || self.intake.refusal_reason().map_or(RegisterError::Closed, RegisterError::from);
        self.background.run(answer).await.unwrap_or_else(|_| Err(ended()))
    }

    /// Waits on a thread of its own. User code may block any other thread, and the deadline must hold.
    pub(crate) async fn wait<T: Send + 'static>(
        self: Arc<Self>,
        timeout: Duration,
        wait: fn(&Arc<Self>, Instant) -> T,
    ) -> T {
        let deadline = deadline(timeout);
        if self.background.is_forked() || self.background.is_shut_down() {
            // Nothing moves any more, so there is nothing to wait for.
            return wait(&self, Instant::now());
        }
        let (reply, report) = oneshot::channel();
        let (waiting, depth) = (self.clone(), hops::current());
        let thread = threads::spawn("tracklane-wait", move || {
            let _scope = hops::set(depth);
            // The caller may not wait for the answer any more.
            let _ = reply.send(wait(&waiting, deadline));
        });
        match thread {
            Ok(()) => report.await.unwrap_or_else(|_| wait(&self, Instant::now())),
            // Only the caller's thread is left.
            Err(_) => wait(&self, deadline),
        }
    }
}

/// The client behind a plugin's `Host`. It does not keep the pipeline alive.
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
