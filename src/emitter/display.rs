//! Displays signals: one line each, for a log, without the content of events.

use std::fmt;

use super::signal::{DrainInfo, Emitted, Flushed, Initialized, LostEvents, PluginInfo, RequestInfo, ResponseInfo};

/// Shows the signal's name and its payload.
impl fmt::Display for Emitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name())?;
        match self {
            Emitted::Error(failure) => failure.fmt(f),
            Emitted::Track(event)
            | Emitted::Identify(event)
            | Emitted::Page(event)
            | Emitted::Screen(event)
            | Emitted::Group(event)
            | Emitted::Alias(event) => write!(f, "{} was accepted", event.message_id()),
            Emitted::CallAfterClose(event) => write!(f, "{} {} was refused", event.kind(), event.message_id()),
            Emitted::Flush(flushed) => flushed.fmt(f),
            Emitted::HttpRequest(request) => request.fmt(f),
            Emitted::HttpResponse(response) => response.fmt(f),
            Emitted::Register(plugin) | Emitted::Deregister(plugin) => plugin.fmt(f),
            Emitted::Initialize(initialized) => initialized.fmt(f),
            Emitted::Drained(info) => info.fmt(f),
            Emitted::Lost(lost) => lost.fmt(f),
        }
    }
}

/// A number with its noun, in the singular or the plural.
struct Counted(u64, &'static str);

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, noun) = self;
        write!(f, "{number} {noun}{}", if *number == 1 { "" } else { "s" })
    }
}

fn events(number: usize) -> Counted {
    Counted(number as u64, "event")
}

impl fmt::Display for LostEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(destination) = &self.destination {
            write!(f, "{destination}: ")?;
        }
        write!(f, "{} lost ({})", events(self.len()), self.reason)
    }
}

impl fmt::Display for Flushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { destination, bytes, attempts, delivered, .. } = self;
        let outcome = if *delivered { "delivered" } else { "not delivered" };
        let attempts = Counted(u64::from(*attempts), "attempt");
        write!(f, "{destination}: {} in {bytes} bytes {outcome} after {attempts}", events(self.events))
    }
}

impl fmt::Display for RequestInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, url, bytes, attempt, .. } = self;
        write!(f, "{method} {url} with {} in {bytes} bytes, attempt {attempt}", events(self.events))
    }
}

impl fmt::Display for ResponseInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, elapsed, attempt, .. } = self;
        match self.status {
            Some(status) => write!(f, "{status} from {url}"),
            None => write!(f, "no response from {url}"),
        }?;
        write!(f, " after {elapsed:?} to {}, attempt {attempt}", events(self.events))
    }
}

impl fmt::Display for PluginInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, a plugin in the role {}", self.name, self.role)
    }
}

impl fmt::Display for Initialized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.plugins.iter().map(|name| &**name).collect();
        write!(f, "{} registered", Counted(names.len() as u64, "plugin"))?;
        if names.is_empty() { Ok(()) } else { write!(f, ": {}", names.join(", ")) }
    }
}

impl fmt::Display for DrainInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing is pending of {}", Counted(self.accepted, "accepted event"))
    }
}
