//! What an on-failure destination is sent, in AWS's shapes: for a whole batch or for one record.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use super::{Condition, Loss};
use crate::clock::now_ms;
use crate::mapping::batcher::Part;
use crate::mapping::record::Record;

/// What is the same in all documents of a mapping.
pub(super) struct Facts {
    /// `<function logical id>/<event name>`.
    pub(super) mapping: String,
    pub(super) function_arn: String,
    /// `None`: self-managed Kafka, which has no ARN.
    pub(super) event_source_arn: Option<String>,
    pub(super) bootstrap_servers: String,
}

impl Facts {
    /// For a queue or a topic of SNS; for a bucket it gets `payload` as well.
    pub(super) fn of_batch(&self, loss: &Loss<'_>, request: &str) -> Value {
        let delivered = || loss.part.records.iter().filter(|record| !record.is_filtered());
        let at = |record: Option<&Record>| record.map(|record| timestamp(record.at_ms));
        let offset = |record: Option<&Record>| record.map(|record| record.offset.to_string());
        let (first, last) = (delivered().next(), delivered().next_back());
        let mut info = Map::new();
        info.insert(
            loss.batcher.identifier(loss.part.partition),
            json!({
                "firstRecordOffset": offset(first),
                "lastRecordOffset": offset(last),
                "firstRecordTimestamp": at(first),
                "lastRecordTimestamp": at(last),
            }),
        );
        let size = loss.batcher.payload(std::slice::from_ref(loss.part)).len();
        self.document(loss, request, &self.function_arn, (loss.part.delivered(), size), ("recordsInfo", info.into()))
    }

    /// For a topic of Kafka: about one record, and the record itself.
    pub(super) fn of_record(&self, loss: &Loss<'_>, record: &Record, request: &str) -> Value {
        let info = json!({"offset": record.offset.to_string(), "timestamp": timestamp(record.at_ms)});
        let alone = Part { records: vec![record.clone()], ..*loss.part };
        let payload = loss.batcher.payload(&[alone]);
        let arn = format!("{}:$LATEST", self.function_arn);
        let mut document = self.document(loss, request, &arn, (1, payload.len()), ("recordInfo", info));
        // One too large for a payload may be too large for a topic as well: then only where it lies is sent.
        document["payload"] = match loss.condition {
            Condition::PayloadTooLarge => Value::Null,
            Condition::RetryAttemptsExhausted | Condition::RecordAgeExceeded => {
                serde_json::from_slice(&payload).unwrap_or_default()
            }
        };
        document
    }

    fn document(
        &self,
        loss: &Loss<'_>,
        request: &str,
        function_arn: &str,
        (records, bytes): (usize, usize),
        (name, info): (&str, Value),
    ) -> Value {
        let was_invoked = loss.condition == Condition::RetryAttemptsExhausted;
        let mut batch = Map::new();
        batch.insert("batchSize".to_owned(), records.into());
        if let Some(arn) = &self.event_source_arn {
            batch.insert("eventSourceArn".to_owned(), arn.as_str().into());
        }
        batch.insert("bootstrapServers".to_owned(), self.bootstrap_servers.as_str().into());
        batch.insert("payloadSize".to_owned(), bytes.into());
        batch.insert(name.to_owned(), info);
        json!({
            "requestContext": {
                "requestId": request,
                "functionArn": function_arn,
                "condition": loss.condition.name(),
                "approximateInvokeCount": loss.invocations,
            },
            "responseContext": was_invoked.then(|| {
                json!({"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"})
            }),
            "version": "1.0",
            "timestamp": timestamp(now_ms()),
            "KafkaBatchInfo": batch,
        })
    }
}

