//! The way to the host: its name, the connection, TLS, and its clock.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant, SystemTime};

use http::header::{DATE, HeaderMap};
use http::{Method, Request};
use tower::ServiceExt;
use tracklane::event::Timestamp;
use tracklane::text_with_causes;
use tracklane::transport::Body;

use super::exchange::{answer, client};
use super::{Check, Checks};
use crate::exit::Failure;
use crate::target::Target;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Seconds that clocks may differ.
const CLOCK_SKEW: i64 = 60;
const SEGMENT: &str = "https://api.segment.io";

/// Looks at all of it.
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
    if connected.is_none() {
        let advice = "Look for a firewall, or set a proxy. For tracklane dev: is it running?";
        checks.push(Check::wrong("connection", format!("{with_port} cannot be reached"), advice));
        return Ok(checks);
    }
    checks.push(Check::fine("connection", format!("{with_port} can be reached")));
    checks.extend(exchange(&url, is_tls)?);
    Ok(checks)
}

/// Asks for the head of the page at `/`, by the client that the library sends with: so TLS is what it will be, and the
/// answer says what time it is there.
fn exchange(url: &str, is_tls: bool) -> Checks {
    let client = match client(is_tls) {
        Ok(client) => client,
        Err(error) => {
            let advice = "Install the machine's certificates (ca-certificates), or correct the proxy that is named.";
            return Ok(vec![Check::wrong("tls", text_with_causes(&error), advice)]);
        }
    };
    let request = Request::builder().method(Method::HEAD).uri(format!("{}/", url.trim_end_matches('/')));
    let request = request.body(Body::default()).map_err(|error| Failure::usage(format!("{url}: {error}")))?;
    Ok(match answer(client.oneshot(request))? {
        Ok(answer) => {
            let tls = is_tls.then(|| Check::fine("tls", "the certificate is right"));
            tls.into_iter().chain([clock(answer.headers())]).collect()
        }
        Err(error) => {
            let advice = "Look for a proxy that opens connections, for this machine's certificates, and for its clock: a \
                          certificate has a time.";
            let problem = text_with_causes(&*error);
            vec![if is_tls { Check::wrong("tls", problem, advice) } else { no_time(problem) }]
        }
    })
}

/// Compares clocks by the header `Date`.
fn clock(headers: &HeaderMap) -> Check {
    let date = headers.get(DATE).and_then(|date| date.to_str().ok()).map(str::to_ascii_lowercase);
    let Some(there) = date.as_deref().and_then(unix_seconds) else {
        return no_time("the host does not say what time it is".to_owned());
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

fn no_time(problem: String) -> Check {
    Check::note("clock", problem, "Compare it yourself: date -u")
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
