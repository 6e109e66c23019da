//! The thread that writes: sorts the events of a batch into files, and ends files that are full or idle.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::oneshot;
use tracklane::plugin::Batch;

use crate::file::{OpenFile, with_ending};
use crate::jsonl::{Compression, Jsonl};
use crate::template::Template;

/// A job of the thread.
pub(crate) enum Job {
    Write(Batch, oneshot::Sender<io::Result<()>>),
    /// End all files, and then the thread.
    End(oneshot::Sender<io::Result<()>>),
}

pub(crate) struct Writer {
    pub(crate) settings: Jsonl,
    pub(crate) template: Template,
    pub(crate) jobs: Receiver<Job>,
    pub(crate) files: HashMap<String, OpenFile>,
}

/// The members of an event that decide on its file.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow, default)]
    event: Option<std::borrow::Cow<'a, str>>,
    timestamp: Option<&'a str>,
}

impl Writer {
    pub(crate) fn run(mut self) {
        loop {
            match self.jobs.recv_timeout(self.settings.idle) {
                Ok(Job::Write(batch, done)) => drop(done.send(self.write(&batch))),
                Ok(Job::End(done)) => return drop(done.send(self.end_all())),
                Err(RecvTimeoutError::Timeout) => {}
                // Nobody is left who could get an error.
                Err(RecvTimeoutError::Disconnected) => return drop(self.end_all()),
            }
            // Nor here: a file that cannot take its last name keeps its first, and the next process ends it.
            drop(self.end_idle());
        }
    }

    fn write(&mut self, batch: &Batch) -> io::Result<()> {
        let mut lines: HashMap<String, Vec<u8>> = HashMap::new();
        for message in batch.messages() {
            let text = lines.entry(self.path(message.json())).or_default();
            text.extend_from_slice(message.json());
            text.push(b'\n');
        }
        lines.into_iter().try_for_each(|(path, lines)| self.append(path, &lines))
    }

    fn path(&self, json: &[u8]) -> String {
        let head: Option<Head<'_>> = serde_json::from_slice(json).ok();
        let at = head.as_ref().and_then(|head| head.timestamp?.parse().ok()).unwrap_or_else(Timestamp::now);
        let kind = head.as_ref().map_or("event", |head| head.kind);
        let event = head.as_ref().and_then(|head| head.event.as_deref()).unwrap_or_default();
        self.template.path(at, kind, event)
    }

    fn append(&mut self, path: String, lines: &[u8]) -> io::Result<()> {
        let Jsonl { compression, sync, max_bytes, .. } = self.settings;
        let full =
            self.files.get(&path).is_some_and(|file| file.bytes() > 0 && file.bytes() + lines.len() as u64 > max_bytes);
        if full && let Some(file) = self.files.remove(&path) {
            file.finish(sync)?;
        }
        let mut file = match self.files.remove(&path) {
            Some(file) => file,
            None => OpenFile::open(self.place(&path), compression)?,
        };
        let appended = file.append(lines, compression, sync);
        self.files.insert(path, file);
        appended
    }

    /// Returns the place of the file, with its final name.
    fn place(&self, path: &str) -> PathBuf {
        let path = self.settings.directory.join(path);
        if self.settings.compression == Compression::Gzip { with_ending(&path, ".gz") } else { path }
    }

    fn end_idle(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let idle = self.settings.idle;
        self.end(|file| now.saturating_duration_since(file.used) >= idle)
    }

    fn end_all(&mut self) -> io::Result<()> {
        self.end(|_| true)
    }

    fn end(&mut self, is_done: impl Fn(&OpenFile) -> bool) -> io::Result<()> {
        let sync = self.settings.sync;
        let done: Vec<OpenFile> = self.files.extract_if(|_, file| is_done(file)).map(|(_, file)| file).collect();
        // Each of them, also if one fails.
        let ended: Vec<io::Result<()>> = done.into_iter().map(|file| file.finish(sync)).collect();
        ended.into_iter().collect()
    }
}
