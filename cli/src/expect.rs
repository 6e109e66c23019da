//! `tracklane expect`: waits for events at a running `tracklane dev`.

use std::time::Duration;

use clap::Args;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::client::{self, DevUrl};
use crate::duration;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;

/// Wait for events at tracklane dev
#[derive(Debug, Args)]
pub(crate) struct ExpectArgs {
    /// The name of the track call that is expected
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// The type of the call that is expected
    #[arg(long, value_name = "TYPE", value_parser = ["track", "identify", "page", "screen", "group", "alias"])]
    kind: Option<String>,
    /// What a member must be, such as properties.total>10 or userId=42
    #[arg(long = "where", value_name = "CONDITION")]
    conditions: Vec<String>,
    /// How many such events
    #[arg(long, value_name = "COUNT")]
    count: Option<usize>,
    /// And no more than these
    #[arg(long)]
    exactly: bool,
    /// No such event: there must be none until --until, or until time runs out
    #[arg(long, conflicts_with_all = ["count", "exactly"])]
    none: bool,
    /// A partial event in JSON that is expected; in the given order with --in-order
    #[arg(long, value_name = "JSON")]
    matcher: Vec<String>,
    /// The events must come in the order of --matcher
    #[arg(long)]
    in_order: bool,
    /// The name of the track call at which the wait is over
    #[arg(long, value_name = "NAME")]
    until: Option<String>,
    /// Only events with this write key
    #[arg(long, value_name = "KEY")]
    scope: Option<String>,
    /// Only events after this one
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    after: u64,
    /// How long to wait
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration::parse)]
    within: Duration,
    #[command(flatten)]
    dev: DevUrl,
    /// The verdict as a line of JSON
    #[arg(long)]
    json: bool,
    /// Say nothing; the code tells
    #[arg(long, short)]
    quiet: bool,
}

pub(crate) fn run(args: ExpectArgs) -> Outcome {
    let expectation = args.expectation()?;
    client::block_on(async {
        let asked = async {
            let body = expectation.to_string();
            client::json(args.dev.send(Method::POST, "expect", body).await?).await
        };
        tokio::select! {
            answer = asked => args.judge(answer?),
            exit = crate::signals::ended() => Ok(exit),
        }
    })
}

impl ExpectArgs {
    fn expectation(&self) -> Result<Value, Failure> {
        let mut matchers = Vec::new();
        for json in &self.matcher {
            let matcher = serde_json::from_str::<Value>(json)
                .map_err(|error| Failure::usage(format!("--matcher {json:?}: not JSON: {error}")))?;
            matchers.push(matcher);
        }
        if let Some(matcher) = self.own_matcher()? {
            matchers.extend(std::iter::repeat_n(matcher, self.count.unwrap_or(1).max(1)));
        }
        let mut expectation = json!({
            "after": self.after,
            "withinMs": u64::try_from(self.within.as_millis()).unwrap_or(u64::MAX),
            "inOrder": self.in_order,
        });
        let list = if self.none || self.count == Some(0) { "none" } else { "all" };
        if self.exactly {
            expectation["exactly"] = json!(matchers.len());
        }
        expectation[list] = json!(matchers);
        if let Some(until) = &self.until {
            expectation["until"] = json!({ "type": "track", "event": until });
        }
        if let Some(scope) = &self.scope {
            expectation["scope"] = json!(scope);
        }
        Ok(expectation)
    }

    /// The matcher of --event, --kind and --where.
    fn own_matcher(&self) -> Result<Option<Value>, Failure> {
        let mut matcher = Map::new();
        if let Some(event) = &self.event {
            matcher.insert("event".to_owned(), json!(event));
        }
        if let Some(kind) = &self.kind {
            matcher.insert("type".to_owned(), json!(kind));
        }
        for condition in &self.conditions {
            add(&mut matcher, condition)
                .map_err(|problem| Failure::usage(format!("--where {condition:?}: {problem}")))?;
        }
        Ok((!matcher.is_empty()).then_some(Value::Object(matcher)))
    }

