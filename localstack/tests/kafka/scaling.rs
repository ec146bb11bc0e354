//! How much runs at one time.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/kafka-scaling-modes.html>.

use std::sync::atomic::Ordering;
use std::time::Duration;

use freshet_localstack::functions::Outcome;
use freshet_localstack::mapping::PartialFailures::Strict;
use freshet_localstack::template::model::KafkaMapping;

use crate::support::{Function, Topic, numbers, ok, run, start, start_as, until};

/// A topic of some partitions, each with many records; batches of one record.
async fn deep(partitions: u32) -> (Topic, KafkaMapping) {
    let topic = Topic::new(partitions).await;
    for partition in 0..partitions {
        topic.send(partition.cast_signed(), numbers(0..400)).await;
    }
    let mut mapping = topic.mapping();
    mapping.batch_size = 1;
    (topic, mapping)
}

#[test]
fn several_pollers_work_on_different_partitions_never_on_one() {
    run(async {
        let topic = Topic::new(4).await;
        for partition in 0..4 {
            topic.send(partition, numbers(0..100)).await;
        }
        let function = Function::slow(std::time::Duration::from_millis(20), |_, _| ok());
        let mut mapping = topic.mapping();
        mapping.maximum_pollers = 3;
        let mapping = start(mapping, Strict, &function).await;
        function.delivered(400).await;
        assert!(!function.overlapped.load(Ordering::Relaxed));
        assert!((2..=3).contains(&function.most_at_once.load(Ordering::Relaxed)));
        assert!(function.is_in_order());
        mapping.stop().await;
    });
}

#[test]
fn provisioned_mode_runs_as_many_batches_as_it_may() {
    run(async {
        let (_, mut mapping) = deep(6).await;
        mapping.maximum_pollers = 4;
        let function = Function::slow(Duration::from_millis(20), |_, _| ok());
        let mapping = start(mapping, Strict, &function).await;
        until("four at once", || function.most_at_once.load(Ordering::Relaxed) >= 4).await;
        function.delivered(200).await;
        assert_eq!(function.most_at_once.load(Ordering::Relaxed), 4);
        mapping.stop().await;
    });
}

#[test]
fn more_pollers_than_partitions_are_of_no_use() {
    run(async {
        let (_, mut mapping) = deep(2).await;
        mapping.maximum_pollers = 8;
        let function = Function::slow(Duration::from_millis(10), |_, _| ok());
        let mapping = start(mapping, Strict, &function).await;
        function.delivered(300).await;
        assert_eq!(function.most_at_once.load(Ordering::Relaxed), 2);
        assert!(!function.overlapped.load(Ordering::Relaxed));
        mapping.stop().await;
    });
}

#[test]
fn on_demand_begins_with_one_batch_at_a_time() {
    run(async {
        let (_, mut mapping) = deep(4).await;
        mapping.provisioned = false;
        let function = Function::slow(Duration::from_millis(5), |_, _| ok());
        let mapping = start(mapping, Strict, &function).await;
        function.delivered(20).await;
        assert_eq!((mapping.status().pollers, function.most_at_once.load(Ordering::Relaxed)), (1, 1));
        mapping.stop().await;
    });
}

#[test]
fn on_demand_grows_with_its_lag_up_to_the_partitions_and_shrinks_without() {
    run(async {
        let (_, mut mapping) = deep(3).await;
        mapping.provisioned = false;
        let function = Function::slow(Duration::from_millis(8), |_, _| ok());
        let mapping = start(mapping, Strict, &function).await;
        until("a poller for each partition", || mapping.status().pollers == 3).await;
        until("three at once", || function.most_at_once.load(Ordering::Relaxed) == 3).await;
        function.delivered(1_200).await;
        until("one again", || mapping.status().pollers == 1).await;
        assert!(!function.overlapped.load(Ordering::Relaxed));
        mapping.stop().await;
    });
}

#[test]
fn on_demand_does_not_grow_where_the_function_is_throttled() {
    run(async {
        let (_, mut mapping) = deep(3).await;
        mapping.provisioned = false;
        let function = Function::new(|_, _| Outcome::Throttled("busy".to_owned()));
        let mapping = start(mapping, Strict, &function).await;
        // Some looks at the lag pass meanwhile.
        until("some attempts", || mapping.status().retries >= 5).await;
        assert_eq!(mapping.status().pollers, 1);
        mapping.stop().await;
    });
}

#[test]
fn a_member_that_comes_and_goes_in_deep_lag_leaves_no_partition_behind() {
    run(async {
        let topic = Topic::new(4).await;
        for partition in 0..4 {
            topic.send(partition, numbers(0..1_000)).await;
        }
        // Slow, so that every partition has more waiting than is fetched ahead.
        let function = Function::slow(Duration::from_millis(15), |_, _| ok());
        let one = start_as(None, topic.mapping(), Strict, &function).await;
        function.delivered(100).await;
        let two = start_as(None, topic.mapping(), Strict, &function).await;
        until("the other's share", || two.status().batches > 5).await;
        two.stop().await;
        function.delivered(4_000).await;
        until("the commits", || one.status().partitions.values().all(|p| p.committed == Some(1_000))).await;
        one.stop().await;
    });
}
