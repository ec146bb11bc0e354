//! `kafka://topic` on the mapping's own cluster: one message a record, with its own key.

use std::time::Duration;

use base64::Engine as _;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde_json::Value;

use super::Loss;
use super::document::Facts;
use crate::mapping::record::Record;

/// Between two tries to send.
const AGAIN: Duration = Duration::from_secs(1);

/// A topic to send to.
#[derive(Clone)]
pub(super) struct Topic {
    name: String,
    producer: FutureProducer,
}

impl Topic {
    pub(super) fn new(name: &str, bootstrap_servers: &str) -> Result<Self, KafkaError> {
        let producer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap_servers)
            .set("acks", "all")
            .set("message.max.bytes", "8388608")
            .set("message.timeout.ms", "10000")
            .set("reconnect.backoff.max.ms", "1000")
            .create()?;
        Ok(Self { name: name.to_owned(), producer })
    }

    /// Returns when all are acknowledged. `Err`: they never will be.
    pub(super) async fn send(&self, facts: &Facts, loss: &Loss<'_>) -> Result<(), String> {
        let request = uuid::Uuid::new_v4().to_string();
        for record in loss.part.records.iter().filter(|record| !record.is_filtered()) {
            let document = facts.of_record(loss, record, &request).to_string();
            let refused = |error: KafkaError| format!("topic {}: {error}", self.name);
            self.send_one(key(record).as_ref(), &document).await.map_err(refused)?;
        }
        Ok(())
    }

    async fn send_one(&self, key: Option<&Vec<u8>>, document: &String) -> Result<(), KafkaError> {
        loop {
            let mut message = FutureRecord::<Vec<u8>, String>::to(&self.name).payload(document);
            message.key = key;
            match self.producer.send(message, Duration::from_secs(10)).await {
                Ok(_) => return Ok(()),
                Err((error, _)) if is_final(&error) => return Err(error),
                Err((error, _)) => {
                    tracing::warn!(topic = self.name, %error, "the on-failure topic can't be reached");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }
}

fn key(record: &Record) -> Option<Vec<u8>> {
    let read: Value = serde_json::from_str(&record.json).unwrap_or_default();
    base64::engine::general_purpose::STANDARD.decode(read["key"].as_str()?).ok()
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