/// `2019-11-14T00:38:06.021Z`.
fn timestamp(ms: i64) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000);
    at.unwrap_or(OffsetDateTime::UNIX_EPOCH).format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rdkafka::Timestamp;
    use rdkafka::message::OwnedMessage;

    use super::*;
    use crate::mapping::batcher::Batcher;
    use crate::template::model::{KafkaMapping, KafkaSource};

    /// From AWS's guide: <https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure.html>, "SNS and SQS example
    /// invocation record", with one partition and offsets that Kafka has.
    const QUEUE: &str = include_str!("../fixtures/on-failure-queue.json");
    /// From AWS's guide: <https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure-destination.html>.
    const TOPIC: &str = include_str!("../fixtures/on-failure-topic.json");

    fn record(offset: i64, at_ms: i64) -> Record {
        let value = b"test-value".to_vec();
        let at = Timestamp::CreateTime(at_ms);
        let message =
            OwnedMessage::new(Some(value), Some(b"test-key".to_vec()), "Topic".to_owned(), at, 0, offset, None);
        Record::new(&message, &[])
    }

    fn facts(expected: &Value, function_arn: &str) -> (Facts, Batcher) {
        let info = &expected["KafkaBatchInfo"];
        let text = |name: &str| info[name].as_str().unwrap().to_owned();
        let mut mapping = KafkaMapping::new("F", "mytopic", KafkaSource::Msk { arn: text("eventSourceArn") });
        mapping.topic = "Topic".to_owned();
        let batcher = Batcher::new(&mapping, &text("bootstrapServers"));
        let facts = Facts {
            mapping: mapping.id,
            function_arn: function_arn.to_owned(),
            event_source_arn: Some(text("eventSourceArn")),
            bootstrap_servers: text("bootstrapServers"),
        };
        (facts, batcher)
    }

    /// What differs from run to run, and the size of AWS's own batch.
    fn same_but_for_its_time(mut document: Value, expected: &Value) -> Value {
        assert!(document["timestamp"].as_str().is_some_and(|at| at.len() == 24 && at.ends_with('Z')));
        assert!(document["KafkaBatchInfo"]["payloadSize"].as_u64().is_some_and(|size| size > 200));
        document["timestamp"] = expected["timestamp"].clone();
        document["KafkaBatchInfo"]["payloadSize"] = expected["KafkaBatchInfo"]["payloadSize"].clone();
        document
    }

    #[test]
    fn a_queue_gets_the_guides_document() {
        let expected: Value = serde_json::from_str(QUEUE).unwrap();
        let (facts, batcher) = facts(&expected, expected["requestContext"]["functionArn"].as_str().unwrap());
        let filtered = Record { json: String::new(), ..record(102, 5) };
        let records = vec![record(100, 1_573_691_884_835), record(101, 1_573_691_885_580), filtered];
        let part = Part { partition: 0, epoch: 1, records, end: 103 };
        let condition = Condition::RetryAttemptsExhausted;
        let loss = Loss { batcher: &batcher, part: &part, condition, invocations: 1 };
        let document = facts.of_batch(&loss, expected["requestContext"]["requestId"].as_str().unwrap());
        assert_eq!(same_but_for_its_time(document, &expected), expected);

        let loss = Loss { condition: Condition::PayloadTooLarge, invocations: 0, ..loss };
        let document = facts.of_batch(&loss, "r");
        assert_eq!(document["requestContext"]["condition"], "MaximumPayloadSizeExceeded");
        assert_eq!(document["responseContext"], Value::Null);
    }

    #[test]
    fn a_topic_gets_the_guides_document() {
        let mut expected: Value = serde_json::from_str(TOPIC).unwrap();
        // The guide's pages name this condition in two ways; both destinations get the one that queues do.
        expected["requestContext"]["condition"] = Value::from("RetryAttemptsExhausted");
        let (facts, batcher) = facts(&expected, "arn:aws:lambda:us-east-1:123456789012:function:my-function");
        let part = Part { partition: 0, epoch: 1, records: vec![record(100, 1_749_116_692_330)], end: 101 };
        let condition = Condition::RetryAttemptsExhausted;
        let loss = Loss { batcher: &batcher, part: &part, condition, invocations: 3 };
        let request = expected["requestContext"]["requestId"].as_str().unwrap();
        let document = facts.of_record(&loss, &part.records[0], request);
        assert_eq!(same_but_for_its_time(document, &expected), expected);
    }
}
