//! NATS servers for a benchmark, as processes of its own.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// NATS servers that know each other.
pub(crate) struct Servers {
    pub(crate) list: Vec<Server>,
    _stores: TempDir,
}

pub(crate) struct Server {
    child: Child,
    url: String,
}

impl Servers {
    pub(crate) fn start(count: usize, always: bool) -> Option<Self> {
        let binary = std::env::var("NATS_SERVER").unwrap_or_else(|_| "nats-server".to_owned());
        let stores = TempDir::new().unwrap();
        // Bound all at once, so that no two are the same.
        let listeners: Vec<_> = (0..2 * count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let addresses: Vec<SocketAddr> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
        drop(listeners);
        let (own, routes) = addresses.split_at(count);
        let routes: Vec<String> = routes.iter().map(|route| format!("nats://{route}")).collect();
        let mut list = Vec::new();
        for (number, address) in own.iter().enumerate() {
            let store = stores.path().join(number.to_string());
            let config = stores.path().join(format!("{number}.conf"));
            let sync = if always { "always" } else { "2m" };
            let mut text =
                format!("jetstream {{ store_dir: {store:?}, sync_interval: {sync} }}\nlisten: \"{address}\"\n");
            if count > 1 {
                let own = routes[number].trim_start_matches("nats://");
                text +=
                    &format!("server_name: n{number}\ncluster {{ name: c, listen: \"{own}\", routes: {routes:?} }}\n");
            }
            std::fs::write(&config, text).unwrap();
            let child = Command::new(&binary).arg("--config").arg(config).stderr(Stdio::null()).spawn().ok()?;
            list.push(Server { child, url: format!("nats://{address}") });
            while std::net::TcpStream::connect(address).is_err() {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        Some(Self { list, _stores: stores })
    }

    pub(crate) fn urls(&self) -> Vec<&str> {
        self.list.iter().map(|server| &*server.url).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
