//! The answer of a function: which records come again.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::PartialFailures;
use super::batcher::{Batch, Batcher};
use super::record::Record;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    batch_item_failures: Option<Vec<Failure>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: Identifier,
}

#[derive(Deserialize)]
struct Identifier {
    partition: String,
    offset: i64,
}

/// The records of each part of `batch` that come again, by its place in `batch.parts`. `None`: the answer names something that is
/// not in the batch or is no answer at all, so the whole batch comes again.
pub(super) fn failed(
    payload: &[u8],
    batch: &Batch,
    batcher: &Batcher,
    reading: PartialFailures,
) -> Option<Vec<Vec<Record>>> {
    let mut named: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    // An empty answer and `null` are a success.
    let answer: Option<Answer> = if payload.is_empty() { None } else { serde_json::from_slice(payload).ok()? };
    for failure in answer.and_then(|answer| answer.batch_item_failures).unwrap_or_default() {
        named.entry(failure.item_identifier.partition).or_default().insert(failure.item_identifier.offset);
    }
    let mut again = Vec::with_capacity(batch.parts.len());
    for part in &batch.parts {
        let offsets = named.remove(&batcher.identifier(part.partition)).unwrap_or_default();
        if !offsets
            .iter()
            .all(|offset| part.records.iter().any(|record| record.offset == *offset && !record.is_filtered()))
        {
            return None;
        }
        let lowest = offsets.first().copied().unwrap_or(i64::MAX);
        let comes_again = |record: &&Record| match reading {
            PartialFailures::Strict => record.offset >= lowest,
            PartialFailures::Lenient => offsets.contains(&record.offset),
        };
        again.push(part.records.iter().filter(comes_again).cloned().collect());
    }
    named.is_empty().then_some(again)
}
