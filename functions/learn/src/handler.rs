//! Applies a batch of signals: each item is read once and written once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use freshet_engine::{Engine, Item};
use freshet_events::{Invalid, MetricsRecord};
use freshet_store::catalogue::Snapshot;
use freshet_store::{CatalogueCache, Put, Store, StoreError};
use freshet_stream::response::{FirstFailures, note_failure};
use freshet_stream::{Batch, BatchResponse, Message, Producer, StreamError, dead_letter};
use freshet_telemetry::Event;

use crate::intake::{self, Placed};

/// The function's name in logs, metrics and dead letters.
pub(crate) const FUNCTION: &str = "learn";

/// What lives as long as the process.
pub(crate) struct Context {
    pub(crate) engine: Engine,
    pub(crate) store: Store,
    pub(crate) producer: Producer,
    pub(crate) catalogue: CatalogueCache,
    pub(crate) metrics_topic: String,
}

/// Why the whole batch must come again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// DynamoDB could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Kafka did not acknowledge.
    #[error(transparent)]
    Stream(#[from] StreamError),
}

/// One item whose model changed.
struct Changed {
    item: Item,
    put: Put,
    /// The first record by partition: where redelivery must begin if the write fails.
    first: FirstFailures,
}

pub(crate) async fn handle(context: &Context, batch: Batch, now_ms: i64) -> Result<BatchResponse, Error> {
    let started = Instant::now();
    let intake = intake::read(&batch);
    let ids: Vec<String> = intake.by_item.keys().cloned().collect();
    let (fetched, catalogue) =
        tokio::try_join!(context.store.get::<Item>(&ids), context.catalogue.get(&context.store, now_ms))?;

    let mut messages: Vec<Message> =
        intake.refused.iter().map(|(record, why)| dead_letter(FUNCTION, record, why)).collect();
    let mut found = fetched.found;
    let mut changed = Vec::new();
    let mut settled = BTreeMap::new();
    for (id, signals) in &intake.by_item {
        if let Some(error) = fetched.corrupt.get(id) {
            Event::Corrupt { function: FUNCTION, key: id, error }.emit();
            messages.extend(unreadable(&batch, signals, error));
            continue;
        }
        let mut stored = found.remove(id).unwrap_or_default();
        let applied = signals.iter().filter(|placed| context.engine.learn(&mut stored.value, &placed.signal)).count();
        if applied > 0 {
            let put = context.store.put_of(id, &stored.value, stored.seen, now_ms);
            changed.push((id.clone(), Changed { item: stored.value, put, first: first_records(signals) }));
        } else {
            // Delivered again: the item is written, but a crash may have kept its count from the popularity.
            settled.insert(id.clone(), stored.value);
        }
    }

    let mut failures = FirstFailures::new();
    let applied = changed.len();
    settled.extend(write(context, changed, &mut failures).await);
    update_popularity(context, &intake.by_item, &settled, &catalogue).await?;
    learn_products(context, &intake.by_item, &catalogue, &mut failures).await;

    let duration_ms = started.elapsed().as_secs_f64() * 1_000.0;
    messages.push(metrics(context, &batch, intake.refused.len(), now_ms, duration_ms));
    context.producer.send_all(&messages).await?;
    let response = BatchResponse::new(&batch.records, &failures);
    let failed = response.batch_item_failures.len();
    Event::Batch { function: FUNCTION, records: batch.len(), applied, failed, duration_ms }.emit();
    Ok(response)
}

/// Writes the changed items; returns those that are written.
async fn write(
    context: &Context,
    changed: Vec<(String, Changed)>,
    failures: &mut FirstFailures,
) -> BTreeMap<String, Item> {
    let mut kept = Vec::with_capacity(changed.len());
    let mut puts = Vec::with_capacity(changed.len());
    for (id, Changed { item, put, first }) in changed {
        puts.push(put);
        kept.push((id, item, first));
    }
    let outcomes = context.store.put::<Item>(puts).await;
    let mut written = BTreeMap::new();
    for ((id, item, first), outcome) in kept.into_iter().zip(outcomes) {
        match outcome {
            Ok(()) => drop(written.insert(id, item)),
            Err(error) => {
                report(&id, &error);
                first.iter().for_each(|(partition, offset)| note_failure(failures, *partition, *offset));
            }
        }
    }
    written
}

