//! Where a group without committed offsets begins: settled once, by committing it, so that every later start goes on from there.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::template::model::{KafkaMapping, StartingPosition};

/// How long the broker may take to answer.
const ANSWER: Duration = Duration::from_secs(10);

/// Commits the starting position of the partitions that have none. TRIM_HORIZON needs nothing: it is the consumer's own fallback.
pub(super) async fn settle_position(mapping: &KafkaMapping, bootstrap_servers: &str) -> Result<(), String> {
    if mapping.starting_position == StartingPosition::TrimHorizon {
        return Ok(());
    }
    let (mapping, bootstrap_servers) = (mapping.clone(), bootstrap_servers.to_owned());
    let settled = tokio::task::spawn_blocking(move || settle(&mapping, &bootstrap_servers).map_err(|e| e.to_string()));
    settled.await.map_err(|e| e.to_string())?
}

fn settle(mapping: &KafkaMapping, bootstrap_servers: &str) -> rdkafka::error::KafkaResult<()> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap_servers)
        .set("group.id", &mapping.consumer_group)
        .set("enable.auto.commit", "false")
        .create()?;
    let metadata = consumer.fetch_metadata(Some(&mapping.topic), ANSWER)?;
    let mut asked = TopicPartitionList::new();
    for partition in metadata.topics().iter().flat_map(rdkafka::metadata::MetadataTopic::partitions) {
        asked.add_partition(&mapping.topic, partition.id());
    }
    let committed = consumer.committed_offsets(asked, ANSWER)?;
    let mut begin = TopicPartitionList::new();
    for element in committed.elements().iter().filter(|element| !matches!(element.offset(), Offset::Offset(_))) {
        let partition = element.partition();
        let (_, end) = consumer.fetch_watermarks(&mapping.topic, partition, ANSWER)?;
        let from = match mapping.starting_position {
            StartingPosition::AtTimestamp(at_ms) => {
                at_timestamp(&consumer, &mapping.topic, partition, at_ms)?.unwrap_or(end)
            }
            StartingPosition::Latest | StartingPosition::TrimHorizon => end,
        };
        begin.add_partition_offset(&mapping.topic, partition, Offset::Offset(from))?;
    }
    if begin.count() == 0 { Ok(()) } else { consumer.commit(&begin, CommitMode::Sync) }
}

/// The first offset at or after a time; `None`: there is no such record yet.
fn at_timestamp(
    consumer: &BaseConsumer,
    topic: &str,
    partition: i32,
    at_ms: i64,
) -> rdkafka::error::KafkaResult<Option<i64>> {
    let mut times = TopicPartitionList::new();
    times.add_partition_offset(topic, partition, Offset::Offset(at_ms))?;
    let found = consumer.offsets_for_times(times, ANSWER)?;
    Ok(found.elements().first().and_then(|element| match element.offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    }))
}
