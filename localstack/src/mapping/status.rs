//! What is shown of a mapping.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::statistics::Statistics;
use rdkafka::{Offset, TopicPartitionList};
use serde::{Deserialize, Serialize};

use crate::template::model::KafkaMapping;

/// The state, in AWS's words where it has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MappingState {
    /// It has not got its partitions yet.
    Creating,
    /// It was switched on again, or joins its group anew, and has not got its partitions yet.
    Enabling,
    /// It reads.
    Enabled,
    /// It was switched off; the batches in flight are being answered.
    Disabling,
    /// It is switched off.
    Disabled,
}

/// A mapping as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MappingStatus {
    /// `<function logical id>/<event name>`.
    pub id: String,
    /// Logical id of the function.
    pub function: String,
    /// The topic.
    pub topic: String,
    /// The group.
    pub consumer_group: String,
    /// The state.
    pub state: MappingState,
    /// `OK`, `PROBLEM: …`, or `No records processed`.
    pub last_processing_result: String,
    /// Batches that may run at one time.
    pub pollers: u32,
    /// Batches answered without an error.
    pub batches: u64,
    /// Records in them, repeated ones included.
    pub records: u64,
    /// Records that no filter let through.
    pub filtered: u64,
    /// Batches, or parts of them, that had to come again.
    pub retries: u64,
    /// Records that no payload can hold.
    pub oversized: u64,
    /// Records that were given up: the oversized, the too old, and those that failed as often as the mapping allows.
    pub given_up: u64,
    /// Records behind, over all partitions, at most a second old.
    pub lag: i64,
    /// By partition.
    pub partitions: BTreeMap<i32, PartitionStatus>,
}

/// One partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartitionStatus {
    /// The next record to be delivered; `None`: nothing was committed yet.
    pub committed: Option<i64>,
    /// One after the last record, at most a second old.
    pub end: i64,
}

impl PartitionStatus {
    fn lag(&self) -> i64 {
        (self.end - self.committed.unwrap_or(0)).max(0)
    }
}

/// The status as the poller writes it and others read it.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<MappingStatus>>);

impl Shared {
    pub(super) fn new(mapping: &KafkaMapping) -> Self {
        Self(Arc::new(Mutex::new(MappingStatus {
            id: mapping.id.clone(),
            function: mapping.function.clone(),
            topic: mapping.topic.clone(),
            consumer_group: mapping.consumer_group.clone(),
            state: if mapping.enabled { MappingState::Creating } else { MappingState::Disabled },
            last_processing_result: "No records processed".to_owned(),
            pollers: if mapping.provisioned { mapping.maximum_pollers.max(1) } else { 1 },
            batches: 0,
            records: 0,
            filtered: 0,
            retries: 0,
            oversized: 0,
            given_up: 0,
            lag: 0,
            partitions: BTreeMap::new(),
        })))
    }

    pub(super) fn get(&self) -> MappingStatus {
        let mut status = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        status.lag = status.partitions.values().map(PartitionStatus::lag).sum();
        status
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut MappingStatus)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Takes what the broker has acknowledged.
    pub(super) fn committed(&self, offsets: &TopicPartitionList) {
        self.update(|status| {
            for element in offsets.elements() {
                if let (Offset::Offset(offset), Ok(())) = (element.offset(), element.error()) {
                    status.partitions.entry(element.partition()).or_default().committed = Some(offset);
                }
            }
        });
    }

    /// Takes the ends of the partitions, and what was committed before this start, from the client's own statistics.
    pub(super) fn take(&self, statistics: &Statistics) {
        self.update(|status| {
            let Some(topic) = statistics.topics.get(&status.topic) else { return };
            for (number, partition) in topic.partitions.iter().filter(|(number, _)| **number >= 0) {
                let known = status.partitions.entry(*number).or_default();
                known.end = known.end.max(partition.hi_offset);
                if partition.committed_offset >= 0 {
                    known.committed = known.committed.max(Some(partition.committed_offset));
                }
            }
        });
    }
}
