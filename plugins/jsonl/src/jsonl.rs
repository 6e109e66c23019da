//! The settings, as a builder and as data, and the destination that they make.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tracklane::Event;
use tracklane::plugin::{Batching, Destination};

use crate::file::with_ending;
use crate::line::{Explanation, Hook, Paths};
use crate::service::WriterHandle;
use crate::template::Template;

/// The name of the destination, unless another is given.
const NAME: &str = "JSON Lines";
const MAX_BYTES: u64 = 128 * 1024 * 1024;
const LEAST_BYTES: u64 = 64 * 1024;
const IDLE: Duration = Duration::from_secs(30);
/// The thread that writes wakes up as often.
const LEAST_IDLE: Duration = Duration::from_millis(1);

/// A destination that writes each event as a line of a file.
///
/// ```no_run
/// use tracklane::Analytics;
/// use tracklane_jsonl::{Compression, Jsonl};
///
/// let archive = Jsonl::new("/var/lib/events").file("%Y-%m-%d/{type}.jsonl").compression(Compression::Gzip);
/// let analytics = Analytics::builder_for("WRITE_KEY").plugin(archive.build()?).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "settings do nothing until they are built and registered"]
pub struct Jsonl {
    name: String,
    pub(crate) directory: PathBuf,
    file: String,
    pub(crate) max_bytes: u64,
    pub(crate) idle: Duration,
    pub(crate) compression: Compression,
    pub(crate) sync: Sync,
    pub(crate) dry_run: bool,
    pub(crate) map: Hook,
}

/// The compression of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// Gzip, with each batch as a member of its own (RFC 1952), so that lines from before a crash can be read. File
    /// names get the ending `.gz`.
    Gzip,
}

/// When a file is synced to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Sync {
    /// Never: the operating system writes when it likes.
    Never,
    /// When the file is done, before it takes its last name.
    #[default]
    OnClose,
    /// Syncs each batch before it counts as delivered, so that delivered events survive a power cut.
    EachBatch,
}

/// [`Jsonl`] as a configuration file has it. An unknown member is an error.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct JsonlSettings {
    /// The directory below which all files are. It is created.
    pub directory: PathBuf,
    /// See [`Jsonl::name`].
    pub name: Option<String>,
    /// See [`Jsonl::file`].
    pub file: Option<String>,
    /// See [`Jsonl::max_bytes`].
    pub max_bytes: Option<u64>,
    /// See [`Jsonl::idle`], in seconds.
    pub idle_seconds: Option<u64>,
    /// See [`Jsonl::compression`].
    #[serde(default)]
    pub compression: Compression,
    /// See [`Jsonl::sync`].
    #[serde(default)]
    pub sync: Sync,
    /// See [`Jsonl::dry_run`].
    #[serde(default)]
    pub dry_run: bool,
}

/// The error of the settings, or of an event that is explained.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonlError {
    /// The template of file names cannot be used.
    #[error("the file name {file:?} {problem}")]
    File {
        /// The template.
        file: String,
        /// The problem, and what to write instead.
        problem: String,
    },
    /// Files would be rotated with nearly every batch.
    #[error("max_bytes is {bytes}: use at least {LEAST_BYTES}")]
    MaxBytes {
        /// The setting.
        bytes: u64,
    },
    /// The destination has no name.
    #[error("the name is empty: write the name that events use in `integrations`, or leave the setting out")]
    Name,
    /// Files would be closed as soon as they are open.
    #[error("idle is {idle:?}: use at least a millisecond")]
    Idle {
        /// The setting.
        idle: Duration,
    },
    /// The event cannot be written as JSON.
    #[error("the event cannot be written as JSON")]
    Event(#[source] Arc<serde_json::Error>),
    /// The directory cannot be made absolute.
    #[error("the directory {directory:?} cannot be used: {problem}")]
    Directory {
        /// The setting.
        directory: PathBuf,
        /// The error of the operating system.
        problem: String,
    },
}

