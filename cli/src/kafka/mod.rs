//! A Kafka, read from outside: every partition from a place of its own, in nobody's group, committing nothing.

mod target;

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use freshet_stream::msk_iam::Context;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

pub(crate) use target::{Target, find};

/// How long the brokers may take for an answer.
pub(crate) const ANSWER: Duration = Duration::from_secs(5);

/// A partition by topic and number.
pub(crate) type Place = (String, i32);

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// With what comes now.
    Now,
    /// So long ago.
    Ago(Duration),
    /// At this time, milliseconds since the epoch.
    At(i64),
    /// With what the topics still hold.
    Beginning,
}

impl Since {
    /// The time it is, milliseconds since the epoch; `None`: an end of the topics.
    pub(crate) fn at_ms(self) -> Option<i64> {
        match self {
            Self::Now | Self::Beginning => None,
            Self::Ago(time) => {
                Some(now_ms().saturating_sub(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)).max(0))
            }
            Self::At(at_ms) => Some(at_ms),
        }
    }

    /// As Kafka is asked for offsets: the time, or one of its two ends.
    pub(crate) fn offset(self) -> Offset {
        match (self, self.at_ms()) {
            (_, Some(at_ms)) => Offset::Offset(at_ms),
            (Self::Now, None) => Offset::End,
            (_, None) => Offset::Beginning,
        }
    }
}

/// The offsets of the beginning, the end, or a time (milliseconds since the epoch, as an offset), in one question. A time after
/// the last record is at -1.
///
/// # Errors
/// No broker answers, or it does not know a partition.
pub(crate) fn offsets(
    consumer: &BaseConsumer<Context>,
    places: &BTreeSet<Place>,
    at: Offset,
) -> Result<HashMap<Place, i64>, KafkaError> {
    let mut asked = TopicPartitionList::new();
    for (topic, partition) in places {
        asked.add_partition_offset(topic, *partition, at)?;
    }
    if places.is_empty() {
        return Ok(HashMap::new());
    }
    let answer = consumer.offsets_for_times(asked, ANSWER)?;
    let mut offsets = HashMap::new();
    for element in answer.elements() {
        element.error()?;
        let offset = if let Offset::Offset(offset) = element.offset() { offset } else { -1 };
        offsets.insert((element.topic().to_owned(), element.partition()), offset);
    }
    Ok(offsets)
}

/// Now, milliseconds since the epoch.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
