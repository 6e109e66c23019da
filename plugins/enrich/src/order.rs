//! Notices an earlier plugin that removes the data that is read here.

use std::sync::Arc;

/// Plugins that take out of events, by the names that they have in `tracklane`'s own crates.
const TAKE_OUT: &[&str] = &["Redact"];

/// Returns the problem of the order in which plugins were registered, if `own` is one of them.
pub(crate) fn problem(registered: &[Arc<str>], own: &str) -> Option<String> {
    let before = registered.split(|name| **name == *own).next().filter(|before| before.len() < registered.len())?;
    let first = before.iter().find(|name| TAKE_OUT.contains(&&***name))?;
    Some(format!(
        "{first} is registered before {own}, and may take out what it reads, such as context.ip: register {own} first"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_out_must_come_later() {
        for (registered, is_wrong) in [
            (&["Segment.io", "Enrich", "Redact"][..], false),
            (&["Segment.io", "Redact", "Enrich"], true),
            (&["Redact", "Sampling", "Enrich", "Segment.io"], true),
            (&["Redact"], false),
            (&["Enrich"], false),
            (&[], false),
        ] {
            let names: Vec<Arc<str>> = registered.iter().map(|name| Arc::from(*name)).collect();
            assert_eq!(problem(&names, "Enrich").is_some(), is_wrong, "{registered:?}");
        }
    }
}
