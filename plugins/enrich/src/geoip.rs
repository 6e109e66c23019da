//! A GeoIP database, read again when its file changes.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use maxminddb::Reader;

use crate::error::EnrichError;
use crate::location::{Location, location};

/// The time between two checks for a change of the file, by default.
const INTERVAL: Duration = Duration::from_secs(60);

/// Parts of the type names of databases without places.
const NO_PLACES: &[&str] = &["ASN", "ISP", "Anonymous", "Connection", "Domain", "Privacy"];

/// A database of places by IP address in the format MaxMind DB: GeoLite2, GeoIP2, DB-IP, IPinfo. Cheap to clone.
///
/// It is read into memory as a whole. When its file changes, it is read again on a thread of its own; until then, and if
/// it cannot be read, the former one counts.
#[derive(Clone)]
pub struct GeoIp(Arc<Shared>);

struct Shared {
    path: PathBuf,
    reader: ArcSwap<Reader<Vec<u8>>>,
    /// The stamp of the file at the last attempt to read it.
    stamp: Mutex<Option<Stamp>>,
    begun: Instant,
    interval: Duration,
    /// When the file is looked at next, in milliseconds since the beginning.
    next_look: AtomicU64,
    is_looking: AtomicBool,
}

/// The data that shows that a file has changed.
type Stamp = (Option<SystemTime>, u64);

impl GeoIp {
    /// Reads a database.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, or is no database of places. The error names it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, EnrichError> {
        Self::with_interval(path, INTERVAL)
    }

    /// [`open`](Self::open), with another time between two looks at the file than a minute.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`open`](Self::open).
    pub fn with_interval(path: impl Into<PathBuf>, interval: Duration) -> Result<Self, EnrichError> {
        let path = path.into();
        let stamp = stamp(&path);
        let reader = read(&path)?;
        Ok(Self(Arc::new(Shared {
            path,
            reader: ArcSwap::from_pointee(reader),
            stamp: Mutex::new(stamp),
            begun: Instant::now(),
            interval,
            next_look: AtomicU64::new(millis(interval)),
            is_looking: AtomicBool::new(false),
        })))
    }

    /// Reads the file again, at once and on this thread: for a handler of `SIGHUP`, say.
    ///
    /// # Errors
    ///
    /// Like [`open`](Self::open). After an error the former database stays in use.
    pub fn reload(&self) -> Result<(), EnrichError> {
        let stamp = stamp(&self.0.path);
        let read = read(&self.0.path);
        *self.0.stamp.lock().unwrap_or_else(PoisonError::into_inner) = stamp;
        self.0.reader.store(Arc::new(read?));
        Ok(())
    }

    /// Calls `read` with the place of an address, unless nothing is known of that.
    pub(crate) fn with_location(&self, address: IpAddr, read: impl FnOnce(&Location<'_>)) {
        self.look_now_and_then();
        let reader = self.0.reader.load();
        let Ok(record) = reader.lookup(address) else { return };
        let location = location(&record);
        if !location.is_empty() {
            read(&location);
        }
    }

    /// Neither the look nor the reading holds up an event.
    fn look_now_and_then(&self) {
        let now = millis(self.0.begun.elapsed());
        if now < self.0.next_look.load(Ordering::Relaxed) || self.0.is_looking.swap(true, Ordering::Relaxed) {
            return;
        }
        self.0.next_look.store(now.saturating_add(millis(self.0.interval)), Ordering::Relaxed);
        let looking = Looking(self.clone());
        // Without a thread it checks again after the interval.
        let _ = thread::Builder::new().name("tracklane-geoip".to_owned()).spawn(move || looking.0.look());
    }

    fn look(&self) {
        let unchanged = *self.0.stamp.lock().unwrap_or_else(PoisonError::into_inner) == stamp(&self.0.path);
        if unchanged {
            return;
        }
        match self.reload() {
            Ok(()) => {
                tracing::info!(target: "tracklane_enrich", "read the GeoIP database {} again", self.0.path.display())
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                tracing::warn!(target: "tracklane_enrich", "{error}: {cause}; the former one is used on");
            }
        }
    }
}

/// A look that is under way, until it has ended in whatever way.
struct Looking(GeoIp);

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.0.is_looking.store(false, Ordering::Relaxed);
    }
}

fn read(path: &Path) -> Result<Reader<Vec<u8>>, EnrichError> {
    let bytes = std::fs::read(path).map_err(|source| EnrichError::Read { path: path.to_owned(), source })?;
    let invalid = |source| EnrichError::Database { path: path.to_owned(), source };
    let reader = Reader::from_source(bytes).map_err(|error| invalid(error.into()))?;
    let kind = &reader.metadata().database_type;
    if NO_PLACES.iter().any(|other| kind.contains(other)) {
        return Err(invalid(format!("its type is {kind:?}").into()));
    }
    Ok(reader)
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok(), metadata.len()))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Debug for GeoIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GeoIp").field("path", &self.0.path).finish_non_exhaustive()
    }
}
