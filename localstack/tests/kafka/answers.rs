//! What a function answers, and which records come again.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html>; how later successes of a failed
//! partition are treated is not told there, so both readings are here.

use bytes::Bytes;
use freshet_localstack::functions::Outcome;
use freshet_localstack::mapping::PartialFailures::{self, Lenient, Strict};

use crate::support::{Function, Place, Topic, committed, failures, numbers, ok, run, start, until};

/// Five records, answered `answer` at first and then well: how often they were delivered.
async fn deliveries_after(answer: &'static str) -> Vec<usize> {
    let topic = Topic::of(5).await;
    let answer = answer.replace("TOPIC", &topic.name);
    let function = Function::new(move |_, before| match before {
        0 => Outcome::Response(Bytes::from(answer.clone())),
        _ => ok(),
    });
    let mapping = start(topic.in_batches_of(5), Strict, &function).await;
    committed(&mapping, 0, 5).await;
    mapping.stop().await;
    function.deliveries().into_values().collect()
}

macro_rules! answers {
    ($($name:ident: $answer:expr => $times:expr;)*) => {
        $(
            #[test]
            fn $name() {
                run(async { assert_eq!(deliveries_after($answer).await, [$times; 5]) });
            }
        )*
    };
}

answers! {
    an_empty_answer_is_a_success: "" => 1;
    null_is_a_success: "null" => 1;
    an_empty_object_is_a_success: "{}" => 1;
    an_empty_list_of_failures_is_a_success: r#"{"batchItemFailures":[]}"# => 1;
    a_null_list_of_failures_is_a_success: r#"{"batchItemFailures":null}"# => 1;
    an_answer_that_is_no_json_fails_the_whole_batch: "oops" => 2;
    an_answer_that_is_no_object_fails_the_whole_batch: "[1]" => 2;
    a_null_identifier_fails_the_whole_batch: r#"{"batchItemFailures":[{"itemIdentifier":null}]}"# => 2;
    an_empty_identifier_fails_the_whole_batch: r#"{"batchItemFailures":[{"itemIdentifier":{}}]}"# => 2;
    a_failure_with_a_wrong_key_fails_the_whole_batch:
        r#"{"batchItemFailures":[{"identifier":{"partition":"TOPIC-0","offset":3}}]}"# => 2;
    an_offset_that_is_no_number_fails_the_whole_batch:
        r#"{"batchItemFailures":[{"itemIdentifier":{"partition":"TOPIC-0","offset":"x"}}]}"# => 2;
    an_offset_beyond_the_batch_fails_the_whole_batch:
        r#"{"batchItemFailures":[{"itemIdentifier":{"partition":"TOPIC-0","offset":5}}]}"# => 2;
    a_partition_beyond_the_batch_fails_the_whole_batch:
        r#"{"batchItemFailures":[{"itemIdentifier":{"partition":"TOPIC-1","offset":3}}]}"# => 2;
    a_failure_of_the_first_record_brings_all_again:
        r#"{"batchItemFailures":[{"itemIdentifier":{"partition":"TOPIC-0","offset":0}}]}"# => 2;
}

#[test]
fn a_record_that_is_named_twice_comes_again_once() {
    run(async {
        let twice = r#"{"batchItemFailures":[
            {"itemIdentifier":{"partition":"TOPIC-0","offset":3}},
            {"itemIdentifier":{"partition":"TOPIC-0","offset":3}}]}"#;
        assert_eq!(deliveries_after(twice).await, [1, 1, 1, 2, 2]);
    });
}

/// Record 4 fails once. Returns what was delivered after the first batch.
async fn after_a_failure_at_4(reading: PartialFailures) -> Vec<i64> {
    let topic = Topic::new(1).await;
    topic.send(0, numbers(0..10)).await;
    let name = topic.name.clone();
    let function = Function::new(move |_, before| if before == 0 { failures(&name, &[(0, 4)]) } else { ok() });
    let mapping = start(topic.in_batches_of(10), reading, &function).await;
    committed(&mapping, 0, 10).await;
    mapping.stop().await;
    let batches = function.batches.lock().unwrap();
    batches[1..].iter().flatten().map(|place| place.1).collect()
}

#[test]
fn a_partial_failure_read_strictly_brings_everything_from_it_on_again() {
    run(async { assert_eq!(after_a_failure_at_4(Strict).await, [4, 5, 6, 7, 8, 9]) });
}

