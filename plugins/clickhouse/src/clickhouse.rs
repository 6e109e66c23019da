//! The settings, as a builder, and the destination that they make.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde_json::Value;
use tracklane::Event;
use tracklane::plugin::{Batching, Destination};
use tracklane::transport::HttpClient;
use tracklane_http::{
    Auth, Client, Endpoint, Explanation, Mapped, Payload, Secret, SettingError, ShownRequest, check_name, check_timeout,
};

use crate::row::{Rows, Sections};
use crate::service::{ClickHouseService, Shared};
use crate::table;

/// The name of the destination, unless another is given.
const NAME: &str = "ClickHouse";

/// A table of ClickHouse as a destination.
///
/// ```no_run
/// use tracklane::Analytics;
/// use tracklane_clickhouse::ClickHouse;
///
/// let clickhouse = ClickHouse::new("https://clickhouse.example:8443", "events").credentials("writer", "password");
/// println!("{}", clickhouse.create_table());
/// let analytics = Analytics::builder().plugin(clickhouse.build()?).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`build`](Self::build) gives a [`Destination`], whose methods set the rest: batching, retries, the queue.
#[derive(Clone)]
#[must_use = "settings do nothing until they are built and registered"]
pub struct ClickHouse {
    url: String,
    name: String,
    database: String,
    table: String,
    auth: Option<(Secret, Secret)>,
    allow_plaintext: bool,
    async_insert: bool,
    gzip: bool,
    timeout: Duration,
    dry_run: bool,
    http_client: Option<HttpClient>,
    rows: Rows,
}

impl ClickHouse {
    /// Inserts into `table` of the server whose HTTP interface is at `url`. The table is named without quotes and
    /// without the [`database`](Self::database).
    pub fn new(url: &str, table: &str) -> Self {
        Self {
            url: url.to_owned(),
            name: NAME.to_owned(),
            database: "default".to_owned(),
            table: table.to_owned(),
            auth: None,
            allow_plaintext: false,
            async_insert: false,
            gzip: true,
            timeout: Duration::from_secs(30),
            dry_run: false,
            http_client: None,
            rows: Rows::default(),
        }
    }

    /// The name of the destination, for `integrations`. `ClickHouse` by default.
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The database, `default` by default.
    pub fn database(mut self, database: &str) -> Self {
        database.clone_into(&mut self.database);
        self
    }

    /// The user and the password.
    pub fn credentials(mut self, user: impl Into<Secret>, password: impl Into<Secret>) -> Self {
        self.auth = Some((user.into(), password.into()));
        self
    }

    /// Sets whether `http://` is allowed for a host that is not this machine.
    pub fn allow_plaintext(mut self, allow: bool) -> Self {
        self.allow_plaintext = allow;
        self
    }

    /// The type of the columns `properties`, `traits` and `context`, `JSON` by default.
    pub fn sections(mut self, sections: Sections) -> Self {
        self.rows.sections = sections;
        self
    }

    /// Sets whether the server collects rows of several inserts (`async_insert`), which is for many clients with small
    /// batches. It is waited for all the same. There is no de-duplication token then, because ClickHouse has lost rows
    /// by it. Off by default.
    pub fn async_insert(mut self, collects: bool) -> Self {
        self.async_insert = collects;
        self
    }

