//! The producer.
//!
//! Watermarks stand on order: what arrives in a partition must never skip a record that was handed over earlier. Hence
//! `acks=all`, one request in flight, and no timeout of single messages for stateful functions: what the broker has is
//! always a prefix of what was sent. When the caller's deadline passes, the whole queue is purged and the client replaced.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::stream::{FuturesUnordered, StreamExt as _};
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer as _, PurgeConfig};

use crate::error::StreamError;
use crate::msk_iam::Context;
use crate::security::Security;

/// How to reach Kafka and how long to insist.
#[derive(Debug, Clone)]
pub struct ProducerOptions {
    /// `host:port`, comma-joined.
    pub bootstrap_servers: String,
    /// Transport.
    pub security: Security,
    /// How long [`Producer::send_all`] waits for every acknowledgement.
    pub deadline: Duration,
}

impl ProducerOptions {
    /// Reads a function's environment.
    ///
    /// # Errors
    /// Names the variable that is missing or wrong.
    pub fn from_env(get: impl Fn(&str) -> Option<String> + Copy, deadline: Duration) -> Result<Self, StreamError> {
        let bootstrap_servers = get("KAFKA_BOOTSTRAP_SERVERS")
            .filter(|servers| !servers.is_empty())
            .ok_or_else(|| StreamError::Config("the environment variable KAFKA_BOOTSTRAP_SERVERS is missing".into()))?;
        let security = Security::from_env(get)?;
        Ok(Self { bootstrap_servers, security, deadline })
    }
}

/// One record to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Topic.
    pub topic: String,
    /// Key: same key, same partition (Java's murmur2, as every other client's default).
    pub key: String,
    /// Value.
    pub value: Vec<u8>,
}

/// A producer that sends a batch in order and returns when the broker has acknowledged all of it.
pub struct Producer {
    options: ProducerOptions,
    client: Mutex<Arc<FutureProducer<Context>>>,
}

/// How long the warm-up waits for a broker.
const WARM_UP: Duration = Duration::from_secs(2);
/// The largest record sent, in bytes: a dead letter of a 2 MB record in base64 and more.
const MAX_MESSAGE_BYTES: &str = "8000000";

impl Producer {
    /// Makes the client; connections are made in the background.
    ///
    /// # Errors
    /// The configuration is refused.
    pub fn new(options: ProducerOptions) -> Result<Self, StreamError> {
        let client = Mutex::new(Arc::new(client(&options)?));
        Ok(Self { options, client })
    }

    /// Sends all messages, in order within each partition, and waits until the broker has acknowledged every one.
    ///
    /// # Errors
    /// [`StreamError::Unacknowledged`]: what the broker has of each partition is then a prefix of what was sent.
    pub async fn send_all(&self, messages: &[Message]) -> Result<(), StreamError> {
        if messages.is_empty() {
            return Ok(());
        }
        let started = Instant::now();
        let client = self.current();
        let result = tokio::time::timeout(self.options.deadline, deliver(&client, messages)).await;
        let (unacknowledged, reason) = match result {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(failure)) => failure,
            Err(_) => (client.in_flight_count().max(1) as usize, "deadline passed".to_owned()),
        };
        self.replace(&client)?;
        Err(StreamError::Unacknowledged {
            unacknowledged,
            sent: messages.len(),
            waited_ms: started.elapsed().as_millis(),
            reason,
        })
    }

    /// Asks a broker for its metadata: is Kafka there, and do `topics` exist?
    ///
    /// # Errors
    /// What is missing.
    pub async fn ping(&self, topics: &[String], deadline: Duration) -> Result<(), StreamError> {
        let client = self.current();
        let ask = move || client.client().fetch_metadata(None, deadline);
        let metadata = tokio::task::spawn_blocking(ask).await.map_err(|e| StreamError::Unreachable(e.to_string()))?;
        let metadata = metadata.map_err(|e| StreamError::Unreachable(e.to_string()))?;
        let missing = topics.iter().find(|topic| metadata.topics().iter().all(|known| known.name() != topic.as_str()));
        missing.map_or(Ok(()), |topic| Err(StreamError::Unreachable(format!("the topic {topic} does not exist"))))
    }

    /// Begins to connect and to learn of `topic`, in the background: the first record then finds an open connection.
    pub fn warm(&self, topic: &str) {
        let (client, topic) = (self.current(), topic.to_owned());
        let ask = move || client.client().fetch_metadata(Some(&topic), WARM_UP).map(drop);
        // Whatever comes of it: the first record asks again.
        drop(std::thread::Builder::new().name("kafka-warm-up".to_owned()).spawn(ask));
    }

    fn current(&self) -> Arc<FutureProducer<Context>> {
        Arc::clone(&self.client.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Drops what `failed` still has queued and puts a fresh client in its place, once.
    fn replace(&self, failed: &Arc<FutureProducer<Context>>) -> Result<(), StreamError> {
        let mut current = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&current, failed) {
            failed.purge(PurgeConfig::default().queue().inflight());
            *current = Arc::new(client(&self.options)?);
        }
        Ok(())
    }
}

/// Hands everything over and awaits every acknowledgement; on failure: how many are missing, and the first reason.
async fn deliver(client: &FutureProducer<Context>, messages: &[Message]) -> Result<(), (usize, String)> {
    let mut pending: FuturesUnordered<DeliveryFuture> = FuturesUnordered::new();
    let mut acknowledged = 0;
    for message in messages {
        let mut record = FutureRecord::to(&message.topic).key(&message.key).payload(&message.value);
        loop {
            match client.send_result(record) {
                Ok(delivery) => break pending.push(delivery),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), returned)) if !pending.is_empty() => {
                    record = returned;
                    acknowledge(pending.next().await).map_err(|e| (messages.len() - acknowledged, e))?;
                    acknowledged += 1;
                }
                Err((error, _)) => return Err((messages.len() - acknowledged, error.to_string())),
            }
        }
    }
    while let Some(delivery) = pending.next().await {
        acknowledge(Some(delivery)).map_err(|e| (messages.len() - acknowledged, e))?;
        acknowledged += 1;
    }
    Ok(())
}

fn acknowledge(delivery: Option<<DeliveryFuture as Future>::Output>) -> Result<(), String> {
    match delivery {
        Some(Ok(Ok(_))) | None => Ok(()),
        Some(Ok(Err((error, _)))) => Err(error.to_string()),
        Some(Err(_)) => Err("the Kafka client went away".to_owned()),
    }
}

fn client(options: &ProducerOptions) -> Result<FutureProducer<Context>, StreamError> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &options.bootstrap_servers)
        .set("acks", "all")
        // Idempotence costs half a second at cold start; readers drop doubles by offset or eventId.
        .set("enable.idempotence", "false")
        .set("max.in.flight.requests.per.connection", "1")
        // 0 = never: single messages must not expire out of the middle of a sequence.
        .set("message.timeout.ms", "0")
        .set("linger.ms", "0")
        .set("partitioner", "murmur2_random")
        .set("compression.type", "none")
        .set("message.max.bytes", MAX_MESSAGE_BYTES)
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000")
        .set("topic.metadata.propagation.max.ms", "3000")
        // The first record waits for its topic's metadata, which is asked for again only this often.
        .set("topic.metadata.refresh.fast.interval.ms", "10")
        .set("socket.nagle.disable", "true");
    options.security.apply(&mut config)?;
    config.create_with_context(Context(options.security.clone())).map_err(|e| StreamError::Config(e.to_string()))
}
