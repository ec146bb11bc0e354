//! Counts a batch of `metrics` into the live figures: one read and one write a partition.

use std::time::Instant;

use freshet_events::{Invalid, MetricsRecord};
use freshet_store::live::Live;
use freshet_store::{Store, StoreError};
use freshet_stream::response::{FirstFailures, note_failure};
use freshet_stream::{Batch, BatchResponse, Partition, Producer, Record, StreamError, dead_letter};
use freshet_telemetry::Event;

/// The function's name in logs and dead letters.
const FUNCTION: &str = "measure";

/// What lives as long as the process.
pub(crate) struct Context {
    pub(crate) store: Store,
    pub(crate) producer: Producer,
}

/// Why the whole batch must come again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Kafka did not acknowledge a dead letter.
    #[error(transparent)]
    Stream(#[from] StreamError),
}

pub(crate) async fn handle(context: &Context, batch: Batch) -> Result<BatchResponse, Error> {
    let started = Instant::now();
    let mut failures = FirstFailures::new();
    let mut dead = Vec::new();
    let mut applied = 0;
    for partition in &batch.records {
        let (records, refused) = read(partition);
        dead.extend(refused.iter().map(|(record, why)| dead_letter(FUNCTION, record, why)));
        match count(&context.store, partition.partition, &records).await {
            Ok(counted) => applied += counted,
            Err(error) => {
                report(partition.partition, &error);
                partition.records.iter().for_each(|r| note_failure(&mut failures, r.partition, r.offset));
            }
        }
    }
    context.producer.send_all(&dead).await?;
    let response = BatchResponse::new(&batch.records, &failures);
    let failed = response.batch_item_failures.len();
    let duration_ms = started.elapsed().as_secs_f64() * 1_000.0;
    Event::Batch { function: FUNCTION, records: batch.len(), applied, failed, duration_ms }.emit();
    Ok(response)
}

/// Counts the records of one partition; returns how many had something new.
async fn count(store: &Store, partition: u32, records: &[MetricsRecord]) -> Result<usize, StoreError> {
    // Other functions' records carry no outcomes: nothing to count, nothing to read.
    if records.iter().all(|record| record.outcomes.is_empty()) {
        return Ok(0);
    }
    let (mut live, version): (Live, u64) = store.live_partition(partition).await?;
    let applied = records.iter().filter(|record| live.apply(record)).count();
    if applied > 0 {
        store.put_live_partition(partition, &live, version).await?;
    }
    Ok(applied)
}

fn read(partition: &Partition) -> (Vec<MetricsRecord>, Vec<(&Record, Invalid)>) {
    let mut records = Vec::with_capacity(partition.records.len());
    let mut refused = Vec::new();
    for record in &partition.records {
        let value = record.value.as_deref().unwrap_or_default();
        match serde_json::from_slice(value) {
            Ok(metrics) => records.push(metrics),
            Err(error) => {
                let got = format!("{} bytes ({error})", value.len());
                refused.push((record, Invalid::new("value", "a metrics record", got)));
            }
        }
    }
    (records, refused)
}

fn report(partition: u32, error: &StoreError) {
    match error {
        StoreError::Conflict { .. } => Event::Conflict { function: FUNCTION, key: &format!("live/{partition}") }.emit(),
        other => Event::Dependency { function: FUNCTION, dependency: "DynamoDB", error: &other.to_string() }.emit(),
    }
}
