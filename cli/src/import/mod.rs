//! `tracklane import`: events of a file, sent once each, whatever happens on the way.
//!
//! The file is read as a stream. The position up to which all events have their outcome is written beside the file each
//! second. An event without a `messageId` gets one that depends on the file and its line. So a killed import continues
//! where it was. Events that are sent twice have the same id, and Segment drops the second.

mod position;
mod rejects;
mod sender;
mod sequence;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use self::position::Position;
use self::rejects::Rejects;
pub(crate) use self::sender::{End, Problem, Rate, Sender};
use self::sequence::Sequence;
use crate::duration;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::source::{self, Completion, CsvRows, Identity, Lines, Mapping, Row};
use crate::target::Target;

/// Send the events of a file
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// JSON Lines or CSV; - for JSON Lines on standard input
    file: PathBuf,
    /// The form of the file; by its name if it is not given
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Where a column of CSV goes, such as userId=id or properties.total:number=Total
    #[arg(long, value_name = "PLACE[:TYPE]=COLUMN")]
    map: Vec<String>,
    /// The type of events that say none
    #[arg(long, value_name = "TYPE", value_parser = ["track", "identify", "page", "screen", "group", "alias"])]
    kind: Option<String>,
    /// The name of events that say none
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    #[command(flatten)]
    target: Target,
    /// Events a second; 0 for as many as go
    #[arg(long, value_name = "EVENTS", default_value_t = 500)]
    rate: u32,
    /// Go on where an import of this file stopped
    #[arg(long, conflicts_with = "restart")]
    resume: bool,
    /// Begin again, though an import of this file stopped on the way
    #[arg(long)]
    restart: bool,
    /// Read and check all of it, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Refuse a file whose events are not in the order of their timestamps; else that is said, and they are sent as they
    /// stand
    #[arg(long)]
    sort: bool,
    /// Where rejected events go; FILE.rejected.jsonl if it is not given
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// How long to wait at the end for what is under way
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration::parse)]
    timeout: Duration,
    /// Say how it went as a line of JSON
    #[arg(long)]
    json: bool,
    /// Say nothing but errors
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Jsonl,
    Csv,
}

enum Rows {
    Lines(Lines<Box<dyn std::io::Read>>),
    Csv(CsvRows<Box<dyn std::io::Read>>),
}

impl Rows {
    fn next(&mut self) -> Result<Option<Row>, String> {
        match self {
            Rows::Lines(lines) => lines.next_row(),
            Rows::Csv(rows) => rows.next_row(),
        }
    }
}

/// The state of reading a file.
struct Import {
    completion: Completion,
    position: Option<Position>,
    rejects: Rejects,
    sequence: Sequence,
    read: u64,
}

pub(crate) fn run(args: ImportArgs) -> Outcome {
    let mapping = Mapping::parse(&args.map, args.kind.as_deref(), args.event.as_deref()).map_err(Failure::usage)?;
    let format = args.format.unwrap_or_else(|| format_of(&args.file));
    if format == Format::Csv && mapping.is_empty() {
        return Err(Failure::usage("CSV needs --map, such as --map userId=id --map properties.total:number=Total"));
    }
    if format == Format::Jsonl && !mapping.is_empty() {
        return Err(Failure::usage("--map is for CSV, and the file is JSON Lines: see --format"));
    }
    let bar = progress(&args);
    let mut rows = open(&args.file, format, &mapping, &bar)?;
    let (identity, position) = args.begin(&mapping)?;
    let done = position.as_ref().map_or(0, Position::done);
    let rejects = args.rejects.clone().unwrap_or_else(|| beside(&args.file, "rejected.jsonl"));
    let rejects = Rejects::open(rejects, position.as_ref().and_then(Position::rejects)).map_err(Failure::cannot_run)?;
    // The rows of CSV have the constants already.
    let constants = if format == Format::Csv { Mapping::default() } else { mapping.clone() };
    let completion = Completion::new(identity, &constants);
    let mut import = Import { completion, position, rejects, sequence: Sequence::default(), read: 0 };
    if args.sort {
        if args.file == Path::new("-") {
            return Err(Failure::usage("--sort: standard input cannot be read twice"));
        }
        let mut all = open(&args.file, format, &mapping, &ProgressBar::hidden())?;
        import.require_order(&mut all).map_err(|problem| unsorted(&args.file, &problem))?;
    }
    if args.dry_run {
        return import.check(&args, &mut rows);
    }
    let interrupted = sender::Interrupt::listen();
    let (client, shown) =
        args.target.relay(|segment| segment.flush_at(500).flush_interval(Duration::from_millis(200)))?;
    let mut sender = Sender::new(client, Rate::new(args.rate));
    while let Some(row) = rows.next().map_err(|problem| unreadable(&args.file, &problem))? {
        if row.line <= done {
            continue;
        }
        if interrupted.is_set() {
            break;
        }
        import.send(&mut sender, row).map_err(Failure::cannot_run)?;
    }
    // An interrupted import does not wait: events under way are sent again with the same ids.
    let patience = if interrupted.is_set() { Duration::ZERO } else { args.timeout };
    let ended = sender.finish(patience, |end| import.settled(end));
    bar.finish_and_clear();
    ended.map_err(Failure::cannot_run)?;
    import.finish(&args, &sender, &shown, interrupted.is_set())
}

