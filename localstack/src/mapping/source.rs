//! The consumer: one queue a partition, so that a partition with enough waiting is simply not read while the others are, and
//! the group's own events are served all the while, however long a function takes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use futures::{FutureExt as _, StreamExt as _};
use rdkafka::consumer::stream_consumer::StreamPartitionQueue;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance, StreamConsumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{ClientConfig, ClientContext, Offset, Statistics, TopicPartitionList};

use super::record::Record;
use super::status::{MappingState, Shared};
use super::{MappingOptions, start};
use crate::pattern::Filter;
use crate::template::model::KafkaMapping;

/// What the client tells between two messages.
struct Events {
    status: Shared,
    lost: Mutex<Vec<i32>>,
    changed: AtomicBool,
    commit_failed: AtomicBool,
}

impl ClientContext for Events {
    fn stats(&self, statistics: Statistics) {
        self.status.take(&statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "Kafka client");
    }
}

impl ConsumerContext for Events {
    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        match result {
            Ok(()) => self.status.committed(offsets),
            Err(error) => {
                tracing::debug!(%error, "a commit failed and is tried again");
                self.commit_failed.store(true, Ordering::Release);
            }
        }
    }

    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let (Rebalance::Assign(partitions) | Rebalance::Revoke(partitions)) = rebalance else { return };
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        lost.extend(partitions.elements().iter().map(TopicPartitionListElem::partition));
        self.changed.store(true, Ordering::Release);
        if let Rebalance::Assign(_) = rebalance {
            self.status.update(|status| status.state = MappingState::Enabled);
        }
    }
}

/// Why a source can't be opened.
#[derive(Debug)]
pub(super) enum OpenError {
    /// There is no such topic, or no partition of it.
    NoTopic,
    /// What the client or the broker said.
    Refused(String),
}

/// What the group's own queue brings.
pub(super) enum Event {
    /// Reading fails; the client goes on by itself.
    Failed(KafkaError),
    /// The queues are no longer the partitions' (a partition was added, the topic was made again) or the client has ended:
    /// the source must be opened anew.
    Stale(String),
}

/// A member of the mapping's group.
pub(super) struct Source {
    topic: String,
    filters: Vec<Filter>,
    /// `None` once it is being closed.
    consumer: Option<Arc<StreamConsumer<Events>>>,
    queues: BTreeMap<i32, StreamPartitionQueue<Events>>,
}

impl Source {
    /// Joins the group.
    pub(super) async fn open(
        mapping: KafkaMapping,
        options: MappingOptions,
        status: Shared,
    ) -> Result<Self, OpenError> {
        let refused = |e: &dyn std::fmt::Display| OpenError::Refused(e.to_string());
        // The questions block: a thread of their own, which holds up nobody's runtime.
        let (reply, answer) = tokio::sync::oneshot::channel();
        let (asked, servers) = (mapping.clone(), options.bootstrap_servers.clone());
        let ask = move || drop(reply.send(start::partitions(&asked, &servers)));
        std::thread::Builder::new().name("mapping-start".to_owned()).spawn(ask).map_err(|e| refused(&e))?;
        let partitions = answer.await.map_err(|e| refused(&e))?.map_err(|e| refused(&e))?;
        if partitions.is_empty() {
            return Err(OpenError::NoTopic);
        }
        let consumer = Arc::new(consumer(&mapping, &options, status).map_err(|e| refused(&e))?);
        let split = |partition: i32| Some((partition, consumer.split_partition_queue(&mapping.topic, partition)?));
        // Before the group assigns anything: no record ever comes by the group's own queue.
        let queues = partitions.into_iter().filter_map(split).collect();
        consumer.subscribe(&[&mapping.topic]).map_err(|e| refused(&e))?;
        Ok(Self { topic: mapping.topic, filters: mapping.filters, consumer: Some(consumer), queues })
    }

    /// Serves the group's events until one concerns the poller.
    pub(super) async fn event(&self) -> Event {
        let Some(consumer) = &self.consumer else { return std::future::pending().await };
        match consumer.recv().await {
            Ok(message) => Event::Stale(format!("{message:?} came by the group's queue")),
            Err(error) => match consumer.client().fatal_error() {
                Some((_, reason)) => Event::Stale(reason),
                None => Event::Failed(error),
            },
        }
    }

