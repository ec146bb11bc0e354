//! Records that are given up: where they end, and that nothing else does.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure-destination.html>.

use std::time::Duration;

use freshet_localstack::mapping::PartialFailures::Strict;
use rdkafka::ClientConfig;
use rdkafka::Message as _;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::producer::FutureRecord;
use serde_json::Value;

use crate::support::{
    Function, PATIENCE, Place, Topic, broker, committed, error, failures, now_ms, numbers, ok, run, start, until,
};

/// The first `count` records of a topic: key and value.
async fn read(topic: &str, count: usize) -> Vec<(Option<Vec<u8>>, Value)> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker().await.bootstrap_servers()).set("group.id", format!("{topic}-reader"));
    config.set("auto.offset.reset", "earliest");
    let consumer: StreamConsumer = config.create().unwrap();
    consumer.subscribe(&[topic]).unwrap();
    let mut found = Vec::new();
    while found.len() < count {
        let message = tokio::time::timeout(PATIENCE, consumer.recv()).await.expect("a record").unwrap();
        found.push((message.key().map(<[u8]>::to_vec), serde_json::from_slice(message.payload().unwrap()).unwrap()));
    }
    found
}

#[test]
fn what_failed_as_often_as_allowed_goes_to_the_failure_topic_with_its_key() {
    run(async {
        let topic = Topic::new(1).await;
        let dead = Topic::named(&format!("{}-failed", topic.name), 1).await;
        for key in ["a", "b"] {
            let record = FutureRecord::to(&topic.name).key(key.as_bytes()).payload(b"hello".as_slice()).partition(0);
            topic.send_record(record).await;
        }
        let function = Function::new(|places, _| if places[0].1 < 2 { error() } else { ok() });
        let mut mapping = topic.mapping();
        mapping.maximum_retry_attempts = Some(2);
        mapping.on_failure = Some(format!("kafka://{}", dead.name));
        let mapping = start(mapping, Strict, &function).await;
        until("the end of their tries", || mapping.status().given_up == 2).await;
        topic.send(0, ["next".to_owned()]).await;
        function.delivered(3).await;
        let batches = function.batches.lock().unwrap().clone();
        assert_eq!(
            batches.iter().filter(|batch| batch[0].1 == 0).count(),
            3,
            "the first attempt and two more: {batches:?}"
        );
        committed(&mapping, 0, 3).await;
        mapping.stop().await;
        let letters = read(&dead.name, 2).await;
        assert_eq!(letters.iter().map(|(key, _)| key.clone().unwrap()).collect::<Vec<_>>(), [b"a", b"b"]);
        let letter = &letters[1].1;
        assert_eq!(letter["requestContext"]["condition"], "RetryAttemptsExhausted");
        assert_eq!(letter["requestContext"]["approximateInvokeCount"], 3);
        let records = &letter["payload"]["records"][format!("{}-0", topic.name)];
        assert_eq!((&records[0]["offset"], &records[0]["value"]), (&Value::from(1), &Value::from("aGVsbG8=")));
    });
}

#[test]
fn only_the_record_that_fails_is_given_up_and_its_partition_goes_on() {
    run(async {
        let topic = Topic::new(2).await;
        let name = topic.name.clone();
        let function = Function::new(move |places, _| {
            let bad: Vec<Place> = places.iter().copied().filter(|place| *place == (0, 4)).collect();
            failures(&name, &bad)
        });
        topic.send(0, (0..5).map(|n| n.to_string())).await;
        let mut mapping = topic.mapping();
        mapping.maximum_retry_attempts = Some(1);
        let mapping = start(mapping, Strict, &function).await;
        until("the end of its tries", || mapping.status().given_up == 1).await;
        topic.send(0, (5..10).map(|n| n.to_string())).await;
        topic.send(1, (0..10).map(|n| n.to_string())).await;
        function.delivered(20).await;
        let twice: Vec<Place> =
            function.deliveries().into_iter().filter(|(_, count)| *count > 1).map(|(p, _)| p).collect();
        assert_eq!(twice, [(0, 4)]);
        mapping.stop().await;
    });
}

#[test]
fn a_record_that_no_payload_can_hold_is_told_committed_and_passed_over() {
    run(async {
        let topic = Topic::new(1).await;
        let dead = Topic::named(&format!("{}-failed", topic.name), 1).await;
        topic.send(0, ["before".to_owned(), "x".repeat(5_000_000)]).await;
        let function = Function::slow(Duration::from_millis(20), |_, _| ok());
        let mut mapping = topic.mapping();
        mapping.on_failure = Some(format!("kafka://{}", dead.name));
        let mapping = start(mapping, Strict, &function).await;
        committed(&mapping, 0, 2).await;
        assert_eq!((mapping.status().oversized, mapping.status().given_up), (1, 1));
        topic.send(0, ["after".to_owned()]).await;
        function.delivered(2).await;
        assert_eq!(function.deliveries().into_keys().collect::<Vec<_>>(), [(0, 0), (0, 2)]);
        mapping.stop().await;
        let letter = &read(&dead.name, 1).await[0].1;
        assert_eq!(letter["requestContext"]["condition"], "MaximumPayloadSizeExceeded");
        assert_eq!(letter["KafkaBatchInfo"]["recordInfo"]["offset"], "1");
    });
}

