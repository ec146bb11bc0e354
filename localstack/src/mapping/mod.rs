//! The Kafka event source mapping: what AWS runs between a topic and a function, and nobody offers free.
//!
//! | file | what |
//! |---|---|
//! | `record` | a record as the payload carries it |
//! | `ledger` | what of a partition is waiting, in flight, done: what may be committed |
//! | `batcher` | when a batch closes, and what is in it |
//! | `answer` | the partial-failure answer |
//! | `start` | where a new group begins |
//! | `source` | the consumer: one queue a partition |
//! | `poller` | the loop: poll, invoke, commit |
//! | `on_failure` | records that are given up |
//! | `status` | what is shown of it |
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html> and its subpages.

mod answer;
mod batcher;
mod ledger;
mod on_failure;
mod poller;
mod record;
mod source;
mod start;
mod status;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::functions::Invoke;
use crate::template::model::KafkaMapping;

pub use status::{MappingState, MappingStatus, PartitionStatus};

/// How an answer that names failed records is read: AWS's guide leaves it open, so functions must be right under both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PartialFailures {
    /// From the lowest failed record of a partition on, everything comes again.
    #[default]
    Strict,
    /// Only the named records come again.
    Lenient,
}

/// How a mapping is run.
#[derive(Debug, Clone)]
pub struct MappingOptions {
    /// The brokers.
    pub bootstrap_servers: String,
    /// How partial failures are read.
    pub partial_failures: PartialFailures,
    /// Names this consumer in its group, so that a restart takes its place over at once; `None`: a nameless member.
    pub instance: Option<String>,
}

/// Why a mapping can't run.
#[derive(Debug, thiserror::Error)]
#[error("event source mapping {mapping}: {message}")]
pub struct MappingError {
    /// Which.
    pub mapping: String,
    /// Why.
    pub message: String,
}

/// A running mapping.
pub struct Mapping {
    id: String,
    status: status::Shared,
    closing: CancellationToken,
    task: Option<tokio::task::JoinHandle<()>>,
}

/// How long a clean end may take.
const STOP: Duration = Duration::from_secs(3);

impl Mapping {
    /// Starts to read and to invoke. A disabled mapping stays idle.
    ///
    /// # Errors
    /// The client refuses its settings, or the starting position can't be found.
    pub async fn start(
        mapping: KafkaMapping,
        options: MappingOptions,
        invoke: Arc<dyn Invoke>,
    ) -> Result<Self, MappingError> {
        let id = mapping.id.clone();
        let closing = CancellationToken::new();
        let status = status::Shared::new(&mapping);
        if !mapping.enabled {
            return Ok(Self { id, status, closing, task: None });
        }
        let failed = |message: String| MappingError { mapping: id.clone(), message };
        if let Some(to) = mapping.on_failure.as_deref().filter(|to| !to.starts_with("kafka://")) {
            tracing::warn!(
                mapping = id,
                to,
                "this on-failure destination is not on this machine: told in the log instead"
            );
        }
        let source = match source::Source::open(mapping.clone(), options.clone(), status.clone()).await {
            Ok(source) => Some(source),
            Err(source::OpenError::NoTopic) => {
                tracing::warn!(mapping = id, topic = mapping.topic, "there is no such topic yet; it is looked for");
                None
            }
            Err(source::OpenError::Refused(reason)) => return Err(failed(reason)),
        };
        let poller = poller::Poller::new(mapping, options, invoke, status.clone(), closing.clone(), source);
        let poller = poller.map_err(&failed)?;
        Ok(Self { id, status, closing, task: Some(tokio::spawn(poller.run())) })
    }

    /// `<function logical id>/<event name>`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// As it is now.
    pub fn status(&self) -> MappingStatus {
        self.status.get()
    }

    /// Forms no more batches, waits a moment for the one in flight, commits what was answered, leaves.
    pub async fn stop(mut self) {
        self.closing.cancel();
        if let Some(task) = self.task.take() {
            let _ = tokio::time::timeout(STOP, task).await;
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        self.closing.cancel();
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
