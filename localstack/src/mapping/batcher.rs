//! When a batch closes, and what is in it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::ledger::Ledger;
use super::record::Record;
use crate::clock::now_ms;
use crate::functions::MAX_PAYLOAD_BYTES;
use crate::template::model::{KafkaMapping, KafkaSource};

/// What the payload needs per partition beside the records' own JSON: quotes, name (at most 249 characters), commas, brackets.
const PER_PARTITION_BYTES: usize = 300;

/// The part of a batch that one partition gave.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) partition: i32,
    pub(super) epoch: u64,
    pub(super) records: Vec<Record>,
    /// What is done once these are: one after the last of them, or of the batch in which they failed.
    pub(super) end: i64,
}

impl Part {
    /// How many of its records a filter let through.
    pub(super) fn delivered(&self) -> usize {
        self.records.iter().filter(|record| !record.is_filtered()).count()
    }

    fn is_delivered(&self) -> bool {
        self.records.iter().any(|record| !record.is_filtered())
    }
}

/// A closed batch.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) parts: Vec<Part>,
    pub(super) payload: Bytes,
    /// Invocations of these very records that failed before.
    pub(super) failures: u32,
}

impl Batch {
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.records.len()).sum()
    }

    /// How many of them the function gets: those that a filter let through.
    pub(super) fn delivered(&self) -> usize {
        self.parts.iter().map(Part::delivered).sum()
    }

    /// Is there any that a filter let through?
    pub(super) fn is_delivered(&self) -> bool {
        self.parts.iter().any(Part::is_delivered)
    }

    /// How many of them no filter let through, apart from those that come `again` with what failed.
    pub(super) fn filtered(&self, again: &[Vec<Record>]) -> usize {
        let again = again.iter().flatten().filter(|record| record.is_filtered()).count();
        self.len() - self.delivered() - again
    }
}

