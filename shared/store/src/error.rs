//! What can go wrong with DynamoDB, by what to do about it.

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Configure: an environment variable is missing.
    #[error("the environment variable {0} is missing")]
    MissingVariable(&'static str),
    /// Retry: DynamoDB could not be reached, was throttled past the client's own retries, or failed inside.
    #[error("{operation} on table {table}: {message}")]
    Unavailable {
        /// The API operation.
        operation: &'static str,
        /// The table.
        table: String,
        /// What the client said.
        message: String,
    },
    /// Read again: another writer changed the document since it was read.
    #[error("{table}/{key} was changed by another writer")]
    Conflict {
        /// The table.
        table: String,
        /// The document.
        key: String,
    },
    /// Refuse: what is stored can't be read.
    #[error("{table}/{key} can't be read: {message}")]
    Corrupt {
        /// The table.
        table: String,
        /// The document.
        key: String,
        /// Why.
        message: String,
    },
}

impl StoreError {
    /// The error of `operation` on `table`; a failed condition is a [`StoreError::Conflict`] on `key`.
    pub(crate) fn from_sdk<E, R>(operation: &'static str, table: &str, key: &str, error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug + 'static,
    {
        if error.code() == Some("ConditionalCheckFailedException") {
            return Self::Conflict { table: table.to_owned(), key: key.to_owned() };
        }
        Self::Unavailable { operation, table: table.to_owned(), message: DisplayErrorContext(error).to_string() }
    }
}
