//! Whether the worker rests, and what wakes it.
//!
//! Part of what the intake's lock guards. Always: whoever puts something in while the worker sleeps without end is told
//! to wake it, exactly one of them. Only the worker may say that it looks: a worker that is taken for awake is not
//! woken.

/// What the worker is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum WorkerIs {
    #[default]
    Awake,
    /// Asleep until its next look.
    Dozing,
    /// Asleep until it is woken.
    Asleep,
}

impl WorkerIs {
    /// The worker looks whether there is something.
    pub(crate) fn looks(&mut self) {
        *self = WorkerIs::Awake;
    }

    /// The worker has found nothing, and rests: until its next look, if it `dozes`.
    pub(crate) fn rests(&mut self, dozes: bool) {
        *self = if dozes { WorkerIs::Dozing } else { WorkerIs::Asleep };
    }

    /// Whether the worker must be woken for what was just put in; it counts as awake then.
    pub(crate) fn must_wake(&mut self, urgent: bool) -> bool {
        let wakes = match self {
            WorkerIs::Awake => false,
            WorkerIs::Dozing => urgent,
            WorkerIs::Asleep => true,
        };
        if wakes {
            *self = WorkerIs::Awake;
        }
        wakes
    }
}
