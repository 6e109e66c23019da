//! `tracklane dev`: the tracking API with a page that shows every event, and an API for tests.

mod api;
mod code;
mod exec;
mod faults;
mod guard;
mod outlets;
mod page;
mod session;
mod state;
mod store;
mod take;

use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::middleware;
use bytesize::ByteSize;
use clap::Args;
use serde_json::json;
use tracklane_ingest::{Ingest, Limits, Server};

use self::guard::Guard;
use self::outlets::Outlets;
use self::state::{AnswerMode, Parts, State};
use crate::exit::{Failure, Outcome};
use crate::output;
use crate::plan::Plan;
use crate::signals;

/// The port that is taken if none is asked for.
pub(crate) const DEFAULT_PORT: u16 = 8765;
/// Ports that are tried after it.
const FURTHER_PORTS: u16 = 20;

/// Listen as Segment does, and show every event.
#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// The port; the next free one after 8765 if it is not given
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Open the page in the browser
    #[arg(long)]
    open: bool,
    /// A tracking plan to hold events against: Segment's JSON, Avo's, or a folder of JSON Schemas
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Send events on to the source with this write key
    #[arg(long, value_name = "KEY")]
    forward: Option<String>,
    /// Send them on to this host instead of Segment's
    #[arg(long, value_name = "URL", requires = "forward")]
    forward_host: Option<String>,
    /// How much to keep; the oldest events leave first
    #[arg(long, value_name = "SIZE", default_value = "128MB", value_parser = size)]
    keep: u64,
    /// Append every event to a file, a line each
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Answer as Segment does, or refuse what Segment would discard
    #[arg(long, value_enum, default_value_t)]
    answer: AnswerMode,
    /// The write keys that are right; events with another one are marked, or refused with --answer strict
    #[arg(long, value_name = "KEY")]
    write_key: Vec<String>,
    /// Listen on this address instead of the loopback ones
    #[arg(long, value_name = "ADDRESS", requires = "token")]
    listen: Option<IpAddr>,
    /// What the page and the API ask for where others can reach the port
    #[arg(long, value_name = "TOKEN", env = "TRACKLANECTL_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Answer GET /health and GET /messages as segment/mock did
    #[arg(long)]
    mock_compat: bool,
    /// Serve the page from this folder
    #[arg(long, value_name = "FOLDER", hide = true)]
    page: Option<PathBuf>,
    /// Run a program with the host set to this server, and end with its code
    #[arg(long, requires = "command")]
    exec: bool,
    /// The program, after --
    #[arg(last = true, requires = "exec", value_name = "COMMAND")]
    command: Vec<OsString>,
    /// Say that it is ready as a line of JSON
    #[arg(long)]
    json: bool,
    /// Say nothing but errors
    #[arg(long, short)]
    quiet: bool,
}

/// Reads a size, as the settings of tracklane do: a KB is 1,000 bytes and a KiB 1,024.
fn size(text: &str) -> Result<u64, String> {
    let bytes = text.parse::<ByteSize>().ok().map(|size| size.as_u64()).filter(|bytes| (1..u64::MAX).contains(bytes));
    bytes.ok_or_else(|| "use a number with B, KB, MB or GB, such as 128MB".to_owned())
}

pub(crate) fn run(args: DevArgs) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::cannot_run(format!("cannot start: {error}")))?;
    let outcome = runtime.block_on(serve(args));
    // Nobody needs a search that still runs.
    runtime.shutdown_background();
    outcome
}

async fn serve(args: DevArgs) -> Outcome {
    if args
        .token
        .as_ref()
        .is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)))
    {
        return Err(Failure::usage("--token: use letters, digits, '-', '_', '.' and '~' only"));
    }
    let mut outlets = Outlets::default();
    if let Some(key) = &args.forward {
        outlets.forward_to(key, args.forward_host.as_deref()).map_err(Failure::cannot_run)?;
    }
    if let Some(path) = &args.record {
        outlets.record_to(path).map_err(Failure::cannot_run)?;
    }
    let plan = args.plan.as_deref().map(Plan::read).transpose().map_err(Failure::cannot_run)?;
    let server = bind(args.port, args.listen).await?;
    let url = server.url();
    let port = server.addresses().first().map_or(0, SocketAddr::port);
    let state = Arc::new(State::new(Parts {
        keep_bytes: args.keep,
        outlets,
        plan,
        answer: args.answer,
        write_keys: args.write_key.clone(),
        port,
        url: url.clone(),
        mock_compat: args.mock_compat,
    }));
    let guard = Guard { listen: args.listen, token: args.token.clone() };
    let router = router(&state, guard, args.page.clone());
    let ended = signals::ended();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.limits(limits()).serve(router, async { drop(stopped.await) }));
    welcome(&args, &state);
    let outcome = match args.exec {
        true => {
            let inspector = inspector(&args, &url);
            exec::run(&args.command, &url, (state.example_key(), inspector.as_deref()), ended).await
        }
        false => Ok(ended.await),
    };
    drop(stop);
    let _ = serving.await;
    state.outlets.close().await;
    outcome
}