impl Jsonl {
    /// Writes below `directory`, which is created when the first event comes. A relative one is below the directory that
    /// is current when [`build`](Self::build) is called.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            name: NAME.to_owned(),
            directory: directory.into(),
            file: "%Y-%m-%d.jsonl".to_owned(),
            max_bytes: MAX_BYTES,
            idle: IDLE,
            compression: Compression::None,
            sync: Sync::OnClose,
            dry_run: false,
            map: Hook::default(),
        }
    }

    /// The name of the destination, for `integrations`. `JSON Lines` by default.
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The path of an event's file below the directory: `%Y`, `%m`, `%d` and the other parts of a time as strftime has
    /// them, of the event's `timestamp` in UTC, and `{type}` and `{event}` of the event, with every letter that is
    /// unsafe in a file name replaced by `_`. `%Y-%m-%d.jsonl` by default. It must not end in `.part`, or in `.gz`,
    /// which the [`compression`](Self::compression) adds. Parts without use in a file name are errors: a time zone,
    /// lines and tabs, what depends on a language.
    pub fn file(mut self, template: &str) -> Self {
        template.clone_into(&mut self.file);
        self
    }

    /// Bytes after which a file is done and another one begun, with `.1`, `.2`, … before its ending. 128 MiB by default.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets how long a file that gets no events stays open: 30 seconds by default, at least a millisecond.
    pub fn idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// Sets the compression of lines. None by default.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// When files are synced to the disk. When they are done, by default.
    pub fn sync(mut self, sync: Sync) -> Self {
        self.sync = sync;
        self
    }

    /// Whether lines are only logged, at the level INFO, and the events counted as delivered. No file is made.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Changes the JSON of an event before it is written. [`Reader`](crate::Reader) leaves out events that come again by
    /// their `messageId`, and reads what is an event.
    ///
    /// ```
    /// use tracklane_jsonl::Jsonl;
    ///
    /// let archive = Jsonl::new("/var/lib/events").map_event(|_, line| {
    ///     line["receivedBy"] = "web-1".into();
    /// });
    /// ```
    pub fn map_event(mut self, map: impl Fn(&Event, &mut Value) + Send + std::marker::Sync + 'static) -> Self {
        self.map = Hook(Some(Arc::new(map)));
        self
    }

    /// The line that would be written for `event` and the path of its file, or why it would not be. No file is made. An
    /// event that no client has taken yet has neither id nor time unless they were set.
    ///
    /// # Errors
    ///
    /// If a setting cannot be used, or the event cannot be written as JSON.
    pub fn explain(&self, event: impl Into<Event>) -> Result<Explanation, JsonlError> {
        let (event, (jsonl, template)) = (event.into(), self.clone().checked()?);
        let unwritable = |error| JsonlError::Event(Arc::new(error));
        let json = serde_json::to_vec(&event).map_err(unwritable)?;
        let path = jsonl.place(Paths::new(template).of(&json));
        let mut line = Vec::new();
        jsonl.map.write(&json, || event.clone(), &mut line).map_err(unwritable)?;
        let is_selected = jsonl.build()?.selects(&event);
        let why_not = (!is_selected).then(|| format!("its integrations keep it from {:?}", self.name));
        Ok(Explanation { path, line: String::from_utf8_lossy(&line).into_owned(), why_not })
    }

    /// Where the file is, with its last name.
    pub(crate) fn place(&self, path: &str) -> PathBuf {
        let path = self.directory.join(path);
        if self.compression == Compression::Gzip { with_ending(&path, ".gz") } else { path }
    }

    /// Checks the settings and makes the destination. It writes on a thread of its own, one batch after the other.
    ///
    /// # Errors
    ///
    /// Returns an error if a setting cannot be used. The error names it and its value.
    pub fn build(self) -> Result<Destination, JsonlError> {
        let (jsonl, template) = self.checked()?;
        let name = jsonl.name.clone();
        let handle = WriterHandle::new(name.clone(), jsonl, template);
        Ok(Destination::new(&name, handle.service())
            .batching(Batching::every(1_000, Duration::from_secs(1)))
            .max_in_flight(1)
            .lifecycle(handle))
    }

    /// Checks the settings. Returns them with an absolute directory, and the template.
    fn checked(mut self) -> Result<(Self, Template), JsonlError> {
        if self.max_bytes < LEAST_BYTES {
            return Err(JsonlError::MaxBytes { bytes: self.max_bytes });
        }
        if self.name.trim().is_empty() {
            return Err(JsonlError::Name);
        }
        if self.idle < LEAST_IDLE {
            return Err(JsonlError::Idle { idle: self.idle });
        }
        let template =
            Template::new(&self.file).map_err(|problem| JsonlError::File { file: self.file.clone(), problem })?;
        self.directory = std::path::absolute(&self.directory)
            .map_err(|error| JsonlError::Directory { directory: self.directory.clone(), problem: error.to_string() })?;
        Ok((self, template))
    }
}

impl From<JsonlSettings> for Jsonl {
    fn from(settings: JsonlSettings) -> Self {
        let mut jsonl = Jsonl::new(settings.directory)
            .compression(settings.compression)
            .sync(settings.sync)
            .dry_run(settings.dry_run);
        if let Some(name) = settings.name {
            jsonl = jsonl.name(&name);
        }
        if let Some(file) = settings.file {
            jsonl = jsonl.file(&file);
        }
        if let Some(bytes) = settings.max_bytes {
            jsonl = jsonl.max_bytes(bytes);
        }
        if let Some(seconds) = settings.idle_seconds {
            jsonl = jsonl.idle(Duration::from_secs(seconds));
        }
        jsonl
    }
}
