//! Which events a destination gets: what their `integrations` say of it.

use std::sync::Arc;

use crate::event::{Event, Integrations};

/// The names by which `integrations` speak of a destination.
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

    /// Returns whether the event's `integrations` let it go to this destination. An entry of the destination's name
    /// decides, else the entry `All`; without either it goes. An object counts as `true`.
    pub(crate) fn selects(&self, event: &Event) -> bool {
        let Some(integrations) = event.integrations() else { return true };
        let mut names = std::iter::once(&*self.name).chain(self.aliases.iter().map(String::as_str));
        match names.find_map(|name| switch(integrations, name)) {
            Some(named) => named,
            None => self.ignores_all || switch(integrations, "All").unwrap_or(true),
        }
    }
}

/// Returns what the entry of that name says, if there is one.
fn switch(integrations: &Integrations, name: &str) -> Option<bool> {
    let setting = integrations.get(name)?;
    Some(!matches!(setting, serde_json::Value::Bool(false) | serde_json::Value::Null))
}
