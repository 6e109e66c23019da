//! The file as a tree that knows the place of each value, with the values of variables in it.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use tracklane::similar_name;

use super::error::{ConfigError, ConfigErrors};

/// The file as it was read, so that errors of a setting have its line.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) environment: Environment,
}

/// The values of variables.
pub(super) type Environment = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

impl fmt::Debug for File {
    /// Hides the text, which has secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").field("path", &self.path).finish_non_exhaustive()
    }
}

impl File {
    /// The tree, with the variables' values in it.
    pub(super) fn tree(&self) -> Result<Spanned<DeTable<'_>>, ConfigError> {
        let mut tree = DeTable::parse(&self.text).map_err(|error| self.error(&error))?;
        let mut errors = ConfigErrors::default();
        for (_, value) in tree.get_mut().iter_mut() {
            self.insert_variables(value, &mut errors);
        }
        errors.or(tree)
    }

    pub(super) fn problem(&self, at: Option<Range<usize>>, problem: impl Into<String>) -> ConfigError {
        ConfigError::new(&self.path, problem).at(&self.text, at)
    }

    pub(super) fn error(&self, error: &toml::de::Error) -> ConfigError {
        self.problem(error.span(), with_suggestion(without_value(error.message())))
    }

    fn insert_variables(&self, value: &mut Spanned<DeValue<'_>>, errors: &mut ConfigErrors) {
        let span = value.span();
        match value.get_mut() {
            DeValue::String(text) if text.contains("${") => match self.with_variables(text) {
                Ok(replaced) => *text = replaced.into(),
                Err(problem) => errors.add(self.problem(Some(span), problem)),
            },
            DeValue::Array(values) => values.iter_mut().for_each(|value| self.insert_variables(value, errors)),
            DeValue::Table(table) => table.iter_mut().for_each(|(_, value)| self.insert_variables(value, errors)),
            _ => {}
        }
    }

    fn with_variables(&self, text: &str) -> Result<String, String> {
        let mut parts = text.split("${");
        let mut replaced = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').ok_or("a variable begins with ${ and has no } at its end")?;
            let value = (self.environment)(name);
            let value = value.ok_or_else(|| format!("the variable {name:?} is not set in the environment"))?;
            replaced.push_str(&value);
            replaced.push_str(rest);
        }
        Ok(replaced)
    }
}

/// Adds the name that a misspelt one may mean. serde writes the unknown name and those that it knows between backticks.
fn with_suggestion(message: String) -> String {
    if !message.starts_with("unknown field") && !message.starts_with("unknown variant") {
        return message;
    }
    let mut names = message.split('`').skip(1).step_by(2);
    match names.next().and_then(|unknown| similar_name(unknown, names)) {
        Some(meant) => format!("{message}; did you mean `{meant}`?"),
        None => message,
    }
}

/// Text that serde shows may be a secret.
fn without_value(message: &str) -> String {
    for kind in ["invalid type: string", "invalid value: string"] {
        if let Some((_, expected)) = message.strip_prefix(kind).and_then(|rest| rest.rsplit_once(", expected ")) {
            return format!("{kind}, expected {expected}");
        }
    }
    message.to_owned()
}
