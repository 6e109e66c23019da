//! `tracklane check`: the events of a file against Segment's rules, smells and a plan.

mod report;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use tracklane::Kind;
use tracklane::segment::rules::{Fields, Rule, check_event};
use tracklane_ingest::rules::{Finding, Level, smells};

use self::report::Report;
use crate::exit::{Exit, Failure, Outcome};
use crate::plan::Plan;
use crate::source::{self, Lines};

/// Hold the events of files against Segment's rules and a plan
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// JSON Lines, an event a line; - for standard input
    #[arg(default_value = "-")]
    files: Vec<PathBuf>,
    /// How findings are shown
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// A tracking plan: Segment's JSON, Avo's, or a folder of JSON Schemas
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// The least grave findings that count
    #[arg(long, value_enum, default_value_t)]
    level: Least,
    /// Findings that are allowed
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    max_findings: u64,
    /// Findings that are shown; further ones are only counted
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    show: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
    Junit,
    Github,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Least {
    Refused,
    Discarded,
    #[default]
    Smell,
}

impl From<Least> for Level {
    fn from(least: Least) -> Self {
        match least {
            Least::Refused => Level::Refused,
            Least::Discarded => Level::Discarded,
            Least::Smell => Level::Smell,
        }
    }
}

/// The place of a finding.
#[derive(Clone, Copy)]
struct Place<'a> {
    file: &'a Path,
    line: u64,
}

pub(crate) fn run(args: CheckArgs) -> Outcome {
    let plan = args.plan.as_deref().map(Plan::read).transpose().map_err(Failure::cannot_run)?;
    let least = Level::from(args.level);
    let format = if args.json { Format::Json } else { args.format };
    let mut report = Report::new(format, args.show);
    let (mut line, mut findings) = (Vec::new(), Vec::new());
    for path in &args.files {
        for file in source::files(path).map_err(Failure::cannot_run)? {
            let mut lines = Lines::new(source::open(&file).map_err(Failure::cannot_run)?);
            let unreadable = |problem: String| Failure::cannot_run(format!("{}: {problem}", file.display()));
            while lines.next_text(&mut line).map_err(unreadable)? {
                let text = line.trim_ascii();
                if text.is_empty() || text.starts_with(b"tracklane-spool ") {
                    continue;
                }
                check(text, plan.as_ref(), &mut findings);
                findings.retain(|finding| finding.level <= least);
                report.event(Place { file: &file, line: lines.line() }, &findings);
                findings.clear();
            }
        }
    }
    let found = report.finish();
    Ok(if found <= args.max_findings { Exit::Fine } else { Exit::Findings })
}

fn check(text: &[u8], plan: Option<&Plan>, findings: &mut Vec<Finding>) {
    let Some(fields) = Fields::parse(text) else {
        let rule = Rule::MalformedJson;
        findings.push(Finding {
            rule: rule.name(),
            level: Level::Refused,
            property: None,
            message: "the line is not one JSON object".to_owned(),
            fix: rule.fix(),
        });
        return;
    };
    findings.extend(check_event(&fields, None, text.len()).into_iter().map(Finding::from));
    let kind = fields.kind.text().and_then(|name| Kind::from_name(&name));
    smells(&fields, kind, findings);
    if let (Some(plan), Some(kind)) = (plan, kind) {
        plan.check(kind, text, findings);
    }
    findings.sort_by_key(|finding| finding.level);
}