fn unreadable(file: &Path, problem: &str) -> Failure {
    Failure::cannot_run(format!("{}: {problem}", file.display()))
}

/// The file is not sorted, or cannot be read.
fn unsorted(file: &Path, problem: &str) -> Failure {
    Failure::findings(format!("{}: {problem}", file.display()))
}

/// By the end of the name, before that of gzip.
fn format_of(file: &Path) -> Format {
    let ends = |file: &Path, end: &str| file.extension().is_some_and(|own| own.eq_ignore_ascii_case(end));
    let inner = file.file_stem().filter(|_| ends(file, "gz")).map(Path::new);
    if ends(inner.unwrap_or(file), "csv") { Format::Csv } else { Format::Jsonl }
}

/// Opens the rows of a file. The bar shows how much of it was read.
fn open(file: &Path, format: Format, mapping: &Mapping, bar: &ProgressBar) -> Result<Rows, Failure> {
    let stored = source::stored(file).map_err(Failure::cannot_run)?;
    let reader = source::unpacked(file, Box::new(bar.wrap_read(stored))).map_err(Failure::cannot_run)?;
    match format {
        Format::Jsonl => Ok(Rows::Lines(Lines::new(reader))),
        Format::Csv => Ok(Rows::Csv(CsvRows::new(reader, mapping).map_err(|problem| unreadable(file, &problem))?)),
    }
}

/// The file with this after its name.
fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = if file == Path::new("-") { "stdin".into() } else { file.as_os_str().to_owned() };
    name.push(format!(".{end}"));
    name.into()
}

