//! What can happen in a function.

use crate::emf;

/// A happening.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// A batch was processed.
    Batch {
        /// The function.
        function: &'a str,
        /// Records in it.
        records: usize,
        /// Records whose effect was new.
        applied: usize,
        /// Records that must come again.
        failed: usize,
        /// From receipt to answer, milliseconds.
        duration_ms: f64,
    },
    /// A record went to the dead-letter topic.
    DeadLetter {
        /// The function.
        function: &'a str,
        /// Source partition.
        partition: u32,
        /// Source offset.
        offset: u64,
        /// Why.
        reason: &'a str,
    },
    /// Another writer was faster: the document is read again with the redelivery.
    Conflict {
        /// The function.
        function: &'a str,
        /// The document.
        key: &'a str,
    },
    /// A dependency failed past its retries; the records come again.
    Dependency {
        /// The function.
        function: &'a str,
        /// `DynamoDB` or `Kafka`.
        dependency: &'a str,
        /// What it said.
        error: &'a str,
    },
    /// A batch of lists was pushed to sockets.
    Pushed {
        /// The function.
        function: &'a str,
        /// Lists in it, the newest of each person.
        lists: usize,
        /// Messages that sockets took.
        sent: usize,
        /// Sockets that had gone.
        gone: usize,
        /// Messages that did not go out for another reason; the next list or reload makes up for them.
        missed: usize,
        /// From receipt to answer, milliseconds.
        duration_ms: f64,
    },
    /// A stored document could not be read and was started anew.
    Corrupt {
        /// The function.
        function: &'a str,
        /// The document.
        key: &'a str,
        /// Why.
        error: &'a str,
    },
    /// A request was refused or failed.
    Refused {
        /// The function.
        function: &'a str,
        /// HTTP status.
        status: u16,
        /// What was said.
        error: &'a str,
    },
}

impl Event<'_> {
    /// Logs it and counts it.
    pub fn emit(&self) {
        match *self {
            Event::Batch { function, records, applied, failed, duration_ms } => {
                tracing::info!(function, records, applied, failed, duration_ms, "batch processed");
                emf::count(
                    function,
                    &[
                        ("Records", records as f64, "Count"),
                        ("Applied", applied as f64, "Count"),
                        ("Failed", failed as f64, "Count"),
                        ("Duration", duration_ms, "Milliseconds"),
                    ],
                );
            }
            Event::DeadLetter { function, partition, offset, reason } => {
                tracing::warn!(function, partition, offset, reason, "record given up to the dead-letter topic");
                emf::count(function, &[("DeadLetters", 1.0, "Count")]);
            }
            Event::Conflict { function, key } => {
                tracing::info!(function, key, "another writer was faster");
                emf::count(function, &[("Conflicts", 1.0, "Count")]);
            }
            Event::Dependency { function, dependency, error } => {
                tracing::error!(function, dependency, error, "a dependency failed; the records will come again");
                emf::count(function, &[("DependencyFailures", 1.0, "Count")]);
            }
            Event::Pushed { function, lists, sent, gone, missed, duration_ms } => {
                tracing::info!(function, lists, sent, gone, missed, duration_ms, "lists pushed");
                emf::count(
                    function,
                    &[
                        ("Lists", lists as f64, "Count"),
                        ("Sent", sent as f64, "Count"),
                        ("Gone", gone as f64, "Count"),
                        ("Missed", missed as f64, "Count"),
                        ("Duration", duration_ms, "Milliseconds"),
                    ],
                );
            }
            Event::Corrupt { function, key, error } => {
                tracing::error!(function, key, error, "a stored document could not be read");
                emf::count(function, &[("CorruptDocuments", 1.0, "Count")]);
            }
            Event::Refused { function, status, error } => {
                tracing::info!(function, status, error, "request refused");
                emf::count(function, &[("Refused", 1.0, "Count")]);
            }
        }
    }
}
