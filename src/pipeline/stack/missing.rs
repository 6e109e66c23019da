//! Plugins that failed to load, and the events that they should have seen.

use std::sync::Arc;

use super::registered::PluginRecord;
use crate::event::{Event, Kind};
use crate::plugin::{Behavior, Registration, Selection};

/// A destination that failed to load, and the events that it would have got.
#[derive(Clone)]
pub(in crate::pipeline) struct MissingDestination {
    selection: Selection,
    kinds: Arc<dyn Fn(Kind) -> bool + Send + Sync>,
}

/// A before plugin that failed to load, the events that it should have seen, and how many were dropped for that.
#[derive(Clone)]
pub(in crate::pipeline) struct MissingBefore {
    pub(in crate::pipeline) name: Arc<str>,
    pub(in crate::pipeline) record: Arc<PluginRecord>,
    kinds: Arc<dyn Fn(Kind) -> bool + Send + Sync>,
}

/// The memory of a plugin that failed to load. Without plugins of other roles events go on.
pub(in crate::pipeline) enum Missing {
    Before(MissingBefore),
    Destination(MissingDestination),
    Other,
}

impl Missing {
    /// Returns what would be remembered of this plugin.
    pub(in crate::pipeline) fn of(registration: &Registration) -> Self {
        let kinds = registration.kinds();
        if let Some(selection) = registration.selection() {
            return Missing::Destination(MissingDestination::new(selection, kinds));
        }
        if !matches!(registration.behavior, Behavior::Before(_)) {
            return Missing::Other;
        }
        let (name, record) = (registration.name.clone(), Arc::default());
        Missing::Before(MissingBefore { name, record, kinds: Arc::new(kinds) })
    }

    /// Returns the consequence for events, as a clause behind the reason.
    pub(in crate::pipeline) fn consequence(&self) -> &'static str {
        match self {
            Missing::Before(_) => "; every event that it should see is dropped until it is registered or deregistered",
            Missing::Destination(_) => "; its events are dropped until it is registered or deregistered",
            Missing::Other => "; events go on without it",
        }
    }
}

impl MissingBefore {
    /// Returns whether the plugin should have seen events of this kind.
    pub(in crate::pipeline) fn wants(&self, kind: Kind) -> bool {
        (self.kinds)(kind)
    }
}

impl MissingDestination {
    /// Returns the name under which the plugin is expected.
    pub(in crate::pipeline) fn name(&self) -> &Arc<str> {
        self.selection.name()
    }

    /// Returns the names under which events select it.
    pub(super) fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Returns whether the destination would have got the event.
    pub(super) fn selects(&self, event: &Event) -> bool {
        (self.kinds)(event.kind()) && self.selection.selects(event)
    }

    fn new(selection: Selection, kinds: impl Fn(Kind) -> bool + Send + Sync + 'static) -> Self {
        Self { selection, kinds: Arc::new(kinds) }
    }
}
