//! When a batch closes, and what is in it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::ledger::Ledger;
use super::record::Record;
use crate::template::model::{KafkaMapping, KafkaSource};

/// Lambda's payload limit, 6 MB.
pub(super) const MAX_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;
/// What the payload needs per partition and record beside the records' own JSON: quotes, name, commas, brackets.
const PER_PARTITION_BYTES: usize = 300;

/// The part of a batch that one partition gave.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) partition: i32,
    pub(super) epoch: u64,
    pub(super) records: Vec<Record>,
}

/// A closed batch.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) parts: Vec<Part>,
    pub(super) payload: Bytes,
}

impl Batch {
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.records.len()).sum()
    }
}

/// The mapping's limits, and the payload's frame.
pub(super) struct Batcher {
    topic: String,
    head: String,
    batch_size: usize,
    window: Duration,
}

impl Batcher {
    pub(super) fn new(mapping: &KafkaMapping, bootstrap_servers: &str) -> Self {
        let json = |text: &str| serde_json::Value::from(text).to_string();
        let head = match &mapping.source {
            KafkaSource::Msk { arn } => format!(
                r#"{{"eventSource":"aws:kafka","eventSourceArn":{},"bootstrapServers":{},"records":{{"#,
                json(arn),
                json(bootstrap_servers)
            ),
            KafkaSource::SelfManaged { .. } => format!(
                r#"{{"eventSource":"SelfManagedKafka","bootstrapServers":{},"records":{{"#,
                json(bootstrap_servers)
            ),
        };
        Self {
            topic: mapping.topic.clone(),
            head,
            batch_size: mapping.batch_size.max(1) as usize,
            window: Duration::from_millis(mapping.batching_window_ms),
        }
    }

    /// Records of one partition after which fetching it may rest.
    pub(super) fn is_backlog(&self, ledger: &Ledger) -> bool {
        let (records, bytes) = ledger.backlog();
        records >= 2 * self.batch_size || bytes >= 2 * MAX_PAYLOAD_BYTES
    }

    /// Room again to fetch?
    pub(super) fn has_room(&self, ledger: &Ledger) -> bool {
        let (records, bytes) = ledger.backlog();
        records < self.batch_size && bytes < MAX_PAYLOAD_BYTES
    }

    /// When the records that are waiting make a batch: at once where one is full, else at the end of the first one's window.
    pub(super) fn due(&self, ledgers: &BTreeMap<i32, Ledger>, now: Instant) -> Option<Instant> {
        let free = || ledgers.values().filter(|ledger| ledger.is_free(now));
        let (records, bytes) = free().map(Ledger::backlog).fold((0, 0), |sum, more| (sum.0 + more.0, sum.1 + more.1));
        let window_end = free().filter_map(Ledger::since).min().map(|since| since + self.window);
        let asleep = ledgers.values().filter_map(Ledger::wakes_at).filter(|at| *at > now).min();
        if records >= self.batch_size || bytes + self.head.len() >= MAX_PAYLOAD_BYTES {
            return Some(now);
        }
        [window_end, asleep].into_iter().flatten().min()
    }

    /// Closes a batch of the free partitions: the ones that wait longest first.
    pub(super) fn close(&self, ledgers: &mut BTreeMap<i32, Ledger>, now: Instant) -> Option<Batch> {
        let mut order: Vec<(Option<Instant>, i32)> = ledgers
            .iter()
            .filter(|(_, ledger)| ledger.is_free(now))
            .map(|(partition, ledger)| (ledger.since(), *partition))
            .collect();
        order.sort_unstable();
        let mut left = self.batch_size;
        let mut bytes = self.head.len() + 2;
        let mut parts = Vec::new();
        for (_, partition) in order {
            let Some(ledger) = ledgers.get_mut(&partition) else { continue };
            let mut records = Vec::new();
            bytes += PER_PARTITION_BYTES;
            while left > 0 {
                match ledger.peek_bytes() {
                    Some(next) if bytes + next < MAX_PAYLOAD_BYTES => bytes += next + 1,
                    _ => break,
                }
                records.extend(ledger.pop(now));
                left -= 1;
            }
            if !records.is_empty() {
                ledger.in_flight = true;
                parts.push(Part { partition, epoch: ledger.epoch, records });
            }
        }
        (!parts.is_empty()).then(|| Batch { payload: self.payload(&parts, bytes), parts })
    }

    /// A record that no payload can hold.
    pub(super) fn is_oversized(&self, record: &Record) -> bool {
        self.head.len() + 2 + PER_PARTITION_BYTES + record.json.len() + 1 > MAX_PAYLOAD_BYTES
    }

    fn payload(&self, parts: &[Part], bytes: usize) -> Bytes {
        let mut payload = String::with_capacity(bytes);
        payload.push_str(&self.head);
        for (at, part) in parts.iter().enumerate() {
            payload.push_str(if at > 0 { "," } else { "" });
            payload.push_str(&serde_json::Value::from(self.identifier(part.partition)).to_string());
            payload.push_str(":[");
            for (at, record) in part.records.iter().enumerate() {
                payload.push_str(if at > 0 { "," } else { "" });
                payload.push_str(&record.json);
            }
            payload.push(']');
        }
        payload.push_str("}}");
        Bytes::from(payload)
    }

    /// `topic-0`.
    pub(super) fn identifier(&self, partition: i32) -> String {
        format!("{}-{partition}", self.topic)
    }
}
