//! Writes log lines. A subscriber is the host's code and may panic: then only the line is lost.

/// Writes a line to the log at a level of `tracing`, such as `WARN`.
macro_rules! log {
    ($level:ident, $($line:tt)*) => {
        // Checked first, so that a line that nobody wants costs no more than without this.
        if tracing::Level::$level <= tracing::level_filters::LevelFilter::current() {
            // There is no other place to report the panic.
            let _ = crate::supervise::catch(|| {
                tracing::event!(target: "tracklane", tracing::Level::$level, $($line)*);
            });
        }
    };
}

pub(crate) use log;
