//! The records of `user-events` from one time to another, in nobody's group, committing nothing.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use freshet_events::iso8601;
use freshet_stream::{ProducerOptions, groups};
use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaError;
use rdkafka::{Message as _, Offset, TopicPartitionList};
use tokio_util::sync::CancellationToken;

use super::history::History;
use crate::cloud::USER_EVENTS;
use crate::kafka::{ANSWER, Place, Since, offsets};
use crate::output;

/// The client's name; as a group it has no members and no offsets.
const GROUP: &str = "freshet-replay";
/// How long one poll may wait: so often it is looked whether somebody stops it.
const POLL: Duration = Duration::from_millis(100);
/// So long without a record, and nobody will bring one any more.
const SILENCE: Duration = Duration::from_secs(30);
/// librdkafka, for somebody who reads a range and goes.
const SETTINGS: [(&str, &str); 4] = [
    ("auto.offset.reset", "earliest"),
    // The last offset of a range may be no record: a transaction's mark, or compacted away.
    ("enable.partition.eof", "true"),
    ("queued.max.messages.kbytes", "65536"),
    ("client.id", GROUP),
];

/// From when to when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) from: Since,
    /// `None`: the end as it is now.
    pub(super) until: Option<Since>,
}

/// Reads them. Blocking. `None`: stopped on the way.
///
/// # Errors
/// No broker answers, or it stops to; there is no topic `user-events`, or no record in the range.
pub(super) fn read(
    options: &ProducerOptions,
    range: Range,
    stop: &CancellationToken,
) -> anyhow::Result<Option<History>> {
    let brokers = &options.bootstrap_servers;
    let spinner = output::spinner(format!("connecting to {brokers}"));
    let consumer = groups::outsider(options, GROUP, &SETTINGS)?;
    let metadata = consumer.fetch_metadata(None, ANSWER).with_context(|| format!("no Kafka answers at {brokers}"))?;
    let topic = metadata.topics().iter().find(|topic| topic.name() == USER_EVENTS);
    let Some(topic) = topic else { bail!("the Kafka at {brokers} has no topic {USER_EVENTS}: is it the right one?") };
    let places: BTreeSet<Place> =
        topic.partitions().iter().map(|partition| (USER_EVENTS.to_owned(), partition.id())).collect();
    let ask = |at: Offset| offsets(&consumer, &places, at).with_context(|| format!("asking {brokers} for offsets"));
    let ends = ask(Offset::End)?;
    // A time after the last record has no offset: the end, then.
    let known = |offset: i64, place: &Place| if offset < 0 { ends[place] } else { offset };
    let begins = ask(range.from.offset())?;
    let untils = range.until.map(|until| ask(until.offset())).transpose()?;
    let (mut list, mut left, mut total) = (TopicPartitionList::new(), HashMap::new(), 0_u64);
    for place in &places {
        let begin = known(begins[place], place);
        let end = untils.as_ref().map_or(ends[place], |untils| known(untils[place], place).min(ends[place]));
        if begin < end {
            list.add_partition_offset(&place.0, place.1, Offset::Offset(begin))?;
            left.insert(place.1, end);
            total += (end - begin).unsigned_abs();
        }
    }
    spinner.finish_and_clear();
    if left.is_empty() {
        let from = range.from.at_ms().map_or_else(String::new, |at_ms| format!(" since {}", iso8601(at_ms)));
        let until = range.until.and_then(Since::at_ms).map_or_else(String::new, |at| format!(" until {}", iso8601(at)));
        bail!("--from: expected a range with events, got none in {USER_EVENTS} at {brokers}{from}{until}");
    }
    consumer.assign(&list)?;
    let (mut history, mut heard, mut last_error) = (History::default(), Instant::now(), None);
    let bar = output::bar(Some(total), "records");
    while !left.is_empty() {
        if stop.is_cancelled() {
            bar.finish_and_clear();
            return Ok(None);
        }
        match consumer.poll(POLL) {
            None if heard.elapsed() > SILENCE => {
                let why = last_error.map_or_else(String::new, |error: KafkaError| format!(": {error}"));
                bail!("no record from {brokers} for {} s{why}", SILENCE.as_secs());
            }
            None => {}
            Some(Ok(message)) => {
                heard = Instant::now();
                let (partition, offset) = (message.partition(), message.offset());
                let Some(end) = left.get(&partition).copied() else { continue };
                if offset < end {
                    history.take(partition, offset, message.timestamp().to_millis().unwrap_or(0), message.payload());
                    bar.inc(1);
                }
                if offset + 1 >= end {
                    left.remove(&partition);
                }
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                left.remove(&partition);
            }
            Some(Err(error)) => last_error = Some(error),
        }
    }
    bar.finish_and_clear();
    Ok(Some(history))
}
