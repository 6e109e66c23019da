//! `tracklane bench`: load on a host, and how long its answers take.
//!
//! With a rate the load is open: requests are due at fixed times, whatever the answers do, and what is late counts as
//! waiting. So a host that stalls does not look better for it.

mod library;
mod load;
mod machine;
mod report;

use std::time::Duration;

use clap::Args;
use url::{Host, Url};

use crate::client;
use crate::duration;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;

use self::report::Report;

/// Send events as fast as a host takes them, or at a rate, and say how long answers take
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// The host; that of tracklane dev on this machine if it is not given
    #[arg(long, value_name = "URL", env = "TRACKLANE_HOST", default_value_t = format!("http://127.0.0.1:{}", crate::dev::DEFAULT_PORT))]
    host: String,
    /// The same host name or address again, where it is not this machine
    #[arg(long, value_name = "NAME")]
    host_is_mine: Option<String>,
    /// Events a second; 0 for as many as go
    #[arg(long, value_name = "EVENTS", default_value_t = 0)]
    rate: u32,
    /// Events in a request
    #[arg(long, value_name = "EVENTS", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=2_500))]
    batch: u32,
    /// Connections at one time
    #[arg(long, value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    connections: u32,
    /// How long
    #[arg(long = "for", value_name = "DURATION", default_value = "10s", value_parser = duration::parse)]
    time: Duration,
    #[arg(long, value_name = "KEY", default_value = "BENCH")]
    write_key: String,
    /// Through the library, as a program would send them, instead of over bare connections
    #[arg(long)]
    library: bool,
    /// The result as a line of JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: BenchArgs) -> Outcome {
    let url = args.url()?;
    let report = match args.library {
        true => library::run(&args)?,
        false => client::block_on(load::run(&args, &url))?,
    };
    match args.json {
        true => output::line(&report.to_json(&args).to_string()),
        false => report.to_lines(&args).iter().for_each(|line| output::line(line)),
    }
    Ok(if report.failed == 0 { Exit::Fine } else { Exit::Findings })
}

impl BenchArgs {
    /// The host, if it may be loaded: this machine, or one that was named twice.
    fn url(&self) -> Result<Url, Failure> {
        let invalid = || Failure::usage(format!("--host: {:?} is no URL that begins with http://", self.host));
        let url = Url::parse(&self.host).map_err(|_| invalid())?;
        let name = url.host_str().filter(|_| url.scheme() == "http").ok_or_else(invalid)?;
        let is_here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if is_here || self.host_is_mine.as_deref() == Some(name) {
            return Ok(url);
        }
        Err(Failure::usage(format!(
            "--host: {name} is another machine. If you may load it, say so: --host-is-mine {name}"
        )))
    }

    /// How many requests are due a second, if there is a rate.
    fn requests_per_second(&self) -> Option<f64> {
        (self.rate > 0).then(|| f64::from(self.rate) / f64::from(self.batch))
    }
}

/// The JSON of an event of the usual size, some 480 bytes, without its end.
const EVENT: &str = r#"{"type":"track","event":"Order Completed","userId":"019mr8mf4r","timestamp":"2026-01-01T00:00:00.000Z","context":{"app":{"name":"shop","version":"4.1.2"},"ip":"203.0.113.7","locale":"de-CH","library":{"name":"tracklane bench","version":"1"}},"properties":{"orderId":"o-50314427","total":39.95,"currency":"EUR","coupon":"SUMMER","products":[{"sku":"G-32","name":"Monopoly","price":19,"quantity":1},{"sku":"F-57","name":"UNO","price":3,"quantity":2}]},"messageId":""#;
