//! A folder of JSON Schemas: `Order Completed.json` is the schema of that event.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tracklane::Kind;

use super::source::{RuleSource, Scope, Source, scope};
use crate::error::PlanError;

/// Names of files that are no events.
const OTHERS: &[(&str, Option<Kind>)] = &[
    ("identify", Some(Kind::Identify)),
    ("group", Some(Kind::Group)),
    ("page", Some(Kind::Page)),
    ("screen", Some(Kind::Screen)),
    ("common", None),
];

pub(super) fn read(folder: &Path) -> Result<Source, PlanError> {
    let failed = |source| PlanError::Read { path: folder.to_owned(), source };
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let entries = entries.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let is_json = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).filter(is_json).collect();
    paths.sort();
    let rules: Vec<RuleSource> = paths.iter().map(|path| rule(path)).collect::<Result<_, _>>()?;
    if rules.is_empty() {
        let problem = "has no file that ends in .json: name each as its event, \"Order Completed.json\"".to_owned();
        return Err(PlanError::Format { from: folder.display().to_string(), problem });
    }
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(Source { name, id: None, rules })
}

fn rule(path: &Path) -> Result<RuleSource, PlanError> {
    let from = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| PlanError::Read { path: path.to_owned(), source })?;
    let schema: Value = serde_json::from_str(&text).map_err(|source| PlanError::Json { from: from.clone(), source })?;
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let other = OTHERS.iter().find(|(name, _)| *name == stem);
    let (kind, key) = match other {
        Some((_, kind)) => (*kind, String::new()),
        None => (Some(Kind::Track), stem.clone()),
    };
    let scope = if kind.is_none() { Scope::Event } else { scope(&schema) };
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let url = format!("plan:///{}", escaped(&file));
    Ok(RuleSource { kind, key, version: 1, schema, scope, place: file, url })
}

/// A file name as the path of a URL has it.
fn escaped(name: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    name.bytes().map(escape).collect()
}
