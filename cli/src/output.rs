//! Data on standard output, messages on standard error, and a pipe that ends is no error.

use std::io::{self, IsTerminal, Write};

/// Writes text to standard output. A reader that went away ends the program quietly, with code 0.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        let code = if error.kind() == io::ErrorKind::BrokenPipe { 0 } else { 3 };
        std::process::exit(code);
    }
}

/// Writes a line to standard output.
pub(crate) fn line(text: &str) {
    print(&format!("{text}\n"));
}

/// Says something on standard error.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Returns whether colours are wanted: on a terminal, unless `NO_COLOR` or a dumb terminal speak against it.
pub(crate) fn colours() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal() && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Text in a colour, by its number in ANSI.
pub(crate) fn paint(text: &str, colour: u8) -> String {
    if colours() { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
}
