//! The answer to an event source mapping with `ReportBatchItemFailures`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::batch::Partition;

/// Which records the mapping must deliver again. **A partition stops at its first failure**: every record from the lowest
/// failed offset on is reported, because watermarks would take a later success for the failed one's.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html>
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchResponse {
    /// The failed records.
    pub batch_item_failures: Vec<ItemFailure>,
}

/// One failed record.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemFailure {
    /// Its place.
    pub item_identifier: ItemIdentifier,
}

/// A record's place, as the mapping names it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ItemIdentifier {
    /// `topic-0`.
    pub partition: String,
    /// Offset in it.
    pub offset: u64,
}

/// The lowest failed offset by partition number.
pub type FirstFailures = BTreeMap<u32, u64>;

/// Notes that the record at `offset` failed, if no earlier one of its partition did.
pub fn note_failure(failures: &mut FirstFailures, partition: u32, offset: u64) {
    failures.entry(partition).and_modify(|first| *first = offset.min(*first)).or_insert(offset);
}

impl BatchResponse {
    /// The answer for a batch of which `failures` are the lowest failed offsets.
    pub fn new(partitions: &[Partition], failures: &FirstFailures) -> Self {
        let batch_item_failures = partitions
            .iter()
            .filter_map(|partition| Some((partition, *failures.get(&partition.partition)?)))
            .flat_map(|(partition, first)| {
                let failed = partition.records.iter().filter(move |record| record.offset >= first);
                failed.map(|record| ItemFailure {
                    item_identifier: ItemIdentifier { partition: partition.identifier.clone(), offset: record.offset },
                })
            })
            .collect();
        Self { batch_item_failures }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Batch;

    #[test]
    fn a_partition_stops_at_its_first_failure_and_the_others_go_on() {
        let record =
            |partition: u32, offset: u64| format!(r#"{{"topic":"t","partition":{partition},"offset":{offset}}}"#);
        let json = format!(
            r#"{{"eventSource":"aws:kafka","records":{{"t-0":[{},{},{}],"t-1":[{}]}}}}"#,
            record(0, 5),
            record(0, 6),
            record(0, 7),
            record(1, 9)
        );
        let batch: Batch = serde_json::from_str(&json).unwrap();
        let mut failures = FirstFailures::new();
        note_failure(&mut failures, 0, 7);
        note_failure(&mut failures, 0, 6);
        let answer = serde_json::to_string(&BatchResponse::new(&batch.records, &failures)).unwrap();
        assert_eq!(
            answer,
            r#"{"batchItemFailures":[{"itemIdentifier":{"partition":"t-0","offset":6}},{"itemIdentifier":{"partition":"t-0","offset":7}}]}"#
        );
        assert_eq!(serde_json::to_string(&BatchResponse::default()).unwrap(), r#"{"batchItemFailures":[]}"#);
    }
}
