//! The event that a function gets.
//!
//! Sources: <https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html> and
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html>.

use freshet_localstack::template::model::{KafkaMapping, KafkaSource};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::FutureRecord;
use serde_json::{Value, json};

use crate::support::{Topic, broker, first_event, now_ms, records, run};

/// The only record of an event.
async fn only_record(mapping: KafkaMapping) -> Value {
    let all = records(&first_event(mapping).await);
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

/// A record as the function gets it.
async fn delivered(record: impl for<'a> FnOnce(FutureRecord<'a, [u8], [u8]>) -> FutureRecord<'a, [u8], [u8]>) -> Value {
    let topic = Topic::new(1).await;
    topic.send_record(record(FutureRecord::to(&topic.name).partition(0))).await;
    only_record(topic.mapping()).await
}

#[test]
fn an_msk_event_names_its_cluster_and_its_brokers() {
    run(async {
        let event = first_event(Topic::of(1).await.mapping()).await;
        assert_eq!(event["eventSource"], "aws:kafka");
        assert_eq!(event["eventSourceArn"], "arn:aws:kafka:us-east-1:000000000000:cluster/local/1");
        assert_eq!(event["bootstrapServers"], broker().await.bootstrap_servers());
    });
}

#[test]
fn a_self_managed_event_has_no_arn() {
    run(async {
        let mut mapping = Topic::of(1).await.mapping();
        mapping.source = KafkaSource::SelfManaged { bootstrap_servers: broker().await.bootstrap_servers() };
        let event = first_event(mapping).await;
        assert_eq!((&event["eventSource"], event.get("eventSourceArn")), (&json!("SelfManagedKafka"), None));
        assert_eq!(event["bootstrapServers"], broker().await.bootstrap_servers());
    });
}

#[test]
fn records_stand_by_topic_and_partition() {
    run(async {
        let topic = Topic::new(3).await;
        for partition in 0..3 {
            topic.send(partition, ["x".to_owned()]).await;
        }
        let event = first_event(topic.in_batches_of(3)).await;
        let lists = event["records"].as_object().unwrap();
        let mut names: Vec<&str> = lists.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, [0, 1, 2].map(|partition| format!("{}-{partition}", topic.name)));
        for (name, list) in lists {
            assert_eq!(format!("{}-{}", list[0]["topic"].as_str().unwrap(), list[0]["partition"]), *name);
        }
    });
}

#[test]
fn key_and_value_are_base64() {
    run(async {
        let record = delivered(|record| record.key(b"user".as_slice()).payload(b"{\"n\":1}".as_slice())).await;
        assert_eq!((&record["key"], &record["value"]), (&json!("dXNlcg=="), &json!("eyJuIjoxfQ==")));
    });
}

#[test]
fn bytes_that_are_no_text_arrive_unchanged() {
    run(async {
        let record = delivered(|record| record.key([0xFF, 0x00].as_slice()).payload([0xC3, 0x28].as_slice())).await;
        assert_eq!((&record["key"], &record["value"]), (&json!("/wA="), &json!("wyg=")));
    });
}

#[test]
fn a_keyless_record_has_no_key() {
    run(async {
        let record = delivered(|record| record.payload(b"x".as_slice())).await;
        assert_eq!((record.get("key"), &record["value"]), (None, &json!("eA==")));
    });
}

#[test]
fn a_tombstone_has_no_value() {
    run(async {
        let record = delivered(|record| record.key(b"gone".as_slice())).await;
        assert_eq!((&record["key"], record.get("value")), (&json!("Z29uZQ=="), None));
    });
}

#[test]
fn an_empty_value_is_not_a_tombstone() {
    run(async {
        let record = delivered(|record| record.key(b"k".as_slice()).payload(b"".as_slice())).await;
        assert_eq!(record["value"], "");
    });
}

#[test]
fn header_bytes_are_signed() {
    run(async {
        let header = Header { key: "trace", value: Some("hÃ".as_bytes()) };
        let record =
            delivered(|record| record.payload(b"x".as_slice()).headers(OwnedHeaders::new().insert(header))).await;
        assert_eq!(record["headers"], json!([{"trace": [104, -61, -125]}]));
    });
}

#[test]
fn headers_keep_their_order_and_their_repetitions() {
    run(async {
        let headers = ["b", "a", "b"]
            .into_iter()
            .fold(OwnedHeaders::new(), |headers, key| headers.insert(Header { key, value: Some(key.as_bytes()) }));
        let record = delivered(|record| record.payload(b"x".as_slice()).headers(headers)).await;
        assert_eq!(record["headers"], json!([{"b": [98]}, {"a": [97]}, {"b": [98]}]));
    });
}

#[test]
fn a_header_without_a_value_is_null() {
    run(async {
        let header = Header { key: "flag", value: None::<&[u8]> };
        let record =
            delivered(|record| record.payload(b"x".as_slice()).headers(OwnedHeaders::new().insert(header))).await;
        assert_eq!(record["headers"], json!([{"flag": null}]));
    });
}

#[test]
fn a_record_without_headers_has_an_empty_list() {
    run(async { assert_eq!(delivered(|record| record.payload(b"x".as_slice())).await["headers"], json!([])) });
}

#[test]
fn the_producers_time_is_told() {
    run(async {
        let record = delivered(|record| record.payload(b"x".as_slice()).timestamp(1_545_084_650_987)).await;
        let told = (&record["timestamp"], &record["timestampType"]);
        assert_eq!(told, (&json!(1_545_084_650_987_i64), &json!("CREATE_TIME")));
    });
}

#[test]
fn the_brokers_time_is_told_where_the_topic_takes_that() {
    run(async {
        let began = now_ms();
        let topic = Topic::configured("message.timestamp.type", "LogAppendTime").await;
        topic.send_record(FutureRecord::to(&topic.name).payload(b"x".as_slice()).timestamp(5)).await;
        let record = only_record(topic.mapping()).await;
        assert_eq!(record["timestampType"], "LOG_APPEND_TIME");
        assert!((began..=now_ms()).contains(&record["timestamp"].as_i64().unwrap()), "{record}");
    });
}

#[test]
fn compressed_records_arrive_plain() {
    run(async {
        let topic = Topic::configured("compression.type", "gzip").await;
        topic.send(0, ["x".repeat(10_000)]).await;
        let record = only_record(topic.mapping()).await;
        assert_eq!(record["value"].as_str().unwrap().len(), 10_000_usize.div_ceil(3) * 4);
    });
}
