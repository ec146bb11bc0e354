//! What the world is told of a batch: the new lists, and the figures.

use std::collections::{BTreeMap, HashMap};

use freshet_events::metrics::{DEAD, Listed, Outcome, PartitionOutcomes};
use freshet_events::{MetricsRecord, RecommendationsRecord, iso8601};
use freshet_store::catalogue::Snapshot;
use freshet_stream::response::FirstFailures;
use freshet_stream::{Batch, Message, Record};

use crate::context::Context;
use crate::handler::FUNCTION;
use crate::intake::Placed;
use crate::observe::Observed;

/// The `recommendations` record of a person's current list.
pub(crate) fn list(
    context: &Context,
    catalogue: &Snapshot,
    observed: &Observed,
    last: &Placed,
    ms: f64,
) -> Option<Message> {
    let list = observed.person.value.list.as_ref()?;
    let record = RecommendationsRecord {
        user_id: observed.user_id.clone(),
        recommendations: list.entries.iter().map(|entry| catalogue.present(entry)).collect(),
        algorithm: list.strategy.as_str().to_owned(),
        generated_at: iso8601(list.generated_at_ms),
        caused_by: list.caused_by.clone(),
        event_type: last.event_type.as_str().to_owned(),
        product_id: last.interaction.item.to_string(),
        processing_ms: (ms * 1_000.0).round() / 1_000.0,
        recommendation_id: format!("{:016x}", list.recommendation_id),
    };
    Some(Message {
        topic: context.topics.recommendations.clone(),
        key: record.user_id.clone(),
        value: serde_json::to_vec(&record).unwrap_or_default(),
    })
}

/// The `metrics` record of the batch. A partition's outcomes stop at its first failure: `measure` keeps a watermark as well, and
/// what comes again is counted then.
pub(crate) fn metrics(
    context: &Context,
    batch: &Batch,
    observed: &[Observed],
    refused: &[&Record],
    failures: &FirstFailures,
    now_ms: i64,
    duration_ms: f64,
) -> Message {
    let mut outcomes: BTreeMap<u32, Vec<Outcome>> = BTreeMap::new();
    for (partition, outcome) in observed.iter().flat_map(|person| &person.outcomes) {
        outcomes.entry(*partition).or_default().push(*outcome);
    }
    for record in refused {
        let outcome =
            Outcome { offset: record.offset, event_type: DEAD, strategy: 0, listed: Listed::Unknown, clicked: 0 };
        outcomes.entry(record.partition).or_default().push(outcome);
    }
    let in_order = |(partition, mut events): (u32, Vec<Outcome>)| {
        events.retain(|outcome| failures.get(&partition).is_none_or(|first| outcome.offset < *first));
        events.sort_by_key(|outcome| outcome.offset);
        PartitionOutcomes { partition, events }
    };
    let record = MetricsRecord {
        function: FUNCTION.to_owned(),
        at: now_ms + duration_ms as i64,
        generation: context.topics.generation,
        records: batch.len() as u64,
        dead: refused.len() as u64,
        duration_ms,
        capacity: context.store.meter.take(),
        outcomes: outcomes.into_iter().map(in_order).collect(),
    };
    Message {
        topic: context.topics.metrics.clone(),
        key: FUNCTION.to_owned(),
        value: serde_json::to_vec(&record).unwrap_or_default(),
    }
}

/// The last event of each person that a list is owed to.
pub(crate) fn last_events(by_person: &BTreeMap<String, Vec<Placed>>) -> HashMap<&str, &Placed> {
    by_person.iter().filter_map(|(user_id, events)| Some((user_id.as_str(), events.last()?))).collect()
}
