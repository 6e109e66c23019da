//! `tracklane dead`: the events of a gateway that were refused for good, or never taken. It reads the folders, so the
//! gateway need not run, and the log in JetStream if there is one.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use tracklane_gateway::{DeadEntry, DeadStore, Layout};
use tracklane_spool::DeadLetter;

use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::stream_log::StreamLog;

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

/// Where dead events are: in folders of this machine, and in the log in JetStream if there is one.
struct Places {
    stores: Vec<DeadStore>,
    log: Option<StreamLog>,
    entries: Vec<DeadEntry>,
}

impl Places {
    fn of(place: &Place) -> Result<Self, Failure> {
        let layout = Layout::of(&place.config).map_err(|error| Failure::cannot_run(error.to_string()))?;
        let mut stores = layout.stores().map_err(unreadable)?;
        let log = StreamLog::of(&place.config)?;
        let mut entries = log.as_ref().map(StreamLog::dead).transpose()?.unwrap_or_default();
        if let Some(wanted) = &place.place {
            let names = stores.iter().map(|store| &store.name).chain(entries.iter().map(|entry| &entry.place));
            let names: BTreeSet<String> = names.cloned().collect();
            // In JetStream a place is there while something in it is dead.
            if log.is_none() && !names.contains(wanted) {
                let names: Vec<String> = names.into_iter().collect();
                return Err(Failure::usage(format!("--in: there is no {wanted:?}; there are: {}", names.join(", "))));
            }
            stores.retain(|store| store.name == *wanted);
            entries.retain(|entry| entry.place == *wanted);
        }
        Ok(Self { stores, log, entries })
    }

    /// Shows every letter with its place.
    fn visit(&self, mut visit: impl FnMut(&str, &DeadLetter)) -> Result<(), Failure> {
        for store in &self.stores {
            store.letters().visit(|letter| visit(&store.name, letter)).map_err(unreadable)?;
        }
        self.entries.iter().for_each(|entry| visit(&entry.place, &entry.letter));
        Ok(())
    }

    fn replay(&self, picks: impl Fn(&DeadLetter) -> bool) -> Result<u64, Failure> {
        let mut count = 0;
        for store in &self.stores {
            if let Some(destination) = &store.destination {
                count += store.letters().replay(destination, &picks).map_err(unreadable)?;
            }
        }
        let Some(log) = &self.log else { return Ok(count) };
        Ok(count + log.wait(log.log.replay_dead(&self.picked(picks)))?)
    }

    fn remove(&self, picks: impl Fn(&DeadLetter) -> bool) -> Result<u64, Failure> {
        let mut count = 0;
        for store in &self.stores {
            count += store.letters().remove(&picks).map_err(unreadable)?;
        }
        let Some(log) = &self.log else { return Ok(count) };
        Ok(count + log.wait(log.log.drop_dead(&self.picked(picks)))?)
    }

    fn picked(&self, picks: impl Fn(&DeadLetter) -> bool) -> Vec<DeadEntry> {
        self.entries.iter().filter(|entry| picks(&entry.letter)).cloned().collect()
    }

    /// Letters that no destination would get: they were rejected when they came.
    fn rejected(&self, picks: impl Fn(&DeadLetter) -> bool) -> Result<u64, Failure> {
        let mut count = 0;
        for store in self.stores.iter().filter(|store| store.destination.is_none()) {
            store.letters().visit(|letter| count += u64::from(picks(letter))).map_err(unreadable)?;
        }
        Ok(count)
    }
}

fn unreadable(error: std::io::Error) -> Failure {
    Failure::cannot_run(format!("the log cannot be read or written: {error}"))
}

fn list(place: &Place) -> Result<(), Failure> {
    Places::of(place)?.visit(|name, letter| {
        let id = letter.message_id().unwrap_or_else(|| "-".to_owned());
        let error = letter.error.as_deref().unwrap_or_default();
        if place.json {
            let line = json!({
                "schema": 1, "where": name, "at": letter.at, "reason": letter.reason, "error": letter.error,
                "messageId": letter.message_id(),
            });
            output::line(&line.to_string());
        } else {
            let (id, error) = (printable(&id), printable(error));
            output::line(&format!("{name}  {}  {}  {id}  {error}", letter.at, letter.reason));
        }
    })
}

/// Returns the text without control characters, which could drive a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

fn show(chosen: &Chosen) -> Outcome {
    let (picks, mut count) = (chosen.picks(), 0_u64);
    Places::of(&chosen.place)?.visit(|name, letter| {
        if picks(letter) {
            count += 1;
            let line = json!({
                "schema": 1, "where": name, "at": letter.at, "reason": letter.reason, "error": letter.error,
                "event": letter.event,
            });
            output::line(&line.to_string());
        }
    })?;
    said(count, chosen)
}

fn replay(chosen: &Chosen) -> Outcome {
    let (picks, places) = (chosen.picks(), Places::of(&chosen.place)?);
    let left = places.rejected(&picks)?;
    let count = places.replay(&picks)?;
    if left > 0 {
        output::note(&format!(
            "{left} events were rejected when they came, and would be again: mend what `dead show` prints, and send it"
        ));
    }
    output::note(&format!("{count} events wait for their destination again"));
    said(count, chosen)
}

fn remove(chosen: &Chosen) -> Outcome {
    let count = Places::of(&chosen.place)?.remove(chosen.picks())?;
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
