//! Checks beyond serde: names that must match, and numbers in their ranges.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use tracklane_axum::TrustedProxies;

use super::error::{ConfigError, ConfigErrors, there_is_no};
use super::file::File;
use super::schema::{Config, DiskConfig, JetStreamConfig, LogConfig, ServerConfig, SourceConfig};

/// Returns everything that is wrong.
pub(super) fn check(file: &File, tree: Spanned<DeTable<'_>>, config: &Config) -> Result<(), ConfigError> {
    let span = tree.span();
    let root = &Spanned::new(span, DeValue::Table(tree.into_inner()));
    let mut checks = Checks { file, root, config, found: ConfigErrors::default() };
    checks.server();
    checks.log();
    checks.pipelines();
    checks.sources();
    checks.found.or(())
}

struct Checks<'a, 'i> {
    file: &'a File,
    root: &'a Spanned<DeValue<'i>>,
    config: &'a Config,
    found: ConfigErrors,
}

impl Checks<'_, '_> {
    fn server(&mut self) {
        let server = &self.config.server;
        if server.listen.is_empty() {
            self.setting(&["server", "listen"], "needs an address, such as \"127.0.0.1:8080\"");
        }
        if server.max_body == 0 {
            self.setting(&["server", "max_body"], "must be at least 1B: nothing would be taken");
        }
        if server.max_connections == 0 {
            self.setting(&["server", "max_connections"], "must be at least 1");
        }
        self.memory(server);
        if let Err(error) = TrustedProxies::new(&server.trusted_proxies) {
            self.setting(&["server", "trusted_proxies"], error.to_string());
        }
    }

    /// A body may be there twice: as it came, and uncompressed.
    fn memory(&mut self, server: &ServerConfig) {
        let bodies = server.max_body.saturating_mul(2);
        if server.body_bytes() >= bodies {
            return;
        }
        let connections = ServerConfig::CONNECTION_BYTES.saturating_mul(server.max_connections as u64);
        let least = connections.saturating_add(bodies.saturating_mul(3)).div_ceil(1 << 20);
        let problem = format!(
            "is too little for {} connections and bodies of {} bytes: use at least \"{least}MiB\", or fewer max_connections",
            server.max_connections, server.max_body
        );
        self.setting(&["server", "max_memory"], problem);
    }

    fn log(&mut self) {
        match &self.config.log {
            LogConfig::Disk(disk) => self.disk(disk),
            LogConfig::JetStream(streams) => self.jetstream(streams),
        }
    }

    fn disk(&mut self, disk: &DiskConfig) {
        if disk.directory.as_os_str().is_empty() {
            self.setting(&["log", "disk", "directory"], "is empty: name a directory on a local disk");
        }
        if disk.max_bytes < 1 << 20 {
            self.setting(&["log", "disk", "max_bytes"], "must be at least 1MiB");
        }
    }

    fn jetstream(&mut self, streams: &JetStreamConfig) {
        let mut setting = |name, problem: String| self.setting(&["log", "jetstream", name], problem);
        if streams.directory.as_os_str().is_empty() {
            setting("directory", "is empty: name a directory on a local disk".to_owned());
        }
        if streams.servers.is_empty() {
            setting("servers", "needs an address, such as \"nats://127.0.0.1:4222\"".to_owned());
        }
        for problem in streams.servers.iter().filter_map(|server| check_server(server).err()) {
            setting("servers", problem);
        }
        if streams.user.is_some() != streams.password.is_some() {
            setting("user", "user and password need each other".to_owned());
        }
        if !is_plain(&streams.name) {
            setting("name", format!("{:?} must have 1 to 64 letters, digits, - and _", streams.name));
        }
        if !matches!(streams.replicas, 1 | 3 | 5) {
            setting("replicas", format!("is {}, and must be 1, 3 or 5", streams.replicas));
        }
        if !(1..=64).contains(&streams.partitions) {
            setting("partitions", format!("is {}, and must be 1 to 64", streams.partitions));
        } else if streams.max_bytes / u64::from(streams.partitions) < 1 << 20 {
            setting("max_bytes", "must be at least 1MiB for each partition".to_owned());
        }
        if streams.max_spill_bytes < 1 << 20 {
            setting("max_spill_bytes", "must be at least 1MiB".to_owned());
        }
    }

