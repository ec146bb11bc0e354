//! A batch of lists to the sockets of whom they are for: the newest of each person, one read a person.
//!
//! A push is an announcement, not state: what does not arrive is made up for by the next list, or by the page's own look every
//! 30 s. So a socket that can't be reached never holds up a partition; only DynamoDB being away does.

use std::collections::BTreeMap;
use std::time::Instant;

use freshet_events::{RecommendationsRecord, parse_iso8601, socket};
use freshet_store::{Store, StoreError};
use freshet_stream::response::FirstFailures;
use freshet_stream::{Batch, BatchResponse};
use freshet_telemetry::Event;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use crate::sockets::{Sent, Sockets};

/// The function's name in logs.
const FUNCTION: &str = "push";
/// Persons looked up, and messages on their way, at one time.
const CONCURRENCY: usize = 32;
/// Older lists interest nobody any more, milliseconds: the page has asked for the newest meanwhile.
const STALE_AFTER_MS: i64 = 5 * 60 * 1_000;

/// What lives as long as the process.
pub(crate) struct Context {
    pub(crate) store: Store,
    pub(crate) sockets: Sockets,
}

/// What became of the messages of a batch.
#[derive(Debug, Default)]
struct Tally {
    sent: usize,
    gone: usize,
    missed: usize,
}

pub(crate) async fn handle(context: &Context, batch: Batch, now_ms: i64) -> Result<BatchResponse, StoreError> {
    let started = Instant::now();
    let lists = newest(&batch, now_ms);
    let count = lists.len();
    let tallies: Vec<Tally> = stream::iter(lists.into_values())
        .map(|list| push(context, list))
        .buffer_unordered(CONCURRENCY)
        .try_collect()
        .await?;
    let sum = |of: fn(&Tally) -> usize| tallies.iter().map(of).sum();
    let (sent, gone, missed) = (sum(|tally| tally.sent), sum(|tally| tally.gone), sum(|tally| tally.missed));
    let duration_ms = started.elapsed().as_secs_f64() * 1_000.0;
    Event::Pushed { function: FUNCTION, lists: count, sent, gone, missed, duration_ms }.emit();
    Ok(BatchResponse::new(&batch.records, &FirstFailures::new()))
}

/// The newest list of each person; a person's lists are in one partition, in order.
fn newest(batch: &Batch, now_ms: i64) -> BTreeMap<String, RecommendationsRecord> {
    let records = batch.records.iter().flat_map(|partition| &partition.records);
    let mut lists = BTreeMap::new();
    for record in records {
        match serde_json::from_slice::<RecommendationsRecord>(record.value.as_deref().unwrap_or_default()) {
            Ok(list) if parse_iso8601(&list.generated_at).is_some_and(|at| now_ms - at > STALE_AFTER_MS) => {}
            Ok(list) => drop(lists.insert(list.user_id.clone(), list)),
            // Not ours: there is nobody to tell.
            Err(error) => Event::Refused { function: FUNCTION, status: 400, error: &error.to_string() }.emit(),
        }
    }
    lists
}

async fn push(context: &Context, list: RecommendationsRecord) -> Result<Tally, StoreError> {
    let connections = context.store.sockets_of(&list.user_id).await?;
    if connections.is_empty() {
        return Ok(Tally::default());
    }
    let message = socket::recommendations(&list).to_string().into_bytes();
    let outcomes = stream::iter(&connections).map(|connection| {
        let message = message.clone();
        async move { (connection, context.sockets.send(connection, message).await) }
    });
    let mut outcomes = outcomes.buffer_unordered(CONCURRENCY);
    let mut tally = Tally::default();
    while let Some((connection, outcome)) = outcomes.next().await {
        match outcome {
            Sent::Taken => tally.sent += 1,
            Sent::Gone => {
                tally.gone += 1;
                if let Err(error) = context.store.unsubscribe(&list.user_id, connection).await {
                    // The next list meets it again.
                    Event::Dependency { function: FUNCTION, dependency: "DynamoDB", error: &error.to_string() }.emit();
                }
            }
            Sent::Missed(error) => {
                tally.missed += 1;
                Event::Dependency { function: FUNCTION, dependency: "API Gateway", error: &error }.emit();
            }
        }
    }
    Ok(tally)
}
