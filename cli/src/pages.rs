//! `tracklane completions` and `tracklane man`.

use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::Cli;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;

/// Write the completions of a shell to standard output
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    #[arg(value_enum)]
    shell: Shell,
}

/// Write the manual page to standard output, or one for each command into a folder
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The folder
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

pub(crate) fn completions(args: &CompletionsArgs) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tracklane", &mut text);
    output::print(&String::from_utf8_lossy(&text));
    Ok(Exit::Fine)
}

pub(crate) fn man(args: &ManArgs) -> Outcome {
    if let Some(folder) = &args.dir {
        let written = std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
        written.map_err(|error| Failure::cannot_run(format!("cannot write to {}: {error}", folder.display())))?;
        return Ok(Exit::Fine);
    }
    let mut text = Vec::new();
    let rendered = clap_mangen::Man::new(Cli::command()).render(&mut text);
    rendered.map_err(|error| Failure::cannot_run(error.to_string()))?;
    output::print(&String::from_utf8_lossy(&text));
    Ok(Exit::Fine)
}