#[test]
fn records_that_are_too_old_go_to_the_failure_topic_undelivered() {
    run(async {
        let topic = Topic::new(1).await;
        let dead = Topic::named(&format!("{}-failed", topic.name), 1).await;
        let hour_ago = now_ms() - 3_600_000;
        for key in ["a", "b"] {
            let record = FutureRecord::to(&topic.name).key(key.as_bytes()).payload(b"old".as_slice()).partition(0);
            topic.send_record(record.timestamp(hour_ago)).await;
        }
        topic.send(0, ["new".to_owned()]).await;
        let function = Function::new(|_, _| ok());
        let mut mapping = topic.mapping();
        mapping.maximum_record_age_s = Some(60);
        mapping.on_failure = Some(format!("kafka://{}", dead.name));
        let mapping = start(mapping, Strict, &function).await;
        committed(&mapping, 0, 3).await;
        assert_eq!(function.batches.lock().unwrap().concat(), [(0, 2)]);
        assert_eq!(mapping.status().given_up, 2);
        mapping.stop().await;
        let letters = read(&dead.name, 2).await;
        assert_eq!(letters.iter().map(|(key, _)| key.clone().unwrap()).collect::<Vec<_>>(), [b"a", b"b"]);
        assert_eq!(letters[0].1["requestContext"]["condition"], "RecordAgeExceeded");
        assert_eq!(letters[0].1["payload"]["records"][format!("{}-0", topic.name)][0]["offset"], 0);
    });
}

#[test]
fn old_records_are_delivered_where_no_age_is_set() {
    run(async {
        let topic = Topic::new(1).await;
        topic.send_record(FutureRecord::to(&topic.name).payload(b"old".as_slice()).timestamp(1_000)).await;
        let function = Function::new(|_, _| ok());
        let mapping = start(topic.mapping(), Strict, &function).await;
        committed(&mapping, 0, 1).await;
        assert_eq!((mapping.status().given_up, function.deliveries().len()), (0, 1));
        mapping.stop().await;
    });
}

#[test]
fn what_gets_too_old_while_it_comes_again_is_given_up() {
    run(async {
        let topic = Topic::of(2).await;
        let function = Function::new(|places, _| if places[0].1 < 2 { error() } else { ok() });
        let mut mapping = topic.mapping();
        mapping.maximum_record_age_s = Some(2);
        let mapping = start(mapping, Strict, &function).await;
        until("the end of its time", || mapping.status().given_up == 2).await;
        assert!(function.batches.lock().unwrap().len() > 1, "it was tried meanwhile");
        topic.send(0, numbers(2..3)).await;
        committed(&mapping, 0, 3).await;
        mapping.stop().await;
    });
}

#[test]
fn without_a_destination_what_is_given_up_is_passed_over() {
    run(async {
        let topic = Topic::of(3).await;
        let function = Function::new(|places, _| if places[0].1 < 3 { error() } else { ok() });
        let mut mapping = topic.mapping();
        mapping.maximum_retry_attempts = Some(1);
        let mapping = start(mapping, Strict, &function).await;
        committed(&mapping, 0, 3).await;
        topic.send(0, numbers(3..5)).await;
        committed(&mapping, 0, 5).await;
        assert_eq!(mapping.status().given_up, 3);
        mapping.stop().await;
    });
}

#[test]
fn a_failure_topic_that_is_not_there_does_not_hold_the_partition_up() {
    run(async {
        let mut mapping = Topic::of(2).await.mapping();
        (mapping.maximum_retry_attempts, mapping.on_failure) = (Some(0), Some("kafka://nowhere".to_owned()));
        let function = Function::new(|_, _| error());
        let mapping = start(mapping, Strict, &function).await;
        committed(&mapping, 0, 2).await;
        mapping.stop().await;
    });
}

#[test]
fn what_no_filter_lets_through_is_not_given_up_with_its_batch() {
    run(async {
        let topic = Topic::new(1).await;
        let dead = Topic::named(&format!("{}-failed", topic.name), 1).await;
        topic.send(0, (0..4).map(|n| format!(r#"{{"n":{n}}}"#))).await;
        let mut mapping = topic.mapping();
        mapping.filters = vec![freshet_localstack::pattern::Filter::parse(r#"{"value":{"n":[1,3]}}"#).unwrap()];
        mapping.maximum_retry_attempts = Some(0);
        mapping.on_failure = Some(format!("kafka://{}", dead.name));
        let function = Function::new(|_, _| error());
        let mapping = start(mapping, Strict, &function).await;
        committed(&mapping, 0, 4).await;
        assert_eq!(mapping.status().given_up, 2);
        mapping.stop().await;
        let letters = read(&dead.name, 2).await;
        let offsets: Vec<&Value> =
            letters.iter().map(|(_, letter)| &letter["KafkaBatchInfo"]["recordInfo"]["offset"]).collect();
        assert_eq!(offsets, ["1", "3"]);
    });
}
