//! The checks.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use tracklane::Settings;
use tracklane::event::Timestamp;

use super::{Check, Checks};
use crate::dev::DEFAULT_PORT;
use crate::target::Target;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Seconds that clocks may differ.
const CLOCK_SKEW: i64 = 60;
/// Descriptors that a service with connections needs at least.
const DESCRIPTORS: u64 = 1_024;
const SEGMENT: &str = "https://api.segment.io";

pub(super) fn settings(target: &Target) -> Vec<Check> {
    if let Err(error) = Settings::from_env() {
        let advice = "Correct the variable, or unset it. Variables of the tool begin with TRACKLANECTL_.";
        return vec![Check::wrong("settings", error.to_string(), advice)];
    }
    let mut checks = vec![match target.builder().and_then(|(builder, _)| {
        builder.disable(true).build().map_err(|error| crate::exit::Failure::usage(error.to_string()))
    }) {
        Ok(_) => Check::fine("settings", "the settings of the environment are right"),
        Err(failure) => Check::wrong("settings", failure.message, "Correct the setting that is named."),
    }];
    checks.push(match target.has_key() {
        true => Check::note(
            "write-key",
            "there is a write key",
            "Whether it is right cannot be seen from outside: Segment answers 200 to a wrong one. Look into the source's \
             debugger.",
        ),
        false => Check::wrong("write-key", "there is no write key", "Set TRACKLANE_WRITE_KEY, or give --write-key."),
    });
    checks
}

pub(super) fn proxy() -> Check {
    let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "TRACKLANE_PROXY"];
    match names.into_iter().find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())) {
        Some(name) => Check::note("proxy", format!("{name} is set"), "Requests to https hosts go through it."),
        None => Check::fine("proxy", "there is no proxy"),
    }
}

pub(super) fn network(target: &Target) -> Checks {
    let (_, shown) = target.builder()?;
    let url = if shown == "Segment" { SEGMENT.to_owned() } else { shown };
    let is_tls = url.starts_with("https://");
    let authority = url.split("://").nth(1).unwrap_or(&url).split('/').next().unwrap_or_default().to_owned();
    let with_port = match authority.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_ok() => authority.clone(),
        _ => format!("{authority}:{}", if is_tls { 443 } else { 80 }),
    };
    let start = Instant::now();
    let addresses: Vec<SocketAddr> = match with_port.to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => {
            let advice = format!("Look whether this machine can resolve names: getent hosts {authority}");
            return Ok(vec![Check::wrong("dns", format!("{authority} has no address: {error}"), advice)]);
        }
    };
    let took = start.elapsed().as_millis();
    let mut checks = vec![Check::fine("dns", format!("{authority} has {} addresses ({took} ms)", addresses.len()))];
    let connected = addresses.iter().find_map(|address| TcpStream::connect_timeout(address, CONNECT_TIMEOUT).ok());
    let Some(stream) = connected else {
        let advice = "Look for a firewall, or set a proxy. For tracklane dev: is it running?";
        checks.push(Check::wrong("connection", format!("{with_port} cannot be reached"), advice));
        return Ok(checks);
    };
    checks.push(Check::fine("connection", format!("{with_port} can be reached")));
    checks.push(match is_tls {
        true => Check::note("clock", "not compared", "The time of an https host is not asked for."),
        false => clock(stream, &authority),
    });
    Ok(checks)
}

/// Compares clocks by the header `Date`.
fn clock(mut stream: TcpStream, authority: &str) -> Check {
    let mut answer = vec![0; 4_096];
    let asked = stream
        .set_read_timeout(Some(CONNECT_TIMEOUT))
        .and_then(|()| write!(stream, "HEAD / HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n"))
        .and_then(|()| stream.read(&mut answer));
    let count = asked.unwrap_or_default();
    let head = String::from_utf8_lossy(answer.get(..count).unwrap_or_default()).to_ascii_lowercase();
    let date = head.lines().find_map(|line| line.strip_prefix("date: "));
    let Some(there) = date.and_then(unix_seconds) else {
        return Check::note("clock", "the host does not say what time it is", "Compare it yourself: date -u");
    };
    let here = Timestamp::from(SystemTime::now()).as_unix_millis() / 1_000;
    match (here - there).abs() {
        apart if apart <= CLOCK_SKEW => Check::fine("clock", format!("{apart} s apart from the host's")),
        apart => Check::wrong(
            "clock",
            format!("{apart} s apart from the host's"),
            "Set this machine's clock by NTP: events get their time from it.",
        ),
    }
}

