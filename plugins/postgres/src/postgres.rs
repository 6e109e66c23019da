//! The settings, as a builder, and the destination that they make.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracklane::Event;
use tracklane::plugin::{Batching, Destination};
use tracklane_http::{Mapped, Secret, SettingError, check_name, check_timeout, switched_off, unwritable};

use crate::connection::Database;
use crate::explanation::Explanation;
use crate::row::Row;
use crate::service::{MapEvent, PostgresService, Shared, row};
use crate::table::Table;
use crate::target;
use crate::tls::Tls;

/// The name of the destination, unless another is given.
const NAME: &str = "PostgreSQL";
const TABLE: &str = "events";
const FLUSH_AT: usize = 1_000;
const INTERVAL: Duration = Duration::from_secs(1);
const MOST_EVENTS: usize = 5_000;
pub(crate) const MOST_BYTES: usize = 4 * 1024 * 1024;
const TIMEOUT: Duration = Duration::from_secs(20);

/// A destination that stores each event as a row.
///
/// ```no_run
/// use tracklane::Analytics;
/// use tracklane_postgres::Postgres;
///
/// let warehouse = Postgres::new("postgres://tracklane:secret@db.example/analytics").table("product.events");
/// let analytics = Analytics::builder_for("WRITE_KEY").plugin(warehouse.build()?).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "settings do nothing until they are built and registered"]
pub struct Postgres {
    url: Secret,
    name: String,
    table: String,
    create_table: bool,
    allow_plaintext: bool,
    root_certificate: Option<PathBuf>,
    batching: Batching,
    timeout: Duration,
    dry_run: bool,
    map: Option<Arc<MapEvent>>,
}

impl Postgres {
    /// Stores in the database of a connection string: `postgres://user:password@host:port/database?option=value`, or
    /// `host=… user=…`, with the options of
    /// [tokio-postgres](https://docs.rs/tokio-postgres/latest/tokio_postgres/config/struct.Config.html). Several hosts
    /// with a comma between them are tried in turn. `target_session_attrs=read-write` skips replicas.
    ///
    /// For a host that is not this machine, TLS is required, and the certificate is always checked. On this machine it is
    /// used with `sslmode=require`.
    pub fn new(url: impl Into<Secret>) -> Self {
        Self {
            url: url.into(),
            name: NAME.to_owned(),
            table: TABLE.to_owned(),
            create_table: true,
            allow_plaintext: false,
            root_certificate: None,
            batching: Batching::every(FLUSH_AT, INTERVAL).max_events(MOST_EVENTS).max_bytes(MOST_BYTES),
            timeout: TIMEOUT,
            dry_run: false,
            map: None,
        }
    }

    /// The name of the destination, for `integrations`. `PostgreSQL` by default.
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The table, with its schema if it is not in the search path: `events` by default, or `product.events`. Case counts.
    pub fn table(mut self, table: &str) -> Self {
        table.clone_into(&mut self.table);
        self
    }

    /// Sets whether a missing table is created, with the statement of [`ddl`](Self::ddl). On by default.
    pub fn create_table(mut self, create: bool) -> Self {
        self.create_table = create;
        self
    }

    /// Sets whether a host that is not this machine may be connected to without TLS. Password and events can then be
    /// read on the way.
    pub fn allow_plaintext(mut self, allow: bool) -> Self {
        self.allow_plaintext = allow;
        self
    }

    /// A file with the certificates, in PEM, that the database's is checked against, in place of those of this machine.
    pub fn root_certificate(mut self, path: impl Into<PathBuf>) -> Self {
        self.root_certificate = Some(path.into());
        self
    }

    /// Sets when rows are stored, and how many at once. By default 1,000, or those of one second, and up to 5,000 while
    /// the database is slow.
    pub fn batching(mut self, batching: Batching) -> Self {
        self.batching = batching;
        self
    }

