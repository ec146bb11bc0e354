//! The last records of topics, for people who look: nothing is committed and no group is joined.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::{Offset, TopicPartitionList};

use crate::batch::Record;
use crate::error::StreamError;
use crate::groups::outsider;
use crate::msk_iam::Context;
use crate::producer::ProducerOptions;

/// The largest record that is fetched, in bytes.
const MAX_RECORD_BYTES: &str = "8388608";

/// The last `count` records of each of `topics`' partitions, newest first over all of them, `count` at the most. Blocking:
/// call it where blocking is allowed.
///
/// # Errors
/// The broker does not answer within `deadline`, or a topic does not exist.
pub fn tail(
    options: &ProducerOptions,
    topics: &[String],
    count: usize,
    deadline: Duration,
) -> Result<Vec<Record>, StreamError> {
    let started = Instant::now();
    let consumer = consumer(options)?;
    let mut waiting = begin(&consumer, topics, count, deadline)?;
    let mut records = Vec::new();
    while !waiting.is_empty() {
        let left = deadline.saturating_sub(started.elapsed());
        let Some(message) = consumer.poll(left.min(Duration::from_millis(200))) else {
            if left.is_zero() {
                return Err(StreamError::Unreachable(format!("no records within {} ms", deadline.as_millis())));
            }
            continue;
        };
        let message = message.map_err(|error| unreachable(&error))?;
        let place = (message.topic().to_owned(), message.partition());
        if waiting.get(&place).is_some_and(|end| message.offset() + 1 >= *end) {
            waiting.remove(&place);
        }
        records.push(record_of(&message));
    }
    records.sort_by(|a, b| b.timestamp.cmp(&a.timestamp).then_with(|| b.offset.cmp(&a.offset)));
    records.truncate(count);
    Ok(records)
}

/// One record by its place; `None`: the log does not hold it, or no longer. Blocking.
///
/// # Errors
/// The broker does not answer within `deadline`, or the topic does not exist.
pub fn record_at(
    options: &ProducerOptions,
    topic: &str,
    partition: u32,
    offset: u64,
    deadline: Duration,
) -> Result<Option<Record>, StreamError> {
    let consumer = consumer(options)?;
    let (Ok(partition), Ok(offset)) = (i32::try_from(partition), i64::try_from(offset)) else { return Ok(None) };
    let (low, end) = consumer.fetch_watermarks(topic, partition, deadline).map_err(|error| unreachable(&error))?;
    if !(low..end).contains(&offset) {
        return Ok(None);
    }
    let mut from = TopicPartitionList::new();
    from.add_partition_offset(topic, partition, Offset::Offset(offset)).map_err(|error| unreachable(&error))?;
    consumer.assign(&from).map_err(|error| unreachable(&error))?;
    let message = consumer.poll(deadline);
    let message = message
        .ok_or_else(|| StreamError::Unreachable("no record in time".to_owned()))?
        .map_err(|error| unreachable(&error))?;
    Ok((message.offset() == offset).then(|| record_of(&message)))
}

/// Where each partition ends that has something to show; the consumer stands before it.
fn begin(
    consumer: &BaseConsumer<Context>,
    topics: &[String],
    count: usize,
    deadline: Duration,
) -> Result<BTreeMap<(String, i32), i64>, StreamError> {
    let mut from = TopicPartitionList::new();
    let mut ends = BTreeMap::new();
    for name in topics {
        let metadata = consumer.fetch_metadata(Some(name), deadline).map_err(|error| unreachable(&error))?;
        let topic = metadata.topics().iter().find(|topic| topic.name() == name && topic.error().is_none());
        let topic = topic.ok_or_else(|| StreamError::Unreachable(format!("the topic {name} does not exist")))?;
        for partition in topic.partitions() {
            let (low, end) =
                consumer.fetch_watermarks(name, partition.id(), deadline).map_err(|error| unreachable(&error))?;
            let first = end.saturating_sub(i64::try_from(count).unwrap_or(i64::MAX)).max(low);
            if first < end {
                from.add_partition_offset(name, partition.id(), Offset::Offset(first))
                    .map_err(|error| unreachable(&error))?;
                ends.insert((name.clone(), partition.id()), end);
            }
        }
    }
    consumer.assign(&from).map_err(|error| unreachable(&error))?;
    Ok(ends)
}

fn consumer(options: &ProducerOptions) -> Result<BaseConsumer<Context>, StreamError> {
    let settings = [("auto.offset.reset", "earliest"), ("fetch.message.max.bytes", MAX_RECORD_BYTES)];
    outsider(options, "freshet-tail", &settings)
}

fn record_of(message: &BorrowedMessage<'_>) -> Record {
    Record {
        topic: message.topic().to_owned(),
        partition: message.partition().unsigned_abs(),
        offset: message.offset().unsigned_abs(),
        timestamp: message.timestamp().to_millis().unwrap_or(-1),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
    }
}

fn unreachable(error: &rdkafka::error::KafkaError) -> StreamError {
    StreamError::Unreachable(error.to_string())
}
