//! Reads the topics: every partition from a place of its own, in nobody's group, committing nothing.

use std::collections::{BTreeSet, HashMap};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use freshet_stream::msk_iam::Context;
use freshet_stream::{ProducerOptions, groups};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message as _, Offset, TopicPartitionList};
use tokio::sync::mpsc;

use super::incoming::{DEAD_SUFFIX, Incoming, RECOMMENDATIONS};
use crate::cloud::{METRICS, USER_EVENTS};
use crate::kafka::{ANSWER, Place, Since, now_ms, offsets};

/// The client's name; as a group it has no members and no offsets.
const GROUP: &str = "freshet-monitor";
/// How long the brokers may take for an answer while records may be waiting to be shown.
const LOOK_ANSWER: Duration = Duration::from_secs(2);
/// How long one poll may wait.
const POLL: Duration = Duration::from_millis(100);
/// Between two looks for new topics and partitions; also until it is noticed that a broker is back.
const LOOK: Duration = Duration::from_secs(10);
const LOOK_WHILE_AWAY: Duration = Duration::from_secs(1);
/// Records handed over at once.
const BATCH: usize = 1_000;
/// Batches that wait to be shown.
const QUEUE: usize = 8;
/// Records of the metrics topic that are read from its beginning; of a longer one, the last hour.
const MAX_HISTORY: i64 = 100_000;
/// What the live figures' "recent" looks back.
const HISTORY: Duration = Duration::from_mins(61);
/// librdkafka, for somebody who only looks: small queues, quick reconnects.
const SETTINGS: [(&str, &str); 6] = [
    ("auto.offset.reset", "earliest"),
    ("queued.max.messages.kbytes", "16384"),
    ("reconnect.backoff.ms", "50"),
    ("reconnect.backoff.max.ms", "1000"),
    ("fetch.error.backoff.ms", "100"),
    ("client.id", GROUP),
];

/// What the reader tells.
#[derive(Debug)]
pub(crate) enum News {
    /// Records, in the order of their partitions.
    Records(Vec<Incoming>),
    /// The metrics from before the start are read: the figures are whole.
    CaughtUp,
    /// No broker answers.
    Away(String),
    /// One answers again.
    Back,
}

/// The reader and what it could find out before the first record.
pub(crate) struct Reader {
    /// What it tells; closed when it is at its end.
    pub(crate) news: mpsc::Receiver<News>,
    /// Do the figures go back to the beginning of the metrics topic?
    pub(crate) whole_history: bool,
    /// Ends when `news` is dropped.
    pub(crate) thread: JoinHandle<()>,
}

struct Reading {
    consumer: BaseConsumer<Context>,
    assigned: BTreeSet<Place>,
    /// Where the metrics from before the start end, by partition.
    history: HashMap<i32, i64>,
    whole_history: bool,
}

/// Connects, and starts to read in a thread of its own. Blocking until the brokers have answered.
///
/// # Errors
/// No broker answers, or it has no topic `user-events`.
pub(crate) fn start(options: &ProducerOptions, since: Since) -> anyhow::Result<Reader> {
    let brokers = &options.bootstrap_servers;
    let consumer = groups::outsider(options, GROUP, &SETTINGS)?;
    let mut reading = Reading { consumer, assigned: BTreeSet::new(), history: HashMap::new(), whole_history: true };
    let places = reading.places(ANSWER).with_context(|| format!("no Kafka answers at {brokers}"))?;
    if !places.iter().any(|(topic, _)| topic == USER_EVENTS) {
        bail!("the Kafka at {brokers} has no topic {USER_EVENTS}: is it the right one?");
    }
    reading.assign(places, since).with_context(|| format!("reading from {brokers}"))?;
    let whole_history = reading.whole_history;
    let (sender, news) = mpsc::channel(QUEUE);
    let thread = std::thread::Builder::new().name("monitor-reader".to_owned()).spawn(move || reading.run(&sender))?;
    Ok(Reader { news, whole_history, thread })
}

impl Reading {
    /// The partitions that are there.
    fn places(&self, answer: Duration) -> Result<BTreeSet<Place>, KafkaError> {
        let metadata = self.consumer.fetch_metadata(None, answer)?;
        let ours = |name: &str| [USER_EVENTS, RECOMMENDATIONS, METRICS].contains(&name) || name.ends_with(DEAD_SUFFIX);
        let topics = metadata.topics().iter().filter(|topic| ours(topic.name()));
        let places = topics.flat_map(|topic| topic.partitions().iter().map(|p| (topic.name().to_owned(), p.id())));
        Ok(places.collect())
    }

