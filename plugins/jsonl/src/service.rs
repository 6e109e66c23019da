//! The destination's service: hands each batch to the thread that writes.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread;

use tokio::sync::oneshot;
use tower_service::Service;
use tracklane::BoxError;
use tracklane::plugin::{Batch, Plugin};

use crate::jsonl::Jsonl;
use crate::line::Paths;
use crate::template::Template;
use crate::writer::{Job, Writer};

/// Starts and ends the thread, with the plugin's life.
pub(crate) struct WriterHandle {
    name: String,
    settings: Jsonl,
    template: Template,
    jobs: Jobs,
}

/// The channel for batches; none while the thread does not run.
type Jobs = Arc<Mutex<Option<Sender<Job>>>>;

impl WriterHandle {
    pub(crate) fn new(name: String, settings: Jsonl, template: Template) -> Self {
        Self { name, settings, template, jobs: Jobs::default() }
    }

    pub(crate) fn service(&self) -> WriterService {
        let start = Starter { settings: self.settings.clone(), template: self.template.clone() };
        WriterService { jobs: self.jobs.clone(), starter: start }
    }
}

impl Plugin for WriterHandle {
    fn name(&self) -> &str {
        &self.name
    }

    async fn unload(&self) -> Result<(), BoxError> {
        let Some(jobs) = lock(&self.jobs).take() else { return Ok(()) };
        let (done, ended) = oneshot::channel();
        jobs.send(Job::End(done)).map_err(|_| io::Error::other("the thread that writes has ended"))?;
        Ok(ended.await??)
    }
}

struct Starter {
    settings: Jsonl,
    template: Template,
}

impl Starter {
    fn start(&self) -> io::Result<Sender<Job>> {
        let (jobs, received) = mpsc::channel();
        let writer = Writer {
            settings: self.settings.clone(),
            paths: Paths::new(self.template.clone()),
            jobs: received,
            files: HashMap::new(),
        };
        thread::Builder::new().name("tracklane-jsonl".to_owned()).spawn(move || writer.run())?;
        Ok(jobs)
    }
}

/// One batch at a time, so the queue of jobs never holds more than one.
pub(crate) struct WriterService {
    jobs: Jobs,
    starter: Starter,
}

impl Service<Batch> for WriterService {
    type Response = ();
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        let handed = self.hand_over(batch);
        Box::pin(async move { handed?.await.map_err(|_| io::Error::other("the thread that writes has ended"))? })
    }
}

impl WriterService {
    /// Gives the batch to the thread, which is started if it does not run.
    fn hand_over(&self, batch: Batch) -> io::Result<oneshot::Receiver<io::Result<()>>> {
        let mut jobs = lock(&self.jobs);
        let sender = match &*jobs {
            Some(sender) => sender.clone(),
            None => jobs.insert(self.starter.start()?).clone(),
        };
        let (done, written) = oneshot::channel();
        if sender.send(Job::Write(batch, done)).is_err() {
            // The next attempt starts another.
            *jobs = None;
        }
        Ok(written)
    }
}

fn lock(jobs: &Jobs) -> MutexGuard<'_, Option<Sender<Job>>> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner)
}
