//! Everything that a running `tracklane dev` holds.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use clap::ValueEnum;
use tracklane_ingest::rules::Finding;

use super::faults::Faults;
use super::outlets::Outlets;
use super::session::Session;
use super::store::Store;
use super::take;
use crate::plan::Plan;

/// Texts that are kept once; more than this, and they are forgotten and kept anew.
const MAX_TEXTS: usize = 4_096;

/// Whom answers are like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum AnswerMode {
    /// Segment: 200 also for nonsense.
    #[default]
    AsSegment,
    /// Answers 400 to events that Segment would discard.
    Strict,
}

impl AnswerMode {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            AnswerMode::AsSegment => "as-segment",
            AnswerMode::Strict => "strict",
        }
    }
}

/// Shared by all requests.
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) session: Session,
    pub(crate) faults: Faults,
    pub(crate) outlets: Outlets,
    pub(crate) plan: Option<Plan>,
    pub(crate) answer: AnswerMode,
    /// The keys that are known to be right; all of them if there is none.
    pub(crate) write_keys: Vec<String>,
    pub(crate) keep_bytes: u64,
    pub(crate) port: u16,
    pub(crate) url: String,
    /// Names this run of the server.
    pub(crate) start: String,
    pub(crate) mock_compat: bool,
    pub(crate) mock_cursor: Mutex<u64>,
    texts: Mutex<HashSet<Arc<str>>>,
}

/// The parts of a state.
pub(crate) struct Parts {
    pub(crate) keep_bytes: u64,
    pub(crate) outlets: Outlets,
    pub(crate) plan: Option<Plan>,
    pub(crate) answer: AnswerMode,
    pub(crate) write_keys: Vec<String>,
    pub(crate) port: u16,
    pub(crate) url: String,
    pub(crate) mock_compat: bool,
}

impl State {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            store: Store::new(parts.keep_bytes),
            session: Session::default(),
            faults: Faults::default(),
            outlets: parts.outlets,
            plan: parts.plan,
            answer: parts.answer,
            write_keys: parts.write_keys,
            keep_bytes: parts.keep_bytes,
            port: parts.port,
            url: parts.url,
            start: uuid::Uuid::new_v4().to_string(),
            mock_compat: parts.mock_compat,
            mock_cursor: Mutex::new(0),
            texts: Mutex::default(),
        }
    }

    /// One copy of a text that many events have.
    pub(crate) fn shared_text(&self, text: &str) -> Arc<str> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = texts.get(text) {
            return Arc::clone(known);
        }
        if texts.len() >= MAX_TEXTS {
            texts.clear();
        }
        let text: Arc<str> = text.into();
        texts.insert(Arc::clone(&text));
        text
    }

    /// Returns the problem of the key, if the right ones are known.
    pub(crate) fn unknown_key(&self, key: Option<&str>) -> Option<Finding> {
        let known = self.write_keys.is_empty() || key.is_some_and(|key| self.write_keys.iter().any(|one| one == key));
        (!known).then(|| take::unknown_key(key))
    }

    /// The key that examples show.
    pub(crate) fn example_key(&self) -> &str {
        self.write_keys.first().map_or("WRITE_KEY", String::as_str)
    }
}
