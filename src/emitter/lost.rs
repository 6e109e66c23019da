//! The payload of the signal `lost`: accepted events that will not be delivered.

use std::fmt;
use std::sync::Arc;

use crate::event::{Event, Message};
use crate::ledger::{DeliveryError, DropReason, Envelope};

/// Accepted events that are lost, all for one reason.
///
/// Events that are dropped on purpose (by a plugin, or because no destination wants them) are not lost. Another
/// destination may have taken the lost events all the same.
///
/// An event that a before plugin failed at is as it was before that plugin, so it still has what the plugin redacts.
/// Events that source middleware loses are missing here, because middleware owns its events. Events that a close gives
/// up are in its report, [`CloseReport::unsent`](crate::CloseReport::unsent).
///
/// ```
/// use tracklane::{Analytics, signal};
///
/// let analytics = Analytics::builder_for("WRITE_KEY").on(signal::Lost, |lost| {
///     for event in lost.events() {
///         eprintln!("{} is lost: {}", event.message_id(), lost.reason);
///     }
/// });
/// # analytics.build()?.close_blocking(std::time::Duration::ZERO);
/// # Ok::<(), tracklane::SettingsError>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct LostEvents {
    /// The destination that did not take them; `None` if they did not come that far.
    pub destination: Option<Arc<str>>,
    /// The reason.
    pub reason: DropReason,
    /// The error of the destination, if there was one. If there were several, that of the first event.
    pub error: Option<Arc<DeliveryError>>,
    events: Lost,
}

#[derive(Clone)]
enum Lost {
    /// Lost before the destinations.
    One(Arc<Event>),
    Messages(Arc<[Arc<Envelope<Message>>]>),
}

impl LostEvents {
    pub(crate) fn of_destination(
        destination: Arc<str>,
        messages: &[Arc<Envelope<Message>>],
        reason: DropReason,
        error: Option<Arc<DeliveryError>>,
    ) -> Self {
        Self { destination: Some(destination), reason, error, events: Lost::Messages(messages.into()) }
    }

    pub(crate) fn one(event: Event, reason: DropReason) -> Self {
        Self { destination: None, reason, error: None, events: Lost::One(Arc::new(event)) }
    }

    /// Returns the number of events; never 0.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        match &self.events {
            Lost::One(_) => 1,
            Lost::Messages(messages) => messages.len(),
        }
    }

    /// Returns the events, in the order of the calls. Each is made when the iteration reaches it.
    pub fn events(&self) -> impl Iterator<Item = Event> + '_ {
        let (one, messages) = match &self.events {
            Lost::One(event) => (Some(event), &[][..]),
            Lost::Messages(messages) => (None, &messages[..]),
        };
        let messages = messages.iter().map(|message| message.event());
        one.map(|event| Event::clone(event)).into_iter().chain(messages)
    }

    /// Returns the bytes of their JSON, as far as it is written.
    pub(super) fn bytes(&self) -> usize {
        match &self.events {
            Lost::One(_) => 0,
            Lost::Messages(messages) => messages.iter().map(|message| message.json().len()).sum(),
        }
    }
}

/// Shows no content of an event.
impl fmt::Debug for LostEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LostEvents")
            .field("destination", &self.destination)
            .field("reason", &self.reason)
            .field("events", &self.len())
            .finish_non_exhaustive()
    }
}
