//! What is settled before a mapping reads: which partitions there are, and where a group without committed offsets begins. The
//! latter is settled once, by committing it, so that every later start goes on from there.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::KafkaResult;
use rdkafka::metadata::MetadataPartition;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::template::model::{KafkaMapping, StartingPosition};

/// How long the broker may take to answer.
const ANSWER: Duration = Duration::from_secs(10);

/// The topic's partitions, each with a place to begin at; none: there is no such topic. Blocks until the broker has answered.
pub(super) fn partitions(mapping: &KafkaMapping, bootstrap_servers: &str) -> KafkaResult<Vec<i32>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap_servers)
        .set("group.id", &mapping.consumer_group)
        .set("enable.auto.commit", "false")
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000")
        .create()?;
    let metadata = consumer.fetch_metadata(Some(&mapping.topic), ANSWER)?;
    let partitions: Vec<i32> =
        metadata.topics().iter().flat_map(|topic| topic.partitions().iter().map(MetadataPartition::id)).collect();
    // TRIM_HORIZON is the consumer's own fallback.
    if mapping.starting_position != StartingPosition::TrimHorizon && !partitions.is_empty() {
        settle(&consumer, mapping, &partitions)?;
    }
    Ok(partitions)
}

fn settle(consumer: &BaseConsumer, mapping: &KafkaMapping, partitions: &[i32]) -> KafkaResult<()> {
    let mut asked = TopicPartitionList::new();
    for partition in partitions {
        asked.add_partition(&mapping.topic, *partition);
    }
    let committed = consumer.committed_offsets(asked, ANSWER)?;
    let is_settled = |offset: Offset| matches!(offset, Offset::Offset(_));
    // A partition that was added since: all that is in it has come after the mapping was made.
    let is_known = committed.elements().iter().any(|element| is_settled(element.offset()));
    if is_known && mapping.starting_position == StartingPosition::Latest {
        return Ok(());
    }
    let mut begin = TopicPartitionList::new();
    for element in committed.elements().iter().filter(|element| !is_settled(element.offset())) {
        let partition = element.partition();
        let (_, end) = consumer.fetch_watermarks(&mapping.topic, partition, ANSWER)?;
        let from = match mapping.starting_position {
            StartingPosition::AtTimestamp(at_ms) => {
                at_timestamp(consumer, &mapping.topic, partition, at_ms)?.unwrap_or(end)
            }
            StartingPosition::Latest | StartingPosition::TrimHorizon => end,
        };
        begin.add_partition_offset(&mapping.topic, partition, Offset::Offset(from))?;
    }
    if begin.count() == 0 { Ok(()) } else { consumer.commit(&begin, CommitMode::Sync) }
}

/// The first offset at or after a time; `None`: there is no such record yet.
fn at_timestamp(consumer: &BaseConsumer, topic: &str, partition: i32, at_ms: i64) -> KafkaResult<Option<i64>> {
    let mut times = TopicPartitionList::new();
    times.add_partition_offset(topic, partition, Offset::Offset(at_ms))?;
    let found = consumer.offsets_for_times(times, ANSWER)?;
    Ok(found.elements().first().and_then(|element| match element.offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    }))
}