fn progress(args: &ImportArgs) -> ProgressBar {
    let bytes = std::fs::metadata(&args.file).map_or(0, |metadata| metadata.len());
    if args.quiet || args.json || bytes == 0 {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}");
    ProgressBar::new(bytes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

impl ImportArgs {
    /// Returns the identity of the file, and the position of the import.
    fn begin(&self, mapping: &Mapping) -> Result<(Identity, Option<Position>), Failure> {
        if self.file == Path::new("-") {
            if self.resume {
                return Err(Failure::usage("--resume: standard input cannot be read again"));
            }
            return Ok((Identity::unknown(), None));
        }
        let path = beside(&self.file, "tracklane");
        let identity = Identity::of(&self.file).map_err(Failure::cannot_run)?;
        let mapping = format!("{mapping:?}");
        let stopped = Position::read(&path).map_err(Failure::cannot_run)?;
        match stopped {
            Some(stopped) if self.resume => {
                let same = stopped.identity().is_still(&self.file).map_err(Failure::cannot_run)?;
                if !same || !stopped.is_for(&mapping) {
                    let what = if same { "the mapping" } else { "the file" };
                    let message =
                        format!("--resume: {what} is another than when the import stopped. --restart begins again");
                    return Err(Failure::usage(message));
                }
                Ok((stopped.identity().clone(), Some(stopped)))
            }
            Some(stopped) if !self.restart && !self.dry_run => Err(Failure::usage(format!(
                "an import of this file stopped at line {}: --resume goes on there, --restart begins again",
                stopped.done()
            ))),
            _ => Ok((identity.clone(), Some(Position::new(path, identity, mapping)))),
        }
    }
}

impl Import {
    fn event(&mut self, row: &Row) -> Result<tracklane::Event, String> {
        let event = self.completion.event(row)?;
        self.sequence.see(row.line, &event);
        Ok(event)
    }

    /// Reads all rows, and fails if their events are not in the order of their timestamps.
    fn require_order(&self, rows: &mut Rows) -> Result<(), String> {
        let mut sequence = Sequence::default();
        while let Some(row) = rows.next()? {
            if let Ok(event) = self.completion.event(&row) {
                sequence.see(row.line, &event);
            }
        }
        sequence.require()
    }

    fn send(&mut self, sender: &mut Sender<Vec<u8>>, row: Row) -> Result<(), String> {
        self.read += 1;
        let event = self.event(&row);
        sender.send(row.line, event, row.text, |end| self.settled(end))
    }

    /// A line has ended, and all before it.
    fn settled(&mut self, end: End<Vec<u8>>) -> Result<(), String> {
        let End { line, kept, problem } = end;
        if let Some(problem) = problem {
            if let Some(position) = &mut self.position {
                position.before_reject(self.rejects.done())?;
            }
            self.reject(line, &kept, &problem)?;
        }
        match &mut self.position {
            Some(position) => position.advance(line, self.rejects.done()),
            None => Ok(()),
        }
    }

    fn reject(&mut self, line: u64, text: &[u8], problem: &Problem) -> Result<(), String> {
        match problem {
            Problem::Invalid(problem) => self.rejects.add(line, "invalid", problem, &String::from_utf8_lossy(text)),
            Problem::Undelivered(problem) => {
                // As it was sent, with its id.
                let event = self.completion.event_of(text, line)?;
                let json = serde_json::to_string(&event).map_err(|error| error.to_string())?;
                self.rejects.add(line, "undelivered", problem, &json)
            }
        }
    }

    fn check(mut self, args: &ImportArgs, rows: &mut Rows) -> Outcome {
        let mut wrong = 0_u64;
        while let Some(row) = rows.next().map_err(|problem| unreadable(&args.file, &problem))? {
            self.read += 1;
            let line = row.line;
            if let Err(problem) = self.event(&row).and_then(|event| check(&event)) {
                wrong += 1;
                output::note(&format!("line {line}: {problem}"));
            }
        }
        self.sequence.warn();
        let read = self.read;
        match args.json {
            true => output::line(&json!({ "schema": 1, "read": read, "wrong": wrong, "dryRun": true }).to_string()),
            false if args.quiet => {}
            false => output::line(&format!("{read} read, {wrong} wrong, nothing sent")),
        }
        Ok(if wrong == 0 { Exit::Fine } else { Exit::Findings })
    }

    fn finish(mut self, args: &ImportArgs, sender: &Sender<Vec<u8>>, shown: &str, interrupted: bool) -> Outcome {
        let (delivered, open) = (sender.delivered(), sender.open());
        let rejected = self.rejects.count();
        self.sequence.warn();
        if let Some(position) = &mut self.position {
            let all_done = open == 0 && !interrupted;
            if all_done { position.remove() } else { position.save() }.map_err(Failure::cannot_run)?;
        }
        if args.json {
            let summary =
                json!({ "schema": 1, "read": self.read, "delivered": delivered, "rejected": rejected, "open": open });
            output::line(&summary.to_string());
        } else if !args.quiet {
            let rejects = if rejected > 0 { format!(" (in {})", self.rejects.path().display()) } else { String::new() };
            output::line(&format!(
                "{} read, {delivered} delivered to {shown}, {rejected} rejected{rejects}",
                self.read
            ));
        }
        if interrupted || open > 0 {
            output::note(&format!("tracklane: stopped with {open} events under way: go on with --resume"));
            return Ok(if interrupted { Exit::Interrupted } else { Exit::TimedOut });
        }
        Ok(if rejected == 0 { Exit::Fine } else { Exit::Findings })
    }
}

/// Returns the error that the library's call would return for the event.
fn check(event: &tracklane::Event) -> Result<(), String> {
    let json = serde_json::to_vec(event).map_err(|error| error.to_string())?;
    let fields = tracklane::segment::rules::Fields::parse(&json).unwrap_or_default();
    let violations = tracklane::segment::rules::check_event(&fields, None, json.len());
    violations.first().map_or(Ok(()), |violation| Err(violation.message.clone()))
}
