//! The error of a configuration, with the file and the line.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use tracklane::{BoxError, similar_name};

/// The error of a configuration: the file, the line, the problem, and the remedy. It shows no value of a setting that
/// may be a secret.
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
}

impl ConfigError {
    /// Makes the error of the whole file.
    pub(crate) fn new(path: &Path, problem: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, problem: problem.into(), source: None }
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
            Some(line) => write!(f, "{}:{line}: {}", self.path.display(), self.problem),
            None => write!(f, "{}: {}", self.path.display(), self.problem),
        }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
