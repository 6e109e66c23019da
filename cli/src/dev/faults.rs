//! Failures on demand: rules that say which requests fail, how, how often and for how long.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::StatusCode;
use serde::{Deserialize, Serialize};
use tracklane::Kind;
use tracklane_ingest::{Answer, Fault, Request};

/// A rule as the API has it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Rule {
    #[serde(default)]
    name: String,
    /// The write key that it is for; all of them if it is not given.
    scope: Option<String>,
    kind: Option<String>,
    #[serde(default = "always")]
    probability: f64,
    /// How many requests it fails at most.
    count: Option<u64>,
    fault: Failure,
    expires_in_ms: Option<u64>,
    #[serde(default)]
    hits: u64,
}

const fn always() -> f64 {
    1.0
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "type", deny_unknown_fields)]
enum Failure {
    Status { status: u16, retry_after: Option<u64> },
    Delay { ms: u64 },
    Reset,
    Hang,
    Drip { ms: u64 },
    Truncated,
    Garbage,
}

struct Active {
    rule: Rule,
    until: Option<Instant>,
}

/// The rules that are in force, in the order in which they were made.
#[derive(Default)]
pub(crate) struct Faults {
    active: Mutex<Vec<Active>>,
}

impl Faults {
    fn lock(&self) -> MutexGuard<'_, Vec<Active>> {
        let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        active.retain(|active| active.until.is_none_or(|until| until > now));
        active
    }

    pub(crate) fn list(&self) -> Vec<Rule> {
        let now = Instant::now();
        let left = |until: Instant| u64::try_from(until.duration_since(now).as_millis()).unwrap_or(u64::MAX);
        self.lock().iter().map(|active| Rule { expires_in_ms: active.until.map(left), ..active.rule.clone() }).collect()
    }

    /// Sets the rule of this name, in place of an earlier one.
    pub(crate) fn put(&self, name: &str, json: &[u8]) -> Result<Rule, String> {
        let mut rule: Rule = serde_json::from_slice(json).map_err(|error| format!("not a fault: {error}"))?;
        rule.name = name.to_owned();
        rule.hits = 0;
        rule.check()?;
        let until = rule.expires_in_ms.and_then(|ms| Instant::now().checked_add(Duration::from_millis(ms)));
        let mut active = self.lock();
        active.retain(|active| active.rule.name != name);
        active.push(Active { rule: rule.clone(), until });
        Ok(rule)
    }

    pub(crate) fn remove(&self, name: &str) -> bool {
        let mut active = self.lock();
        let before = active.len();
        active.retain(|active| active.rule.name != name);
        active.len() < before
    }

    /// The answer with the first fault that is for this request; what it says, if there is one.
    pub(crate) fn apply(&self, request: &Request, answer: Answer) -> Answer {
        let mut active = self.lock();
        for Active { rule, .. } in active.iter_mut() {
            let used_up = rule.count.is_some_and(|count| rule.hits >= count);
            if !used_up && rule.is_for(request) && fastrand::f64() < rule.probability {
                rule.hits += 1;
                return rule.fault.fail(answer);
            }
        }
        answer
    }
}

impl Rule {
    fn check(&self) -> Result<(), String> {
        if !(0.0..=1.0).contains(&self.probability) {
            return Err(format!("probability is {}, and must be from 0 to 1", self.probability));
        }
        if let Some(kind) = &self.kind
            && Kind::from_name(kind).is_none()
        {
            return Err(format!(
                "kind is {kind:?}, and must be one of {}",
                Kind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
            ));
        }
        match self.fault {
            Failure::Status { status, .. } if !(200..=599).contains(&status) => {
                Err(format!("status is {status}, and must be from 200 to 599"))
            }
            _ => Ok(()),
        }
    }

    fn is_for(&self, request: &Request) -> bool {
        let scope = self.scope.is_none() || self.scope == request.key;
        let kind = self.kind.as_deref().is_none_or(|kind| {
            request.events.iter().any(|event| event.kind.is_some_and(|found| found.as_str() == kind))
        });
        scope && kind
    }
}

impl Failure {
    fn fail(&self, answer: Answer) -> Answer {
        match *self {
            Failure::Status { status, retry_after } => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let answer = match status.is_success() {
                    true => Answer::accepted(),
                    false => Answer::error(status, "fault", "a fault that was asked for"),
                };
                match retry_after {
                    Some(seconds) => answer.retry_after(Duration::from_secs(seconds)),
                    None => answer,
                }
            }
            Failure::Delay { ms } => answer.delay(Duration::from_millis(ms)),
            Failure::Reset => answer.fault(Fault::Reset),
            Failure::Hang => answer.fault(Fault::Hang),
            Failure::Drip { ms } => answer.fault(Fault::Drip(Duration::from_millis(ms))),
            Failure::Truncated => answer.fault(Fault::Truncated),
            Failure::Garbage => answer.fault(Fault::Garbage),
        }
    }
}