#[test]
fn a_partial_failure_read_leniently_brings_only_the_named_record_again() {
    run(async { assert_eq!(after_a_failure_at_4(Lenient).await, [4]) });
}

#[test]
fn an_answer_that_names_an_unknown_record_brings_the_whole_batch_again() {
    run(async {
        let topic = Topic::new(1).await;
        topic.send(0, numbers(0..5)).await;
        let name = topic.name.clone();
        let function = Function::new(move |_, before| match before {
            0 => failures(&name, &[(0, 77)]),
            1 => failures("elsewhere", &[(0, 1)]),
            2 => Outcome::Response(bytes::Bytes::from_static(b"{\"batchItemFailures\":7}")),
            3 => Outcome::Throttled("busy".to_owned()),
            _ => Outcome::Response(bytes::Bytes::from_static(b"null")),
        });
        let mapping = start(topic.in_batches_of(5), Strict, &function).await;
        until("the success", || mapping.status().batches == 1).await;
        let batches = function.batches.lock().unwrap().clone();
        assert_eq!(batches.len(), 5);
        assert!(batches.iter().all(|batch| batch.len() == 5));
        mapping.stop().await;
    });
}

/// Two partitions of ten, of which the first answer names one record each: what came again, by partition.
async fn after_two_failures(reading: PartialFailures) -> [Vec<i64>; 2] {
    let topic = Topic::new(2).await;
    for partition in 0..2 {
        topic.send(partition, numbers(0..10)).await;
    }
    let name = topic.name.clone();
    let failed = move |_: &[Place], before| if before == 0 { failures(&name, &[(0, 2), (1, 7)]) } else { ok() };
    let function = Function::new(failed);
    let mapping = start(topic.in_batches_of(20), reading, &function).await;
    committed(&mapping, 0, 10).await;
    committed(&mapping, 1, 10).await;
    mapping.stop().await;
    let again = function.batches.lock().unwrap()[1..].concat();
    [0, 1].map(|partition| again.iter().filter(|place| place.0 == partition).map(|place| place.1).collect())
}

#[test]
fn each_partition_goes_back_to_its_own_failure() {
    run(async {
        let [first, second] = after_two_failures(Strict).await;
        assert_eq!((first, second), ((2..10).collect(), (7..10).collect()));
    });
}

#[test]
fn read_leniently_each_partition_brings_its_own_record_alone() {
    run(async {
        let [first, second] = after_two_failures(Lenient).await;
        assert_eq!((first, second), (vec![2], vec![7]));
    });
}

#[test]
fn a_partition_that_no_failure_names_does_not_come_again() {
    run(async {
        let topic = Topic::new(2).await;
        for partition in 0..2 {
            topic.send(partition, numbers(0..5)).await;
        }
        let name = topic.name.clone();
        let function = Function::new(move |_, before| if before == 0 { failures(&name, &[(0, 1)]) } else { ok() });
        let mapping = start(topic.in_batches_of(10), Strict, &function).await;
        committed(&mapping, 0, 5).await;
        let again = function.batches.lock().unwrap()[1..].concat();
        assert_eq!(again, [(0, 1), (0, 2), (0, 3), (0, 4)]);
        mapping.stop().await;
    });
}

#[test]
fn without_report_batch_item_failures_the_answer_is_not_read() {
    run(async {
        let topic = Topic::of(5).await;
        let name = topic.name.clone();
        let mut mapping = topic.in_batches_of(5);
        mapping.report_batch_item_failures = false;
        let function = Function::new(move |_, _| failures(&name, &[(0, 0)]));
        let mapping = start(mapping, Strict, &function).await;
        committed(&mapping, 0, 5).await;
        assert_eq!(function.offsets(), [[0, 1, 2, 3, 4]]);
        mapping.stop().await;
    });
}

#[test]
fn what_is_committed_stays_at_the_lowest_failure_while_it_comes_again() {
    run(async {
        let topic = Topic::of(10).await;
        let name = topic.name.clone();
        // For three seconds: acknowledged commits are seen once a second.
        let function = Function::new(move |_, before| if before < 5 { failures(&name, &[(0, 6)]) } else { ok() });
        let mapping = start(topic.in_batches_of(10), Strict, &function).await;
        committed(&mapping, 0, 6).await;
        committed(&mapping, 0, 10).await;
        assert_eq!(function.offsets()[1..], [[6, 7, 8, 9]; 5]);
        mapping.stop().await;
    });
}