fn limits() -> Limits {
    Limits::default()
}

fn router(state: &Arc<State>, guard: Guard, page: Option<PathBuf>) -> Router {
    let guard = Arc::new(guard);
    let seen = api::router(Arc::clone(state))
        .merge(page::router(page))
        .layer(middleware::from_fn(move |request, next| guard::check(Arc::clone(&guard), request, next)));
    let taken = Arc::clone(state);
    let service = tower::service_fn(move |request| take::take(Arc::clone(&taken), request));
    Ingest::new(service).limits(limits()).router().merge(seen)
}

/// The loopback addresses, or the one that was asked for. IPv6 may not be there.
async fn bind(port: Option<u16>, listen: Option<IpAddr>) -> Result<Server, Failure> {
    let first = port.unwrap_or(DEFAULT_PORT);
    let last = if port.is_some() { first } else { first.saturating_add(FURTHER_PORTS) };
    let mut problem = None;
    for port in first..=last {
        let addresses = match listen {
            Some(address) => vec![address],
            None => vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)],
        };
        let sockets = |addresses: &[IpAddr]| addresses.iter().map(|ip| SocketAddr::new(*ip, port)).collect::<Vec<_>>();
        match Server::bind(sockets(&addresses)).await {
            Ok(server) => return Ok(server),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => problem = Some(error),
            Err(error) if listen.is_some() => problem = Some(error),
            Err(_) => match Server::bind(sockets(&[IpAddr::V4(Ipv4Addr::LOCALHOST)])).await {
                Ok(server) => return Ok(server),
                Err(error) => problem = Some(error),
            },
        }
    }
    let is_address = problem.as_ref().is_some_and(|error| error.kind() == io::ErrorKind::AddrNotAvailable);
    let problem = problem.map_or_else(String::new, |error| format!(": {error}"));
    Err(Failure::cannot_run(match listen.filter(|_| is_address) {
        Some(address) => format!("cannot listen on {address}{problem}. Give --listen an address of this machine"),
        None => format!("cannot listen on port {first}{problem}. Choose another one with --port"),
    }))
}

/// What a client on this machine has as its inspector. From another address it would be refused.
fn inspector(args: &DevArgs, url: &str) -> Option<String> {
    match (args.listen, &args.token) {
        (Some(_), _) => None,
        (None, Some(token)) => Some(format!("{url}/?token={token}")),
        (None, None) => Some(url.to_owned()),
    }
}

/// Says where it listens, and how an SDK is pointed there.
fn welcome(args: &DevArgs, state: &State) {
    let shown = match &args.token {
        Some(token) => format!("{}/?token={token}", state.url),
        None => state.url.clone(),
    };
    if args.json {
        output::line(&json!({ "schema": 1, "ready": true, "url": state.url, "port": state.port }).to_string());
    } else if !args.quiet && !args.exec {
        output::line(&format!("{}  {}", output::paint("tracklane dev", 1), output::paint(&shown, 36)));
        output::line("");
        for snippet in code::snippets(&state.url, state.example_key()) {
            output::line(&snippet.to_string());
        }
        output::line("Open the page to see every event. Ctrl-C ends it.");
    }
    if args.open {
        open(&shown);
    }
}

fn open(url: &str) {
    let program = match std::env::consts::OS {
        "macos" => "open",
        "windows" => "explorer",
        _ => "xdg-open",
    };
    let quiet = || std::process::Stdio::null();
    let started = std::process::Command::new(program).arg(url).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
    if let Err(error) = started {
        output::note(&format!("--open: cannot run {program}: {error}. Open {url} yourself"));
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("1", 1),
            ("2KB", 2_000),
            ("2KiB", 2_048),
            ("128MB", 128_000_000),
            ("1gb", 1_000_000_000),
            ("1.5 MB", 1_500_000),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for wrong in ["", "MB", "0", "-1", "3 parsecs", "99999999999999999999GB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
