//! `tracklane dead`: the events of a gateway that were refused for good, or never taken. It reads the folders, so the
//! gateway need not run.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use tracklane_gateway::{DeadStore, Layout};
use tracklane_spool::DeadLetter;

use crate::exit::{Exit, Failure, Outcome};
use crate::output;

/// Look at the dead events of a gateway, send them again or drop them
#[derive(Debug, Args)]
pub(crate) struct DeadArgs {
    #[command(subcommand)]
    command: DeadCommand,
}

#[derive(Debug, Subcommand)]
enum DeadCommand {
    /// A line for each: where, when, why, and its messageId
    List(Place),
    /// The whole event, with what the destination said
    Show(Chosen),
    /// Put them back in front of their destination
    Replay(Chosen),
    /// Delete them
    Drop(Chosen),
}

#[derive(Debug, Args)]
struct Place {
    /// The gateway's configuration
    #[arg(long, short = 'c', value_name = "FILE", default_value = "gateway.toml", env = "TRACKLANECTL_CONFIG")]
    config: PathBuf,
    /// Only those of this place, such as main/Segment.io or rejected/web
    #[arg(long = "in", value_name = "PLACE")]
    place: Option<String>,
    /// A line of JSON for each
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Chosen {
    #[command(flatten)]
    place: Place,
    /// The messageIds
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<String>,
    /// All of them
    #[arg(long)]
    all: bool,
}

impl Chosen {
    fn picks(&self) -> impl Fn(&DeadLetter) -> bool {
        let ids: BTreeSet<String> = self.ids.iter().cloned().collect();
        let all = self.all;
        move |letter| all || letter.message_id().is_some_and(|id| ids.contains(&id))
    }
}

pub(crate) fn run(args: DeadArgs) -> Outcome {
    match args.command {
        DeadCommand::List(place) => {
            list(&place)?;
            Ok(Exit::Fine)
        }
        DeadCommand::Show(chosen) => show(&chosen),
        DeadCommand::Replay(chosen) => replay(&chosen),
        DeadCommand::Drop(chosen) => remove(&chosen),
    }
}

fn stores(place: &Place) -> Result<Vec<DeadStore>, Failure> {
    let layout = Layout::of(&place.config).map_err(|error| Failure::cannot_run(error.to_string()))?;
    let stores = layout.stores().map_err(unreadable)?;
    let Some(wanted) = &place.place else { return Ok(stores) };
    let names: Vec<String> = stores.iter().map(|store| store.name.clone()).collect();
    let found: Vec<_> = stores.into_iter().filter(|store| store.name == *wanted).collect();
    if found.is_empty() {
        return Err(Failure::usage(format!("--in: there is no {wanted:?}; there are: {}", names.join(", "))));
    }
    Ok(found)
}

fn unreadable(error: std::io::Error) -> Failure {
    Failure::cannot_run(format!("the log cannot be read or written: {error}"))
}

fn list(place: &Place) -> Result<(), Failure> {
    for store in stores(place)? {
        let visit = |letter: &DeadLetter| {
            let id = letter.message_id().unwrap_or_else(|| "-".to_owned());
            let error = letter.error.as_deref().unwrap_or_default();
            if place.json {
                let line = json!({
                    "schema": 1, "where": store.name, "at": letter.at, "reason": letter.reason, "error": letter.error,
                    "messageId": letter.message_id(),
                });
                output::line(&line.to_string());
            } else {
                let (id, error) = (printable(&id), printable(error));
                output::line(&format!("{}  {}  {}  {id}  {error}", store.name, letter.at, letter.reason));
            }
        };
        store.letters().visit(visit).map_err(unreadable)?;
    }
    Ok(())
}

/// Returns the text without control characters, which could drive a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

fn show(chosen: &Chosen) -> Outcome {
    let (picks, mut count) = (chosen.picks(), 0_u64);
    for store in stores(&chosen.place)? {
        let visit = |letter: &DeadLetter| {
            if picks(letter) {
                count += 1;
                let line = json!({
                    "schema": 1, "where": store.name, "at": letter.at, "reason": letter.reason, "error": letter.error,
                    "event": letter.event,
                });
                output::line(&line.to_string());
            }
        };
        store.letters().visit(visit).map_err(unreadable)?;
    }
    said(count, chosen)
}

fn replay(chosen: &Chosen) -> Outcome {
    let (picks, mut count) = (chosen.picks(), 0);
    let mut left = 0_u64;
    for store in stores(&chosen.place)? {
        match &store.destination {
            Some(destination) => count += store.letters().replay(destination, &picks).map_err(unreadable)?,
            None => store.letters().visit(|letter| left += u64::from(picks(letter))).map_err(unreadable)?,
        }
    }
    if left > 0 {
        output::note(&format!(
            "{left} events were rejected when they came, and would be again: mend what `dead show` prints, and send it"
        ));
    }
    output::note(&format!("{count} events wait for their destination again"));
    said(count, chosen)
}

fn remove(chosen: &Chosen) -> Outcome {
    let (picks, mut count) = (chosen.picks(), 0);
    for store in stores(&chosen.place)? {
        count += store.letters().remove(&picks).map_err(unreadable)?;
    }
    output::note(&format!("{count} events are dropped"));
    said(count, chosen)
}

/// That an event was not found is a finding.
fn said(count: u64, chosen: &Chosen) -> Outcome {
    if count == 0 && !chosen.all {
        output::note("no dead event has such a messageId");
        return Ok(Exit::Findings);
    }
    Ok(Exit::Fine)
}
