//! `tracklane send`: one call, and its outcome.

use std::io::Read;
use std::time::Duration;

use clap::Args;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tracklane::Outcome as Ended;
use tracklane::{DropReason, Event, Kind};

use crate::duration;
use crate::edit::edit;
use crate::exit::{Exit, Failure, Outcome};
use crate::explain::explain;
use crate::output;
use crate::source::assign;
use crate::target::Target;

/// Send one call, and say what became of it.
#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    /// track, identify, page, screen, group or alias; or - to read an event, or a line for each, from standard input
    #[arg(value_name = "TYPE", required_unless_present = "kind")]
    call: Option<String>,
    /// The same as TYPE
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "call", hide = true)]
    kind: Option<String>,
    /// The name of a track call
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// The name of a page or screen
    #[arg(long)]
    name: Option<String>,
    #[arg(long, alias = "userId", value_name = "ID")]
    user_id: Option<String>,
    #[arg(long, alias = "anonymousId", value_name = "ID")]
    anonymous_id: Option<String>,
    #[arg(long, alias = "groupId", value_name = "ID")]
    group_id: Option<String>,
    #[arg(long, alias = "previousId", value_name = "ID")]
    previous_id: Option<String>,
    #[arg(long, alias = "messageId", value_name = "ID")]
    message_id: Option<String>,
    /// When it happened, in RFC 3339
    #[arg(long, value_name = "TIME")]
    timestamp: Option<String>,
    /// A member, such as properties.coupon=SUMMER or properties.total:number=39.95
    #[arg(long = "set", short = 's', value_name = "PATH[:TYPE]=VALUE")]
    set: Vec<String>,
    #[arg(long, value_name = "JSON")]
    properties: Option<String>,
    #[arg(long, value_name = "JSON")]
    traits: Option<String>,
    #[arg(long, value_name = "JSON")]
    context: Option<String>,
    #[arg(long, value_name = "JSON")]
    integrations: Option<String>,
    /// Open the event in VISUAL or EDITOR before it is sent
    #[arg(long)]
    edit: bool,
    #[command(flatten)]
    target: Target,
    /// How long it may take
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration::parse)]
    timeout: Duration,
    /// Say what became of each event as a line of JSON
    #[arg(long)]
    json: bool,
    /// Say nothing but errors
    #[arg(long, short)]
    quiet: bool,
}

pub(crate) fn run(args: SendArgs) -> Outcome {
    let events = args.events()?;
    let (client, shown) = args.target.client(|segment| segment.flush_at(events.len().clamp(1, 100)))?;
    let mut receipts = Vec::new();
    let mut outcome = Exit::Fine;
    for event in events {
        match client.send_with_receipt(event) {
            Ok(receipt) => receipts.push(receipt),
            Err(refused) => {
                output::note(&format!("tracklane: not sent: {refused}"));
                outcome = Exit::Findings;
            }
        }
    }
    // Its deadline is that of the whole.
    let report = client.close_blocking(args.timeout);
    for receipt in receipts {
        let Ok(end) = receipt.wait_timeout(Duration::ZERO) else { continue };
        let error = end.destinations.iter().find_map(|destination| destination.error.as_ref());
        match end.outcome {
            Ended::Delivered => {}
            // It was still under way when the client closed.
            Ended::Dropped(DropReason::Closed) if outcome == Exit::Fine => outcome = Exit::TimedOut,
            Ended::Dropped(_) => outcome = Exit::Findings,
        }
        if args.json {
            let error = error.map(|error| format!("{error:#}"));
            let delivered = end.is_delivered();
            let line = json!({ "schema": 1, "messageId": end.message_id, "delivered": delivered, "error": error });
            output::line(&line.to_string());
        } else if !end.is_delivered() {
            let why = error.map_or_else(|| end.outcome.to_string(), |error| explain(error, &shown));
            output::note(&format!("tracklane: {} was not delivered: {why}{}", end.message_id, args.late(end.outcome)));
        } else if !args.quiet {
            output::line(&format!("{} delivered to {shown}", end.message_id));
        }
    }
    if !report.is_complete() && outcome == Exit::Fine {
        output::note(&format!("tracklane: time ran out, {} events were not sent", report.unsent.len()));
        return Ok(Exit::TimedOut);
    }
    Ok(outcome)
}