    /// Begins to read `places`, each from where it should be.
    fn assign(&mut self, places: BTreeSet<Place>, since: Since) -> Result<(), KafkaError> {
        let ends = offsets(&self.consumer, &places, Offset::End)?;
        let starts = offsets(&self.consumer, &places, Offset::Beginning)?;
        let metrics: BTreeSet<Place> = places.iter().filter(|(topic, _)| topic == METRICS).cloned().collect();
        let length: i64 = metrics.iter().map(|place| ends[place] - starts[place]).sum();
        self.whole_history = length <= MAX_HISTORY;
        let others: BTreeSet<Place> = places.difference(&metrics).cloned().collect();
        let mut begin = match since {
            Since::Now => ends.clone(),
            Since::Beginning => starts.clone(),
            Since::Ago(_) | Since::At(_) => offsets(&self.consumer, &others, since.offset())?,
        };
        let history: HashMap<Place, i64> = if self.whole_history {
            starts.into_iter().filter(|(place, _)| metrics.contains(place)).collect()
        } else {
            offsets(&self.consumer, &metrics, Since::Ago(HISTORY).offset())?
        };
        begin.extend(history);
        let mut list = TopicPartitionList::new();
        for place @ (topic, partition) in &places {
            // A time after the last record has no offset: what comes next, then.
            let offset = begin.get(place).copied().filter(|offset| *offset >= 0).unwrap_or(ends[place]);
            if metrics.contains(place) && offset < ends[place] {
                self.history.insert(*partition, ends[place]);
            }
            list.add_partition_offset(topic, *partition, Offset::Offset(offset))?;
        }
        self.consumer.assign(&list)?;
        self.assigned = places;
        Ok(())
    }

    fn run(mut self, news: &mpsc::Sender<News>) {
        let (mut away, mut behind, mut looked) = (false, true, Instant::now());
        while !news.is_closed() {
            let was_away = away;
            let (records, failed) = self.poll();
            let mut told = Vec::new();
            let alive = !records.is_empty();
            if alive {
                told.push(News::Records(records));
            }
            let pause = if away { LOOK_WHILE_AWAY } else { LOOK };
            let found = (failed || looked.elapsed() > pause).then(|| self.look());
            if found.is_some() {
                looked = Instant::now();
            }
            match found {
                Some(Err(error)) if !away && !alive => {
                    away = true;
                    told.push(News::Away(error.to_string()));
                }
                Some(Ok(())) if away => away = false,
                _ if away && alive => away = false,
                _ => {}
            }
            if was_away && !away {
                told.push(News::Back);
            }
            if behind && self.history.is_empty() {
                behind = false;
                told.push(News::CaughtUp);
            }
            if told.into_iter().any(|one| news.blocking_send(one).is_err()) {
                return;
            }
        }
    }

    /// Everything that is there, up to a batch; and whether a broker may be away.
    fn poll(&mut self) -> (Vec<Incoming>, bool) {
        let (mut records, mut wait) = (Vec::new(), POLL);
        while records.len() < BATCH {
            match self.consumer.poll(wait) {
                None => break,
                Some(Ok(message)) => {
                    let (record, topic) = (read(&message), message.topic());
                    if topic == METRICS
                        && self.history.get(&message.partition()).is_some_and(|end| message.offset() + 1 >= *end)
                    {
                        self.history.remove(&message.partition());
                    }
                    records.extend(record);
                    wait = Duration::ZERO;
                }
                Some(Err(error)) => return (records, is_away(&error)),
            }
        }
        (records, false)
    }

    /// Reads also what was made since the last look, from its beginning.
    fn look(&mut self) -> Result<(), KafkaError> {
        let places = self.places(LOOK_ANSWER)?;
        let mut list = TopicPartitionList::new();
        for (topic, partition) in places.difference(&self.assigned) {
            list.add_partition_offset(topic, *partition, Offset::Beginning)?;
        }
        if list.count() > 0 {
            self.consumer.incremental_assign(&list)?;
            self.assigned.extend(places);
        }
        Ok(())
    }
}

/// A record without a value says nothing.
fn read(message: &BorrowedMessage<'_>) -> Option<Incoming> {
    let at_ms = message.timestamp().to_millis().unwrap_or_else(now_ms);
    let value = message.payload()?;
    Some(Incoming::read(message.topic(), message.partition(), message.offset(), at_ms, value))
}

fn is_away(error: &KafkaError) -> bool {
    let code = error.rdkafka_error_code();
    code.is_some_and(|code| {
        use RDKafkaErrorCode as Code;
        matches!(code, Code::AllBrokersDown | Code::BrokerTransportFailure | Code::Resolve | Code::Authentication)
    })
}
