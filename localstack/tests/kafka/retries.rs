//! What fails comes again: how often, in what company, after how long.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html>.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use freshet_localstack::functions::Outcome;
use freshet_localstack::mapping::PartialFailures::Strict;

use crate::support::{Function, Place, Topic, committed, error, failures, numbers, ok, run, start, until};

#[test]
fn a_function_error_brings_the_whole_batch_again() {
    run(async {
        let topic = Topic::new(1).await;
        topic.send(0, numbers(0..10)).await;
        let function = Function::new(|_, before| if before < 2 { error() } else { ok() });
        let mapping = start(topic.in_batches_of(10), Strict, &function).await;
        until("the success", || mapping.status().batches == 1).await;
        let batches = function.batches.lock().unwrap().clone();
        assert_eq!(batches.len(), 3);
        assert!(batches.iter().all(|batch| *batch == batches[0]), "{batches:?}");
        mapping.stop().await;
    });
}

/// Five records whose function fails twice in a given way: how often they were delivered.
async fn deliveries_of(outcome: Outcome) -> usize {
    let function = Function::new(move |_, before| if before < 2 { outcome.clone() } else { ok() });
    let mapping = start(Topic::of(5).await.in_batches_of(5), Strict, &function).await;
    committed(&mapping, 0, 5).await;
    mapping.stop().await;
    function.batches.lock().unwrap().len()
}

fn function_error(kind: &str) -> Outcome {
    Outcome::FunctionError(serde_json::json!({"errorType": kind, "errorMessage": "x"}).to_string().into())
}

#[test]
fn a_timeout_brings_the_batch_again() {
    run(async { assert_eq!(deliveries_of(function_error("Sandbox.Timedout")).await, 3) });
}

#[test]
fn a_crash_brings_the_batch_again() {
    run(async { assert_eq!(deliveries_of(function_error("Runtime.ExitError")).await, 3) });
}

#[test]
fn a_function_that_does_not_start_brings_the_batch_again() {
    run(async { assert_eq!(deliveries_of(function_error("Runtime.InitError")).await, 3) });
}

#[test]
fn a_throttle_brings_the_batch_again() {
    run(async { assert_eq!(deliveries_of(Outcome::Throttled("busy".to_owned())).await, 3) });
}

#[test]
fn a_throttle_is_no_attempt() {
    run(async {
        let mut mapping = Topic::of(5).await.in_batches_of(5);
        mapping.maximum_retry_attempts = Some(0);
        let function = Function::new(|_, before| if before < 3 { Outcome::Throttled("busy".to_owned()) } else { ok() });
        let mapping = start(mapping, Strict, &function).await;
        committed(&mapping, 0, 5).await;
        assert_eq!((mapping.status().given_up, function.batches.lock().unwrap().len()), (0, 4));
        mapping.stop().await;
    });
}

#[test]
fn without_a_limit_it_is_tried_until_it_succeeds() {
    run(async {
        let function = Function::new(|_, before| if before < 6 { error() } else { ok() });
        let mapping = start(Topic::of(3).await.in_batches_of(3), Strict, &function).await;
        committed(&mapping, 0, 3).await;
        assert_eq!((mapping.status().given_up, mapping.status().retries), (0, 6));
        mapping.stop().await;
    });
}

#[test]
fn no_retries_means_one_attempt() {
    run(async {
        let mut mapping = Topic::of(3).await.in_batches_of(3);
        mapping.maximum_retry_attempts = Some(0);
        let function = Function::new(|_, _| error());
        let mapping = start(mapping, Strict, &function).await;
        committed(&mapping, 0, 3).await;
        assert_eq!((mapping.status().given_up, function.offsets()), (3, vec![vec![0, 1, 2]]));
        mapping.stop().await;
    });
}

#[test]
fn each_attempt_waits_longer_than_the_one_before() {
    run(async {
        let times: Arc<Mutex<Vec<Instant>>> = Arc::default();
        let noted = Arc::clone(&times);
        let function = Function::new(move |_, before| {
            noted.lock().unwrap().push(Instant::now());
            if before < 4 { error() } else { ok() }
        });
        let mapping = start(Topic::of(1).await.mapping(), Strict, &function).await;
        committed(&mapping, 0, 1).await;
        let times = times.lock().unwrap().clone();
        for (pair, least_ms) in times.windows(2).zip([100, 200, 400, 800]) {
            assert!(pair[1] - pair[0] >= Duration::from_millis(least_ms), "{times:?}");
        }
        mapping.stop().await;
    });
}

