//! The settings, as a builder and as data, and the destination that they make.

use std::env;
use std::fmt;
use std::io::{self, IsTerminal, Write};

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use tracklane::plugin::Destination;

use crate::line::Style;
use crate::printer::Printer;

/// The name of the destination, unless another is given.
const NAME: &str = "Console";

/// A destination that prints each event as it would be sent.
///
/// ```no_run
/// use tracklane::Analytics;
/// use tracklane_console::Console;
///
/// let analytics = Analytics::builder_for("WRITE_KEY").plugin(Console::new().build()).build()?;
/// # Ok::<(), tracklane::SettingsError>(())
/// ```
#[must_use = "settings do nothing until they are built and registered"]
pub struct Console {
    name: String,
    stream: Stream,
    format: Format,
    color: Color,
    writer: Option<Box<dyn Write + Send>>,
}

/// The stream of the lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stream {
    /// Standard error, which leaves a program's output alone.
    #[default]
    Stderr,
    /// Standard output.
    Stdout,
}

/// The format of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Format {
    /// [`Text`](Format::Text) in a terminal, [`Json`](Format::Json) elsewhere.
    #[default]
    Auto,
    /// Time, kind, name, user and properties in columns.
    Text,
    /// The event's JSON.
    Json,
    /// The event's JSON over several lines.
    PrettyJson,
}

/// The use of colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Color {
    /// In a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// [`Console`] as a configuration file has it. An unknown member is an error.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ConsoleSettings {
    /// See [`Console::name`].
    #[serde(deserialize_with = "name")]
    pub name: Option<String>,
    /// See [`Console::stream`].
    pub stream: Stream,
    /// See [`Console::format`].
    pub format: Format,
    /// See [`Console::color`].
    pub color: Color,
}

impl Console {
    /// Prints to standard error: in columns in a terminal, as JSON elsewhere.
    pub fn new() -> Self {
        Self {
            name: NAME.to_owned(),
            stream: Stream::default(),
            format: Format::default(),
            color: Color::default(),
            writer: None,
        }
    }

    /// The name of the destination, for `integrations`. `Console` by default.
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Sets the stream of the lines. Standard error by default.
    pub fn stream(mut self, stream: Stream) -> Self {
        self.stream = stream;
        self
    }

    /// Sets the format of a line.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Sets whether text is coloured.
    pub fn color(mut self, color: Color) -> Self {
        self.color = color;
        self
    }

    /// Writes there in place of a standard stream: to a file, or to memory in a test. It is no terminal.
    pub fn writer(mut self, writer: impl Write + Send + 'static) -> Self {
        self.writer = Some(Box::new(writer));
        self
    }

    /// Makes the destination. It gets each event at once, and prints it as other destinations get it, after all
    /// plugins. To print only some kinds of calls, see [`Registration::only`](tracklane::plugin::Registration::only).
    pub fn build(self) -> Destination {
        let is_terminal = self.writer.is_none()
            && match self.stream {
                Stream::Stderr => io::stderr().is_terminal(),
                Stream::Stdout => io::stdout().is_terminal(),
            };
        let style = Style { format: self.format.resolve(is_terminal), color: self.color.resolve(is_terminal) };
        let writer = self.writer.unwrap_or_else(|| match self.stream {
            Stream::Stderr => Box::new(io::stderr()),
            Stream::Stdout => Box::new(io::stdout()),
        });
        Destination::new(&self.name, Printer::new(writer, style)).max_in_flight(1)
    }
}

impl Format {
    fn resolve(self, is_terminal: bool) -> Self {
        match self {
            Format::Auto if is_terminal => Format::Text,
            Format::Auto => Format::Json,
            format => format,
        }
    }
}

impl Color {
    fn resolve(self, is_terminal: bool) -> bool {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = || env::var_os("TERM").is_some_and(|term| term == "dumb");
        match self {
            Color::Auto => is_terminal && !is_set("NO_COLOR") && !is_dumb(),
            Color::Always => true,
            Color::Never => false,
        }
    }
}

impl Default for Console {
    fn default() -> Self {
        Self::new()
    }
}

/// Reads the name of a destination, which events must be able to write.
fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    if name.as_ref().is_some_and(|name| name.trim().is_empty()) {
        let problem = "name is empty: write the name that events use in `integrations`, or leave the setting out";
        return Err(D::Error::custom(problem));
    }
    Ok(name)
}

impl From<ConsoleSettings> for Console {
    fn from(settings: ConsoleSettings) -> Self {
        let console = Console::new().stream(settings.stream).format(settings.format).color(settings.color);
        match settings.name {
            Some(name) => console.name(&name),
            None => console,
        }
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console")
            .field("name", &self.name)
            .field("stream", &self.stream)
            .field("format", &self.format)
            .field("color", &self.color)
            .finish_non_exhaustive()
    }
}
