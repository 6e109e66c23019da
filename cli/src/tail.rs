//! `tracklane tail`: events as they arrive at `tracklane dev`, or those of a file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tracklane::Kind;

use crate::client::{self, DevUrl, escaped};
use crate::duration;
use crate::exit::{Exit, Failure, Outcome};
use crate::filter::{Filter, Subject};
use crate::output;
use crate::signals;
use crate::source::{self, Lines};

/// Events that one answer has at most.
const PAGE: usize = 500;

/// Show events as they arrive at tracklane dev, or those of files
#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    /// JSON Lines or the folder of a spool, instead of a running server
    files: Vec<PathBuf>,
    /// Only events that match, in the language of the page
    #[arg(long, short = 'q', value_name = "FILTER", default_value = "", allow_hyphen_values = true)]
    filter: String,
    /// How many of those that are there already to show
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 10)]
    last: usize,
    /// End at the first event that matches this
    #[arg(long, value_name = "FILTER", allow_hyphen_values = true)]
    until: Option<String>,
    /// Show what is there, and end
    #[arg(long)]
    no_follow: bool,
    /// End with code 4 after this time
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    within: Option<Duration>,
    #[command(flatten)]
    dev: DevUrl,
    /// The events as they were sent, a line each
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: TailArgs) -> Outcome {
    let parse = |text: &str| Filter::parse(text).map_err(|invalid| Failure::usage(invalid.to_string()));
    let filter = parse(&args.filter)?;
    let until = args.until.as_deref().map(parse).transpose()?;
    if !args.files.is_empty() {
        return of_files(&args, &filter, until.as_ref());
    }
    client::block_on(async {
        let within = args.within.unwrap_or(Duration::MAX);
        tokio::select! {
            outcome = follow(&args, until.as_ref()) => outcome,
            exit = signals::ended() => Ok(exit),
            () = tokio::time::sleep(within) => Ok(Exit::TimedOut),
        }
    })
}

/// The last events of all files that match.
fn of_files(args: &TailArgs, filter: &Filter, until: Option<&Filter>) -> Outcome {
    let mut last = std::collections::VecDeque::new();
    for path in &args.files {
        for file in source::files(path).map_err(Failure::cannot_run)? {
            read(&file, args.last, filter, &mut last).map_err(Failure::cannot_run)?;
        }
    }
    for text in last {
        show(&text, None, args.json);
        if until.is_some_and(|until| matches(until, &text)) {
            return Ok(Exit::Fine);
        }
    }
    Ok(if until.is_some() { Exit::Findings } else { Exit::Fine })
}

fn read(
    file: &Path,
    count: usize,
    filter: &Filter,
    last: &mut std::collections::VecDeque<String>,
) -> Result<(), String> {
    let mut lines = Lines::new(source::open(file)?);
    while let Some(row) = lines.next_row().map_err(|problem| format!("{}: {problem}", file.display()))? {
        let text = match row.json() {
            Ok(json) => json.to_owned(),
            Err(problem) => {
                output::note(&format!("{}, line {}: {problem}", file.display(), row.line));
                continue;
            }
        };
        if matches(filter, &text) {
            last.push_back(text);
            if last.len() > count {
                last.pop_front();
            }
        }
    }
    Ok(())
}

fn matches(filter: &Filter, raw: &str) -> bool {
    let fields = tracklane::segment::rules::Fields::parse(raw.as_bytes()).unwrap_or_default();
    let kind = fields.kind.text().and_then(|name| Kind::from_name(&name));
    filter.matches(&Subject::new(raw.as_bytes(), kind))
}

