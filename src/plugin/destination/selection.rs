//! Selects the destinations of an event by its `integrations`.

use std::sync::Arc;

use crate::event::{Event, Integrations};

/// The names of a destination in `integrations`.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(super) name: Arc<str>,
    pub(super) aliases: Vec<String>,
    pub(super) ignores_all: bool,
}

impl Selection {
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Returns whether the entry `All` says nothing to this destination.
    pub(crate) fn ignores_all(&self) -> bool {
        self.ignores_all
    }

    /// Returns whether this is its name or an alias.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        *self.name == *name || self.aliases.iter().any(|alias| alias == name)
    }

    /// Returns whether the event's `integrations` let it go to this destination. An entry with the destination's name
    /// decides, otherwise the entry `All`; without either, the event goes. An object counts as `true`.
    pub(crate) fn selects(&self, event: &Event) -> bool {
        let Some(integrations) = event.integrations() else { return true };
        let mut names = std::iter::once(&*self.name).chain(self.aliases.iter().map(String::as_str));
        match names.find_map(|name| switch(integrations, name)) {
            Some(named) => named,
            None => self.ignores_all || switch(integrations, "All").unwrap_or(true),
        }
    }
}

/// Returns whether the entry of that name selects the destination, if there is one.
fn switch(integrations: &Integrations, name: &str) -> Option<bool> {
    let setting = integrations.get(name)?;
    Some(!matches!(setting, serde_json::Value::Bool(false) | serde_json::Value::Null))
}
