//! What can go wrong with the broker, with what mends it.

use std::path::PathBuf;

/// Why there is no broker.
#[derive(Debug, thiserror::Error)]
pub enum KafkaError {
    /// A program is not on this machine.
    #[error("{program} is not on this machine: {remedy}")]
    MissingProgram {
        /// The program.
        program: &'static str,
        /// What installs it.
        remedy: &'static str,
    },
    /// Maven could not fetch the jars.
    #[error("Maven could not fetch Apache Kafka: {0}")]
    Install(String),
    /// The broker ended, or did not answer in time.
    #[error("Apache Kafka did not start: {reason} (its log: {log})")]
    Start {
        /// What it said last.
        reason: String,
        /// The whole of it.
        log: PathBuf,
    },
    /// Kafka can't keep its data there.
    #[error("the data folder {0}: a path of UTF-8 without comma, backslash or line break was expected")]
    Folder(PathBuf),
    /// A broker does not answer, or refuses.
    #[error("Kafka at {bootstrap_servers}: {message}")]
    Client {
        /// Which.
        bootstrap_servers: String,
        /// What the client said.
        message: String,
    },
    /// The system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl KafkaError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
