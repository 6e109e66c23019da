//! What stays with the pipeline while plugins have an event.
//!
//! A plugin gets the event itself, and may edit it, or put another one in its place. Always: whatever it did, the event
//! can be taken back to what it was, and its ticket, its id and those who wait for it stay its own. An event that did
//! not change since the last plugin is not copied again.

use super::body::Attached;
use super::content::Content;
use super::{Event, spare};

/// One event and the plugins of a stage, which get it one after the other.
#[derive(Default)]
pub(crate) struct Loan {
    /// What the event was when it was last lent.
    before: Option<Box<Content>>,
    /// Of an event that was lent and is not [back](Self::end).
    attached: Option<Attached>,
}

impl Loan {
    /// Makes the event ready for a plugin.
    pub(crate) fn lend(&mut self, event: &mut Event) {
        if event.edited || self.before.is_none() {
            self.before.get_or_insert_with(spare::copy).copy_from(&event.content);
        }
        event.edited = false;
        self.attached.get_or_insert_with(|| event.detach());
    }

    /// Takes over what a plugin left, as the same event: with its id, and with a time.
    pub(crate) fn take_back(&mut self, event: &mut Event) {
        let Some(before) = &self.before else { return };
        if event.content.message_id != before.message_id {
            event.edited = true;
            event.content.message_id.clone_from(&before.message_id);
            event.content.timestamp = event.content.timestamp.or(before.timestamp);
        }
    }

    /// Takes the event back to what it was when it was last lent.
    pub(crate) fn roll_back(&mut self, event: &mut Event) {
        if let Some(before) = self.before.take() {
            event.content = before;
        }
    }

    /// No further plugin gets the event: it has again what is attached to it.
    pub(crate) fn end(&mut self, event: &mut Event) {
        if let Some(attached) = self.attached.take() {
            event.attached = attached;
        }
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.before.take().into_iter().for_each(spare::keep_copy);
    }
}
