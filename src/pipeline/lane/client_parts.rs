//! The parts of a client that every lane uses.

use std::sync::Arc;

use super::super::after::AfterQueue;
use super::super::limits::Limits;
use crate::background::Background;
use crate::clock::Clock;
use crate::emitter::Emitter;
use crate::inspector::Inspector;
use crate::ledger::Ledger;

/// The parts of a client that its lanes use.
pub(in crate::pipeline) struct ClientParts {
    pub(in crate::pipeline) background: Background,
    pub(in crate::pipeline) clock: Clock,
    pub(in crate::pipeline) emitter: Emitter,
    pub(in crate::pipeline) ledger: Arc<Ledger>,
    pub(in crate::pipeline) after: Arc<AfterQueue>,
    /// The limits for destinations that set none.
    pub(in crate::pipeline) limits: Limits,
    pub(in crate::pipeline) inspector: Option<Inspector>,
}