/// Seconds since the Unix epoch, of `sat, 28 nov 2026 00:15:24 gmt`.
fn unix_seconds(date: &str) -> Option<i64> {
    let mut parts = date.split([' ', ',']).filter(|part| !part.is_empty()).skip(1);
    let day = parts.next()?;
    let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let name = parts.next()?;
    let month = months.iter().position(|month| *month == name)? + 1;
    let (year, time) = (parts.next()?, parts.next()?);
    let timestamp: Timestamp = format!("{year}-{month:02}-{day:0>2}T{time}Z").parse().ok()?;
    Some(timestamp.as_unix_millis() / 1_000)
}

pub(super) fn spool(folder: &Path) -> Vec<Check> {
    let wrong = |message: String, advice: &str| vec![Check::wrong("spool", message, advice)];
    if !folder.is_dir() {
        return wrong(
            format!("{} is no folder", folder.display()),
            "The spool makes it when it starts: is this its path?",
        );
    }
    let probe = folder.join(".tracklane-doctor");
    if let Err(error) = std::fs::write(&probe, b"x").and_then(|()| std::fs::remove_file(&probe)) {
        let advice = "Let the service's user write there.";
        return wrong(format!("{} cannot be written: {error}", folder.display()), advice);
    }
    let mut checks = vec![Check::fine("spool", format!("{} can be written", folder.display()))];
    let files = crate::source::files(folder).unwrap_or_default();
    let corrupt = files.iter().filter(|file| file.extension().is_some_and(|end| end == "corrupt")).count();
    let waiting = files.len() - corrupt;
    if corrupt > 0 {
        let advice = format!("Look at what is left in them: tracklane replay --dry-run {}", folder.display());
        checks.push(Check::wrong("spool-corrupt", format!("{corrupt} files are damaged"), advice));
    }
    checks.push(match waiting {
        0 => Check::fine("spool-waiting", "nothing waits"),
        _ => Check::note(
            "spool-waiting",
            format!("{waiting} files wait"),
            "They are sent while a service uses the spool.",
        ),
    });
    checks
}

/// Returns how many files and connections a process may have open; nothing where that cannot be asked.
pub(super) fn descriptors() -> Option<Check> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
    let soft = line.split_whitespace().nth(3)?.parse::<u64>().ok()?;
    Some(match soft >= DESCRIPTORS {
        true => Check::fine("descriptors", format!("{soft} files may be open")),
        false => Check::wrong("descriptors", format!("only {soft} files may be open"), "Allow more: ulimit -n 4096"),
    })
}

pub(super) fn port() -> Check {
    match TcpListener::bind(("127.0.0.1", DEFAULT_PORT)) {
        Ok(_) => Check::fine("port", format!("port {DEFAULT_PORT} is free")),
        Err(error) => Check::note(
            "port",
            format!("port {DEFAULT_PORT} is taken ({error})"),
            "Perhaps by tracklane dev, which else takes the next one.",
        ),
    }
}

pub(super) fn browser() -> Check {
    Check::note(
        "local-network",
        "Chrome from 142 on asks before a public page may talk to this machine",
        "Allow it in the prompt, or open the page under test from localhost.",
    )
}

#[cfg(test)]
mod tests {
    use super::unix_seconds;

    #[test]
    fn dates_of_http_are_read() {
        assert_eq!(unix_seconds("sun, 06 nov 1994 08:49:37 gmt"), Some(784_111_777));
        for wrong in ["", "today", "sun, 06 xyz 1994 08:49:37 gmt", "sun, 99 nov 1994 08:49:37 gmt"] {
            assert_eq!(unix_seconds(wrong), None, "{wrong}");
        }
    }
}
