//! Records that are given up: sent to the on-failure destination where there is one, told and counted in any case.
//!
//! | file | what |
//! |---|---|
//! | `document` | what is sent, in AWS's shapes |
//! | `kafka` | to a topic: one message a record, with the record |
//! | `services` | to a queue, a topic of SNS or a bucket: one document for all |
//!
//! Sources: <https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure.html> and
//! <https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure-destination.html>

mod document;
mod kafka;
mod services;

use std::sync::Arc;

use super::MappingOptions;
use super::batcher::{Batcher, Part};
use crate::template::model::{KafkaMapping, KafkaSource};
use document::Facts;

/// Why records are given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// The function failed as often as the mapping allows.
    RetryAttemptsExhausted,
    /// The record is older than the mapping allows.
    RecordAgeExceeded,
    /// The record alone is larger than a payload may be.
    PayloadTooLarge,
}

impl Condition {
    /// As AWS's documents have it.
    fn name(self) -> &'static str {
        match self {
            Self::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Self::RecordAgeExceeded => "RecordAgeExceeded",
            Self::PayloadTooLarge => "MaximumPayloadSizeExceeded",
        }
    }
}

/// Where a mapping sends what it gives up.
#[derive(Clone)]
pub(super) struct Destination {
    facts: Arc<Facts>,
    place: Place,
}

#[derive(Clone)]
enum Place {
    Kafka(kafka::Topic),
    Service(services::Target),
}

impl Destination {
    /// The mapping's destination; `None` where it has none that can be reached from here.
    pub(super) fn new(mapping: &KafkaMapping, options: &MappingOptions) -> Result<Option<Self>, String> {
        let Some(to) = mapping.on_failure.as_deref() else { return Ok(None) };
        let place = match to.strip_prefix("kafka://") {
            Some(topic) => {
                let topic = kafka::Topic::new(topic, &options.bootstrap_servers).map_err(|error| error.to_string())?;
                Some(Place::Kafka(topic))
            }
            None => {
                options.endpoint.as_ref().and_then(|endpoint| services::Target::new(to, endpoint)).map(Place::Service)
            }
        };
        let event_source_arn = match &mapping.source {
            KafkaSource::Msk { arn } => Some(arn.clone()),
            KafkaSource::SelfManaged { .. } => None,
        };
        let facts = Facts {
            mapping: mapping.id.clone(),
            function_arn: options.function_arn.clone().unwrap_or_else(|| mapping.function.clone()),
            event_source_arn,
            bootstrap_servers: options.bootstrap_servers.clone(),
        };
        Ok(place.map(|place| Self { facts: Arc::new(facts), place }))
    }

    /// Returns when it is there, or never will be.
    async fn send(&self, loss: &Loss<'_>) -> Result<(), String> {
        match &self.place {
            Place::Kafka(topic) => topic.send(&self.facts, loss).await,
            Place::Service(target) => target.send(&self.facts, loss).await,
        }
    }
}

/// What is given up, and why.
struct Loss<'a> {
    batcher: &'a Batcher,
    part: &'a Part,
    condition: Condition,
    invocations: u32,
}

/// Gives `part` up: returns when that is settled, so that its offsets may be committed.
pub(super) async fn give_up(
    destination: Option<Destination>,
    batcher: Arc<Batcher>,
    mapping: String,
    part: Part,
    condition: Condition,
    invocations: u32,
) -> Part {
    let offsets = part.records.first().zip(part.records.last()).map(|(first, last)| (first.offset, last.offset));
    let (from, to) = offsets.unwrap_or_default();
    let partition = part.partition;
    tracing::error!(mapping, partition, from, to, invocations, "records are given up: {}", condition.name());
    if let Some(destination) = destination.filter(|_| part.delivered() > 0) {
        let loss = Loss { batcher: &batcher, part: &part, condition, invocations };
        if let Err(error) = destination.send(&loss).await {
            tracing::error!(mapping, partition, from, to, error, "and never reached the on-failure destination");
        }
    }
    part
}
