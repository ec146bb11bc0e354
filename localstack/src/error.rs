//! Why the local cloud does not run.

use std::path::PathBuf;

use crate::dynamodb::DynamoDbError;
use crate::endpoint::EndpointError;
use crate::functions::FunctionsError;
use crate::kafka::KafkaError;
use crate::mapping::MappingError;
use crate::runtimes::RuntimeError;
use crate::template::TemplateError;

/// Why the local cloud does not run.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// Somebody else runs on the same data.
    #[error("a local cloud is running on {0} already: stop it first, or choose another --data-dir")]
    AlreadyRunning(PathBuf),
    /// The template can't be used.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// No broker.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// No DynamoDB.
    #[error(transparent)]
    DynamoDb(#[from] DynamoDbError),
    /// No queues, secrets or parameters.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// No functions.
    #[error(transparent)]
    Functions(#[from] FunctionsError),
    /// None of the functions has a program.
    #[error(transparent)]
    Runtimes(#[from] RuntimeError),
    /// No mapping.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// A port is taken.
    #[error("port {port} of 127.0.0.1 can't be had: {source}")]
    Port {
        /// Which.
        port: u16,
        /// Why.
        source: std::io::Error,
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