impl SendArgs {
    /// Returns the remedy for an event that was still under way when the client closed.
    fn late(&self, outcome: Ended) -> String {
        match outcome {
            Ended::Dropped(DropReason::Closed) => format!(", or give it more than {:?} with --timeout", self.timeout),
            _ => String::new(),
        }
    }

    fn events(&self) -> Result<Vec<Event>, Failure> {
        let call = self.call.as_deref().or(self.kind.as_deref()).unwrap_or_default();
        if call != "-" {
            return Ok(vec![self.event(call)?]);
        }
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        read.map_err(|error| Failure::cannot_run(format!("cannot read standard input: {error}")))?;
        let events =
            serde_json::Deserializer::from_str(&text).into_iter::<&RawValue>().enumerate().map(|(index, value)| {
                let wrong =
                    |problem: String| Failure::usage(format!("event {} of standard input: {problem}", index + 1));
                let value = value.map_err(|error| wrong(error.to_string()))?;
                Event::from_json(value.get().as_bytes()).map_err(|error| wrong(error.to_string()))
            });
        let events: Vec<Event> = events.collect::<Result<_, _>>()?;
        if events.is_empty() { Err(Failure::usage("there is no event on standard input")) } else { Ok(events) }
    }

    fn event(&self, call: &str) -> Result<Event, Failure> {
        if Kind::from_name(call).is_none() {
            let names = Kind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
            return Err(Failure::usage(format!("{call:?} is no call: use one of {names}, or - for standard input")));
        }
        let mut event = Map::from_iter([("type".to_owned(), Value::from(call))]);
        let texts = [
            ("event", &self.event),
            ("name", &self.name),
            ("userId", &self.user_id),
            ("anonymousId", &self.anonymous_id),
            ("groupId", &self.group_id),
            ("previousId", &self.previous_id),
            ("messageId", &self.message_id),
            ("timestamp", &self.timestamp),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                event.insert(name.to_owned(), Value::from(text.as_str()));
            }
        }
        let sections = [
            ("properties", &self.properties),
            ("traits", &self.traits),
            ("context", &self.context),
            ("integrations", &self.integrations),
        ];
        for (name, json) in sections {
            if let Some(json) = json {
                let value = serde_json::from_str(json)
                    .map_err(|error| Failure::usage(format!("--{name}: not JSON: {error}")))?;
                event.insert(name.to_owned(), value);
            }
        }
        for set in &self.set {
            let wrong = |problem: String| Failure::usage(format!("--set {set:?}: {problem}"));
            let (place, value) = set.split_once('=').ok_or_else(|| wrong("there is no =".to_owned()))?;
            assign::Place::parse(place).and_then(|place| place.set(&mut event, value)).map_err(wrong)?;
        }
        let event = if self.edit { edited(event)? } else { Value::Object(event) };
        Event::try_from(event).map_err(|error| Failure::usage(error.to_string()))
    }
}

/// The event as the user's editor leaves it. What most events have is there to be filled in.
fn edited(mut event: Map<String, Value>) -> Result<Value, Failure> {
    let kind = event.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let section = if matches!(kind.as_str(), "identify" | "group") { "traits" } else { "properties" };
    let name = match kind.as_str() {
        "track" => Some("event"),
        "page" | "screen" => Some("name"),
        _ => None,
    };
    for name in name.into_iter().chain(["userId"]) {
        event.entry(name).or_insert_with(|| "".into());
    }
    event.entry(section).or_insert_with(|| Map::new().into());
    let text = edit(&format!("{:#}\n", Value::Object(event)))?;
    serde_json::from_str(&text).map_err(|error| Failure::usage(format!("--edit: not JSON: {error}; nothing was sent")))
}
