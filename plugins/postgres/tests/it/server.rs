//! A PostgreSQL server of a test's own, in a temporary directory, made of the binaries that are installed.
//!
//! Without them a test ends early and says so; where `TRACKLANE_POSTGRES=required`, as in `.ci/run`, it fails.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;
use tokio_postgres::{NoTls, SimpleQueryMessage};

pub(crate) const PASSWORD: &str = "hunter2";
const BOUND: Duration = Duration::from_secs(60);

pub(crate) struct Server {
    directory: TempDir,
    binaries: PathBuf,
    port: u16,
    options: Vec<String>,
    running: Mutex<Option<Child>>,
}

/// The server that tests share, as long as one of them runs.
static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());

impl Server {
    /// The one that others use, too. Each test has tables of its own.
    pub(crate) fn shared() -> Option<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Some(server);
        }
        let server = Arc::new(Self::own()?);
        *shared = Arc::downgrade(&server);
        Some(server)
    }

    /// One that the test can stop.
    pub(crate) fn own() -> Option<Self> {
        let Some(binaries) = binaries() else {
            let required = std::env::var("TRACKLANE_POSTGRES").is_ok_and(|value| value == "required");
            assert!(!required, "no PostgreSQL server is installed, and TRACKLANE_POSTGRES says that it is required");
            println!("skipped: no PostgreSQL server is installed (on Debian: the package postgresql)");
            return None;
        };
        let directory = TempDir::new().unwrap();
        give_away(directory.path());
        let password = directory.path().join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        give_away(&password);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { directory, binaries, port, options: Vec::new(), running: Mutex::default() };
        let made = server
            .command("initdb")
            .args(["-U", "tracklane", "-E", "UTF8", "--locale=C", "--no-sync", "--auth=scram-sha-256", "--pwfile"])
            .arg(password)
            .arg("-D")
            .arg(server.data())
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        server.start();
        Some(server)
    }

    /// The same server with other options, for its next start.
    #[cfg(feature = "rustls")]
    pub(crate) fn with_options(mut self, options: &[&str]) -> Self {
        self.options = options.iter().map(|option| (*option).to_owned()).collect();
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://tracklane:{PASSWORD}@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts the server, and waits until it answers.
    pub(crate) fn start(&self) {
        let begun = Instant::now();
        loop {
            let child = self
                .command("postgres")
                .arg("-D")
                .arg(self.data())
                .args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1", "-k", ""])
                // A process that is killed loses nothing that the kernel has.
                .args(["-c", "fsync=off", "-c", "max_connections=50"])
                .args(&self.options)
                .stderr(std::fs::File::create(self.path("log")).unwrap())
                .spawn()
                .unwrap();
            *self.child() = Some(child);
            while begun.elapsed() < BOUND {
                if self.try_query("SELECT 1").is_ok() {
                    return;
                }
                // After a kill the memory of the last one may still be in use: then it ends at once.
                if self.child().as_mut().unwrap().try_wait().unwrap().is_some() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            let log = std::fs::read_to_string(self.path("log")).unwrap_or_default();
            assert!(begun.elapsed() < BOUND, "the server does not start: {log}");
        }
    }

    /// As a machine dies: without a word to anybody.
    pub(crate) fn kill(&self) {
        let Some(mut child) = self.child().take() else { return };
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// All at once, without waiting for anybody, but with what is left cleared away.
    pub(crate) fn stop(&self) {
        let Some(mut child) = self.child().take() else { return };
        kill_process(Pid::from_child(&child), Signal::QUIT).unwrap();
        child.wait().unwrap();
    }

    /// Every row as text.
    pub(crate) fn query(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        self.try_query(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    /// The only value of the only row.
    pub(crate) fn value(&self, sql: &str) -> String {
        self.query(sql).remove(0).remove(0).unwrap()
    }

    fn try_query(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, tokio_postgres::Error> {
        runtime().block_on(async {
            let (client, connection) = tokio_postgres::connect(&self.url(), NoTls).await?;
            tokio::spawn(connection);
            let messages = client.simple_query(sql).await?;
            let row = |message| match message {
                SimpleQueryMessage::Row(row) => {
                    Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect::<Vec<_>>())
                }
                _ => None,
            };
            Ok(messages.into_iter().filter_map(row).collect())
        })
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.binaries.join(name));
        command.current_dir(self.directory.path()).stdin(Stdio::null()).stdout(Stdio::null());
        // The server refuses to be root.
        if let Some((user, group)) = other_user() {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Where `initdb` and `postgres` are: in the path, or where Debian has them.
fn binaries() -> Option<PathBuf> {
    let in_path = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut debian: Vec<PathBuf> = debian.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect();
    debian.sort();
    let has = |folder: &&PathBuf| ["initdb", "postgres"].iter().all(|name| folder.join(name).exists());
    debian.iter().rev().chain(&in_path).find(has).cloned()
}

/// Whom the server runs as, if the test is root.
fn other_user() -> Option<(u32, u32)> {
    if !geteuid().is_root() {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let of = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map(|field| field.parse().unwrap());
        Some((fields.next()?, fields.next()?))
    };
    of("postgres").or_else(|| of("nobody"))
}

/// To whom the server runs as.
pub(crate) fn give_away(path: impl AsRef<OsStr>) {
    if let Some((user, group)) = other_user() {
        chown(Path::new(path.as_ref()), Some(user), Some(group)).unwrap();
    }
}
