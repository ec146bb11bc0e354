//! A topic as it stands in the broker's log.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// How long the broker may take to answer or to hand over the next record.
const PATIENCE: Duration = Duration::from_secs(30);

/// One record.
#[derive(Debug, Clone)]
pub struct LogRecord {
    /// Partition.
    pub partition: u32,
    /// Offset.
    pub offset: u64,
    /// Key as text.
    pub key: String,
    /// Value.
    pub value: Vec<u8>,
}

/// Every record of `topic` from its beginning to its present end, by partition, in offset order.
///
/// # Errors
/// The broker does not answer, or hands over fewer records than it has.
pub fn read(bootstrap_servers: &str, topic: &str) -> anyhow::Result<Vec<LogRecord>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap_servers)
        .set("group.id", "freshet-tests-log")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "false")
        .set("fetch.message.max.bytes", "10000000")
        .create()?;
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).context("metadata")?;
    let partitions = metadata.topics().first().context("no such topic")?.partitions();
    let mut records = Vec::new();
    for partition in partitions {
        let (low, end) = consumer.fetch_watermarks(topic, partition.id(), PATIENCE)?;
        if low == end {
            continue;
        }
        let mut from = TopicPartitionList::new();
        from.add_partition_offset(topic, partition.id(), Offset::Offset(low))?;
        consumer.assign(&from)?;
        let mut next = low;
        while next < end {
            let message = consumer.poll(PATIENCE).context("no record in time")??;
            ensure!(message.partition() == partition.id(), "a record of another partition");
            next = message.offset() + 1;
            records.push(LogRecord {
                partition: message.partition().unsigned_abs(),
                offset: message.offset().unsigned_abs(),
                key: String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned(),
                value: message.payload().unwrap_or_default().to_vec(),
            });
        }
    }
    Ok(records)
}
