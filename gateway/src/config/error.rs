//! The error of a configuration, with the file and the line.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use tracklane::{BoxError, similar_name};

/// The error of a configuration: the file, the line, the problem, and the remedy. Its text has a line for each wrong
/// setting ([`errors`](Self::errors)), and shows no value that may be a secret.
#[derive(Debug)]
#[non_exhaustive]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1, if it is known.
    pub line: Option<usize>,
    /// The problem.
    pub problem: String,
    source: Option<BoxError>,
    /// The errors of other settings of the same file.
    others: Vec<ConfigError>,
}

impl ConfigError {
    /// Returns one error for each wrong setting, in the order of the file: this one is the first.
    pub fn errors(&self) -> impl Iterator<Item = &ConfigError> {
        std::iter::once(self).chain(&self.others)
    }

    /// Makes the error of the whole file.
    pub(crate) fn new(path: &Path, problem: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, problem: problem.into(), source: None, others: Vec::new() }
    }

    /// The line in which the byte at the start of `span` is.
    pub(crate) fn at(mut self, text: &str, span: Option<Range<usize>>) -> Self {
        let before = span.and_then(|span| text.get(..span.start.min(text.len())));
        self.line = before.map(|before| before.matches('\n').count() + 1);
        self
    }

    pub(crate) fn because(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// Collects the errors of checks, so that one start reports all wrong settings.
#[derive(Debug, Default)]
pub(crate) struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// Keeps the error of a check. Returns its value, if it has one.
    pub(crate) fn check<T>(&mut self, checked: Result<T, ConfigError>) -> Option<T> {
        checked.map_err(|error| self.add(error)).ok()
    }

    pub(crate) fn add(&mut self, mut error: ConfigError) {
        let others = std::mem::take(&mut error.others);
        self.0.push(error);
        self.0.extend(others);
    }

    /// Returns `value`, or one error for all that were kept.
    pub(crate) fn or<T>(mut self, value: T) -> Result<T, ConfigError> {
        self.0.sort_by_key(|error| error.line);
        let mut errors = self.0.into_iter();
        match errors.next() {
            None => Ok(value),
            Some(first) => Err(ConfigError { others: errors.collect(), ..first }),
        }
    }
}

/// Returns the problem of a name that nothing has, with the names that there are.
pub(crate) fn there_is_no<'n>(kind: &str, name: &str, known: impl Iterator<Item = &'n str>) -> String {
    let known: Vec<&str> = known.collect();
    let meant = similar_name(name, known.iter().copied());
    let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {meant:?}?"));
    format!("there is no {kind} {name:?}; there are: {}{meant}", known.join(", "))
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path.display(), self.problem)?,
            None => write!(f, "{}: {}", self.path.display(), self.problem)?,
        }
        self.others.iter().try_for_each(|other| write!(f, "\n{other}"))
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
