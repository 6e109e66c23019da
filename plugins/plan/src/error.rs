//! The error of a plan or a policy that cannot be used.

use std::io;
use std::path::PathBuf;

/// The error of a plan. It names the file, the place in it, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A file or folder cannot be read.
    #[error("cannot read the tracking plan {}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A file is not JSON.
    #[error("the tracking plan {from}, line {}, column {}: is not JSON", source.line(), source.column())]
    Json {
        /// The file, or `text`.
        from: String,
        /// The error, with its line and column.
        source: serde_json::Error,
    },
    /// It is JSON, and none of the formats.
    #[error("the tracking plan {from} {problem}")]
    Format {
        /// The file, or `text`.
        from: String,
        /// The problem, and what to give instead.
        problem: String,
    },
    /// A rule of the plan cannot be used.
    #[error("the tracking plan {from}: {rule}: {problem}")]
    Rule {
        /// The file, or `text`.
        from: String,
        /// The place of the rule, and its event.
        rule: String,
        /// The problem.
        problem: String,
    },
    /// A setting that cannot be used.
    #[error("setting {setting}: {problem}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// The problem, and what to write instead.
        problem: &'static str,
    },
    /// An action that cannot be taken there.
    #[error("the policy of {kind} calls: {problem}")]
    Policy {
        /// The kind of call.
        kind: tracklane::Kind,
        /// The problem, and what to write instead.
        problem: &'static str,
    },
}