    fn pipelines(&mut self) {
        if self.config.pipelines.is_empty() {
            self.wrong(&["pipelines"], "there is no pipeline");
        }
        for (name, pipeline) in &self.config.pipelines {
            self.name("pipelines", name);
            if pipeline.destinations.is_empty() {
                self.wrong(&["pipelines", name], format!("the pipeline {name:?} has no destination"));
            }
        }
    }

    fn sources(&mut self) {
        let mut owners = BTreeMap::new();
        for (name, source) in &self.config.sources {
            self.name("sources", name);
            self.source(name, source);
            let (empty, keys): (Vec<_>, Vec<_>) = source.keys.iter().partition(|key| key.trim().is_empty());
            if !empty.is_empty() {
                self.setting(&["sources", name, "keys"], "a key is empty");
            }
            for key in keys {
                // The key itself is a secret.
                match owners.insert(key, name) {
                    None => {}
                    Some(other) if other == name => self.setting(&["sources", name, "keys"], "a key is there twice"),
                    Some(other) => {
                        let problem = format!("a key of the source {name:?} is also one of the source {other:?}");
                        self.wrong(&["sources", name, "keys"], problem);
                    }
                }
            }
        }
        if self.config.sources.values().all(|source| source.keys.is_empty()) {
            self.wrong(&["sources"], "no source has a key");
        }
    }

    fn source(&mut self, name: &str, source: &SourceConfig) {
        if !self.config.pipelines.contains_key(&source.pipeline) {
            let problem = there_is_no("pipeline", &source.pipeline, self.config.pipelines.keys().map(String::as_str));
            self.wrong(&["sources", name, "pipeline"], problem);
        }
        if source.events_per_second == Some(0) {
            self.setting(&["sources", name, "events_per_second"], "must be at least 1; leave it out for no limit");
        }
        if source.burst.is_some() && source.events_per_second.is_none() {
            self.setting(&["sources", name, "burst"], "needs events_per_second");
        }
        if source.burst == Some(0) {
            self.setting(&["sources", name, "burst"], "must be at least 1");
        }
        for origin in &source.origins {
            let is_origin = origin.split_once("://").is_some_and(|(_, host)| !host.is_empty() && !host.contains('/'));
            if !is_origin {
                let problem =
                    format!("{origin:?} is no origin: write scheme and host, such as \"https://shop.example\"");
                self.setting(&["sources", name, "origins"], problem);
            }
        }
    }

    /// Names are folders, and labels of metrics.
    fn name(&mut self, kind: &str, name: &str) {
        if !is_plain(name) {
            let problem = format!("the name {name:?} in [{kind}] must have 1 to 64 letters, digits, - and _");
            self.wrong(&[kind, name], problem);
        }
    }

    /// Reports a problem of one setting.
    fn setting(&mut self, path: &[&str], problem: impl Into<String>) {
        let name = path.last().copied().unwrap_or_default();
        self.wrong(path, format!("{name}: {}", problem.into()));
    }

    fn wrong(&mut self, path: &[&str], problem: impl Into<String>) {
        let error = self.file.problem(self.place(path), problem);
        self.found.add(error);
    }

    /// The place of the innermost part of the path that is there.
    fn place(&self, path: &[&str]) -> Option<Range<usize>> {
        let mut value = self.root;
        let mut place = None;
        for name in path {
            let DeValue::Table(table) = value.get_ref() else { break };
            let Some((key, inner)) = table.get_key_value(*name) else { break };
            place = Some(key.span());
            value = inner;
        }
        place
    }
}

fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !name.is_empty() && name.len() <= 64 && name.bytes().all(plain)
}

/// The address itself may hold a password, and is not shown then.
fn check_server(server: &str) -> Result<(), String> {
    let example = "write it as \"nats://10.0.0.1:4222\", or with tls:// for an encrypted connection";
    if server.contains('@') {
        return Err("an address holds a user or password: write these as `user` and `password`".to_owned());
    }
    match server.split_once("://") {
        Some(("nats" | "tls", _)) => {}
        _ => return Err(format!("{server:?} is no address of a NATS server: {example}")),
    }
    let parsed = server.parse::<async_nats::ServerAddr>();
    parsed.map(drop).map_err(|error| format!("{server:?} is no address of a NATS server ({error}): {example}"))
}
