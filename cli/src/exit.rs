//! The exit codes of the program.

use std::fmt;

/// Exit codes, the same for every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is fine.
    Fine,
    /// Findings, events that were not delivered, or an expectation that is not met.
    Findings,
    /// The command line is wrong. clap ends with the same code.
    Usage,
    /// It could not run: a file, a port, the network.
    CannotRun,
    /// Time ran out.
    TimedOut,
    /// Interrupted by the user.
    Interrupted,
    /// The code of the program that `dev --exec` ran.
    Code(u8),
}

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Exit::Fine => 0,
            Exit::Findings => 1,
            Exit::Usage => 2,
            Exit::CannotRun => 3,
            Exit::TimedOut => 4,
            Exit::Interrupted => 130,
            Exit::Code(code) => code,
        }
    }
}

/// The error in one line, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

impl Failure {
    /// What was looked at is not as it should be.
    pub(crate) fn findings(message: impl Into<String>) -> Self {
        Self { exit: Exit::Findings, message: message.into() }
    }

    /// A command line that cannot be meant.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    /// A file, a port or the network that is in the way.
    pub(crate) fn cannot_run(message: impl Into<String>) -> Self {
        Self { exit: Exit::CannotRun, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

pub(crate) type Outcome = Result<Exit, Failure>;
