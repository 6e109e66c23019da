//! `tracklane replay --from`: what the log of gateways in JetStream took in a time, put into it again.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use serde_json::json;
use tracklane::event::Timestamp;

use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::stream_log::StreamLog;

/// The part of the log that is sent again.
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// Send again what gateways put into their log in JetStream from this time on, for every destination
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "files")]
    from: Option<SystemTime>,
    /// The end of that time; now if it is not given
    #[arg(long, value_name = "TIME", value_parser = time, requires = "from")]
    to: Option<SystemTime>,
    /// The one destination that gets it
    #[arg(long, value_name = "NAME", requires = "from")]
    destination: Option<String>,
    /// The configuration of the gateways
    #[arg(long, short = 'c', value_name = "FILE", default_value = "gateway.toml", env = "TRACKLANECTL_CONFIG")]
    config: PathBuf,
}

fn time(text: &str) -> Result<SystemTime, String> {
    let time = text.parse::<Timestamp>().map_err(|error| error.to_string())?;
    Ok(time.into())
}

impl LogArgs {
    /// Sends it, if it is asked for.
    pub(crate) fn run(&self, json: bool) -> Option<Outcome> {
        self.from.map(|from| self.replay(from, json))
    }

    fn replay(&self, from: SystemTime, json: bool) -> Outcome {
        let Some(log) = StreamLog::of(&self.config)? else {
            let problem =
                "has its log on the disk, which keeps nothing that is delivered: give files in place of --from";
            return Err(Failure::usage(format!("{} {problem}", self.config.display())));
        };
        let to = self.to.unwrap_or_else(SystemTime::now);
        let messages = log.wait(log.log.replay(from, to, self.destination.as_deref()))?;
        if json {
            output::line(&json!({ "schema": 1, "messages": messages }).to_string());
        } else {
            output::line(&format!("{messages} messages of events are in the log again"));
        }
        Ok(if messages == 0 { Exit::Findings } else { Exit::Fine })
    }
}
