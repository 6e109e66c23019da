//! The thread that writes: sorts the events of a batch into files, and ends files that are full or idle.

use std::collections::HashMap;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use tokio::sync::oneshot;
use tracklane::plugin::Batch;

use crate::file::OpenFile;
use crate::jsonl::Jsonl;
use crate::line::Paths;

/// A job of the thread.
pub(crate) enum Job {
    Write(Batch, oneshot::Sender<io::Result<()>>),
    /// End all files, and then the thread.
    End(oneshot::Sender<io::Result<()>>),
}

pub(crate) struct Writer {
    pub(crate) settings: Jsonl,
    pub(crate) paths: Paths,
    pub(crate) jobs: Receiver<Job>,
    pub(crate) files: HashMap<String, OpenFile>,
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
        let mut lines: Vec<(String, Vec<u8>)> = Vec::new();
        for message in batch.messages() {
            let path = self.paths.of(message.json());
            // Most events go where the one before went.
            let at = lines.iter().rposition(|(other, _)| other == path).unwrap_or_else(|| {
                lines.push((path.to_owned(), Vec::new()));
                lines.len() - 1
            });
            let Some((_, text)) = lines.get_mut(at) else { continue };
            self.settings.map.write(message.json(), || message.event(), text)?;
            text.push(b'\n');
        }
        if self.settings.dry_run {
            self.show(&lines);
            return Ok(());
        }
        lines.into_iter().try_for_each(|(path, lines)| self.append(path, &lines))
    }

    fn show(&self, lines: &[(String, Vec<u8>)]) {
        for (path, lines) in lines {
            let (path, lines) = (self.settings.place(path), String::from_utf8_lossy(lines));
            tracing::info!(target: "tracklane_jsonl", "dry run, not written: {}\n{lines}", path.display());
        }
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
            None => OpenFile::open(self.settings.place(&path), compression)?,
        };
        let appended = file.append(lines, compression, sync);
        self.files.insert(path, file);
        appended
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
