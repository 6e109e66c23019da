//! Runs a program beside the server: `dev --exec -- cmd`.

use std::ffi::OsString;
use std::process::{ExitStatus, Stdio};

use tokio::process::Command;

use crate::exit::{Exit, Failure, Outcome};

/// Runs it with the host set to this server, and ends with its code.
pub(super) async fn run(
    command: &[OsString],
    url: &str,
    (key, inspector): (&str, Option<&str>),
    interrupted: impl Future<Output = Exit>,
) -> Outcome {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Failure::usage("--exec: there is no program after --"));
    };
    let mut command = Command::new(program);
    command.args(arguments).env("TRACKLANE_HOST", url).env("TRACKLANECTL_URL", url).kill_on_drop(true);
    if let Some(inspector) = inspector.filter(|_| std::env::var_os("TRACKLANE_INSPECTOR").is_none()) {
        command.env("TRACKLANE_INSPECTOR", inspector);
    }
    if std::env::var_os("TRACKLANE_WRITE_KEY").is_none() {
        command.env("TRACKLANE_WRITE_KEY", key);
    }
    let spawned = command.stdin(Stdio::inherit()).spawn();
    let mut child = spawned
        .map_err(|error| Failure::cannot_run(format!("--exec: cannot run {}: {error}", program.to_string_lossy())))?;
    tokio::select! {
        ended = child.wait() => {
            let status = ended.map_err(|error| Failure::cannot_run(format!("--exec: {error}")))?;
            Ok(code(status).and_then(|code| u8::try_from(code).ok()).map_or(Exit::Findings, Exit::Code))
        }
        exit = interrupted => {
            // It had the signal, too; it may take the time it needs.
            let _ = child.wait().await;
            Ok(exit)
        }
    }
}

/// The code of the program; that of a shell for one that a signal ended.
fn code(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Some(128 + signal);
    }
    status.code()
}
