//! Consumer groups as an outsider sees them: state, committed offsets, lag.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde::Serialize;

use crate::error::StreamError;
use crate::msk_iam::Context;
use crate::producer::ProducerOptions;
use crate::security::Security;

/// A group that reads one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// `ConsumerGroupId`.
    pub group: String,
    /// Its topic.
    pub topic: String,
}

/// A group's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupState {
    /// `ConsumerGroupId`.
    pub group: String,
    /// Its topic.
    pub topic: String,
    /// Kafka's word: `Stable`, `Empty`, `PreparingRebalance`, …
    pub state: String,
    /// Records not yet committed, over all partitions.
    pub lag: i64,
    /// By partition.
    pub partitions: Vec<PartitionLag>,
}

/// Lag of one partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PartitionLag {
    /// Partition number.
    pub partition: i32,
    /// Next offset to be read; `None`: nothing was committed yet.
    pub committed: Option<i64>,
    /// One after the last record.
    pub end: i64,
    /// Records in between.
    pub lag: i64,
}

/// How long a client may take to sign its first token.
const FIRST_TOKEN: Duration = Duration::from_millis(100);

/// A consumer that joins nobody and commits nothing, with librdkafka's `settings` on top.
///
/// # Errors
/// The configuration is refused.
pub fn outsider(
    options: &ProducerOptions,
    group: &str,
    settings: &[(&str, &str)],
) -> Result<BaseConsumer<Context>, StreamError> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &options.bootstrap_servers)
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false");
    config.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    options.security.apply(&mut config)?;
    let consumer: BaseConsumer<Context> = config
        .create_with_context(Context(options.security.clone()))
        .map_err(|e| StreamError::Config(e.to_string()))?;
    if matches!(options.security, Security::MskIam(_)) {
        // Tokens are asked for in a poll: without one, no question would ever be answered.
        drop(consumer.poll(FIRST_TOKEN));
    }
    Ok(consumer)
}

/// Reads a group without joining it. Blocking: call it where blocking is allowed.
///
/// # Errors
/// The broker does not answer within `deadline`, or the topic does not exist.
pub fn read(options: &ProducerOptions, group: &Group, deadline: Duration) -> Result<GroupState, StreamError> {
    let unreachable = |e: rdkafka::error::KafkaError| StreamError::Unreachable(e.to_string());
    let consumer = outsider(options, &group.group, &[])?;
    let metadata = consumer.fetch_metadata(Some(&group.topic), deadline).map_err(unreachable)?;
    let topic = metadata.topics().iter().find(|topic| topic.name() == group.topic && topic.error().is_none());
    let topic = topic.ok_or_else(|| StreamError::Unreachable(format!("the topic {} does not exist", group.topic)))?;
    let mut asked = TopicPartitionList::new();
    for partition in topic.partitions() {
        asked.add_partition(&group.topic, partition.id());
    }
    let committed = consumer.committed_offsets(asked, deadline).map_err(unreachable)?;
    let mut partitions = Vec::with_capacity(topic.partitions().len());
    for element in committed.elements() {
        let (low, end) = consumer.fetch_watermarks(&group.topic, element.partition(), deadline).map_err(unreachable)?;
        let committed = if let Offset::Offset(offset) = element.offset() { Some(offset) } else { None };
        let lag = (end - committed.unwrap_or(low)).max(0);
        partitions.push(PartitionLag { partition: element.partition(), committed, end, lag });
    }
    let groups = consumer.fetch_group_list(Some(&group.group), deadline).map_err(unreachable)?;
    let state = groups.groups().first().map_or_else(|| "Unknown".to_owned(), |info| info.state().to_owned());
    let lag = partitions.iter().map(|partition| partition.lag).sum();
    Ok(GroupState { group: group.group.clone(), topic: group.topic.clone(), state, lag, partitions })
}