    /// Sets how long an attempt may take, 20 s by default. Then the database is asked to end it.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Whether rows are only logged, at the level INFO, and the events counted as delivered. No database is connected to.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Changes a row before it is stored; columns of your own can be filled, too. The `message_id` stays.
    ///
    /// ```
    /// use tracklane_postgres::Postgres;
    ///
    /// let warehouse = Postgres::new("postgres://localhost/analytics").map_event(|event, row| {
    ///     if let Some(plan) = event.properties().and_then(|properties| properties.get_str("plan")) {
    ///         row.set("plan", plan);
    ///     }
    ///     row.remove("integrations");
    /// });
    /// ```
    pub fn map_event(mut self, map: impl Fn(&Event, &mut Row) + Send + Sync + 'static) -> Self {
        self.map = Some(Arc::new(map));
        self
    }

    /// Returns the statement that creates the table, to run it by hand. Columns can be added at any time, and all but
    /// `message_id` can be left out.
    ///
    /// ```
    /// use tracklane_postgres::Postgres;
    ///
    /// let ddl = Postgres::new("postgres://localhost/analytics").ddl()?;
    /// assert!(ddl.starts_with("CREATE TABLE IF NOT EXISTS \"events\" (\n    \"message_id\" text PRIMARY KEY,\n"));
    /// # Ok::<(), tracklane_postgres::SettingError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the name of the table cannot be used.
    pub fn ddl(&self) -> Result<String, SettingError> {
        Ok(Table::new(&self.table)?.ddl())
    }

    /// The row of an event. A pure function.
    ///
    /// # Errors
    ///
    /// Returns an error if the event cannot be written as JSON.
    pub fn map(&self, event: &Event) -> Result<Mapped<Row>, serde_json::Error> {
        let json = serde_json::to_vec(event)?;
        row(&json, || event.clone(), self.map.as_deref()).map(Mapped::one)
    }

    /// Shows the row that would be stored for `event`, or why none would be. Nothing is sent. An event that no client has
    /// taken yet has neither id nor time unless they were set.
    ///
    /// # Errors
    ///
    /// Returns an error if a setting cannot be used, or the event cannot be written as JSON, which the error calls the
    /// setting `event`.
    pub fn explain(&self, event: impl Into<Event>) -> Result<Explanation, SettingError> {
        self.check()?;
        let (event, table) = (event.into(), Table::new(&self.table)?);
        if let Some(reason) = switched_off(&event, &[&self.name]) {
            return Ok(Explanation::not_stored(&table, reason));
        }
        let json = serde_json::to_vec(&event).map_err(unwritable)?;
        let row = row(&json, || event, self.map.as_deref()).map_err(unwritable)?;
        Ok(Explanation::of(&table, row))
    }

    /// Checks the settings and makes the destination. It connects with the first batch, and keeps one connection, or as
    /// many as its [`max_in_flight`](Destination::max_in_flight) allows batches, which is one.
    ///
    /// # Errors
    ///
    /// Returns an error if a setting cannot be used. The error names it, and shows no secret.
    pub fn build(self) -> Result<Destination, SettingError> {
        self.check()?;
        let config = target::config(&self.url, self.allow_plaintext)?;
        let tls = Tls::new(&config, self.root_certificate.as_deref())?;
        let database = Database { config, tls, table: Table::new(&self.table)?, creates_table: self.create_table };
        let shared = Shared {
            name: self.name.clone(),
            database,
            map: self.map,
            dry_run: self.dry_run,
            idle: Mutex::default(),
            told_missing: Mutex::default(),
        };
        Ok(Destination::new(&self.name, PostgresService(Arc::new(shared)))
            .batching(self.batching)
            .max_in_flight(1)
            .attempt_timeout(self.timeout))
    }

    /// Checks the settings that nothing is made of.
    fn check(&self) -> Result<(), SettingError> {
        check_name(&self.name)?;
        check_timeout(self.timeout)
    }
}

/// Hosts and database, and neither user nor password.
impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = target::config(&self.url, true);
        f.debug_struct("Postgres")
            .field("url", &config.map_or_else(|_| "…".to_owned(), |config| target::shown(&config)))
            .field("name", &self.name)
            .field("table", &self.table)
            .field("create_table", &self.create_table)
            .field("allow_plaintext", &self.allow_plaintext)
            .field("root_certificate", &self.root_certificate)
            .finish_non_exhaustive()
    }
}
