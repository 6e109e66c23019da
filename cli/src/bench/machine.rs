//! What the figures were measured on.

use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Machine {
    system: &'static str,
    architecture: &'static str,
    cores: usize,
    processor: Option<String>,
    /// Of the last minute: above the number of cores others work here, too.
    load: Option<f64>,
}

impl Machine {
    pub(super) fn here() -> Self {
        let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let name = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let load = std::fs::read_to_string("/proc/loadavg").ok();
        Self {
            system: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: name.map(|(_, name)| name.trim().to_owned()),
            load: load.and_then(|load| load.split(' ').next()?.parse().ok()),
        }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { system, architecture, cores, processor, load } = self;
        write!(f, "{cores} cores, {}, {system} {architecture}", processor.as_deref().unwrap_or("unknown processor"))?;
        load.map_or(Ok(()), |load| write!(f, ", load {load}"))
    }
}
