//! The database of a connection string, and whether TLS is used.

use std::path::Path;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tracklane_http::{Secret, SettingError};

/// Reads a connection string, and decides on TLS. For a host that is not this machine it is required, unless plaintext
/// is allowed. With plaintext allowed, and on this machine, it is used if the string has `sslmode=require`.
pub(crate) fn config(url: &Secret, allow_plaintext: bool) -> Result<Config, SettingError> {
    let text = url.expose().trim();
    if text.is_empty() {
        return Err(invalid("is empty: write it as \"postgres://user:password@host/database\""));
    }
    for (option, instead) in [
        ("sslmode=verify", "has sslmode=verify-…: write sslmode=require, for certificates are always verified"),
        ("sslrootcert", "has sslrootcert: use the setting root_certificate"),
    ] {
        if text.contains(option) {
            return Err(invalid(instead));
        }
    }
    let mut config: Config = text.parse().map_err(|error| unreadable(text, &error))?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(invalid("names no host: write it as \"postgres://user:password@host/database\""));
    }
    let mode = match (config.get_ssl_mode(), is_this_machine(&config) || allow_plaintext) {
        (SslMode::Require, _) => SslMode::Require,
        (_, true) => SslMode::Disable,
        (SslMode::Disable, false) => {
            return Err(invalid("has sslmode=disable for another machine: leave it out, or set allow_plaintext"));
        }
        (_, false) => SslMode::Require,
    };
    config.ssl_mode(mode);
    if config.get_application_name().is_none() {
        config.application_name("tracklane");
    }
    Ok(config)
}

fn invalid(problem: &str) -> SettingError {
    SettingError::new("url", problem)
}

/// The option that is wrong, and not its value.
fn unreadable(text: &str, error: &tokio_postgres::Error) -> SettingError {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    if let Some(option) = cause.strip_prefix("invalid value for option ") {
        return invalid(&format!("has an invalid value for {option}"));
    }
    let unknown = cause.strip_prefix("unknown option `").and_then(|option| option.strip_suffix('`'));
    if let Some(option) = unknown.filter(|option| is_no_secret(text, option)) {
        let problem =
            format!("has the option {option:?}, which is not known: check how it is written, or leave it out");
        return invalid(&problem);
    }
    invalid(
        "is no connection string: write it as \"postgres://user:password@host/database\", with % for special letters \
         of the password",
    )
}

/// Returns whether the unknown `option` cannot be the piece of a password whose special letters are not escaped. Such
/// a piece stands behind the name `password`, or before an `@`.
fn is_no_secret(text: &str, option: &str) -> bool {
    let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
    let (credentials, rest) = text.split_once('@').filter(|_| is_url).unwrap_or(("", text));
    // Its last place: it may stand by chance in front of a password, too.
    let before = rest.rsplit_once(option).map_or(rest, |(before, _)| before);
    let may_be_behind_password = before.is_empty() || before.contains("password");
    let may_be_before_host = credentials.contains(option) || (is_url && rest.contains('@'));
    !may_be_behind_password && !may_be_before_host
}

/// Of all names only `localhost`: many resolvers ask the network for names below it.
fn is_this_machine(config: &Config) -> bool {
    let is_near = |host: &Host| match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    let addresses = config.get_hostaddrs();
    if addresses.is_empty() {
        config.get_hosts().iter().all(is_near)
    } else {
        addresses.iter().all(|it| it.is_loopback())
    }
}

/// Hosts and database of a connection string, which are no secret.
pub(crate) fn shown(config: &Config) -> String {
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => Path::display(path).to_string(),
        })
        .collect();
    format!("{}/{}", hosts.join(","), config.get_dbname().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_required_but_on_this_machine() {
        use SslMode::{Disable, Require};
        for (url, allow_plaintext, expected) in [
            ("postgres://u:p@db.example/app", false, Require),
            ("postgres://u:p@db.example/app", true, Disable),
            ("postgres://u:p@db.example/app?sslmode=require", true, Require),
            ("postgres://u:p@db.example/app?sslmode=prefer", false, Require),
            ("postgres://u:p@localhost/app", false, Disable),
            ("postgres://u:p@127.0.0.1:5433/app", false, Disable),
            ("postgres://u:p@[::1]/app", false, Disable),
            ("postgres://u:p@localhost/app?sslmode=require", false, Require),
            ("postgres://u:p@localhost,db.example/app", false, Require),
            ("postgres://u:p@127.evil.example/app", false, Require),
            ("host=localhost hostaddr=203.0.113.7 user=u", false, Require),
            ("host=/var/run/postgresql user=u", false, Disable),
        ] {
            let config = config(&Secret::from(url), allow_plaintext);
            assert_eq!(config.unwrap().get_ssl_mode(), expected, "{url} {allow_plaintext}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_without_the_password() {
        for (url, problem) in [
            ("", "is empty"),
            ("hunter2", "is no connection string"),
            ("postgres://u:hunter2@db.example:port/app", "invalid value for `port`"),
            ("postgres://u:hunter2@db.example/app?hunter2=1", "is no connection string"),
            ("postgres://u:hunter2@db.example/app?sslmode=verify-full", "certificates are always verified"),
            ("postgres://u:hunter2@db.example/app?sslrootcert=/ca.pem", "use the setting root_certificate"),
            ("postgres://u:hunter2@db.example/app?sslmode=disable", "set allow_plaintext"),
            ("user=u password=hunter2", "names no host"),
            ("host=a password='hunter2", "is no connection string"),
            ("postgres://u:hunter2@db.example/app?sslmod=require", "has the option \"sslmod\", which is not known"),
            ("postgres://u:hunter2@db.example/app?application_name=a&schema=b", "has the option \"schema\""),
            ("postgres://db.example?user=u&sslmod=require", "has the option \"sslmod\""),
            ("host=a user=u sslmod=require password=hunter2", "has the option \"sslmod\""),
            // Any of these may be the piece of a password.
            ("postgres://u:p@ss?hunter2=1@db.example/app", "is no connection string"),
            ("postgres://db.example/app?password=p&hunter2=1", "is no connection string"),
            ("host=a password=p hunter2=1", "is no connection string"),
            ("host=hunter2.example password=p hunter2=1", "is no connection string"),
            ("hunter2==", "is no connection string"),
            ("?hunter2=1", "is no connection string"),
        ] {
            let error = config(&Secret::from(url), false).unwrap_err();
            let told = format!("{error} {error:?}");
            assert!(told.starts_with("setting url: ") && told.contains(problem), "{url}: {told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
}
