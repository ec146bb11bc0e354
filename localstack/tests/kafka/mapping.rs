//! The event source mapping on a real broker: what comes again, what is never skipped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::support::{Function, Place, Topic, broker, error, failures, now_ms, ok, run, start, start_as, until};
use freshet_localstack::functions::Outcome;
use freshet_localstack::mapping::MappingState;
use freshet_localstack::mapping::PartialFailures::{Lenient, Strict};
use freshet_localstack::template::model::StartingPosition;

fn numbers(range: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    range.map(|n| n.to_string())
}

/// Each partition's records in the order of their last delivery, which is the one that counted.
fn in_order(batches: &[Vec<Place>]) -> bool {
    let mut last = std::collections::BTreeMap::new();
    batches.iter().all(|batch| {
        batch.windows(2).all(|pair| pair[0].0 != pair[1].0 || pair[0].1 < pair[1].1)
            && batch.iter().all(|(partition, offset)| last.insert(*partition, *offset) < Some(i64::MAX))
    })
}

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
        assert!(batches.iter().all(|batch| batch.len() <= 10) && in_order(&batches));
        let of_one: Vec<i64> = batches.iter().flatten().filter(|place| place.0 == 0).map(|place| place.1).collect();
        assert_eq!(of_one, (0..95).collect::<Vec<_>>());
        mapping.stop().await;
    });
}

#[test]
fn a_function_error_brings_the_whole_batch_again() {
    run(async {
        let topic = Topic::new(1).await;
        topic.send(0, numbers(0..10)).await;
        let function = Function::new(|_, before| if before < 2 { error() } else { ok() });
        let mapping = start(topic.mapping(), Strict, &function).await;
        until("the success", || mapping.status().batches == 1).await;
        let batches = function.batches.lock().unwrap().clone();
        assert_eq!(batches.len(), 3);
        assert!(batches.iter().all(|batch| *batch == batches[0]), "{batches:?}");
        mapping.stop().await;
    });
}

/// Record 4 fails once. Returns what was delivered after the first batch.
async fn after_a_failure_at_4(reading: freshet_localstack::mapping::PartialFailures) -> Vec<i64> {
    let topic = Topic::new(1).await;
    topic.send(0, numbers(0..10)).await;
    let name = topic.name.clone();
    let function = Function::new(move |_, before| if before == 0 { failures(&name, &[(0, 4)]) } else { ok() });
    let mapping = start(topic.mapping(), reading, &function).await;
    until("the success", || {
        mapping.status().partitions.get(&0).is_some_and(|p| p.committed == Some(10) || p.committed == Some(5))
    })
    .await;
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
        let mapping = start(topic.mapping(), Strict, &function).await;
        until("the success", || mapping.status().batches == 1).await;
        let batches = function.batches.lock().unwrap().clone();
        assert_eq!(batches.len(), 5);
        assert!(batches.iter().all(|batch| batch.len() == 5));
        mapping.stop().await;
    });
}

#[test]
fn a_partition_that_fails_for_ever_does_not_hold_up_the_others() {
    run(async {
        let topic = Topic::new(3).await;
        let name = topic.name.clone();
        let function = Function::new(move |places, _| {
            let poisoned: Vec<Place> = places.iter().copied().filter(|place| place.0 == 1 && place.1 >= 3).collect();
            failures(&name, &poisoned)
        });
        let mapping = start(topic.mapping(), Strict, &function).await;
        for partition in 0..3 {
            topic.send(partition, numbers(0..200)).await;
        }
        let committed = |partition| mapping.status().partitions.get(&partition).and_then(|p| p.committed);
        until("the others", || committed(0) == Some(200) && committed(2) == Some(200)).await;
        assert_eq!(committed(1), Some(3), "never beyond the lowest failed record");
        mapping.stop().await;
    });
}

#[test]
fn what_was_not_answered_comes_again_after_a_crash_and_nothing_is_skipped() {
    run(async {
        let topic = Topic::new(2).await;
        topic.send(0, numbers(0..500)).await;
        topic.send(1, numbers(0..500)).await;
        let answered: Arc<Mutex<std::collections::BTreeSet<Place>>> = Arc::default();
        for _ in 0..5 {
            // After seven batches this mapping goes away with a batch that is never answered.
            let (noted, open) = (Arc::clone(&answered), Arc::new(AtomicBool::new(true)));
            let crash = Arc::clone(&open);
            let function = Function::new(move |places, before| {
                if before < 7 {
                    noted.lock().unwrap().extend(places);
                    return ok();
                }
                crash.store(false, Ordering::Relaxed);
                error()
            });
            let mapping = start(topic.mapping(), Strict, &function).await;
            until("the crash", || !open.load(Ordering::Relaxed)).await;
            drop(mapping);
        }
        let noted = Arc::clone(&answered);
        let function = Function::new(move |places, _| {
            noted.lock().unwrap().extend(places);
            ok()
        });
        let mapping = start(topic.mapping(), Strict, &function).await;
        until("everything", || answered.lock().unwrap().len() == 1_000).await;
        mapping.stop().await;
    });
}

#[test]
fn a_broker_that_is_killed_in_mid_stream_costs_nothing() {
    run(async {
        let topic = Topic::new(2).await;
        let function = Function::new(|_, _| ok());
        let mapping = start(topic.mapping(), Strict, &function).await;
        topic.send(0, numbers(0..300)).await;
        function.delivered(100).await;
        broker().await.kill();
        topic.send(1, numbers(0..300)).await;
        topic.send(0, numbers(300..600)).await;
        function.delivered(900).await;
        let deliveries = function.deliveries();
        assert!((0..600).all(|offset| deliveries.contains_key(&(0, offset))));
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

#[test]
fn a_member_that_comes_and_goes_in_deep_lag_leaves_no_partition_behind() {
    run(async {
        let topic = Topic::new(4).await;
        for partition in 0..4 {
            topic.send(partition, numbers(0..1_000)).await;
        }
        // Slow, so that every partition has more waiting than is fetched ahead.
        let function = Function::slow(std::time::Duration::from_millis(15), |_, _| ok());
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
        assert!(in_order(&function.batches.lock().unwrap()));
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
fn a_clean_stop_commits_what_was_answered() {
    run(async {
        let topic = Topic::new(2).await;
        topic.send(0, numbers(0..50)).await;
        topic.send(1, numbers(0..50)).await;
        let function = Function::new(|_, _| ok());
        let mapping = start(topic.mapping(), Strict, &function).await;
        function.delivered(100).await;
        mapping.stop().await;
        let again = Function::new(|_, _| ok());
        let mapping = start(topic.mapping(), Strict, &again).await;
        topic.send(0, numbers(50..51)).await;
        again.delivered(1).await;
        assert_eq!(again.deliveries().into_keys().collect::<Vec<_>>(), [(0, 50)]);
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
