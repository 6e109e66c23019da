//! A copy of an event from before a plugin, to restore it when the plugin fails.
//!
//! A plugin gets the event itself. It may edit the event, or put another one in its place. Invariants: the event can be
//! restored whatever the plugin did, and its id never changes. An event that did not change since the last plugin is
//! not copied again.

use super::content::Content;
use super::{Event, pool};

/// One event and the plugins of a stage, which get it one after the other.
#[derive(Default)]
pub(crate) struct Checkpoint {
    /// The content of the event before the last plugin.
    before: Option<Box<Content>>,
}

impl Checkpoint {
    /// Saves the event before a plugin gets it.
    pub(crate) fn save(&mut self, event: &mut Event) {
        if event.edited || self.before.is_none() {
            self.before.get_or_insert_with(pool::take_copy).copy_from(&event.content);
        }
        event.edited = false;
    }

    /// Accepts what a plugin left, as the same event: with its id, and with a time.
    pub(crate) fn accept(&mut self, event: &mut Event) {
        let Some(before) = &self.before else { return };
        if event.content.message_id != before.message_id {
            event.edited = true;
            event.content.message_id.clone_from(&before.message_id);
            event.content.timestamp = event.content.timestamp.or(before.timestamp);
        }
    }

    /// Returns the event from before the last plugin as JSON.
    pub(crate) fn json(&self) -> Option<Vec<u8>> {
        self.before.as_ref().map(|before| before.json())
    }

    /// Restores the event as it was before the last plugin.
    pub(crate) fn restore(&mut self, event: &mut Event) {
        if let Some(before) = self.before.take() {
            event.content = before;
        }
    }
}

impl Drop for Checkpoint {
    fn drop(&mut self) {
        self.before.take().into_iter().for_each(pool::put_copy);
    }
}
