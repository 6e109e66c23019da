//! The settings, as a builder, and the plugin that they make.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::Ordering;

use tracklane::plugin::{Registration, before_fn};
use tracklane::{BoxError, Event};

use crate::action::{Action, HashKey};
use crate::detect::Detector;
use crate::edit;
use crate::error::RedactError;
use crate::key::{Ends, PERSONAL, PERSONAL_BUT_IN_LOCATION, PERSONAL_ENDS, PERSONAL_IN_TRAITS, SECRET_ENDS, SECRETS};
use crate::path::Path;
use crate::rules::{Hits, Keys, Rules, Scope};
use crate::scan;

/// The name of the plugin.
const NAME: &str = "Redact";
/// Bytes that a hash key has at least.
const LEAST_HASH_KEY: usize = 16;
/// Ids that some kind of event is not sent without.
const REQUIRED: &[&str] = &["userId", "anonymousId", "groupId", "previousId", "event"];

/// Rules that remove data from events. Plugins in front of it see that data, and those behind it do not. What is added
/// later, by enrichment plugins or the default context, is not redacted.
///
/// A later rule for the same key or detector replaces an earlier one, so a preset can be refined.
///
/// ```
/// use tracklane_redact::{Action, Detector, Redact};
///
/// let redact = Redact::secrets()
///     .key("employer", Action::Drop)
///     .path("traits.email", Action::Hash)
///     .value(Detector::Email, Action::replace())
///     .hash_key("at least sixteen random bytes")
///     .build()?;
/// # Ok::<(), tracklane_redact::RedactError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "rules do nothing until they are built and registered"]
pub struct Redact {
    paths: Vec<(String, Action)>,
    keep: Vec<String>,
    allow: Vec<String>,
    keys: Vec<(String, Scope, Action)>,
    ends: Vec<(&'static Ends, Action)>,
    values: Vec<(Detector, Action)>,
    hash_key: HashKey,
    mark: bool,
    dry_run: bool,
    hits: Hits,
}

/// The number of values that each kind of rule has redacted since the start.
#[derive(Clone, Debug)]
pub struct Counts(Hits);

impl Redact {
    /// No rule at all, to begin from.
    pub fn new() -> Self {
        Self::default()
    }

    /// Removes secrets. Members with a [secret's name](crate#names) are dropped. Card numbers and IBANs are masked except
    /// for four digits. Tokens, keys and the secrets in URLs are replaced. Names, e-mail addresses and IP addresses stay,
    /// because `identify` needs them.
    pub fn secrets() -> Self {
        let masked = [Detector::CreditCard, Detector::Iban].map(|detector| (detector, Action::mask(4)));
        let replaced = [Detector::Jwt, Detector::ApiKey, Detector::PrivateKey, Detector::UrlSecret]
            .map(|detector| (detector, Action::replace()));
        Self { values: masked.into_iter().chain(replaced).collect(), ..Self::default() }
            .keys_in(Scope::Everywhere, SECRETS, &Action::Drop)
            .ends(&SECRET_ENDS, Action::Drop)
    }

    /// [`secrets`](Self::secrets), and personal data: members with [names](crate#names) such as `email` or `birthday`, and
    /// e-mail addresses, phone numbers, addresses of machines and social security numbers in properties, traits, context,
    /// and in the name and category of the event.
    ///
    /// Ids stay, also if one is an e-mail address. Only a path names them: `.path("userId", Action::Hash)`.
    pub fn pii() -> Self {
        let detectors = [Detector::Email, Detector::Phone, Detector::IpAddress, Detector::MacAddress, Detector::Ssn];
        let redact = Self::secrets()
            .keys_in(Scope::Everywhere, PERSONAL, &Action::replace())
            .keys_in(Scope::InTraits, PERSONAL_IN_TRAITS, &Action::replace())
            .keys_in(Scope::NotInLocation, PERSONAL_BUT_IN_LOCATION, &Action::replace())
            .ends(&PERSONAL_ENDS, Action::replace());
        detectors.into_iter().fold(redact, |redact, detector| redact.value(detector, Action::replace()))
    }

    /// [`secrets`](Self::secrets), and cuts `context.ip` to a network, as data protection authorities ask for.
    pub fn gdpr_ip() -> Self {
        Self::secrets().path("context.ip", Action::TruncateIp)
    }

    /// Redacts the value at a path, such as `properties.card` or `context.**.email`: members with dots between them, `*`
    /// for any one of them, `**` for any number. Items of arrays are members, too: `properties.items.0.card`, or
    /// `properties.items.*.card` for each. The first rule that matches counts.
    pub fn path(mut self, path: &str, action: Action) -> Self {
        self.paths.push((path.to_owned(), action));
        self
    }

    /// Redacts every member with this name, at any depth, without regard to case and separators. A value that is `true`,
    /// `false` or null stays.
    pub fn key(mut self, key: &str, action: Action) -> Self {
        self.keys.push((key.to_owned(), Scope::Everywhere, action));
        self
    }

    fn keys_in(mut self, scope: Scope, keys: &[&str], action: &Action) -> Self {
        self.keys.extend(keys.iter().map(|key| ((*key).to_owned(), scope, action.clone())));
        self
    }

    fn ends(mut self, ends: &'static Ends, action: Action) -> Self {
        self.ends.push((ends, action));
        self
    }

    /// Redacts text that a detector finds inside strings, but for those whose [key](crate#forms) says that they are
    /// something else. [`Action::Drop`] removes the whole string.
    pub fn value(mut self, detector: Detector, action: Action) -> Self {
        self.values.push((detector, action));
        self
    }

