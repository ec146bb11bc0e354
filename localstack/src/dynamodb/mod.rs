//! DynamoDB on this machine: dynoxide, embedded, on a loopback port; and the template's tables in it.

mod tables;

use std::path::Path;

use dynoxide::Database;
use tokio_util::sync::CancellationToken;

pub use tables::create_tables;

/// How long requests may take to be answered once it is told to stop.
const GRACE: std::time::Duration = std::time::Duration::from_millis(200);

/// Why there is no DynamoDB.
#[derive(Debug, thiserror::Error)]
pub enum DynamoDbError {
    /// The embedded database can't be opened or served.
    #[error("the embedded DynamoDB: {0}")]
    Embedded(String),
    /// A table can't be created.
    #[error("table {table} at {endpoint}: {message}")]
    Table {
        /// Which.
        table: String,
        /// Where.
        endpoint: String,
        /// Why.
        message: String,
    },
}

/// Where the data is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage<'a> {
    /// Gone with the process.
    Memory,
    /// A file. Survives a kill -9 of the process; a power cut may take the last moments, as with Kafka's own default.
    File(&'a Path),
    /// A file, synced at every write: survives a power cut, at about 270 writes a second.
    Synced(&'a Path),
}

/// A running DynamoDB on its own thread, so that its database never holds up anybody else's runtime.
pub struct Server {
    endpoint: String,
    closing: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Opens the database and serves it on `port` of 127.0.0.1 (0: any free one).
    ///
    /// # Errors
    /// The file can't be opened or the port is taken.
    pub fn start(storage: Storage<'_>, port: u16) -> Result<Self, DynamoDbError> {
        let failed = |e: &dyn std::fmt::Display| DynamoDbError::Embedded(e.to_string());
        let database = open(storage)?;
        let listener = std::net::TcpListener::bind(("127.0.0.1", port)).map_err(|e| failed(&e))?;
        listener.set_nonblocking(true).map_err(|e| failed(&e))?;
        let address = listener.local_addr().map_err(|e| failed(&e))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| failed(&e))?;
        let closing = CancellationToken::new();
        let stopping = closing.clone();
        let serve = move || {
            runtime.block_on(async move {
                let listener = match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => listener,
                    Err(error) => return tracing::error!(%error, "the embedded DynamoDB can't listen"),
                };
                let closing = stopping.clone();
                let server = dynoxide::server::serve_with_shutdown(listener, database, closing.cancelled_owned());
                let grace = async {
                    stopping.cancelled().await;
                    tokio::time::sleep(GRACE).await;
                };
                tokio::select! {
                    ended = server => {
                        if let Err(error) = ended {
                            tracing::error!(error, "the embedded DynamoDB has ended");
                        }
                    }
                    // Kept-alive connections would hold a graceful end up for ever: they go with the runtime.
                    () = grace => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("dynamodb".to_owned()).spawn(serve).map_err(|e| failed(&e))?;
        Ok(Self { endpoint: format!("http://{address}"), closing, thread: Some(thread) })
    }

    /// `http://127.0.0.1:port`.
    pub fn endpoint(&self) -> String {
        self.endpoint.clone()
    }

    /// Ends it; requests that are being answered are finished.
    pub async fn stop(mut self) {
        self.closing.cancel();
        if let Some(thread) = self.thread.take() {
            let ended = tokio::task::spawn_blocking(move || drop(thread.join()));
            let _ = tokio::time::timeout(std::time::Duration::from_secs(2), ended).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

fn open(storage: Storage<'_>) -> Result<Database, DynamoDbError> {
    let failed = |e: &dyn std::fmt::Display| DynamoDbError::Embedded(e.to_string());
    match storage {
        Storage::Memory => Database::memory().map_err(|e| failed(&e)),
        Storage::File(path) | Storage::Synced(path) => {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(|e| failed(&e))?;
            }
            let database = Database::new(&path.to_string_lossy()).map_err(|e| failed(&e))?;
            if matches!(storage, Storage::File(_)) {
                // A write-ahead log without fsync: whole after any crash of this process.
                database.enable_bulk_loading().map_err(|e| failed(&e))?;
            }
            Ok(database)
        }
    }
}
