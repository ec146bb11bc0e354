//! The loop of a mapping: poll, close batches, invoke, commit.
//!
//! One task owns all books, so that there is nothing to lock and one order of things. Offsets are committed only for what was
//! answered; a crash at any moment delivers the rest again.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance, StreamConsumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::{ClientConfig, ClientContext, Offset, Statistics, TopicPartitionList};
use tokio_util::sync::CancellationToken;

use super::batcher::{Batch, Batcher};
use super::ledger::Ledger;
use super::record::Record;
use super::status::{MappingState, Shared};
use super::{MappingOptions, PartialFailures, answer};
use crate::functions::{Invoke, Outcome};
use crate::template::model::KafkaMapping;

/// How long a batch in flight may take to be answered once the mapping is told to stop.
const GRACE: Duration = Duration::from_secs(2);

/// Between two tries of a commit that failed.
const COMMIT_AGAIN: Duration = Duration::from_millis(500);
/// The same problem is told once in this time.
const QUIET: Duration = Duration::from_secs(5);

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
    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(error) = result {
            tracing::debug!(%error, "a commit failed and is tried again");
            self.commit_failed.store(true, Ordering::Release);
        }
    }

    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let (Rebalance::Assign(partitions) | Rebalance::Revoke(partitions)) = rebalance else { return };
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        lost.extend(partitions.elements().iter().map(rdkafka::topic_partition_list::TopicPartitionListElem::partition));
        self.changed.store(true, Ordering::Release);
        if let Rebalance::Assign(_) = rebalance {
            self.status.update(|status| status.state = MappingState::Enabled);
        }
    }
}

/// Everything a mapping has.
pub(super) struct Poller {
    mapping: KafkaMapping,
    batcher: Batcher,
    consumer: StreamConsumer<Events>,
    invoke: Arc<dyn Invoke>,
    reading: PartialFailures,
    status: Shared,
    closing: CancellationToken,
    ledgers: BTreeMap<i32, Ledger>,
    epoch: u64,
    in_flight: FuturesUnordered<BoxFuture<'static, (Batch, Outcome)>>,
    told: Option<(String, Instant)>,
}

impl Poller {
    pub(super) fn new(
        mapping: KafkaMapping,
        options: &MappingOptions,
        invoke: Arc<dyn Invoke>,
        status: Shared,
        closing: CancellationToken,
    ) -> Result<Self, String> {
        let consumer = consumer(&mapping, options, status.clone()).map_err(|e| e.to_string())?;
        let batcher = Batcher::new(&mapping, &options.bootstrap_servers);
        Ok(Self {
            mapping,
            batcher,
            consumer,
            invoke,
            reading: options.partial_failures,
            status,
            closing,
            ledgers: BTreeMap::new(),
            epoch: 0,
            in_flight: FuturesUnordered::new(),
            told: None,
        })
    }

    pub(super) async fn run(mut self) {
        let closing = self.closing.clone();
        let mut again = tokio::time::interval(COMMIT_AGAIN);
        while !closing.is_cancelled() {
            self.forget_lost();
            self.dispatch();
            let due = self.next_due();
            tokio::select! {
                message = self.consumer.recv() => {
                    // The borrow of the message ends here: the record is its own copy.
                    let taken = message.map(|message| taken(&message));
                    self.take(taken);
                }
                Some((batch, outcome)) = self.in_flight.next() => self.settle(batch, &outcome),
                () = sleep_until(due) => {}
                // The last batch of a lull must not stay uncommitted because the broker was away just then.
                _ = again.tick() => self.commit_again(),
                () = closing.cancelled() => {}
            }
        }
        self.finish().await;
    }

    /// Waits a moment for what is in flight, commits, and leaves the group.
    async fn finish(mut self) {
        let deadline = tokio::time::Instant::now() + GRACE;
        while let Ok(Some((batch, outcome))) = tokio::time::timeout_at(deadline, self.in_flight.next()).await {
            self.settle(batch, &outcome);
        }
        let consumer = self.consumer;
        let positions = positions(&self.mapping.topic, &self.ledgers);
        let left = tokio::task::spawn_blocking(move || {
            if positions.count() > 0
                && let Err(error) = consumer.commit(&positions, CommitMode::Sync)
            {
                tracing::debug!(%error, "the last commit failed: what it covers will come again");
            }
            drop(consumer);
        });
        let _ = left.await;
    }

    /// Partitions that came or went begin with clean books; answers to their old batches are worth nothing.
    fn forget_lost(&mut self) {
        let events = self.consumer.context();
        if !events.changed.swap(false, Ordering::Acquire) {
            return;
        }
        let lost = std::mem::take(&mut *events.lost.lock().unwrap_or_else(PoisonError::into_inner));
        for partition in lost {
            self.ledgers.remove(&partition);
        }
    }

    fn take(&mut self, taken: KafkaResult<(i32, Record)>) {
        let (partition, record) = match taken {
            Ok(taken) => taken,
            Err(error) => return self.problem(&format!("reading: {error}")),
        };
        self.forget_lost();
        let now = Instant::now();
        let epoch = &mut self.epoch;
        let ledger = self.ledgers.entry(partition).or_insert_with(|| {
            *epoch += 1;
            Ledger::new(*epoch)
        });
        if self.batcher.is_oversized(&record) {
            let offset = record.offset;
            tracing::error!(
                mapping = self.mapping.id,
                partition,
                offset,
                "a record over 6 MB can't be delivered and is passed over"
            );
            self.status.update(|status| status.oversized += 1);
            if ledger.backlog().0 == 0 && !ledger.in_flight {
                ledger.skip(offset);
            }
            return;
        }
        ledger.push(record, now);
        if !ledger.paused && self.batcher.is_backlog(ledger) {
            let paused = self.pause(partition, true);
            self.ledgers.entry(partition).and_modify(|ledger| ledger.paused = paused);
        }
    }