    fn judge(&self, (status, verdict): (StatusCode, Value)) -> Outcome {
        let met = verdict["met"] == true;
        match status {
            StatusCode::OK | StatusCode::EXPECTATION_FAILED => {}
            StatusCode::GONE => {
                return Err(Failure::cannot_run(verdict["error"].as_str().unwrap_or("the events are gone").to_owned()));
            }
            _ => return Err(Failure::usage(verdict["error"].as_str().unwrap_or("the server refused").to_owned())),
        }
        if self.json {
            output::line(&verdict.to_string());
        } else if !self.quiet && met {
            let seqs: Vec<String> = verdict["events"].as_array().into_iter().flatten().map(Value::to_string).collect();
            output::line(&format!("met, by {}", if seqs.is_empty() { "none".to_owned() } else { seqs.join(", ") }));
        } else if !self.quiet {
            output::note(&format!("tracklane: not met: {}", verdict["reason"].as_str().unwrap_or("?")));
            nearest(&verdict);
        }
        Ok(match (met, verdict["timedOut"] == true) {
            (true, _) => Exit::Fine,
            (false, true) => Exit::TimedOut,
            (false, false) => Exit::Findings,
        })
    }
}

/// The events that came nearest, and where they differ.
fn nearest(verdict: &Value) {
    for missing in verdict["missing"].as_array().into_iter().flatten() {
        for near in missing["nearest"].as_array().into_iter().flatten() {
            let kind = near["head"]["kind"].as_str().unwrap_or("no known type");
            let name = near["head"]["name"].as_str().map_or_else(String::new, |name| format!(" {name:?}"));
            output::note(&format!("  event {} ({kind}{name}) differs:", near["seq"]));
            for differ in near["differ"].as_array().into_iter().flatten() {
                let text = |name: &str| differ[name].as_str().unwrap_or_default();
                let found = if differ["found"].is_null() { "nothing".to_owned() } else { differ["found"].to_string() };
                output::note(&format!("    {} is {found}, expected {}", text("path"), text("expected")));
            }
        }
    }
}

/// Adds a condition such as `properties.total>10`.
fn add(matcher: &mut Map<String, Value>, condition: &str) -> Result<(), String> {
    let at = condition.find(['=', '>', '<']).ok_or("write a member, one of = > < >= <=, and a value")?;
    let (path, rest) = condition.split_at(at);
    let (operator, value) = ["<=", ">=", "=", "<", ">"]
        .into_iter()
        .find_map(|operator| Some((operator, rest.strip_prefix(operator)?)))
        .ok_or("there is no operator")?;
    let number = serde_json::from_str::<Value>(value).ok().filter(Value::is_number);
    let value = match operator {
        "=" => serde_json::from_str::<Value>(value).unwrap_or_else(|_| Value::from(value)),
        _ => {
            let name = match operator {
                ">" => "$gt",
                ">=" => "$gte",
                "<" => "$lt",
                _ => "$lte",
            };
            json!({ name: number.ok_or_else(|| format!("{value:?} is no number"))? })
        }
    };
    let mut members = matcher;
    let mut path = path.trim().split('.').peekable();
    while let Some(name) = path.next() {
        if name.is_empty() {
            return Err("write a member, such as properties.total".to_owned());
        }
        if path.peek().is_some() {
            let below = members.entry(name).or_insert_with(|| Value::Object(Map::new()));
            members = below.as_object_mut().ok_or_else(|| format!("{name} has a value, and can have no members"))?;
            continue;
        }
        // Two bounds of one number stand together.
        match (members.get_mut(name), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            (_, value) => drop(members.insert(name.to_owned(), value)),
        }
        return Ok(());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_become_matchers() {
        let mut matcher = Map::new();
        for condition in
            ["properties.total>10", "properties.total<=20", "userId=42", "properties.code=\"7\"", "name=a=b"]
        {
            add(&mut matcher, condition).unwrap();
        }
        let expected = json!({"properties":{"total":{"$gt":10,"$lte":20},"code":"7"},"userId":42,"name":"a=b"});
        assert_eq!(Value::Object(matcher), expected);
        for wrong in ["", "total", "total>x", ">1", "a..b=1"] {
            assert!(add(&mut Map::new(), wrong).is_err(), "{wrong}");
        }
    }
}
