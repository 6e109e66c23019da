//! Passes events on besides storing them: to Segment, and to a file.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use tracklane::event::{Integrations, InvalidEvent};
use tracklane::segment::Segment;
use tracklane::{Analytics, Context, Event, signal};
use tracklane_ingest::Request;

use super::store::Entry;

/// The time that the client has to deliver when the server ends.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest wait of an event for others to be sent with. Somebody looks at the other end.
const FORWARD_INTERVAL: Duration = Duration::from_secs(1);

/// The targets: none, a client, a file, or both.
#[derive(Default)]
pub(crate) struct Outlets {
    forward: Option<Analytics>,
    record: Option<Mutex<BufWriter<File>>>,
}

impl Outlets {
    /// Sends on to the source with this key, or to another host.
    pub(crate) fn forward_to(&mut self, key: &str, host: Option<&str>) -> Result<(), String> {
        let mut segment = Segment::new(key).flush_interval(FORWARD_INTERVAL);
        if let Some(host) = host {
            segment = segment.host(host);
        }
        let settings = Analytics::builder().without_library().segment(segment);
        let settings = settings.on(signal::Error, |failure| crate::output::note(&failure.to_string()));
        self.forward = Some(settings.build().map_err(|error| format!("--forward: {error}"))?);
        Ok(())
    }

    /// Appends to a file, an event a line.
    pub(crate) fn record_to(&mut self, path: &Path) -> Result<(), String> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(|error| format!("--record: cannot write {}: {error}", path.display()))?;
        self.record = Some(Mutex::new(BufWriter::new(file)));
        Ok(())
    }

    pub(crate) fn forwards(&self) -> bool {
        self.forward.is_some()
    }

    /// Gives the events of a request to each outlet. It never waits.
    pub(super) fn pass_on(&self, request: &Request, entries: &[Entry]) {
        if let Some(client) = &self.forward {
            entries.iter().for_each(|entry| forward(client, request, entry));
        }
        if let Some(file) = &self.record
            && let Err(error) = record(&mut file.lock().unwrap_or_else(PoisonError::into_inner), entries)
        {
            crate::output::note(&format!("--record: {error}"));
        }
    }

    /// Delivers and writes the rest.
    pub(crate) async fn close(&self) {
        if let Some(client) = &self.forward {
            let report = client.close(CLOSE_TIMEOUT).await;
            if !report.is_complete() {
                crate::output::note(&format!("--forward: {} events were not delivered", report.pending));
            }
        }
    }
}

fn forward(client: &Analytics, request: &Request, entry: &Entry) {
    let sent = whole(request, entry).map_err(|invalid| invalid.to_string());
    let sent = sent.and_then(|event| client.send(event).map_err(|refused| refused.to_string()));
    if let Err(problem) = sent {
        crate::output::note(&format!("--forward: an event was not taken: {problem}"));
    }
}

/// Returns the event with its type, and with the members around its batch.
fn whole(request: &Request, entry: &Entry) -> Result<Event, InvalidEvent> {
    let mut event = Event::from_json(&line(entry))?;
    if let Some(context) = around::<Context>(request.context.as_ref()) {
        event.add_context(&context);
    }
    if let Some(integrations) = around::<Integrations>(request.integrations.as_ref()) {
        let own = event.integrations_mut();
        for (name, value) in integrations.iter() {
            if !own.contains_key(&name) {
                own.insert(&name, value);
            }
        }
    }
    Ok(event)
}

/// An object around a batch.
fn around<T: DeserializeOwned>(json: Option<&Bytes>) -> Option<T> {
    json.filter(|json| json.starts_with(b"{")).and_then(|json| serde_json::from_slice(json).ok())
}

/// One line for each, with the type that its path had.
fn record(file: &mut BufWriter<File>, entries: &[Entry]) -> std::io::Result<()> {
    for entry in entries {
        file.write_all(&line(entry))?;
    }
    // Answered events are in the file, even if this process is killed.
    file.flush()
}

fn line(entry: &Entry) -> Vec<u8> {
    let mut line: Vec<u8> =
        entry.raw.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect();
    if let (Some(kind), true, Some(b'{')) = (entry.kind, entry.fields().kind.is_null(), line.first()) {
        let comma = if line.iter().skip(1).find(|byte| !byte.is_ascii_whitespace()) == Some(&b'}') { "" } else { "," };
        line.splice(..1, format!("{{\"type\":\"{kind}\"{comma}").into_bytes());
    }
    line.push(b'\n');
    line
}