    /// Closes batches while there is a free poller and a batch is due.
    fn dispatch(&mut self) {
        let pollers = self.mapping.maximum_pollers.max(1) as usize;
        while self.in_flight.len() < pollers {
            let now = Instant::now();
            if self.batcher.due(&self.ledgers, now).is_none_or(|due| due > now) {
                return;
            }
            let Some(batch) = self.batcher.close(&mut self.ledgers, now) else { return };
            for part in &batch.parts {
                let resume = self.ledgers.get(&part.partition).is_some_and(|l| l.paused && self.batcher.has_room(l));
                if resume && self.pause(part.partition, false) {
                    self.ledgers.entry(part.partition).and_modify(|ledger| ledger.paused = false);
                }
            }
            let (invoke, function) = (Arc::clone(&self.invoke), self.mapping.function.clone());
            self.in_flight.push(Box::pin(async move {
                let outcome = invoke.invoke(&function, batch.payload.clone()).await;
                (batch, outcome)
            }));
        }
    }

    fn next_due(&self) -> Option<Instant> {
        let pollers = self.mapping.maximum_pollers.max(1) as usize;
        if self.in_flight.len() >= pollers { None } else { self.batcher.due(&self.ledgers, Instant::now()) }
    }

    /// Books an answer and commits what it covers.
    fn settle(&mut self, batch: Batch, outcome: &Outcome) {
        self.forget_lost();
        let again = self.judge(&batch, outcome);
        let now = Instant::now();
        let (records, retried) = (batch.len() as u64, again.iter().any(|records| !records.is_empty()));
        self.status.update(|status| {
            status.batches += u64::from(!retried);
            status.records += records;
            status.retries += u64::from(retried);
        });
        for (part, again) in batch.parts.into_iter().zip(again) {
            let ledger = self.ledgers.get_mut(&part.partition).filter(|ledger| ledger.epoch == part.epoch);
            if let (Some(ledger), Some(last)) = (ledger, part.records.last()) {
                ledger.settle(again, last.offset + 1, now);
            }
        }
        self.commit();
        self.status.update(|status| {
            for (partition, ledger) in &self.ledgers {
                let known = status.partitions.entry(*partition).or_default();
                known.committed = ledger.position.or(known.committed);
            }
        });
    }

    /// Commits what is done; whether it arrived is told to [`Events`].
    fn commit(&self) {
        let positions = positions(&self.mapping.topic, &self.ledgers);
        if positions.count() > 0
            && let Err(error) = self.consumer.commit(&positions, CommitMode::Async)
        {
            tracing::debug!(%error, "commit");
            self.consumer.context().commit_failed.store(true, Ordering::Release);
        }
    }

    fn commit_again(&mut self) {
        self.forget_lost();
        if self.consumer.context().commit_failed.swap(false, Ordering::AcqRel) {
            self.commit();
        }
    }

    /// What of each part comes again.
    fn judge(&mut self, batch: &Batch, outcome: &Outcome) -> Vec<Vec<Record>> {
        let all = || batch.parts.iter().map(|part| part.records.clone()).collect();
        match outcome {
            Outcome::Response(payload) if self.mapping.report_batch_item_failures => {
                match answer::failed(payload, batch, &self.batcher, self.reading) {
                    Some(again) => {
                        let failed: usize = again.iter().map(Vec::len).sum();
                        let result =
                            if failed == 0 { "OK".to_owned() } else { format!("PROBLEM: {failed} records failed") };
                        self.status.update(|status| status.last_processing_result = result);
                        again
                    }
                    None => {
                        self.problem("the answer names records that are not in the batch");
                        all()
                    }
                }
            }
            Outcome::Response(_) => {
                self.status.update(|status| "OK".clone_into(&mut status.last_processing_result));
                batch.parts.iter().map(|_| Vec::new()).collect()
            }
            Outcome::FunctionError(error) => {
                self.problem(&format!("the function failed: {}", shortened(error)));
                all()
            }
            Outcome::Throttled(reason) => {
                self.problem(&format!("throttled: {reason}"));
                all()
            }
        }
    }

    fn problem(&mut self, what: &str) {
        let now = Instant::now();
        let told = self.told.as_ref().is_some_and(|(last, at)| last == what && now.duration_since(*at) < QUIET);
        if !told {
            tracing::warn!(mapping = self.mapping.id, "{what}");
            self.told = Some((what.to_owned(), now));
        }
        self.status.update(|status| status.last_processing_result = format!("PROBLEM: {what}"));
    }

    /// True: done.
    fn pause(&self, partition: i32, pause: bool) -> bool {
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.mapping.topic, partition);
        let done = if pause { self.consumer.pause(&list) } else { self.consumer.resume(&list) };
        done.is_ok()
    }
}

fn taken(message: &BorrowedMessage<'_>) -> (i32, Record) {
    (message.partition(), Record::new(message))
}

fn positions(topic: &str, ledgers: &BTreeMap<i32, Ledger>) -> TopicPartitionList {
    let mut positions = TopicPartitionList::new();
    for (partition, ledger) in ledgers {
        if let Some(position) = ledger.position {
            let _ = positions.add_partition_offset(topic, *partition, Offset::Offset(position));
        }
    }
    positions
}

fn shortened(error: &Bytes) -> String {
    String::from_utf8_lossy(error).chars().take(300).collect()
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
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
        .set("queued.max.messages.kbytes", "16384")
        .set("fetch.message.max.bytes", "2097152")
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
    let consumer: StreamConsumer<Events> = config.create_with_context(events)?;
    consumer.subscribe(&[&mapping.topic])?;
    Ok(consumer)
}
