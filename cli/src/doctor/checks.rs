//! The checks of settings, disk and limits.

use std::net::TcpListener;
use std::path::Path;

use tracklane::Settings;

use super::Check;
use crate::dev::DEFAULT_PORT;
use crate::target::Target;

/// Descriptors that a service with connections needs at least.
const DESCRIPTORS: u64 = 1_024;

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
