//! One batch of `user-events`: each person is read once and written once.
//!
//! The order is what makes it effectively once: (1) items' signals are sent and acknowledged, (2) persons are written with
//! their watermarks, (3) lists and figures are sent. A crash after (1) sends the same signals again, which `learn` drops; a
//! crash after (2) finds the persons' watermarks in place and only repeats (3).

use std::collections::BTreeMap;
use std::time::Instant;

use freshet_engine::Person;
use freshet_events::Invalid;
use freshet_store::{Fetched, StoreError};
use freshet_stream::response::{FirstFailures, note_failure};
use freshet_stream::{Batch, BatchResponse, Message, Record, StreamError, dead_letter};
use freshet_telemetry::Event;

use crate::context::{Context, Shared};
use crate::intake::{self, Placed};
use crate::lists;
use crate::observe::{self, Observed};
use crate::publish;
use crate::teach;

/// The function's name in logs, metrics and dead letters.
pub(crate) const FUNCTION: &str = "recommend";

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

pub(crate) async fn handle(context: &Context, batch: Batch, now_ms: i64) -> Result<BatchResponse, Error> {
    let started = Instant::now();
    let intake = intake::read(&batch, context.topics.generation);
    let ids: Vec<String> = intake.by_person.keys().cloned().collect();
    let (people, shared) = tokio::try_join!(context.store.get::<Person>(&ids), context.shared(now_ms))?;

    teach::teach(context, &shared, &intake.by_person, &people, now_ms).await?;
    let dead = give_up(&batch, &intake, &people);
    let mut observed = observe_all(context, &shared, &intake.by_person, people);

    let mut signals: Vec<Message> = dead.iter().map(|(record, why)| dead_letter(FUNCTION, record, why)).collect();
    signals.extend(in_source_order(&mut observed));
    context.producer.send_all(&signals).await?;

    let last = publish::last_events(&intake.by_person);
    let cause = |user_id: &str| last.get(user_id).map(|event| (event.event_id.clone(), lists::list_id(event)));
    lists::renew(context, &shared, &mut observed, cause, now_ms).await?;
    let failures = write(context, &mut observed, &intake.by_person, now_ms).await;

    let duration_ms = started.elapsed().as_secs_f64() * 1_000.0;
    let told = observed.iter().filter(|person| person.new_list || person.resend);
    let mut messages: Vec<Message> = told
        .filter_map(|person| {
            publish::list(context, &shared.catalogue, person, last.get(person.user_id.as_str())?, duration_ms)
        })
        .collect();
    let refused: Vec<&Record> = dead.iter().map(|(record, _)| *record).collect();
    messages.push(publish::metrics(context, &batch, &observed, &refused, &failures, now_ms, duration_ms));
    context.producer.send_all(&messages).await?;

    let response = BatchResponse::new(&batch.records, &failures);
    let (applied, failed) = (observed.iter().map(|p| p.applied).sum(), response.batch_item_failures.len());
    dead.iter().for_each(|(record, why)| {
        let reason = &why.to_string();
        Event::DeadLetter { function: FUNCTION, partition: record.partition, offset: record.offset, reason }.emit();
    });
    Event::Batch { function: FUNCTION, records: batch.len(), applied, failed, duration_ms }.emit();
    Ok(response)
}

/// The records that can never be processed: those that are no events, and those of persons whose document can't be read.
fn give_up<'a>(batch: &'a Batch, intake: &intake::Intake<'a>, people: &Fetched<Person>) -> Vec<(&'a Record, Invalid)> {
    let mut dead = intake.refused.clone();
    for (user_id, error) in &people.corrupt {
        Event::Corrupt { function: FUNCTION, key: user_id, error }.emit();
        let events = intake.by_person.get(user_id).map(Vec::as_slice).unwrap_or_default();
        let is_theirs = |record: &&Record| {
            events.iter().any(|event| {
                (event.interaction.source.partition, event.interaction.offset) == (record.partition, record.offset)
            })
        };
        let records = batch.records.iter().flat_map(|partition| &partition.records).filter(is_theirs);
        dead.extend(records.map(|record| (record, Invalid::new("document", "a readable person document", error))));
    }
    dead
}

fn observe_all(
    context: &Context,
    shared: &Shared,
    by_person: &BTreeMap<String, Vec<Placed>>,
    mut people: Fetched<Person>,
) -> Vec<Observed> {
    by_person
        .iter()
        .filter(|(user_id, _)| !people.corrupt.contains_key(*user_id))
        .map(|(user_id, events)| {
            let person = people.found.remove(user_id).unwrap_or_default();
            let topic = &context.topics.item_signals;
            let strategy = shared.split.strategy_of(user_id);
            observe::observe(&context.engine, &shared.catalogue, topic, user_id.clone(), strategy, person, events)
        })
        .collect()
}

/// The signals in the order of their source offsets: `learn` drops what comes at or under an item's watermark.
fn in_source_order(observed: &mut [Observed]) -> Vec<Message> {
    let mut signals: Vec<(u32, u64, Message)> =
        observed.iter_mut().flat_map(|person| std::mem::take(&mut person.signals)).collect();
    signals.sort_by_key(|(partition, offset, _)| (*partition, *offset));
    signals.into_iter().map(|(_, _, message)| message).collect()
}

/// Writes the persons who moved; those that could not be written are no longer told of, and come again.
async fn write(
    context: &Context,
    observed: &mut Vec<Observed>,
    by_person: &BTreeMap<String, Vec<Placed>>,
    now_ms: i64,
) -> FirstFailures {
    let moved: Vec<usize> = (0..observed.len()).filter(|at| observed[*at].moved).collect();
    let puts = moved
        .iter()
        .map(|at| {
            let person = &mut observed[*at];
            context.store.put_of(&person.user_id, &person.person.value, person.person.seen.take(), now_ms)
        })
        .collect();
    let mut failures = FirstFailures::new();
    let mut failed = Vec::new();
    for (at, outcome) in moved.into_iter().zip(context.store.put::<Person>(puts).await) {
        let Err(error) = outcome else { continue };
        let user_id = &observed[at].user_id;
        match &error {
            StoreError::Conflict { .. } => Event::Conflict { function: FUNCTION, key: user_id }.emit(),
            other => Event::Dependency { function: FUNCTION, dependency: "DynamoDB", error: &other.to_string() }.emit(),
        }
        for event in by_person.get(user_id).into_iter().flatten() {
            note_failure(&mut failures, event.interaction.source.partition, event.interaction.offset);
        }
        failed.push(user_id.clone());
    }
    observed.retain(|person| !failed.contains(&person.user_id));
    failures
}
