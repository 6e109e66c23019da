//! `tracklane replay`: events that were kept, sent again with the ids and times that they had.
//!
//! Files are read and left as they are.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tracklane::Kind;
use tracklane::segment::rules::Fields;

use crate::duration;
use crate::exit::{Exit, Failure, Outcome};
use crate::filter::{Filter, Subject};
use crate::import::{End, Problem, Rate, Sender};
use crate::output;
use crate::replay_log::LogArgs;
use crate::source::{self, Completion, Identity, Lines, Mapping};
use crate::target::Target;

/// Send recordings, rejected events or a spool's files again
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// JSON Lines, or the folder of a spool
    #[arg(required_unless_present = "from")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    log: LogArgs,
    /// Only events that match
    #[arg(long, short = 'q', value_name = "FILTER", default_value = "", allow_hyphen_values = true)]
    filter: String,
    #[command(flatten)]
    target: Target,
    /// Events a second; 0 for as many as go
    #[arg(long, value_name = "EVENTS", default_value_t = 500)]
    rate: u32,
    /// Say what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// How long to wait at the end for what is under way
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration::parse)]
    timeout: Duration,
    /// Say how it went as a line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Default)]
struct Counts {
    wrong: u64,
    passed_over: u64,
    undelivered: u64,
}

pub(crate) fn run(args: ReplayArgs) -> Outcome {
    if let Some(outcome) = args.log.run(args.json) {
        return outcome;
    }
    let filter = Filter::parse(&args.filter).map_err(|invalid| Failure::usage(invalid.to_string()))?;
    let mut files = Vec::new();
    for path in &args.files {
        files.extend(source::files(path).map_err(Failure::cannot_run)?);
    }
    let (client, shown) = args.target.relay(|segment| segment.flush_interval(Duration::from_millis(200)))?;
    let mut sender = Sender::new(client, Rate::new(args.rate));
    let mut counts = Counts::default();
    let mut would = 0_u64;
    for file in &files {
        let identity = Identity::of(file).map_err(Failure::cannot_run)?;
        let name: Rc<Path> = file.as_path().into();
        let completion = Completion::new(identity, &Mapping::default());
        let mut lines = Lines::new(source::open(file).map_err(Failure::cannot_run)?);
        let unreadable = |problem: String| Failure::cannot_run(format!("{}: {problem}", file.display()));
        while let Some(row) = lines.next_row().map_err(unreadable)? {
            let event = match row.json().and_then(|json| Ok((matches(&filter, json), completion.event(&row)?))) {
                Ok((false, _)) => {
                    counts.passed_over += 1;
                    continue;
                }
                Ok((true, event)) if args.dry_run => {
                    would += 1;
                    output::line(&serde_json::to_string(&event).unwrap_or_default());
                    continue;
                }
                Ok((true, event)) => Ok(event),
                Err(problem) => Err(problem),
            };
            let sent = sender.send(row.line, event, Rc::clone(&name), |end| note(&mut counts, &end));
            sent.map_err(Failure::cannot_run)?;
        }
    }
    sender.finish(args.timeout, |end| note(&mut counts, &end)).map_err(Failure::cannot_run)?;
    let (delivered, open) = (sender.delivered(), sender.open());
    let Counts { wrong, passed_over, undelivered } = counts;
    if args.json {
        output::line(
            &json!({ "schema": 1, "files": files.len(), "delivered": delivered, "undelivered": undelivered,
                "wrong": wrong, "passedOver": passed_over, "open": open })
            .to_string(),
        );
    } else if args.dry_run {
        output::note(&format!("{would} events of {} files would be sent to {shown}, {wrong} are wrong", files.len()));
    } else {
        let ends = format!("{delivered} delivered to {shown}, {undelivered} not delivered, {wrong} wrong");
        output::line(&format!("{ends}, {passed_over} passed over"));
    }
    Ok(match (open, undelivered + wrong) {
        (0, 0) => Exit::Fine,
        (0, _) => Exit::Findings,
        _ => Exit::TimedOut,
    })
}

/// Counts events that were not sent or not delivered, and prints the reason.
fn note(counts: &mut Counts, end: &End<Rc<Path>>) -> Result<(), String> {
    let problem = match &end.problem {
        None => return Ok(()),
        Some(Problem::Invalid(problem)) => {
            counts.wrong += 1;
            problem
        }
        Some(Problem::Undelivered(problem)) => {
            counts.undelivered += 1;
            problem
        }
    };
    output::note(&format!("{}, line {}: {problem}", end.kept.display(), end.line));
    Ok(())
}

fn matches(filter: &Filter, json: &str) -> bool {
    let fields = Fields::parse(json.as_bytes()).unwrap_or_default();
    let kind = fields.kind.text().and_then(|name| Kind::from_name(&name));
    filter.matches(&Subject::new(json.as_bytes(), kind))
}