    /// Waits for a record of one of the partitions that are `wanted`.
    pub(super) async fn fetch(&self, wanted: impl Fn(i32) -> bool) -> (i32, KafkaResult<Record>) {
        let queues = self.queues.iter().filter(|(partition, _)| wanted(**partition));
        let mut streams: Vec<_> = queues.map(|(partition, queue)| (*partition, queue.stream())).collect();
        std::future::poll_fn(|context| {
            for (partition, stream) in &mut streams {
                if let Poll::Ready(Some(message)) = stream.poll_next_unpin(context) {
                    let record = message.map(|message| Record::new(&message, &self.filters));
                    return Poll::Ready((*partition, record));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// The partition's next record, if it is here already.
    pub(super) fn take(&self, partition: i32) -> Option<KafkaResult<Record>> {
        let message = self.queues.get(&partition)?.recv().now_or_never()?;
        Some(message.map(|message| Record::new(&message, &self.filters)))
    }

    /// Its partitions.
    pub(super) fn partitions(&self) -> impl Iterator<Item = i32> {
        self.queues.keys().copied()
    }

    /// Partitions that came or went since the last call.
    pub(super) fn lost(&self) -> Vec<i32> {
        let Some(consumer) = &self.consumer else { return Vec::new() };
        let events = consumer.context();
        if !events.changed.swap(false, Ordering::Acquire) {
            return Vec::new();
        }
        std::mem::take(&mut *events.lost.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Commits; whether it arrived is known later.
    pub(super) fn commit(&self, positions: impl Iterator<Item = (i32, i64)>) {
        let Some(consumer) = &self.consumer else { return };
        let positions = self.list(positions);
        if positions.count() > 0
            && let Err(error) = consumer.commit(&positions, CommitMode::Async)
        {
            tracing::debug!(%error, "commit");
            consumer.context().commit_failed.store(true, Ordering::Release);
        }
    }

    /// Did a commit fail since the last call?
    pub(super) fn commit_failed(&self) -> bool {
        self.consumer.as_ref().is_some_and(|consumer| consumer.context().commit_failed.swap(false, Ordering::AcqRel))
    }

    /// Commits, waits for it, leaves the group. Giving up the wait does not stop it.
    pub(super) async fn close(mut self, positions: impl Iterator<Item = (i32, i64)>) {
        let positions = self.list(positions);
        let (done, closed) = tokio::sync::oneshot::channel();
        let (consumer, queues) = (self.consumer.take(), std::mem::take(&mut self.queues));
        in_background(move || {
            drop(queues);
            if let Some(consumer) = &consumer
                && positions.count() > 0
            {
                match consumer.commit(&positions, CommitMode::Sync) {
                    Ok(()) => consumer.context().status.committed(&positions),
                    Err(error) => tracing::debug!(%error, "the last commit failed: what it covers comes again"),
                }
            }
            drop(consumer);
            let _ = done.send(());
        });
        let _ = closed.await;
    }

    fn list(&self, positions: impl Iterator<Item = (i32, i64)>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (partition, position) in positions {
            let _ = list.add_partition_offset(&self.topic, partition, Offset::Offset(position));
        }
        list
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let (consumer, queues) = (self.consumer.take(), std::mem::take(&mut self.queues));
        if consumer.is_some() {
            in_background(move || drop((queues, consumer)));
        }
    }
}

/// Leaving a group blocks, for long where the broker is away: never on a runtime's thread, nor where its end would wait.
fn in_background(close: impl FnOnce() + Send + 'static) {
    if let Err(error) = std::thread::Builder::new().name("mapping-close".to_owned()).spawn(close) {
        tracing::debug!(%error, "no thread to leave the group in");
    }
}

fn consumer(mapping: &KafkaMapping, options: &MappingOptions, status: Shared) -> KafkaResult<StreamConsumer<Events>> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &options.bootstrap_servers)
        .set("group.id", &mapping.consumer_group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("partition.assignment.strategy", "range")
        // A function may take 14 minutes; the loop polls all the while, but a busy machine must not cost the membership.
        .set("max.poll.interval.ms", "3600000")
        .set("session.timeout.ms", "6000")
        .set("heartbeat.interval.ms", "1000")
        .set("fetch.min.bytes", "1")
        .set("fetch.wait.max.ms", "500")
        // The default waits a second before it fetches again after a full queue.
        .set("fetch.queue.backoff.ms", "5")
        .set("fetch.error.backoff.ms", "50")
        // What is fetched ahead, by partition and in one answer: a topic of many partitions must not fill the memory.
        .set("queued.max.messages.kbytes", "1024")
        .set("fetch.message.max.bytes", "524288")
        .set("fetch.max.bytes", "8388608")
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000")
        .set("socket.nagle.disable", "true")
        .set("topic.metadata.refresh.interval.ms", "10000")
        .set("statistics.interval.ms", "1000");
    if let Some(instance) = &options.instance {
        config.set("group.instance.id", instance);
    }
    let events = Events {
        status,
        lost: Mutex::default(),
        changed: AtomicBool::new(false),
        commit_failed: AtomicBool::new(false),
    };
    config.create_with_context(events)
}