async fn follow(args: &TailArgs, until: Option<&Filter>) -> Outcome {
    let query = escaped(&args.filter);
    let first = page(args, &format!("events?limit={}&q={query}", args.last.min(PAGE))).await?;
    let mut cursor = first["newest"].as_u64().unwrap_or_default();
    if show_all(args, &first, until).await? {
        return Ok(Exit::Fine);
    }
    if args.no_follow {
        return Ok(if until.is_some() { Exit::Findings } else { Exit::Fine });
    }
    let mut stream = args.dev.send(Method::GET, &format!("stream?rows=0&q={query}"), "").await?.into_body();
    loop {
        let frame = stream.frame().await.and_then(Result::ok);
        if frame.is_none() {
            return Err(Failure::cannot_run("the server has ended"));
        }
        loop {
            let (status, next) = args.dev.get(&format!("events?after={cursor}&limit={PAGE}&q={query}")).await?;
            if status == StatusCode::GONE {
                let oldest = next["oldest"].as_u64().unwrap_or(1);
                output::note(&format!("tracklane: events {} to {} made room for newer ones", cursor + 1, oldest - 1));
                cursor = oldest.saturating_sub(1);
                continue;
            }
            if show_all(args, &next, until).await? {
                return Ok(Exit::Fine);
            }
            let shown = next["events"].as_array().map_or(0, Vec::len);
            let newest = next["events"][0]["seq"].as_u64();
            // A page that is not full has looked at all there is.
            cursor = if shown < PAGE { next["newest"].as_u64() } else { newest }.unwrap_or(cursor).max(cursor);
            if shown < PAGE {
                break;
            }
        }
    }
}

async fn page(args: &TailArgs, path: &str) -> Result<Value, Failure> {
    let (status, page) = args.dev.get(path).await?;
    if status.is_success() {
        return Ok(page);
    }
    Err(Failure::usage(page["error"].as_str().unwrap_or("the server refused").to_owned()))
}

/// Shows a page, the oldest first; whether its end was found.
async fn show_all(args: &TailArgs, page: &Value, until: Option<&Filter>) -> Result<bool, Failure> {
    for head in page["events"].as_array().into_iter().flatten().rev() {
        let needs_raw = args.json || until.is_some();
        let raw = match needs_raw {
            true => {
                let path = format!("events/{}/raw", head["seq"]);
                client::text(args.dev.send(Method::GET, &path, "").await?).await?
            }
            false => String::new(),
        };
        show(&raw, Some(head), args.json);
        if until.is_some_and(|until| with_kind(until, &raw, head)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The type may be in the path that the event was sent to.
fn with_kind(filter: &Filter, raw: &str, head: &Value) -> bool {
    let kind = head["kind"].as_str().and_then(Kind::from_name);
    filter.matches(&Subject::new(raw.as_bytes(), kind))
}

/// Prints a line: the event as it was sent, or a summary for people.
fn show(raw: &str, head: Option<&Value>, json: bool) {
    if json {
        return output::line(&raw.replace(['\n', '\r'], " "));
    }
    let parsed: Value;
    let event = match head {
        Some(head) => head,
        None => {
            parsed = serde_json::from_str(raw).unwrap_or_default();
            &parsed
        }
    };
    let text = |name: &str| match &event[name] {
        Value::String(text) => Some(text.chars().filter(|char| !char.is_control()).collect::<String>()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let first = |names: &[&str]| names.iter().find_map(|name| text(name)).unwrap_or_else(|| "–".to_owned());
    let time = first(&["at", "timestamp"]);
    // The time of day, because the date is known.
    let time = time.get(11..23).filter(|_| head.is_some()).unwrap_or(&time).to_owned();
    let finding = text("level").map_or_else(String::new, |level| format!("  {}", output::paint(&level, 33)));
    let end = match head {
        Some(head) if head["arrived"] == false => {
            let reason = head["path"]["reason"].as_str().map_or_else(String::new, |reason| format!(" ({reason})"));
            format!("  {}{reason}, told by an inspector", head["path"]["state"].as_str().unwrap_or("ended"))
        }
        _ => String::new(),
    };
    let kind = output::paint(&format!("{:8}", first(&["kind", "type"])), 36);
    let (name, user) = (first(&["name", "event"]), first(&["userId", "anonymousId"]));
    output::line(&format!("{time}  {kind}  {name:<30}  {user}{finding}{end}"));
}
