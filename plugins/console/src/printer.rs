//! The destination's service, and the thread that prints.

use std::future::Future;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::mpsc::{self, Receiver, Sender};
use std::task::{Context, Poll};
use std::thread;

use tokio::sync::oneshot;
use tracklane::plugin::Batch;

use crate::line::Style;

type Job = (Batch, oneshot::Sender<io::Result<()>>);

/// Starts its thread with the first event, which ends with the service.
pub(crate) struct Printer {
    style: Style,
    state: State,
}

enum State {
    Idle(Option<Box<dyn Write + Send>>),
    Running(Sender<Job>),
}

impl Printer {
    pub(crate) fn new(writer: Box<dyn Write + Send>, style: Style) -> Self {
        Self { style, state: State::Idle(Some(writer)) }
    }

    /// Gives the batch to the thread.
    fn hand_over(&mut self, batch: Batch) -> io::Result<oneshot::Receiver<io::Result<()>>> {
        if let State::Idle(writer) = &mut self.state {
            let (jobs, received) = mpsc::channel();
            let (writer, style) = (writer.take().unwrap_or_else(|| Box::new(io::stderr())), self.style);
            thread::Builder::new()
                .name("tracklane-console".to_owned())
                .spawn(move || print(received, writer, style))?;
            self.state = State::Running(jobs);
        }
        let (done, printed) = oneshot::channel();
        if let State::Running(jobs) = &self.state {
            // If the thread is gone, so is `done`, which the caller sees.
            let _ = jobs.send((batch, done));
        }
        Ok(printed)
    }
}

fn print(jobs: Receiver<Job>, mut writer: Box<dyn Write + Send>, style: Style) {
    for (batch, done) in jobs {
        let text: String = batch.messages().map(|message| style.show(message.json())).collect();
        // The caller may have given up.
        let _ = done.send(writer.write_all(text.as_bytes()).and_then(|()| writer.flush()));
    }
}

impl tower_service::Service<Batch> for Printer {
    type Response = ();
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        let handed = self.hand_over(batch);
        Box::pin(async move { handed?.await.map_err(|_| io::Error::other("the thread that prints has ended"))? })
    }
}
