//! Where a group begins, and where it goes on.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/kafka-starting-positions.html>.

use std::time::Duration;

use freshet_localstack::mapping::MappingState;
use freshet_localstack::mapping::PartialFailures::Strict;
use freshet_localstack::template::model::StartingPosition::{self, AtTimestamp, Latest, TrimHorizon};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::FutureRecord;
use rdkafka::{Offset, TopicPartitionList};

use crate::support::{Function, Topic, broker, committed, now_ms, numbers, ok, run, start, start_as, until};

/// Records at 1,000, 2,000, … milliseconds since the epoch.
async fn at_seconds(seconds: std::ops::RangeInclusive<i64>) -> Topic {
    let topic = Topic::new(1).await;
    for second in seconds {
        topic.send_record(FutureRecord::to(&topic.name).payload(b"x".as_slice()).timestamp(second * 1_000)).await;
    }
    topic
}

/// The first offset of a new group, where `topic` holds five records and a sixth is sent once the group has begun.
async fn first(topic: &Topic, position: StartingPosition) -> i64 {
    let mut mapping = topic.mapping();
    mapping.starting_position = position;
    let function = Function::new(|_, _| ok());
    let mapping = start(mapping, Strict, &function).await;
    topic.send(0, numbers(0..1)).await;
    function.delivered(1).await;
    mapping.stop().await;
    function.offsets()[0][0]
}

#[test]
fn trim_horizon_begins_with_the_oldest_record() {
    run(async { assert_eq!(first(&Topic::of(5).await, TrimHorizon).await, 0) });
}

#[test]
fn latest_begins_with_what_comes_after_the_mapping_was_made() {
    run(async { assert_eq!(first(&Topic::of(5).await, Latest).await, 5) });
}

#[test]
fn a_timestamp_begins_with_the_first_record_at_or_after_it() {
    run(async {
        let topic = at_seconds(1..=5).await;
        assert_eq!(first(&topic, AtTimestamp(3_000)).await, 2);
        let topic = at_seconds(1..=5).await;
        assert_eq!(first(&topic, AtTimestamp(3_001)).await, 3);
    });
}

#[test]
fn a_timestamp_before_all_records_begins_with_the_oldest() {
    run(async { assert_eq!(first(&at_seconds(1..=5).await, AtTimestamp(0)).await, 0) });
}

#[test]
fn a_timestamp_after_all_records_begins_with_what_comes() {
    run(async { assert_eq!(first(&at_seconds(1..=5).await, AtTimestamp(now_ms() + 3_600_000)).await, 5) });
}

#[test]
fn a_new_group_begins_where_its_starting_position_says() {
    run(async {
        let topic = Topic::new(1).await;
        topic.send(0, numbers(0..5)).await;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let middle = now_ms();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        topic.send(0, numbers(5..8)).await;
        let (at_time, latest) = (Function::new(|_, _| ok()), Function::new(|_, _| ok()));
        let mut mapping = topic.mapping();
        mapping.starting_position = StartingPosition::AtTimestamp(middle);
        let one = start(mapping.clone(), Strict, &at_time).await;
        mapping.starting_position = StartingPosition::Latest;
        mapping.consumer_group += "-latest";
        let two = start(mapping, Strict, &latest).await;
        topic.send(0, numbers(8..9)).await;
        at_time.delivered(4).await;
        latest.delivered(1).await;
        assert_eq!(at_time.deliveries().into_keys().map(|place| place.1).collect::<Vec<_>>(), [5, 6, 7, 8]);
        assert_eq!(latest.deliveries().into_keys().map(|place| place.1).collect::<Vec<_>>(), [8]);
        one.stop().await;
        two.stop().await;
    });
}

/// A group that has done the first of five records, and is made again with `position`: where it goes on.
async fn goes_on(position: StartingPosition) -> i64 {
    let topic = Topic::of(1).await;
    let function = Function::new(|_, _| ok());
    let mapping = start(topic.mapping(), Strict, &function).await;
    committed(&mapping, 0, 1).await;
    mapping.stop().await;
    topic.send(0, numbers(1..5)).await;
    first(&topic, position).await
}

#[test]
fn a_committed_offset_wins_over_trim_horizon() {
    run(async { assert_eq!(goes_on(TrimHorizon).await, 1) });
}

#[test]
fn a_committed_offset_wins_over_latest() {
    run(async { assert_eq!(goes_on(Latest).await, 1) });
}

#[test]
fn a_committed_offset_wins_over_a_timestamp() {
    run(async { assert_eq!(goes_on(AtTimestamp(now_ms() + 3_600_000)).await, 1) });
}

#[test]
fn latest_is_settled_once_and_skips_nothing_that_comes_while_the_mapping_is_away() {
    run(async {
        let topic = Topic::of(3).await;
        let mut mapping = topic.mapping();
        mapping.starting_position = Latest;
        let function = Function::new(|_, _| ok());
        start(mapping.clone(), Strict, &function).await.stop().await;
        topic.send(0, numbers(3..5)).await;
        let mapping = start(mapping, Strict, &function).await;
        function.delivered(2).await;
        assert_eq!(function.offsets().concat(), [3, 4]);
        mapping.stop().await;
    });
}