#[test]
fn newer_records_do_not_join_what_comes_again() {
    run(async {
        let topic = Topic::of(4).await;
        let function = Function::new(|_, before| if before == 0 { error() } else { ok() });
        let mapping = start(topic.in_batches_of(4), Strict, &function).await;
        until("the first attempt", || !function.batches.lock().unwrap().is_empty()).await;
        topic.send(0, numbers(4..8)).await;
        committed(&mapping, 0, 8).await;
        assert_eq!(function.offsets()[..2], [[0, 1, 2, 3], [0, 1, 2, 3]]);
        assert_eq!(function.offsets()[2..].concat(), [4, 5, 6, 7]);
        mapping.stop().await;
    });
}

#[test]
fn what_failed_with_several_partitions_comes_again_with_them() {
    run(async {
        let topic = Topic::new(2).await;
        for partition in 0..2 {
            topic.send(partition, numbers(0..3)).await;
        }
        let function = Function::new(|_, before| if before == 0 { error() } else { ok() });
        let mapping = start(topic.in_batches_of(6), Strict, &function).await;
        committed(&mapping, 0, 3).await;
        committed(&mapping, 1, 3).await;
        let mut batches = function.batches.lock().unwrap().clone();
        batches.iter_mut().for_each(|batch| batch.sort_unstable());
        assert!(batches.len() == 2 && batches[0].len() == 6 && batches[0] == batches[1], "{batches:?}");
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
fn a_failing_batch_of_one_record_is_not_halved() {
    run(async {
        let mut mapping = Topic::of(2).await.mapping();
        (mapping.batch_size, mapping.bisect_on_error, mapping.maximum_retry_attempts) = (1, true, Some(1));
        let function = Function::new(|places, _| if places[0].1 == 0 { error() } else { ok() });
        let mapping = start(mapping, Strict, &function).await;
        committed(&mapping, 0, 2).await;
        assert_eq!((mapping.status().given_up, function.offsets()), (1, vec![vec![0], vec![0], vec![1]]));
        mapping.stop().await;
    });
}

#[test]
fn a_batch_whose_answer_names_failures_is_not_halved() {
    run(async {
        let topic = Topic::of(8).await;
        let name = topic.name.clone();
        let mut mapping = topic.in_batches_of(8);
        mapping.bisect_on_error = true;
        let function = Function::new(move |_, before| if before == 0 { failures(&name, &[(0, 2)]) } else { ok() });
        let mapping = start(mapping, Strict, &function).await;
        committed(&mapping, 0, 8).await;
        assert_eq!(function.offsets()[1..], [[2, 3, 4, 5, 6, 7]]);
        mapping.stop().await;
    });
}

#[test]
fn a_batch_that_fails_is_bisected_until_the_bad_record_stands_alone() {
    run(async {
        let topic = Topic::new(2).await;
        topic.send(0, numbers(0..16)).await;
        topic.send(1, numbers(0..16)).await;
        let function = Function::new(|places, _| if places.contains(&(0, 11)) { error() } else { ok() });
        let mut mapping = topic.mapping();
        (mapping.batch_size, mapping.batching_window_ms) = (32, 300);
        (mapping.bisect_on_error, mapping.maximum_retry_attempts) = (true, Some(0));
        let mapping = start(mapping, Strict, &function).await;
        committed(&mapping, 0, 16).await;
        committed(&mapping, 1, 16).await;
        assert_eq!(mapping.status().given_up, 1, "halving is no attempt, and the one that is bad had its only one");
        let batches = function.batches.lock().unwrap().clone();
        let answered: Vec<(i64, i64)> =
            batches.iter().filter(|batch| !batch.contains(&(0, 11))).flatten().copied().collect();
        let mut once = answered.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!((once.len(), answered.len()), (31, 31), "all others were taken, each once: {batches:?}");
        assert!(batches.iter().any(|batch| *batch == [(0, 11)]), "{batches:?}");
        mapping.stop().await;
    });
}
