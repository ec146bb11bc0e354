//! When a batch closes, and what is in it.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching>.

use std::time::Instant;

use freshet_localstack::mapping::MappingState;
use freshet_localstack::mapping::PartialFailures::Strict;

use crate::support::{Function, Topic, committed, numbers, ok, run, start, until};

#[test]
fn batches_keep_the_order_of_a_partition_and_their_size() {
    run(async {
        let topic = Topic::new(2).await;
        topic.send(0, numbers(0..95)).await;
        topic.send(1, numbers(0..95)).await;
        let function = Function::new(|_, _| ok());
        let mapping = start(topic.mapping(), Strict, &function).await;
        function.delivered(190).await;
        assert!(function.deliveries().values().all(|count| *count == 1));
        let batches = function.batches.lock().unwrap().clone();
        assert!(batches.iter().all(|batch| batch.len() <= 10) && function.is_in_order());
        let of_one: Vec<i64> = batches.iter().flatten().filter(|place| place.0 == 0).map(|place| place.1).collect();
        assert_eq!(of_one, (0..95).collect::<Vec<_>>());
        mapping.stop().await;
    });
}

#[test]
fn a_batch_size_of_one_delivers_records_one_by_one() {
    run(async {
        let mut mapping = Topic::of(7).await.mapping();
        mapping.batch_size = 1;
        let function = Function::new(|_, _| ok());
        let mapping = start(mapping, Strict, &function).await;
        committed(&mapping, 0, 7).await;
        assert_eq!(function.offsets(), (0..7).map(|offset| vec![offset]).collect::<Vec<_>>());
        mapping.stop().await;
    });
}

#[test]
fn a_batch_of_ten_thousand_comes_whole() {
    run(async {
        let topic = Topic::of(10_000).await;
        let function = Function::new(|_, _| ok());
        let mapping = start(topic.in_batches_of(10_000), Strict, &function).await;
        committed(&mapping, 0, 10_000).await;
        assert_eq!(function.offsets(), [(0..10_000).collect::<Vec<_>>()]);
        mapping.stop().await;
    });
}

#[test]
fn one_batch_takes_from_several_partitions() {
    run(async {
        let topic = Topic::new(4).await;
        for partition in 0..4 {
            topic.send(partition, numbers(0..5)).await;
        }
        let function = Function::new(|_, _| ok());
        let mapping = start(topic.in_batches_of(20), Strict, &function).await;
        function.delivered(20).await;
        assert_eq!(function.batches.lock().unwrap().len(), 1);
        mapping.stop().await;
    });
}

#[test]
fn a_quiet_topic_invokes_nobody() {
    run(async {
        let topic = Topic::new(1).await;
        let function = Function::new(|_, _| ok());
        let mapping = start(topic.mapping(), Strict, &function).await;
        until("its partition", || mapping.status().state == MappingState::Enabled).await;
        // A window of its own has passed when another mapping on another topic has done one after the other.
        let other = start(Topic::of(30).await.mapping(), Strict, &Function::new(|_, _| ok())).await;
        committed(&other, 0, 30).await;
        assert!(function.batches.lock().unwrap().is_empty());
        assert_eq!(mapping.status().last_processing_result, "No records processed");
        mapping.stop().await;
        other.stop().await;
    });
}

#[test]
fn a_window_of_zero_delivers_what_is_there_at_once() {
    run(async {
        let topic = Topic::of(6).await;
        let mut mapping = topic.mapping();
        (mapping.batch_size, mapping.batching_window_ms) = (10_000, 0);
        let function = Function::new(|_, _| ok());
        let mapping = start(mapping, Strict, &function).await;
        function.delivered(6).await;
        let sent = Instant::now();
        topic.send(0, numbers(6..7)).await;
        function.delivered(7).await;
        assert!(sent.elapsed().as_millis() < 2_000, "{:?}", sent.elapsed());
        mapping.stop().await;
    });
}

#[test]
fn a_batch_closes_at_the_end_of_the_first_records_window() {
    run(async {
        let topic = Topic::new(1).await;
        let function = Function::new(|_, _| ok());
        let mut mapping = topic.mapping();
        mapping.batching_window_ms = 1_000;
        let mapping = start(mapping, Strict, &function).await;
        until("the partition", || mapping.status().state == MappingState::Enabled).await;
        let sent = Instant::now();
        topic.send(0, numbers(0..1)).await;
        topic.send(0, numbers(1..3)).await;
        function.delivered(3).await;
        let waited = sent.elapsed();
        assert_eq!(function.batches.lock().unwrap().len(), 1, "one batch for all that came within the window");
        assert!((900..2_500).contains(&waited.as_millis()), "{waited:?}");
        mapping.stop().await;
    });
}

#[test]
fn a_full_batch_does_not_wait_for_the_window() {
    run(async {
        let topic = Topic::new(1).await;
        let function = Function::new(|_, _| ok());
        let mut mapping = topic.mapping();
        mapping.batching_window_ms = 300_000;
        let mapping = start(mapping, Strict, &function).await;
        topic.send(0, numbers(0..10)).await;
        // It would be given up long before the window ends.
        function.delivered(10).await;
        mapping.stop().await;
    });
}

#[test]
fn a_payload_never_passes_6_mb_and_large_records_are_all_delivered() {
    run(async {
        let topic = Topic::new(1).await;
        let mut mapping = topic.mapping();
        (mapping.batch_size, mapping.batching_window_ms) = (1_000, 500);
        let function = Function::new(|_, _| ok());
        topic.send(0, (0..12).map(|_| "x".repeat(1_000_000))).await;
        let mapping = start(mapping, Strict, &function).await;
        function.delivered(12).await;
        let payloads: Vec<usize> = function.payloads.lock().unwrap().iter().map(bytes::Bytes::len).collect();
        assert!(payloads.iter().all(|bytes| *bytes <= 6 * 1024 * 1024), "{payloads:?}");
        assert!(payloads.len() <= 6 && payloads[0] > 5_000_000, "batches are filled: {payloads:?}");
        mapping.stop().await;
    });
}

#[test]
fn six_megabytes_close_a_batch_before_its_window() {
    run(async {
        let topic = Topic::new(1).await;
        topic.send(0, (0..7).map(|_| "x".repeat(900_000))).await;
        let mut mapping = topic.mapping();
        (mapping.batch_size, mapping.batching_window_ms) = (10_000, 300_000);
        let function = Function::new(|_, _| ok());
        let mapping = start(mapping, Strict, &function).await;
        // Base64 makes 1.2 MB of each: five fit, and the others wait for their own window.
        function.delivered(5).await;
        assert_eq!(function.offsets(), [[0, 1, 2, 3, 4]]);
        mapping.stop().await;
    });
}
