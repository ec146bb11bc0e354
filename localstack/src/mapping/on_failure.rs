//! Records that are given up: sent to the on-failure topic where there is one, told and counted in any case.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure-destination.html>

use std::time::Duration;

use base64::Engine as _;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde_json::{Value, json};

use super::batcher::{Batcher, Part};
use super::record::Record;
use crate::template::model::KafkaMapping;

/// Between two tries to send.
const AGAIN: Duration = Duration::from_secs(1);

/// Why records are given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// The function failed as often as the mapping allows.
    RetryAttemptsExhausted,
    /// The record is older than the mapping allows.
    RecordAgeExceeded,
    /// The record alone is larger than a payload may be (ours: AWS names none).
    PayloadTooLarge,
}

impl Condition {
    fn name(self) -> &'static str {
        match self {
            Self::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Self::RecordAgeExceeded => "RecordAgeExceeded",
            Self::PayloadTooLarge => "PayloadTooLarge",
        }
    }
}

/// `kafka://topic` on the mapping's own cluster.
#[derive(Clone)]
pub(super) struct Destination {
    topic: String,
    function: String,
    bootstrap_servers: String,
    producer: FutureProducer,
}

/// One record on its way to the destination.
struct Letter {
    key: Option<Vec<u8>>,
    value: String,
}

impl Destination {
    /// The mapping's destination; `None` where it has none that exists on this machine.
    pub(super) fn new(mapping: &KafkaMapping, bootstrap_servers: &str) -> Result<Option<Self>, KafkaError> {
        let Some(topic) = mapping.on_failure.as_deref().and_then(|to| to.strip_prefix("kafka://")) else {
            return Ok(None);
        };
        let producer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap_servers)
            .set("acks", "all")
            .set("message.max.bytes", "8388608")
            .set("message.timeout.ms", "10000")
            .set("reconnect.backoff.max.ms", "1000")
            .create()?;
        let (function, bootstrap_servers) = (mapping.function.clone(), bootstrap_servers.to_owned());
        Ok(Some(Self { topic: topic.to_owned(), function, bootstrap_servers, producer }))
    }

    /// What is sent for `part`: one message a record, with its own key.
    fn letters(&self, batcher: &Batcher, part: &Part, condition: Condition, invocations: u32) -> Vec<Letter> {
        let request = uuid::Uuid::new_v4().to_string();
        let size: usize = part.records.iter().map(|record| record.json.len()).sum();
        let letter = |record: &Record| {
            let read: Value = serde_json::from_str(&record.json).unwrap_or_default();
            let key = read["key"].as_str().and_then(|key| base64::engine::general_purpose::STANDARD.decode(key).ok());
            let alone = Part { records: vec![record.clone()], ..*part };
            // One too large for a payload may be too large for a topic as well: then only where it lies is sent.
            let payload: Option<Value> = match condition {
                Condition::RetryAttemptsExhausted | Condition::RecordAgeExceeded => {
                    serde_json::from_slice(&batcher.payload(&[alone])).ok()
                }
                Condition::PayloadTooLarge => None,
            };
            let exhausted = condition == Condition::RetryAttemptsExhausted;
            let value = json!({
                "requestContext": {
                    "requestId": request,
                    "functionArn": self.function,
                    "condition": condition.name(),
                    "approximateInvokeCount": invocations,
                },
                "responseContext": exhausted.then(|| {
                    json!({"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"})
                }),
                "version": "1.0",
                "timestamp": now(),
                "KafkaBatchInfo": {
                    "batchSize": part.delivered(),
                    "bootstrapServers": self.bootstrap_servers,
                    "payloadSize": size,
                    "recordInfo": {
                        "topicPartition": batcher.identifier(part.partition),
                        "offset": record.offset.to_string(),
                        "timestamp": read["timestamp"],
                    },
                },
                "payload": payload,
            });
            Letter { key, value: value.to_string() }
        };
        part.records.iter().filter(|record| !record.is_filtered()).map(letter).collect()
    }

    /// Returns when all are acknowledged. `Err`: they never will be.
    async fn send(&self, letters: &[Letter]) -> Result<(), KafkaError> {
        for letter in letters {
            loop {
                let mut record = FutureRecord::<Vec<u8>, String>::to(&self.topic).payload(&letter.value);
                record.key = letter.key.as_ref();
                match self.producer.send(record, Duration::from_secs(10)).await {
                    Ok(_) => break,
                    Err((error, _)) if is_final(&error) => return Err(error),
                    Err((error, _)) => {
                        tracing::warn!(topic = self.topic, %error, "the on-failure topic can't be reached");
                        tokio::time::sleep(AGAIN).await;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Gives `part` up: returns when that is settled, so that its offsets may be committed.
pub(super) async fn give_up(
    destination: Option<Destination>,
    batcher: std::sync::Arc<Batcher>,
    mapping: String,
    part: Part,
    condition: Condition,
    invocations: u32,
) -> Part {
    let offsets = part.records.first().zip(part.records.last()).map(|(first, last)| (first.offset, last.offset));
    let (from, to) = offsets.unwrap_or_default();
    let partition = part.partition;
    tracing::error!(mapping, partition, from, to, invocations, "records are given up: {}", condition.name());
    if let Some(destination) = destination {
        let letters = destination.letters(&batcher, &part, condition, invocations);
        if let Err(error) = destination.send(&letters).await {
            let topic = destination.topic;
            tracing::error!(mapping, partition, from, to, topic, %error, "and the on-failure topic refuses them");
        }
    }
    part
}

/// Would another try end in the same way?
fn is_final(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{
        InvalidTopic, MessageSizeTooLarge, TopicAuthorizationFailed, UnknownTopic, UnknownTopicOrPartition,
    };
    matches!(
        error.rdkafka_error_code(),
        Some(InvalidTopic | MessageSizeTooLarge | TopicAuthorizationFailed | UnknownTopic | UnknownTopicOrPartition)
    )
}

fn now() -> String {
    time::OffsetDateTime::now_utc().format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}
