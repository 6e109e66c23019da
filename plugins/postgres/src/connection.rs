//! A connection, and the columns of the table as they were when it began.

use std::fmt;

use tokio::runtime::Handle;
use tokio_postgres::types::Type;
use tokio_postgres::{CancelToken, Client, Config, Error};

use crate::insert::{Column, Insert};
use crate::row::Row;
use crate::table::{MESSAGE_ID, Table};
use crate::tls::Tls;

/// Reads the columns that an insert may fill. A type comes without a length (-1), so that a cast to it cuts nothing.
const READ_COLUMNS: &str = "SELECT a.attname::text, pg_catalog.format_type(a.atttypid, -1) FROM pg_catalog.pg_attribute a \
    WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' \
    ORDER BY a.attnum";

pub(crate) struct Connection {
    client: Client,
    columns: Vec<Column>,
}

/// The server of the connections, and the table.
pub(crate) struct Database {
    pub(crate) config: Config,
    pub(crate) tls: Tls,
    pub(crate) table: Table,
    pub(crate) creates_table: bool,
}

/// The reason why nothing can be stored over a new connection.
#[derive(Debug)]
pub(crate) enum OpenError {
    Database(Error),
    /// The table does not exist; with the statement that creates it.
    NoTable(String),
    NoMessageId(Table),
}

impl Database {
    /// Connects, creates the table if that is asked for, and reads its columns.
    pub(crate) async fn open(&self) -> Result<Connection, OpenError> {
        let client = self.tls.connect(&self.config).await?;
        let mut columns = self.read_columns(&client).await?;
        if columns.is_empty() && self.creates_table {
            let created = client.batch_execute(&self.table.ddl()).await;
            columns = self.read_columns(&client).await?;
            // If two create it at the same time, one gets an error, and the table.
            if columns.is_empty() {
                created?;
            }
        }
        if columns.is_empty() {
            return Err(OpenError::NoTable(self.table.ddl()));
        }
        if !columns.iter().any(|column| column.name == MESSAGE_ID) {
            return Err(OpenError::NoMessageId(self.table.clone()));
        }
        Ok(Connection { client, columns })
    }

    async fn read_columns(&self, client: &Client) -> Result<Vec<Column>, Error> {
        let rows = client.query_typed(READ_COLUMNS, &[(&self.table.to_string(), Type::TEXT)]).await?;
        rows.iter().map(|row| Ok(Column { name: row.try_get(0)?, kind: row.try_get(1)? })).collect()
    }

    /// Stores the rows, all or none, except for those that are there already. If it is dropped before its end, it asks
    /// the server to stop, too.
    pub(crate) async fn insert(&self, connection: &Connection, rows: &[Row]) -> Result<(), Error> {
        let insert = Insert::new(&self.table, &connection.columns, rows);
        let mut under_way = UnderWay { token: Some(connection.client.cancel_token()), tls: self.tls.clone() };
        let result = connection.client.execute_typed(&insert.sql, &insert.parameters()).await;
        under_way.token = None;
        result.map(drop)
    }
}

impl Connection {
    /// Returns whether it is known to have broken.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// The columns that an event may fill and the table does not have.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        Table::own_columns().filter(|name| !self.columns.iter().any(|column| column.name == *name)).collect()
    }
}

/// A statement under way. Without a cancel it would stay at the server when nobody waits for it any more, perhaps
/// behind a lock.
struct UnderWay {
    token: Option<CancelToken>,
    tls: Tls,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let Some(token) = self.token.take() else { return };
        let tls = self.tls.clone();
        if let Ok(runtime) = Handle::try_current() {
            // If the server cannot be asked, it finds out by itself.
            runtime.spawn(async move { tls.cancel(token).await });
        }
    }
}

impl From<Error> for OpenError {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(error) => error.fmt(f),
            Self::NoTable(ddl) => {
                write!(f, "the table is not there: create it, or set create_table. The statement: {ddl}")
            }
            Self::NoMessageId(table) => {
                write!(f, "the table {table} has no column {MESSAGE_ID}: add it, as text and as the primary key")
            }
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Database(error) => std::error::Error::source(error),
            _ => None,
        }
    }
}
