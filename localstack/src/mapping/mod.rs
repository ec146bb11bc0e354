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
//! | `poller` | the loop: poll, invoke, commit; in `settle` what an answer means |
//! | `scaling` | how many batches run at one time |
//! | `switch` | enabled and disabled |
//! | `handle` | a mapping as others see and switch it |
//! | `on_failure` | records that are given up |
//! | `status` | what is shown of it |
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html> and its subpages.

mod answer;
mod batcher;
mod handle;
mod ledger;
mod on_failure;
mod poller;
mod record;
mod scaling;
mod source;
mod start;
mod status;
mod switch;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::endpoint::Endpoint;
use crate::functions::Invoke;
use crate::template::model::KafkaMapping;

pub use handle::MappingHandle;
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
    /// Between two looks at the lag of a mapping on demand: a minute, as in the cloud.
    pub scaling_interval: Duration,
    /// The ARN of its function, for what is told of failures; `None`: its logical id stands there.
    pub function_arn: Option<String>,
    /// Where queues, topics of SNS and buckets are that it gives records up to; `None`: nowhere.
    pub endpoint: Option<Endpoint>,
}

impl MappingOptions {
    /// The defaults, for the brokers at `bootstrap_servers` (`host:port`, comma-joined).
    pub fn new(bootstrap_servers: &str) -> Self {
        Self {
            bootstrap_servers: bootstrap_servers.to_owned(),
            partial_failures: PartialFailures::default(),
            instance: None,
            scaling_interval: Duration::from_mins(1),
            function_arn: None,
            endpoint: None,
        }
    }
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
    handle: MappingHandle,
    closing: CancellationToken,
    task: tokio::task::JoinHandle<()>,
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
        let failed = |message: String| MappingError { mapping: id.clone(), message };
        let (status, closing) = (status::Shared::new(&mapping), CancellationToken::new());
        let destination = on_failure::Destination::new(&mapping, &options).map_err(failed)?;
        if let Some(to) = mapping.on_failure.as_deref().filter(|_| destination.is_none()) {
            tracing::warn!(
                mapping = id,
                to,
                "this on-failure destination can't be reached from here: told in the log instead"
            );
        }
        let source = if mapping.enabled { open(&mapping, &options, &status).await.map_err(failed)? } else { None };
        let (enabled, wanted) = watch::channel(mapping.enabled);
        let handle = MappingHandle { mapping: Arc::new(mapping.clone()), status: status.clone(), enabled };
        let task =
            switch::Switch { mapping, options, destination, invoke, status, closing: closing.clone(), enabled: wanted };
        Ok(Self { handle, closing, task: tokio::spawn(task.run(source)) })
    }

    /// Switches it on or off, as `UpdateEventSourceMapping` does: off, the batches in flight are answered and committed, and
    /// nothing is read; on, it goes on after the last commit. The state tells how far that is.
    pub fn set_enabled(&self, enabled: bool) {
        self.handle.set_enabled(enabled);
    }

    /// For those who look at it and switch it.
    pub fn handle(&self) -> MappingHandle {
        self.handle.clone()
    }

    /// `<function logical id>/<event name>`.
    pub fn id(&self) -> &str {
        &self.handle.settings().id
    }

    /// As it is now.
    pub fn status(&self) -> MappingStatus {
        self.handle.status()
    }

    /// Forms no more batches, waits a moment for the one in flight, commits what was answered, leaves.
    pub async fn stop(mut self) {
        self.closing.cancel();
        let _ = tokio::time::timeout(STOP, &mut self.task).await;
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        self.closing.cancel();
        self.task.abort();
    }
}

/// Joins the group; `None`: there is no such topic yet.
async fn open(
    mapping: &KafkaMapping,
    options: &MappingOptions,
    status: &status::Shared,
) -> Result<Option<source::Source>, String> {
    match source::Source::open(mapping.clone(), options.clone(), status.clone()).await {
        Ok(source) => Ok(Some(source)),
        Err(source::OpenError::NoTopic) => {
            tracing::warn!(mapping = mapping.id, topic = mapping.topic, "there is no such topic yet; it is looked for");
            Ok(None)
        }
        Err(source::OpenError::Refused(reason)) => Err(reason),
    }
}
