//! Straight into the topic `user-events`, in its wire format.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use freshet_events::{UserEvent, iso8601};
use freshet_stream::{ProducerOptions, Security};
use indicatif::ProgressBar;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::look::{Looked, look};
use super::summary::{Fate, Tally};
use super::{Pace, Planned};
use crate::api_client::ApiClient;
use crate::cloud::USER_EVENTS;
use crate::kafka::now_ms;

/// Records on their way at the most.
const IN_FLIGHT: u32 = 20_000;
/// How long the broker may take for its first answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a record is tried.
const RECORD_TIMEOUT_MS: &str = "30000";

/// A record on its way: when it left, whether it is a click, and its place among those in flight.
type Ticket = Box<(Instant, bool, OwnedSemaphorePermit)>;

/// Counts what the broker says.
struct Ledger {
    tally: Arc<Mutex<Tally>>,
    bar: ProgressBar,
}

impl ClientContext for Ledger {}

impl ProducerContext for Ledger {
    type DeliveryOpaque = Ticket;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Ticket) {
        let (sent, click, permit) = *ticket;
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(_) => {
                if click {
                    tally.count_click();
                }
                tally.count(Fate::Acknowledged, sent.elapsed());
            }
            Err((error, _)) => tally.count(Fate::Unknown(error.to_string()), sent.elapsed()),
        }
        self.bar.inc(1);
        drop(permit);
    }
}

/// Sends all `events`, or until `stop`, and waits for every acknowledgement.
///
/// # Errors
/// No broker answers, the topic is missing, or an event can't be read; the ones before it are sent.
pub(crate) async fn send(
    brokers: &str,
    api: Option<&ApiClient>,
    events: impl Iterator<Item = anyhow::Result<Planned>>,
    pace: Pace,
    tally: &mut Tally,
    bar: &ProgressBar,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    check(brokers).await?;
    let shared = Arc::new(Mutex::new(tally.clone()));
    let producer: ThreadedProducer<Ledger> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("acks", "all")
        // In order. Idempotence would cost up to a second at the start; a retry's double counts once by its eventId.
        .set("enable.idempotence", "false")
        .set("max.in.flight.requests.per.connection", "1")
        .set("partitioner", "murmur2_random")
        .set("linger.ms", "5")
        .set("message.timeout.ms", RECORD_TIMEOUT_MS)
        .create_with_context(Ledger { tally: Arc::clone(&shared), bar: bar.clone() })?;
    let places = Arc::new(Semaphore::new(IN_FLIGHT as usize));
    let ended = produce(&producer, &places, api, events, pace, &shared, stop).await;
    // All places are free: every record has its answer, or its timeout.
    let all = places.acquire_many(IN_FLIGHT).await;
    drop(all);
    *tally = shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
    ended
}

async fn produce(
    producer: &ThreadedProducer<Ledger>,
    places: &Arc<Semaphore>,
    api: Option<&ApiClient>,
    events: impl Iterator<Item = anyhow::Result<Planned>>,
    pace: Pace,
    tally: &Mutex<Tally>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let started = tokio::time::Instant::now();
    for (event, index) in events.zip(0_u64..) {
        let place = async {
            pace.turn(started, index).await;
            Arc::clone(places).acquire_owned().await
        };
        let permit = tokio::select! {
            permit = place => permit?,
            () = stop.cancelled() => break,
        };
        // As a click needs it and no more, exposures neither: the topic is fed as fast as it goes.
        let Looked { planned, clicked, hit, .. } = match api {
            Some(api) => look(api, event?, false).await,
            None => Looked { planned: event?, exposure: None, clicked: false, hit: None },
        };
        if let Some(hit) = hit {
            tally.lock().unwrap_or_else(PoisonError::into_inner).count_look(index, hit);
        }
        let value = serde_json::to_vec(&record(&planned))?;
        let ticket: Ticket = Box::new((Instant::now(), clicked, permit));
        let record = BaseRecord::with_opaque_to(USER_EVENTS, ticket).key(&planned.user_id).payload(&value);
        if let Err((error, record)) = producer.send(record) {
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            tally.count(Fate::Refused(error.to_string()), record.delivery_opaque.0.elapsed());
        }
    }
    Ok(())
}

fn record(planned: &Planned) -> UserEvent {
    UserEvent {
        event_id: planned.event_id.clone(),
        user_id: planned.user_id.clone(),
        event_type: planned.event_type,
        product_id: planned.product_id.clone(),
        timestamp: iso8601(now_ms()),
        metadata: planned.metadata.clone(),
    }
}

/// A missing topic would show only after half a minute.
async fn check(brokers: &str) -> anyhow::Result<()> {
    let options =
        ProducerOptions { bootstrap_servers: brokers.to_owned(), security: Security::Plaintext, deadline: ANSWER };
    let producer = freshet_stream::Producer::new(options)?;
    producer.ping(&[USER_EVENTS.to_owned()], ANSWER).await.with_context(|| format!("Kafka at {brokers}"))
}
