//! From the formats of plans to rules that are not compiled yet.
//!
//! | format | how it is known |
//! |---|---|
//! | Segment's Public API | `rules` is an array, at the top or in `data` |
//! | Segment's older Config API | `rules` is an object |
//! | Avo's export | `events` is an array |
//! | a folder of JSON Schemas | it is a folder |

mod avo;
mod folder;
mod segment;
mod source;

use std::path::Path;

use serde_json::Value;

pub(crate) use source::{RuleSource, Scope, Source, stranger};

use crate::error::PlanError;

/// Reads a file or a folder.
pub(crate) fn read(path: &Path) -> Result<Source, PlanError> {
    if path.is_dir() {
        return folder::read(path);
    }
    let text = std::fs::read_to_string(path).map_err(|source| PlanError::Read { path: path.to_owned(), source })?;
    parse(&text, &path.display().to_string())
}

/// Reads the text of a file.
pub(crate) fn parse(text: &str, from: &str) -> Result<Source, PlanError> {
    let json: Value = serde_json::from_str(text).map_err(|source| PlanError::Json { from: from.to_owned(), source })?;
    let format = |problem: &str| PlanError::Format { from: from.to_owned(), problem: problem.to_owned() };
    let plan = json.get("data").filter(|data| data.get("rules").is_some()).unwrap_or(&json);
    let next = plan.get("pagination").and_then(|pagination| pagination.get("next"));
    if next.is_some_and(|next| !next.is_null()) {
        return Err(format("is the first page of several: ask for all rules in one, or join the pages"));
    }
    let source = match (plan.get("rules"), plan.get("events")) {
        (Some(Value::Array(rules)), _) => segment::rules(plan, rules, from)?,
        (Some(Value::Object(rules)), _) => segment::older(plan, rules, from)?,
        (None, Some(Value::Array(events))) => avo::read(plan, events, from)?,
        _ => {
            return Err(format(
                "is in no format that is known: give Segment's JSON (with \"rules\"), Avo's export (with \"events\"), \
                 or a folder of JSON Schemas",
            ));
        }
    };
    if source.rules.is_empty() {
        return Err(format("has no rules, so that no event is planned: export it again, with the rules of its events"));
    }
    Ok(source)
}
