//! Plugins that could not be loaded, and which events they were to see.

use std::sync::Arc;

use super::registered::PluginRecord;
use crate::event::{Event, Kind};
use crate::plugin::{Behavior, Registration, Selection};

/// A destination that could not be loaded, and which events it would have got.
#[derive(Clone)]
pub(in crate::pipeline) struct Absent {
    selection: Selection,
    kinds: Arc<dyn Fn(Kind) -> bool + Send + Sync>,
}

/// A before plugin that could not be loaded, which events it was to see, and how many were dropped for that.
#[derive(Clone)]
pub(in crate::pipeline) struct AbsentBefore {
    pub(in crate::pipeline) name: Arc<str>,
    pub(in crate::pipeline) record: Arc<PluginRecord>,
    kinds: Arc<dyn Fn(Kind) -> bool + Send + Sync>,
}

/// What is remembered of a plugin that could not be loaded. Without any other plugin events go on.
pub(in crate::pipeline) enum Absence {
    Before(AbsentBefore),
    Destination(Absent),
    Other,
}

impl Absence {
    /// What would be remembered of this one.
    pub(in crate::pipeline) fn of(registration: &Registration) -> Self {
        let kinds = registration.kinds();
        if let Some(selection) = registration.selection() {
            return Absence::Destination(Absent::new(selection, kinds));
        }
        if !matches!(registration.behavior, Behavior::Before(_)) {
            return Absence::Other;
        }
        let (name, record) = (registration.name.clone(), Arc::default());
        Absence::Before(AbsentBefore { name, record, kinds: Arc::new(kinds) })
    }

    /// What follows for events, to be said behind the reason.
    pub(in crate::pipeline) fn consequence(&self) -> &'static str {
        match self {
            Absence::Before(_) => "; every event that it was to see is dropped until it is registered or deregistered",
            Absence::Destination(_) => "; what it was to have is dropped until it is registered or deregistered",
            Absence::Other => "; events go on without it",
        }
    }
}

impl AbsentBefore {
    /// Whether it was to see events of this kind.
    pub(in crate::pipeline) fn wants(&self, kind: Kind) -> bool {
        (self.kinds)(kind)
    }
}

impl Absent {
    /// The name by which it is waited for.
    pub(in crate::pipeline) fn name(&self) -> &str {
        self.selection.name()
    }

    /// Whether it would have got the event.
    pub(super) fn selects(&self, event: &Event) -> bool {
        (self.kinds)(event.kind()) && self.selection.selects(event)
    }

    fn new(selection: Selection, kinds: impl Fn(Kind) -> bool + Send + Sync + 'static) -> Self {
        Self { selection, kinds: Arc::new(kinds) }
    }
}
