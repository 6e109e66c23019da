//! Collects everything that any crate logs in this process, and searches it for secrets.

use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

static LEAKS: Mutex<Vec<String>> = Mutex::new(Vec::new());
static SEEN: Mutex<u64> = Mutex::new(0);

/// Begins to listen, once, at every level and to every crate.
pub(super) fn capture() {
    static BEGIN: Once = Once::new();
    BEGIN.call_once(|| {
        let subscriber =
            tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false).with_writer(Search);
        tracing::subscriber::set_global_default(subscriber.finish()).expect("nobody else listens in this process");
    });
}

/// Fails if a secret was logged, and also if nothing was logged at all, because then nothing was checked.
#[track_caller]
pub(super) fn assert_silent() {
    assert!(*SEEN.lock().unwrap_or_else(PoisonError::into_inner) > 0, "nothing was logged, so nobody listened");
    let leaks = LEAKS.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(leaks.is_empty(), "logged: {leaks:#?}");
}

struct Search;

impl MakeWriter<'_> for Search {
    type Writer = Search;

    fn make_writer(&self) -> Search {
        Search
    }
}

impl Write for Search {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        *SEEN.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        if super::shows_a_secret(&text) {
            LEAKS.lock().unwrap_or_else(PoisonError::into_inner).push(text.into_owned());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
