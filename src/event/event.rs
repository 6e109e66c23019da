//! The event, as plugins read and edit it.

use std::borrow::Cow;
use std::fmt;

use super::content::Content;
use super::fields::Field;
use super::{Context, Integrations, IntoTimestamp, InvalidTimestamp, Kind, Object, Slot, Timestamp, pool};

/// An event that plugins read and edit.
///
/// A call makes one (`Track::new("Item Purchased").into()`), and so does JSON (`Event::try_from`). The common fields
/// are those of the [Segment Spec](https://segment.com/docs/connections/spec/common/). An empty id or name stands for
/// none.
///
/// ```
/// use tracklane::event::{Event, Track};
///
/// let mut event = Event::from(Track::new("Item Purchased").user_id("u1"));
/// let lowercase = event.name().unwrap_or_default().to_lowercase();
/// event.set_name(&lowercase);
/// event.context_mut().insert("host", "web-1");
/// assert_eq!(event.name().as_deref(), Some("item purchased"));
/// ```
///
/// A clone is an event of its own: callbacks stay with the original.
#[derive(Clone)]
pub struct Event {
    /// Boxed, so that an event moves from setter to setter and from stage to stage as a few words.
    pub(super) content: Box<Content>,
    /// Set if the content may have changed since it was last [saved](super::Checkpoint::save), or is new.
    pub(super) edited: bool,
    /// What the client keeps with the event. A clone does not get it.
    pub(crate) slot: Slot,
}

impl Event {
    pub(super) fn new(kind: Kind) -> Self {
        Self::from_content(pool::take(kind))
    }

    pub(super) fn from_content(content: Box<Content>) -> Self {
        Self { content, edited: true, slot: Slot::default() }
    }

