//! Text that the user edits in an editor of theirs.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use crate::exit::Failure;

const EDITORS: [&str; 2] = ["VISUAL", "EDITOR"];

/// Opens the text, which is JSON, and returns it as the editor left it.
pub(crate) fn edit(text: &str) -> Result<String, Failure> {
    let editor = EDITORS.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()));
    let editor = editor.ok_or_else(|| Failure::usage("--edit: there is no editor: set VISUAL or EDITOR"))?;
    let cannot = |error: std::io::Error| Failure::cannot_run(format!("--edit: {error}"));
    // For the user's eyes only, and deleted at the end.
    let mut file = tempfile::Builder::new().prefix("tracklane-").suffix(".json").tempfile().map_err(cannot)?;
    file.write_all(text.as_bytes()).and_then(|()| file.flush()).map_err(cannot)?;
    run(&editor, file.path())?;
    // An editor may have put another file in its place.
    std::fs::read_to_string(file.path()).map_err(cannot)
}

/// Runs the editor, which may have options, and waits for it.
fn run(editor: &str, file: &Path) -> Result<(), Failure> {
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or_default();
    let status = Command::new(program).args(words).arg(file).status();
    let status = status.map_err(|error| Failure::cannot_run(format!("--edit: cannot run {program:?}: {error}")))?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::cannot_run(format!("--edit: {program:?} ended with {status}; nothing was sent"))),
    }
}