/// The mapping's limits, and the payload's frame.
pub(super) struct Batcher {
    topic: String,
    head: String,
    batch_size: usize,
    window: Duration,
    maximum_age_s: Option<u32>,
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
            maximum_age_s: mapping.maximum_record_age_s,
        }
    }

    /// Is the next batch of this partition there, so that fetching more may rest?
    pub(super) fn has_enough(&self, ledger: &Ledger) -> bool {
        let (records, bytes) = ledger.backlog();
        records >= self.batch_size || bytes >= MAX_PAYLOAD_BYTES
    }

    /// When the records that are waiting make a batch: at once where one is full or comes again, else at the end of the window.
    pub(super) fn due(&self, ledgers: &BTreeMap<i32, Ledger>, now: Instant) -> Option<Instant> {
        let free = || ledgers.values().filter(|ledger| ledger.is_free(now));
        let (records, bytes) = free().map(Ledger::backlog).fold((0, 0), |sum, more| (sum.0 + more.0, sum.1 + more.1));
        let is_full = records >= self.batch_size || bytes + self.head.len() >= MAX_PAYLOAD_BYTES;
        if is_full || free().any(|ledger| ledger.retry().is_some()) {
            return Some(now);
        }
        let window_end = free().filter_map(Ledger::front).map(|record| record.came + self.window).min();
        let wakes = ledgers.values().filter_map(Ledger::wakes_at).min();
        [window_end, wakes].into_iter().flatten().min()
    }

    /// Closes a batch of the free partitions: what failed before first and by itself, else the ones that wait longest.
    pub(super) fn close(&self, ledgers: &mut BTreeMap<i32, Ledger>, now: Instant) -> Option<Batch> {
        let retry =
            ledgers.values().filter(|ledger| ledger.is_free(now)).filter_map(Ledger::retry).min_by_key(|r| r.group);
        let (parts, failures) = match retry {
            Some(retry) => (parts_again(ledgers, retry.group), retry.failures),
            None => (self.parts_anew(ledgers, now), 0),
        };
        for part in &parts {
            ledgers.entry(part.partition).and_modify(|ledger| ledger.in_flight = true);
        }
        (!parts.is_empty()).then(|| Batch { payload: self.payload(&parts), parts, failures })
    }

    fn parts_anew(&self, ledgers: &mut BTreeMap<i32, Ledger>, now: Instant) -> Vec<Part> {
        let mut order: Vec<(Option<Instant>, i32)> = ledgers
            .iter()
            .filter(|(_, ledger)| ledger.is_free(now))
            .map(|(partition, ledger)| (ledger.front().map(|record| record.came), *partition))
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
                match ledger.front() {
                    Some(next) if bytes + next.json.len() < MAX_PAYLOAD_BYTES => bytes += next.json.len() + 1,
                    _ => break,
                }
                records.extend(ledger.pop());
                left -= 1;
            }
            if let Some(last) = records.last() {
                parts.push(Part { partition, epoch: ledger.epoch, end: last.offset + 1, records });
            }
        }
        parts
    }

    /// Takes out a record that no payload can hold, once everything before it is done.
    pub(super) fn take_oversized(&self, ledgers: &mut BTreeMap<i32, Ledger>, now: Instant) -> Option<Part> {
        let is_next =
            |ledger: &Ledger| ledger.is_free(now) && ledger.front().is_some_and(|next| self.is_oversized(next));
        let (partition, ledger) = ledgers.iter_mut().find(|(_, ledger)| is_next(ledger))?;
        let record = ledger.pop()?;
        ledger.in_flight = true;
        Some(Part { partition: *partition, epoch: ledger.epoch, end: record.offset + 1, records: vec![record] })
    }

    /// Takes out the records of one partition that are older than the mapping takes, once everything before them is done; with
    /// the invocations of them that failed.
    pub(super) fn take_expired(&self, ledgers: &mut BTreeMap<i32, Ledger>, now: Instant) -> Option<(Part, u32)> {
        let maximum_age_s = self.maximum_age_s?;
        let oldest_ms = now_ms() - i64::from(maximum_age_s) * 1_000;
        let is_next =
            |ledger: &Ledger| ledger.is_free(now) && ledger.front().is_some_and(|next| next.is_before(oldest_ms));
        let (partition, ledger) = ledgers.iter_mut().find(|(_, ledger)| is_next(ledger))?;
        let failures = ledger.retry().map_or(0, |retry| retry.failures);
        let (records, end) = ledger.pop_expired(oldest_ms);
        ledger.in_flight = true;
        Some((Part { partition: *partition, epoch: ledger.epoch, end, records }, failures))
    }

    fn is_oversized(&self, record: &Record) -> bool {
        self.head.len() + 2 + PER_PARTITION_BYTES + record.json.len() >= MAX_PAYLOAD_BYTES
    }

    /// The event that a function gets.
    pub(super) fn payload(&self, parts: &[Part]) -> Bytes {
        let records = parts.iter().flat_map(|part| &part.records).map(|record| record.json.len() + 1).sum::<usize>();
        let mut payload = String::with_capacity(self.head.len() + 2 + records + parts.len() * PER_PARTITION_BYTES);
        payload.push_str(&self.head);
        for (at, part) in parts.iter().filter(|part| part.is_delivered()).enumerate() {
            payload.push_str(if at > 0 { "," } else { "" });
            payload.push_str(&serde_json::Value::from(self.identifier(part.partition)).to_string());
            payload.push_str(":[");
            for (at, record) in part.records.iter().filter(|record| !record.is_filtered()).enumerate() {
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

/// What failed together comes again together; it fitted into one payload before.
fn parts_again(ledgers: &mut BTreeMap<i32, Ledger>, group: u64) -> Vec<Part> {
    let of_group = |ledger: &Ledger| ledger.retry().filter(|retry| retry.group == group && !ledger.in_flight);
    let mut parts = Vec::new();
    for (partition, ledger) in ledgers {
        if let Some(retry) = of_group(ledger) {
            parts.push(Part {
                partition: *partition,
                epoch: ledger.epoch,
                end: retry.end,
                records: ledger.pop_retry(),
            });
        }
    }
    parts
}