    /// Sets whether bodies are compressed. On by default.
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.gzip = gzip;
        self
    }

    /// Sets how long an attempt may take, 30 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets whether requests are only logged, at the level INFO and with their bodies, and the events counted as
    /// delivered.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Changes the row of an event, after everything else, to add or remove a column. Columns that the table does not
    /// have are ignored.
    ///
    /// ```
    /// use tracklane_clickhouse::ClickHouse;
    ///
    /// let clickhouse = ClickHouse::new("https://clickhouse.example:8443", "events").map_event(|_, row| {
    ///     row["source"] = "server".into();
    /// });
    /// ```
    pub fn map_event(mut self, map: impl Fn(&Event, &mut Value) + Send + Sync + 'static) -> Self {
        self.rows.map_event = Some(Arc::new(map));
        self
    }

    /// The HTTP client in place of the default one. It must not follow redirects.
    pub fn http_client(mut self, client: HttpClient) -> Self {
        self.http_client = Some(client);
        self
    }

    /// Returns the statement that creates the table, for an administrator. The destination never runs it.
    #[must_use]
    pub fn create_table(&self) -> String {
        table::create(&self.database, &self.table, self.rows.sections)
    }

    /// Checks the settings and makes the destination.
    ///
    /// # Errors
    ///
    /// Returns an error if a setting cannot be used. The error names it, and does not show the password.
    pub fn build(self) -> Result<Destination, SettingError> {
        let client = self.client(self.dry_run)?;
        let shared = Shared {
            secrets: self.secrets()?,
            statement: table::insert(&self.database, &self.table),
            rows: self.rows,
            has_token: !self.async_insert,
            gzip: self.gzip,
            dry_run: self.dry_run,
        };
        Ok(Destination::new(&self.name, ClickHouseService { client, shared: Arc::new(shared) })
            // A part of a table for each insert: few and large ones, one at a time.
            .batching(
                Batching::every(1_000, Duration::from_secs(1))
                    .max_events(10_000)
                    .max_bytes(10_000_000)
                    .full_when_driven(),
            )
            .max_in_flight(1)
            .attempt_timeout(self.timeout))
    }

    /// The row of an event that is sent at the time `at`. A pure function.
    ///
    /// # Errors
    ///
    /// Returns an error if the event cannot be written as JSON.
    pub fn map(&self, event: &Event, at: SystemTime) -> Result<Mapped<Value>, serde_json::Error> {
        tracklane_http::map_event(event, |json| self.rows.apply(json, at, || event.clone()).map(Value::from))
    }

    /// The request that would be sent for `event` at the time `at`, with its statement, or why there would be none.
    /// Nothing is sent.
    ///
    /// # Errors
    ///
    /// Returns an error if a setting cannot be used, or the event cannot be written as JSON, which the error calls the
    /// setting `event`.
    pub fn explain(&self, event: impl Into<Event>, at: SystemTime) -> Result<Explanation, SettingError> {
        let (event, client) = (event.into(), self.client(true)?);
        Explanation::of_event(
            &event,
            &[&self.name],
            |event| self.map(event, at),
            |rows| {
                let written = rows.iter().map(serde_json::to_vec).collect::<Result<Vec<_>, _>>()?;
                let mut shown = ShownRequest::new(&client, &Payload::ndjson(&written), []);
                shown.statement = Some(table::insert(&self.database, &self.table));
                Ok(vec![shown])
            },
        )
    }

    /// What a server may repeat and no error shows: the URL's path and query, and passwords. The user's name is not
    /// among them: it is often the same word as the name of the database.
    fn secrets(&self) -> Result<Vec<Secret>, SettingError> {
        let endpoint = Endpoint::new("url", &self.url, self.allow_plaintext)?;
        let given = self.auth.as_ref().map(|(user, password)| Auth::basic(user.expose(), password.expose()));
        let (mut users, mut passwords) = (Vec::new(), Vec::new());
        for auth in given.iter().chain(endpoint.auth()) {
            passwords.extend(auth.sent());
            if let Auth::Basic { user, password } = auth {
                users.push(user.expose());
                passwords.push(password.clone());
            }
        }
        let of_url = endpoint.secrets().into_iter().filter(|secret| !users.contains(&secret.expose()));
        Ok(of_url.chain(passwords).collect())
    }

    /// A client that sends nothing needs no TLS.
    fn client(&self, offline: bool) -> Result<Client, SettingError> {
        check_name(&self.name)?;
        check_timeout(self.timeout)?;
        table::check(&self.database, &self.table)?;
        let mut endpoint = Endpoint::new("url", &self.url, self.allow_plaintext)?;
        let insert = if self.async_insert { &[("async_insert", "1"), ("wait_for_async_insert", "1")][..] } else { &[] };
        let settings = [
            ("query", "INSERT INTO {db:Identifier}.{table:Identifier} FORMAT JSONEachRow"),
            ("param_db", &*self.database),
            ("param_table", &*self.table),
            ("date_time_input_format", "best_effort"),
            ("input_format_skip_unknown_fields", "1"),
        ];
        for (name, value) in settings.iter().chain(insert) {
            endpoint = endpoint.with_query(name, value)?;
        }
        let mut headers = HeaderMap::new();
        if let Some((user, password)) = &self.auth {
            headers.insert(AUTHORIZATION, Auth::basic(user.expose(), password.expose()).header()?);
        }
        let client = match offline {
            true => Client::offline(endpoint)?,
            false => Client::new(endpoint, self.http_client.clone())?,
        };
        Ok(client.headers(headers))
    }
}

/// Hides the credentials and the path of the URL.
impl fmt::Debug for ClickHouse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = Endpoint::new("url", &self.url, true);
        f.debug_struct("ClickHouse")
            .field("url", &endpoint.map_or_else(|_| "…".to_owned(), |endpoint| endpoint.to_string()))
            .field("database", &self.database)
            .field("table", &self.table)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}
