//! The payload of a Kafka event source mapping.
//!
//! Own types, because `aws_lambda_events` 1.2 does not decode keys and values and refuses payloads that AWS sends
//! (null headers, timestamp -1). Source: <https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html>; the fixtures beside
//! this file are AWS's own examples.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Deserializer, de};

/// The guide's own example has a key with stray trailing bits: read what can be read.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One invocation's records.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Batch {
    /// `aws:kafka` (MSK) or `SelfManagedKafka`.
    pub event_source: String,
    /// Records by partition, each in offset order.
    #[serde(deserialize_with = "partitions")]
    pub records: Vec<Partition>,
}

/// The records of one partition.
#[derive(Debug, Clone, PartialEq)]
pub struct Partition {
    /// The mapping's own name of the partition (`topic-0`): what a partial failure must name.
    pub identifier: String,
    /// Partition number.
    pub partition: u32,
    /// Records in offset order.
    pub records: Vec<Record>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Record {
    /// Its topic.
    pub topic: String,
    /// Its partition.
    pub partition: u32,
    /// Its offset.
    pub offset: u64,
    /// Milliseconds since the epoch; -1 where the broker has none.
    #[serde(default = "no_timestamp")]
    pub timestamp: i64,
    /// Key, decoded; `None` for a keyless record.
    #[serde(default, deserialize_with = "base64_bytes")]
    pub key: Option<Vec<u8>>,
    /// Value, decoded; `None` for a tombstone.
    #[serde(default, deserialize_with = "base64_bytes")]
    pub value: Option<Vec<u8>>,
}

impl Batch {
    /// Number of records.
    pub fn len(&self) -> usize {
        self.records.iter().map(|partition| partition.records.len()).sum()
    }

    /// Without records?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn no_timestamp() -> i64 {
    -1
}

fn partitions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Partition>, D::Error> {
    let by_name: BTreeMap<String, Vec<Record>> = BTreeMap::deserialize(deserializer)?;
    Ok(by_name
        .into_iter()
        .filter_map(|(identifier, mut records)| {
            records.sort_by_key(|record| record.offset);
            let partition = records.first()?.partition;
            Some(Partition { identifier, partition, records })
        })
        .collect())
}

fn base64_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
    struct Base64;
    impl de::Visitor<'_> for Base64 {
        type Value = Option<Vec<u8>>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("base64 text or null")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            LENIENT.decode(text).map(Some).map_err(E::custom)
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }
    deserializer.deserialize_any(Base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payloads_of_the_lambda_developer_guide_are_read() {
        let msk: Batch = serde_json::from_str(include_str!("fixtures/msk.json")).unwrap();
        assert_eq!((msk.event_source.as_str(), msk.len()), ("aws:kafka", 1));
        let record = &msk.records[0].records[0];
        assert_eq!((record.offset, record.timestamp), (15, 1_545_084_650_987));
        assert_eq!(record.value.as_deref(), Some(b"Hello, this is a test.".as_slice()));
        let own: Batch = serde_json::from_str(include_str!("fixtures/self_managed.json")).unwrap();
        assert_eq!((own.event_source.as_str(), own.records[0].identifier.as_str()), ("SelfManagedKafka", "mytopic-0"));
    }

    #[test]
    fn keyless_records_and_tombstones_are_read_absent_or_null() {
        let batch: Batch = serde_json::from_str(
            r#"{"eventSource":"aws:kafka","records":{"t-1":[
                {"topic":"t","partition":1,"offset":2,"timestamp":-1,"key":null,"value":null,"headers":null},
                {"topic":"t","partition":1,"offset":1,"timestampType":"CREATE_TIME"}]}}"#,
        )
        .unwrap();
        let offsets: Vec<u64> = batch.records[0].records.iter().map(|r| r.offset).collect();
        assert_eq!(offsets, [1, 2], "in offset order");
        assert!(batch.records[0].records.iter().all(|r| r.key.is_none() && r.value.is_none() && r.timestamp == -1));
    }
}