    /// Keeps the value at a path, such as `context.device.token`, whatever other rules say.
    pub fn keep(mut self, path: &str) -> Self {
        self.keep.push(path.to_owned());
        self
    }

    /// Removes everything from properties, traits and context except these paths and those of [`keep`](Self::keep). The
    /// other rules apply to the rest.
    pub fn allow<'a>(mut self, paths: impl IntoIterator<Item = &'a str>) -> Self {
        self.allow.extend(paths.into_iter().map(str::to_owned));
        self
    }

    /// The key of [`Action::Hash`]: at least 16 random bytes, the same in every process whose hashes are to agree.
    pub fn hash_key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.hash_key = HashKey(key.into());
        self
    }

    /// Writes the redacted paths into `context.redacted`. Off by default.
    pub fn mark(mut self, mark: bool) -> Self {
        self.mark = mark;
        self
    }

    /// Counts the values that would be redacted, and changes nothing. Off by default.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Returns the counts of the plugins of these rules so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts(self.hits.clone())
    }

    /// Checks the rules and makes the plugin: a before plugin, so that an event which it fails at goes nowhere.
    ///
    /// # Errors
    ///
    /// Returns an error if a rule cannot be used. The error names it.
    pub fn build(&self) -> Result<Registration, RedactError> {
        let rules = self.rules()?;
        Ok(before_fn(NAME, move |event: &mut Event| {
            let touched = scan::touched(&rules, event)?;
            edit::redact(&rules, event, touched);
            Ok::<_, BoxError>(())
        }))
    }

    pub(crate) fn rules(&self) -> Result<Rules, RedactError> {
        let paths = |paths: &[String]| paths.iter().map(|path| Path::new(path)).collect::<Result<Vec<_>, _>>();
        let mut keys = Keys::default();
        for (key, scope, action) in &self.keys {
            if !keys.insert(key, *scope, action.clone()) {
                return Err(RedactError::EmptyKey { key: key.clone() });
            }
        }
        for (ends, action) in &self.ends {
            keys.insert_ends(ends, action.clone());
        }
        let mut rules = Rules {
            keep: paths(&self.keep)?,
            allow: paths(&self.allow)?,
            keys,
            detectors: self.values.iter().cloned().collect::<BTreeMap<_, _>>().into_iter().collect(),
            needs: Vec::new(),
            hash_key: self.hash_key.clone(),
            mark: self.mark,
            dry_run: self.dry_run,
            hits: self.hits.clone(),
            paths: Vec::new(),
        };
        for (text, action) in &self.paths {
            let path = Path::new(text)?;
            if *action == Action::Drop && path.root().is_some_and(|root| REQUIRED.contains(&root)) {
                return Err(RedactError::Required { path: text.clone() });
            }
            rules.paths.push((path, action.clone()));
        }
        rules.needs =
            rules.detectors.iter().flat_map(|(one, _)| one.needs().iter().map(|needs| (*needs, *one))).collect();
        rules.needs.sort_by_key(|(needs, _)| needs.len);
        self.check(&rules)?;
        Ok(rules)
    }

    fn check(&self, rules: &Rules) -> Result<(), RedactError> {
        let paths = self.paths.iter().map(|(path, action)| (format!("the path {path:?}"), action));
        let keys = rules.keys.iter().map(|(key, action)| (format!("the key {key:?}"), action));
        let values =
            rules.detectors.iter().map(|(detector, action)| (format!("the detector {}", detector.name()), action));
        for (rule, action) in paths.chain(keys).chain(values) {
            if *action == Action::Hash {
                self.check_hash_key(&rule)?;
            }
        }
        match rules.detectors.iter().find(|(detector, action)| !fits(*detector, action)) {
            Some((detector, action)) => Err(RedactError::UnfitAction {
                rule: format!("the detector {}", detector.name()),
                action: action.name(),
                for_what: if *action == Action::TruncateIp { "ip_address" } else { "paths and keys" },
            }),
            None => Ok(()),
        }
    }

    fn check_hash_key(&self, rule: &str) -> Result<(), RedactError> {
        match self.hash_key.0.len() {
            0 => Err(RedactError::NoHashKey { rule: rule.to_owned() }),
            bytes if bytes < LEAST_HASH_KEY => Err(RedactError::ShortHashKey { bytes }),
            _ => Ok(()),
        }
    }
}

fn fits(detector: Detector, action: &Action) -> bool {
    match action {
        Action::TruncateIp => detector == Detector::IpAddress,
        Action::Generalise => false,
        _ => true,
    }
}

impl Counts {
    /// Values redacted because of their path.
    #[must_use]
    pub fn by_path(&self) -> u64 {
        self.0.counts().path.load(Ordering::Relaxed)
    }

    /// Values redacted because of their key.
    #[must_use]
    pub fn by_key(&self) -> u64 {
        self.0.counts().key.load(Ordering::Relaxed)
    }

    /// Values that [`Redact::allow`] did not let pass.
    #[must_use]
    pub fn not_allowed(&self) -> u64 {
        self.0.counts().not_allowed.load(Ordering::Relaxed)
    }

    /// Values in which a detector found something.
    #[must_use]
    pub fn by_detector(&self, detector: Detector) -> u64 {
        let at = Detector::ALL.iter().position(|one| *one == detector);
        at.and_then(|at| self.0.counts().detectors.get(at)).map_or(0, |count| count.load(Ordering::Relaxed))
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by path, {} by key, {} not allowed", self.by_path(), self.by_key(), self.not_allowed())?;
        Detector::ALL.iter().try_for_each(|detector| match self.by_detector(*detector) {
            0 => Ok(()),
            count => write!(f, ", {count} by {}", detector.name()),
        })
    }
}
