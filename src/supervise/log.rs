//! Writes log lines. A subscriber is the host's code and may panic: the line is lost then, and nothing else.

/// Writes a line to the log at a level of `tracing`, such as `WARN`.
macro_rules! log {
    ($level:ident, $($line:tt)*) => {
        // Asked first, so that a line nobody wants costs what it costs without this.
        if tracing::Level::$level <= tracing::level_filters::LevelFilter::current() {
            // There is nowhere left to say that it panicked.
            let _ = crate::supervise::catch(|| {
                tracing::event!(target: "tracklane", tracing::Level::$level, $($line)*);
            });
        }
    };
}

pub(crate) use log;
