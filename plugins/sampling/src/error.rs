//! The error of a rule that cannot be used.

/// The error of a rule. It names the rule and the value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SamplingError {
    /// A rate is no share of a whole.
    #[error("the rate {rate} of {rule} is no share: use a number from 0 to 1")]
    Rate {
        /// The rule.
        rule: String,
        /// Its rate.
        rate: f64,
    },
    /// An event's name or a destination's name is empty.
    #[error("{rule} has an empty name")]
    EmptyName {
        /// The rule.
        rule: &'static str,
    },
    /// Calls of this kind identify a user, and always pass.
    #[error("{kind} calls are never sampled: a user whose identity is missing is worth nothing")]
    Identity {
        /// The kind.
        kind: tracklane::Kind,
    },
}