#[test]
fn two_groups_get_every_record_each() {
    run(async {
        let topic = Topic::of(20).await;
        let (one, two) = (Function::new(|_, _| ok()), Function::new(|_, _| ok()));
        let mut other = topic.mapping();
        other.consumer_group += "-other";
        let mappings = [start(topic.mapping(), Strict, &one).await, start(other, Strict, &two).await];
        one.delivered(20).await;
        two.delivered(20).await;
        for mapping in mappings {
            mapping.stop().await;
        }
        assert_eq!((one.offsets().concat().len(), two.offsets().concat().len()), (20, 20));
    });
}

#[test]
fn two_members_of_a_group_share_its_partitions() {
    run(async {
        let topic = Topic::new(2).await;
        let (one, two) = (Function::new(|_, _| ok()), Function::new(|_, _| ok()));
        let first = start_as(None, topic.mapping(), Strict, &one).await;
        until("the first", || first.status().state == MappingState::Enabled).await;
        let second = start_as(None, topic.mapping(), Strict, &two).await;
        let mut sent = 0;
        // Until both have been given a share; what one has had is not the other's.
        while one.deliveries().is_empty() || two.deliveries().is_empty() {
            topic.send(0, numbers(sent..sent + 1)).await;
            topic.send(1, numbers(sent..sent + 1)).await;
            sent += 1;
        }
        first.stop().await;
        second.stop().await;
    });
}

#[test]
fn a_partition_that_is_added_is_read_from_its_first_record() {
    run(async {
        let topic = Topic::new(1).await;
        let mut mapping = topic.mapping();
        mapping.starting_position = Latest;
        let function = Function::new(|_, _| ok());
        let mapping = start(mapping, Strict, &function).await;
        until("its partition", || mapping.status().state == MappingState::Enabled).await;
        let admin = admin(&broker().await.bootstrap_servers());
        let added = admin.create_partitions(&[NewPartitions::new(&topic.name, 2)], &AdminOptions::new()).await;
        added.unwrap().remove(0).unwrap();
        topic.send(1, numbers(0..3)).await;
        function.delivered(3).await;
        assert_eq!(function.batches.lock().unwrap().concat(), [(1, 0), (1, 1), (1, 2)]);
        mapping.stop().await;
    });
}

#[test]
fn where_the_log_has_lost_its_beginning_the_oldest_that_is_left_comes_next() {
    run(async {
        let topic = Topic::of(10).await;
        let mut gone = TopicPartitionList::new();
        gone.add_partition_offset(&topic.name, 0, Offset::Offset(6)).unwrap();
        admin(&broker().await.bootstrap_servers()).delete_records(&gone, &AdminOptions::new()).await.unwrap();
        let function = Function::new(|_, _| ok());
        let mapping = start(topic.mapping(), Strict, &function).await;
        committed(&mapping, 0, 10).await;
        assert_eq!(function.offsets().concat(), [6, 7, 8, 9]);
        mapping.stop().await;
    });
}

#[test]
fn a_topic_that_comes_later_is_read_from_its_first_record() {
    run(async {
        let mut mapping = Topic::new(1).await.mapping();
        let later = format!("{}-later", mapping.topic);
        mapping.topic.clone_from(&later);
        mapping.consumer_group.clone_from(&later);
        let function = Function::new(|_, _| ok());
        let mapping = start(mapping, Strict, &function).await;
        until("the problem", || mapping.status().last_processing_result.contains(&later)).await;
        let topic = Topic::named(&later, 2).await;
        topic.send(0, numbers(0..3)).await;
        function.delivered(3).await;
        mapping.stop().await;
    });
}

#[test]
fn a_topic_that_is_made_again_is_read_from_its_first_record() {
    run(async {
        let topic = Topic::of(8).await;
        let function = Function::new(|_, _| ok());
        let mapping = start(topic.mapping(), Strict, &function).await;
        committed(&mapping, 0, 8).await;
        let admin = admin(&broker().await.bootstrap_servers());
        admin.delete_topics(&[&topic.name], &AdminOptions::new()).await.unwrap().remove(0).unwrap();
        // Its name is free once the broker has taken note.
        let again = loop {
            let metadata = admin.inner().fetch_metadata(None, Duration::from_secs(5)).unwrap();
            if metadata.topics().iter().all(|known| known.name() != topic.name) {
                break Topic::named(&topic.name, 1).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        again.send(0, numbers(0..3)).await;
        until("the new records", || function.offsets().concat().len() >= 11).await;
        assert_eq!(function.offsets().concat()[8..], [0, 1, 2]);
        mapping.stop().await;
    });
}

fn admin(servers: &str) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", servers).create().unwrap()
}
