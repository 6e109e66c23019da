//! The content of an event, in memory that is reused.

use super::fields::Fields;
use super::{Context, Integrations, Kind, MessageId, Object, Timestamp};

/// Everything that plugins can change.
#[derive(Clone)]
pub(super) struct Content {
    pub(super) kind: Kind,
    pub(super) message_id: MessageId,
    /// `None` until the call is made, if the caller gave none.
    pub(super) timestamp: Option<Timestamp>,
    pub(super) fields: Fields,
    /// The properties or the traits, as the kind has it.
    pub(super) section: Object,
    /// There is a section. It may be empty.
    pub(super) has_section: bool,
    pub(super) context: Context,
    pub(super) integrations: Integrations,
    /// There are integrations. They may be empty.
    pub(super) has_integrations: bool,
}

impl Content {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            message_id: MessageId::Unset,
            timestamp: None,
            fields: Fields::default(),
            section: Object::new(),
            has_section: false,
            context: Context::new(),
            integrations: Integrations::new(),
            has_integrations: false,
        }
    }

    /// Removes everything but the kind, and keeps the memory.
    #[inline]
    pub(super) fn clear(&mut self) {
        self.message_id = MessageId::Unset;
        self.timestamp = None;
        self.fields.clear();
        self.section.clear();
        self.has_section = false;
        self.context.clear();
        self.integrations.clear();
        self.has_integrations = false;
    }

    /// Copies `other` into the memory that is there.
    pub(super) fn copy_from(&mut self, other: &Content) {
        self.kind = other.kind;
        self.message_id.clone_from(&other.message_id);
        self.timestamp = other.timestamp;
        self.fields.copy_from(&other.fields);
        self.section.copy_from(&other.section);
        self.has_section = other.has_section;
        self.context.copy_from(&other.context);
        self.integrations.copy_from(&other.integrations);
        self.has_integrations = other.has_integrations;
    }

    /// Returns the section, which is there from now on, even if it is empty.
    pub(super) fn section_mut(&mut self) -> &mut Object {
        self.has_section = true;
        &mut self.section
    }

    /// Returns the section to edit. It is there only if it was before, or is not empty afterwards.
    pub(super) fn edit_section(&mut self) -> &mut Object {
        &mut self.section
    }

    pub(super) fn integrations_mut(&mut self) -> &mut Integrations {
        self.has_integrations = true;
        &mut self.integrations
    }

    /// The section, if it is there.
    pub(super) fn section(&self) -> Option<&Object> {
        (self.has_section || !self.section.is_empty()).then_some(&self.section)
    }

    pub(super) fn integrations(&self) -> Option<&Integrations> {
        self.has_integrations.then_some(&self.integrations)
    }
}
