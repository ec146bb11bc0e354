//! What the functions say of themselves on the topic `metrics`: batches, times, consumed capacity.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use freshet_events::MetricsRecord;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
use serde::Serialize;

use crate::cloud::METRICS;

/// Read units and write units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(super) struct Units {
    pub(super) read: f64,
    pub(super) write: f64,
}

/// One function, summed over its batches.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Function {
    /// Batches.
    pub(super) batches: u64,
    /// Records in them, those that came again included.
    pub(super) records: u64,
    /// Records that went to the dead letters.
    pub(super) dead: u64,
    /// When the first batch began, milliseconds since the epoch.
    pub(super) first_ms: Option<f64>,
    /// When the last batch was done.
    pub(super) last_ms: Option<f64>,
    /// Time in batches, milliseconds, summed over processes.
    pub(super) busy_ms: f64,
    /// Consumed capacity by table.
    pub(super) capacity: BTreeMap<String, Units>,
}

impl Function {
    fn add(&mut self, record: &MetricsRecord) {
        self.batches += 1;
        self.records += record.records;
        self.dead += record.dead;
        self.busy_ms += record.duration_ms;
        let (end, begin) = (record.at as f64, record.at as f64 - record.duration_ms);
        self.first_ms = Some(self.first_ms.map_or(begin, |first| first.min(begin)));
        self.last_ms = Some(self.last_ms.map_or(end, |last| last.max(end)));
        for (table, consumed) in &record.capacity {
            let units = self.capacity.entry(table.clone()).or_default();
            units.read += consumed.read;
            units.write += consumed.write;
        }
    }

    /// Seconds from the begin of the first batch to the end of the last.
    pub(super) fn seconds(&self) -> Option<f64> {
        Some((self.last_ms? - self.first_ms?) / 1_000.0)
    }

    /// Over all tables.
    pub(super) fn units(&self) -> Units {
        self.capacity
            .values()
            .fold(Units::default(), |sum, units| Units { read: sum.read + units.read, write: sum.write + units.write })
    }
}

/// Reads the topic from its beginning.
pub(super) struct Figures {
    consumer: BaseConsumer,
    /// By function.
    pub(super) functions: BTreeMap<String, Function>,
}

impl Figures {
    /// Of the Kafka at `brokers`.
    ///
    /// # Errors
    /// The client refuses.
    pub(super) fn new(brokers: &str) -> anyhow::Result<Self> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("group.id", "freshet-bench-figures")
            .set("enable.auto.commit", "false")
            .set("log_level", "0")
            .create()?;
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_offset(METRICS, 0, Offset::Beginning)?;
        consumer.assign(&partitions)?;
        Ok(Self { consumer, functions: BTreeMap::new() })
    }

    /// Takes what has come; waits for at most `wait` when nothing has. Blocking.
    ///
    /// # Errors
    /// Kafka fails for good, or a record is not of this shape.
    pub(super) fn take(&mut self, wait: Duration) -> anyhow::Result<()> {
        let mut wait = wait;
        while let Some(message) = self.consumer.poll(wait) {
            wait = Duration::ZERO;
            let Ok(message) = message else { continue };
            let record: MetricsRecord = serde_json::from_slice(message.payload().unwrap_or_default())
                .with_context(|| format!("a record of {METRICS} at offset {}", message.offset()))?;
            self.functions.entry(record.function.clone()).or_default().add(&record);
        }
        Ok(())
    }

    /// Records of `function` so far.
    pub(super) fn records(&self, function: &str) -> u64 {
        self.functions.get(function).map_or(0, |figures| figures.records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use freshet_events::metrics::Capacity;

    #[test]
    fn batches_of_several_processes_are_summed_and_span_first_to_last() {
        let record = |at, duration_ms, records| MetricsRecord {
            function: "recommend".into(),
            at,
            generation: 1,
            records,
            dead: 0,
            duration_ms,
            capacity: BTreeMap::from([("people".to_owned(), Capacity { read: 1.5, write: 2.0 })]),
            outcomes: Vec::new(),
        };
        let mut function = Function::default();
        function.add(&record(10_000, 500.0, 5));
        function.add(&record(9_800, 1_800.0, 7));
        assert_eq!((function.batches, function.records, function.busy_ms), (2, 12, 2_300.0));
        assert_eq!(function.seconds(), Some(2.0));
        assert_eq!(function.units(), Units { read: 3.0, write: 4.0 });
    }
}