    /// Returns the call that made the event.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.content.kind
    }

    /// Returns the `messageId`, which stays the same through every retry. If the caller gave none, it is empty until
    /// the event enters the pipeline.
    #[must_use]
    pub fn message_id(&self) -> Cow<'_, str> {
        self.content.message_id.text()
    }

    /// Returns when it happened. If the caller gave no time, it is `None` until the call is made.
    #[must_use]
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.content.timestamp
    }

    /// Sets when it happened: a [`Timestamp`], a [`SystemTime`](std::time::SystemTime), or text in RFC 3339. With other
    /// text the event cannot be sent. `None` removes the time.
    pub fn set_timestamp<Form>(&mut self, timestamp: impl IntoTimestamp<Form>) {
        self.put_timestamp(timestamp.into_timestamp());
    }

    pub(super) fn put_timestamp(&mut self, timestamp: Option<Result<Timestamp, InvalidTimestamp>>) {
        match timestamp.transpose() {
            Ok(timestamp) => self.write().timestamp = timestamp,
            Err(error) => self.write().fields.note_timestamp(error),
        }
    }

    /// Returns the id of the user in your database.
    #[must_use]
    pub fn user_id(&self) -> Option<Cow<'_, str>> {
        self.field(Field::UserId)
    }

    /// Sets the user id. An empty one removes it.
    pub fn set_user_id(&mut self, id: &str) {
        self.set_field(Field::UserId, id);
    }

    /// Returns the id of a user who is not known.
    #[must_use]
    pub fn anonymous_id(&self) -> Option<Cow<'_, str>> {
        self.field(Field::AnonymousId)
    }

    /// Sets the anonymous id. An empty one removes it.
    pub fn set_anonymous_id(&mut self, id: &str) {
        self.set_field(Field::AnonymousId, id);
    }

    /// Returns the name of a tracked event, a page or a screen.
    #[must_use]
    pub fn name(&self) -> Option<Cow<'_, str>> {
        self.field(self.name_field())
    }

    /// Sets the name of a tracked event, a page or a screen. An empty one removes it.
    pub fn set_name(&mut self, name: &str) {
        self.set_field(self.name_field(), name);
    }

    /// Returns the category of a page or screen.
    #[must_use]
    pub fn category(&self) -> Option<Cow<'_, str>> {
        self.field(Field::Category)
    }

    /// Sets the category of a page or screen. An empty one removes it.
    pub fn set_category(&mut self, category: &str) {
        self.set_field(Field::Category, category);
    }

    /// Returns the group of a group call.
    #[must_use]
    pub fn group_id(&self) -> Option<Cow<'_, str>> {
        self.field(Field::GroupId)
    }

    /// Sets the group of a group call. An empty one removes it, and then the call cannot be sent.
    pub fn set_group_id(&mut self, id: &str) {
        self.set_field(Field::GroupId, id);
    }

    /// Returns the former id of an alias call.
    #[must_use]
    pub fn previous_id(&self) -> Option<Cow<'_, str>> {
        self.field(Field::PreviousId)
    }

    /// Sets the former id of an alias call. An empty one removes it, and then the call cannot be sent.
    pub fn set_previous_id(&mut self, id: &str) {
        self.set_field(Field::PreviousId, id);
    }

    /// Returns the section of this kind of call: the traits of an identify or group call, the properties of any other.
    #[must_use]
    pub fn section(&self) -> &Object {
        &self.content.section
    }

    /// Returns the section to edit. An event that had none, and has nothing in it afterwards, is sent without it.
    pub fn section_mut(&mut self) -> &mut Object {
        self.write().edit_section()
    }

    /// Returns the properties of a track, page, screen or alias call; `None` for the other calls.
    ///
    /// The Spec gives an alias call no properties, but it keeps those that it came with as JSON.
    #[must_use]
    pub fn properties(&self) -> Option<&Object> {
        (self.kind().section() == "properties").then(|| self.section())
    }

    /// Returns the properties to edit.
    pub fn properties_mut(&mut self) -> Option<&mut Object> {
        (self.kind().section() == "properties").then(|| self.section_mut())
    }

    /// Returns the traits of an identify or group call; `None` for the other calls.
    #[must_use]
    pub fn traits(&self) -> Option<&Object> {
        (self.kind().section() == "traits").then(|| self.section())
    }

    /// Returns the traits to edit.
    pub fn traits_mut(&mut self) -> Option<&mut Object> {
        (self.kind().section() == "traits").then(|| self.section_mut())
    }

    /// Returns the context of the call. It lacks the default context of the settings, which is merged in last.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.content.context
    }

    /// Returns the context to edit. Members that are set here override those of the call and of the default context.
    pub fn context_mut(&mut self) -> &mut Context {
        &mut self.write().context
    }

    /// Merges `context` deeply under the context of the event. Members of the event win over it, and it wins over the
    /// default context of the settings.
    pub fn add_context(&mut self, context: &Context) {
        self.context_mut().merge_under(context);
    }

    /// Returns the destinations that get the event.
    #[must_use]
    pub fn integrations(&self) -> Option<&Integrations> {
        self.content.integrations()
    }

    /// Returns the integrations to edit.
    pub fn integrations_mut(&mut self) -> &mut Integrations {
        self.write().integrations_mut()
    }

    fn field(&self, field: Field) -> Option<Cow<'_, str>> {
        self.content.fields.get(field)
    }

    pub(super) fn set_field(&mut self, field: Field, value: &str) {
        self.write().fields.set(field, value);
    }

    fn name_field(&self) -> Field {
        if self.kind() == Kind::Track { Field::Event } else { Field::Name }
    }

    /// Returns the content to change.
    pub(super) fn write(&mut self) -> &mut Content {
        self.edited = true;
        &mut self.content
    }

    /// Returns whether the last plugin may have changed it.
    pub(crate) fn is_edited(&self) -> bool {
        self.edited
    }

    /// Takes the content of `other`, and stays the same event for callbacks and counts.
    pub(crate) fn replace_content(&mut self, other: Event) {
        *self.write() = *other.content;
    }

    /// Ends the event, and leaves its memory to the next one on this thread.
    pub(crate) fn recycle(self) {
        pool::put(self.content);
    }

    /// Makes an id if the caller gave none.
    pub(crate) fn make_message_id(&mut self) {
        self.content.message_id.make_if_unset();
    }

    /// Sets the time of the call if the caller gave none.
    pub(crate) fn stamp(&mut self, now: impl FnOnce() -> Timestamp) {
        self.content.timestamp.get_or_insert_with(now);
    }
}

/// Two events are equal if their JSON has the same members, in whatever order. Callbacks do not count.
impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        let (one, two) = (&self.content, &other.content);
        one.kind == two.kind
            && one.message_id.text() == two.message_id.text()
            && one.timestamp == two.timestamp
            && one.fields.members() == two.fields.members()
            && one.section() == two.section()
            && one.context == two.context
            && one.integrations() == two.integrations()
    }
}

impl Eq for Event {}

/// Shows the kind and the id of an event, but not its content, which is personal data.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("type", &self.kind())
            .field("message_id", &self.message_id())
            .field("timestamp", &self.timestamp())
            .finish_non_exhaustive()
    }
}