fn report(key: &str, error: &StoreError) {
    match error {
        StoreError::Conflict { .. } => Event::Conflict { function: FUNCTION, key }.emit(),
        other => Event::Dependency { function: FUNCTION, dependency: "DynamoDB", error: &other.to_string() }.emit(),
    }
}

/// Carries the items' own counts into the popularity of their partition: assigned, not added, so a repeat is harmless.
async fn update_popularity(
    context: &Context,
    by_item: &BTreeMap<String, Vec<Placed>>,
    settled: &BTreeMap<String, Item>,
    catalogue: &Arc<Snapshot>,
) -> Result<(), StoreError> {
    let mut partitions: BTreeMap<u32, Vec<(&String, &Item)>> = BTreeMap::new();
    for (id, item) in settled {
        if let Some(placed) = by_item.get(id).and_then(|signals| signals.iter().find(|p| p.signal.interest != 0.0)) {
            partitions.entry(placed.partition).or_default().push((id, item));
        }
    }
    for (partition, items) in partitions {
        let mut shard = context.store.popularity_shard(partition).await?;
        let mut moved = false;
        for (id, item) in items {
            let category = catalogue.products.get(id).and_then(|product| product.category.as_deref());
            moved |= shard.update(&id.as_str().into(), category, context.engine.demand(item));
        }
        if moved {
            context.store.put_popularity_shard(partition, &shard).await?;
        }
    }
    Ok(())
}

/// Writes what websites said of products that the catalogue does not hold, or holds unconfirmed and otherwise.
async fn learn_products(
    context: &Context,
    by_item: &BTreeMap<String, Vec<Placed>>,
    catalogue: &Arc<Snapshot>,
    failures: &mut FirstFailures,
) {
    let mut wrote = false;
    for (id, signals) in by_item {
        let Some((placed, seen)) = signals.iter().rev().find_map(|placed| Some((placed, placed.product.as_ref()?)))
        else {
            continue;
        };
        let known = catalogue.products.get(id);
        let news = known.is_none_or(|known| {
            !known.confirmed
                && (&known.name, &known.category, &known.price) != (&seen.name, &seen.category, &seen.price)
        });
        if news {
            match context.store.put_seen_product(id, seen).await {
                Ok(written) => wrote |= written,
                Err(error) => {
                    report(id, &error);
                    note_failure(failures, placed.partition, placed.offset);
                }
            }
        }
    }
    if wrote {
        context.catalogue.expire();
        if let Err(error) = context.store.bump_catalogue_version().await {
            report("catalogue/version", &error);
        }
    }
}

fn first_records(signals: &[Placed]) -> FirstFailures {
    let mut first = FirstFailures::new();
    signals.iter().for_each(|placed| note_failure(&mut first, placed.partition, placed.offset));
    first
}

/// The signals of an item whose document can't be read are given up rather than hold their partition for ever.
fn unreadable<'a>(batch: &'a Batch, signals: &'a [Placed], error: &'a str) -> impl Iterator<Item = Message> + 'a {
    let why = Invalid::new("document", "a readable item document", error);
    let records = batch.records.iter().flat_map(|partition| &partition.records);
    records
        .filter(|record| signals.iter().any(|p| (p.partition, p.offset) == (record.partition, record.offset)))
        .map(move |record| dead_letter(FUNCTION, record, &why))
}

fn metrics(context: &Context, batch: &Batch, dead: usize, now_ms: i64, duration_ms: f64) -> Message {
    let record = MetricsRecord {
        function: FUNCTION.to_owned(),
        at: now_ms + duration_ms as i64,
        generation: 0,
        records: batch.len() as u64,
        dead: dead as u64,
        duration_ms,
        capacity: context.store.meter.take(),
        outcomes: Vec::new(),
    };
    Message {
        topic: context.metrics_topic.clone(),
        key: FUNCTION.to_owned(),
        value: serde_json::to_vec(&record).unwrap_or_default(),
    }
}
