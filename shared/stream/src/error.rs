//! What can go wrong with Kafka, by what to do about it.

/// A failure of the stream.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The configuration is wrong: nothing to retry.
    #[error("Kafka configuration: {0}")]
    Config(String),
    /// No broker answers, or a topic is missing.
    #[error("Kafka: {0}")]
    Unreachable(String),
    /// The broker did not acknowledge in time. Records may or may not be in the log: a retry must be safe to double.
    #[error("{unacknowledged} of {sent} records not acknowledged within {waited_ms} ms: {reason}")]
    Unacknowledged {
        /// Records without an acknowledgement.
        unacknowledged: usize,
        /// Records handed over.
        sent: usize,
        /// How long was waited.
        waited_ms: u128,
        /// The first reason.
        reason: String,
    },
}
