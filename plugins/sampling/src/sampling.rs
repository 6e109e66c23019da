//! The settings, as a builder, and the plugin that they make.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use tracklane::plugin::{Flow, Registration, before_fn};
use tracklane::{Event, Kind};

use crate::error::SamplingError;
use crate::rules::{Pattern, Rules, is_identity};
use crate::share::{is_below, position, seeded};

/// The name of the plugin.
const NAME: &str = "Sampling";

/// Rules for which share of the events is sent.
///
/// ```
/// use tracklane::Kind;
/// use tracklane_sampling::Sampling;
///
/// let sampling = Sampling::new(0.1)
///     .kind(Kind::Page, 0.5)
///     .event("Video *", 0.01)
///     .event("Order *", 1.0)
///     .build()?;
/// # Ok::<(), tracklane_sampling::SamplingError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "rules do nothing until they are built and registered"]
pub struct Sampling {
    seed: String,
    keys: Vec<SampleKey>,
    rate: f64,
    kinds: Vec<(Kind, f64)>,
    events: Vec<(String, f64)>,
    destinations: Vec<(String, f64)>,
    mark: bool,
}

/// The key that decides whether an event is in the share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum SampleKey {
    /// `userId`: all events of a user, or none.
    UserId,
    /// `anonymousId`: all events of a browser or device, or none, also once its user is known.
    AnonymousId,
    /// `groupId`, of the call or of its context: all events of a group, or none.
    GroupId,
    /// `messageId`: each event by itself.
    MessageId,
}

impl SampleKey {
    pub(crate) fn of(self, event: &Event) -> Option<Cow<'_, str>> {
        match self {
            SampleKey::UserId => event.user_id(),
            SampleKey::AnonymousId => event.anonymous_id(),
            SampleKey::GroupId => event.group_id().or_else(|| event.context().get_str("groupId")),
            SampleKey::MessageId => Some(event.message_id()),
        }
    }
}

impl Sampling {
    /// Sends the share `rate` of the users, from 0 to 1. The key of a user is `userId`, otherwise `anonymousId`.
    pub fn new(rate: f64) -> Self {
        Self {
            seed: String::new(),
            keys: vec![SampleKey::UserId, SampleKey::AnonymousId],
            rate,
            kinds: Vec::new(),
            events: Vec::new(),
            destinations: Vec::new(),
            mark: true,
        }
    }

    /// Another rate for calls of a kind.
    pub fn kind(mut self, kind: Kind, rate: f64) -> Self {
        self.kinds.push((kind, rate));
        self
    }

    /// Another rate for events, pages and screens of a name; `*` stands for any letters. The first that matches counts,
    /// before the rate of the kind. A rate of 1 keeps them all.
    pub fn event(mut self, name: &str, rate: f64) -> Self {
        self.events.push((name.to_owned(), rate));
        self
    }

    /// Samples the events of one destination, after the rates above. For an event that is not in this share, the entry
    /// of the destination in its `integrations` is switched off. Other destinations get it. A name that no destination has
    /// is logged as a warning, unless Segment is one: it may have a destination of that name.
    ///
    /// It is a share of all users, not of those that are left, so the smaller of the two rates counts there. Nothing is
    /// written into the event, because other destinations get the same one.
    pub fn destination(mut self, name: &str, rate: f64) -> Self {
        self.destinations.push((name.to_owned(), rate));
        self
    }

    /// Sets the keys of the share: the first of these that an event has, otherwise its `messageId`.
    pub fn by(mut self, keys: impl IntoIterator<Item = SampleKey>) -> Self {
        self.keys = keys.into_iter().collect();
        self
    }

    /// Takes another share of the same size: two samplings with the same seed agree. Empty by default.
    pub fn seed(mut self, seed: &str) -> Self {
        seed.clone_into(&mut self.seed);
        self
    }

    /// Sets whether a sampled event has its rate and its key in `context.sampling`, so that counts can be weighted. On
    /// by default.
    pub fn mark(mut self, mark: bool) -> Self {
        self.mark = mark;
        self
    }

    /// Checks the rules and makes the plugin: a before plugin. What is not in the share counts as dropped by a plugin.
    ///
    /// # Errors
    ///
    /// Returns an error if a rate is not from 0 to 1, a name is empty, or a kind is never sampled. The error names the
    /// rule.
    pub fn build(&self) -> Result<Registration, SamplingError> {
        let rules = self.rules()?;
        Ok(before_fn(NAME, move |event: &mut Event| sample(&rules, event)))
    }

    fn rules(&self) -> Result<Rules, SamplingError> {
        let mut rates = vec![("all events".to_owned(), self.rate)];
        rates.extend(self.kinds.iter().map(|(kind, rate)| (format!("{kind} calls"), *rate)));
        rates.extend(self.events.iter().map(|(name, rate)| (format!("events named {name:?}"), *rate)));
        rates.extend(self.destinations.iter().map(|(name, rate)| (format!("the destination {name:?}"), *rate)));
        if let Some((rule, rate)) = rates.into_iter().find(|(_, rate)| !(0.0..=1.0).contains(rate)) {
            return Err(SamplingError::Rate { rule, rate });
        }
        if self.events.iter().any(|(name, _)| name.is_empty()) {
            return Err(SamplingError::EmptyName { rule: "an event rule" });
        }
        if self.destinations.iter().any(|(name, _)| name.is_empty()) {
            return Err(SamplingError::EmptyName { rule: "a destination rule" });
        }
        if let Some((kind, _)) = self.kinds.iter().find(|(kind, _)| is_identity(*kind)) {
            return Err(SamplingError::Identity { kind: *kind });
        }
        Ok(Rules {
            seeded: seeded(&self.seed),
            keys: self.keys.clone(),
            rate: self.rate,
            kinds: self.kinds.clone(),
            events: self.events.iter().map(|(name, rate)| (Pattern::new(name), *rate)).collect(),
            destinations: self.destinations.clone(),
            mark: self.mark,
        })
    }
}

/// What a sampled event says in `context.sampling`.
#[derive(Serialize)]
struct Mark {
    rate: f64,
    key: SampleKey,
}

fn sample(rules: &Rules, event: &mut Event) -> Flow {
    let rate = rules.rate_of(event);
    if rate.is_none() && (rules.destinations.is_empty() || is_identity(event.kind())) {
        return Flow::Continue;
    }
    let (key, value) = rules.key_of(event);
    let position = position(&rules.seeded, &value);
    drop(value);
    if let Some(rate) = rate {
        if !is_below(rate, position) {
            return Flow::drop("sampled");
        }
        if rules.mark {
            // What was there is not looked at.
            event.context_mut().extend([("sampling", Mark { rate, key })]);
        }
    }
    for (destination, rate) in &rules.destinations {
        if !is_below(*rate, position) {
            event.integrations_mut().extend([(destination, false)]);
        }
    }
    Flow::Continue
}
