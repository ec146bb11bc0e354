//! Which records are delivered, and in what company: filters, the age of records, bisected batches.

use freshet_localstack::mapping::PartialFailures::Strict;
use freshet_localstack::pattern::Filter;
use rdkafka::producer::FutureRecord;

use crate::given_up::read;
use crate::support::{Function, Topic, committed, error, failures, now_ms, ok, run, start, until};

/// `{"n": 3, "kind": "odd"}`
fn counted(range: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    range.map(|n| format!(r#"{{"n":{n},"kind":"{}"}}"#, if n % 2 == 0 { "even" } else { "odd" }))
}

fn filters(patterns: &[&str]) -> Vec<Filter> {
    patterns.iter().map(|pattern| Filter::parse(pattern).unwrap()).collect()
}

#[test]
fn only_what_a_filter_admits_is_delivered_and_all_is_committed() {
    run(async {
        let topic = Topic::new(1).await;
        topic.send(0, counted(0..30)).await;
        let function = Function::new(|_, _| ok());
        let mut mapping = topic.mapping();
        mapping.filters = filters(&[r#"{"value": {"kind": ["even"]}}"#]);
        let mapping = start(mapping, Strict, &function).await;
        committed(&mapping, 0, 30).await;
        let even: Vec<(i64, i64)> = (0..30).step_by(2).map(|offset| (0, offset)).collect();
        assert_eq!(function.batches.lock().unwrap().concat(), even);
        assert_eq!((mapping.status().records, mapping.status().filtered), (15, 15));
        // Nothing of these passes: nobody is invoked, and they are done all the same.
        let batches = mapping.status().batches;
        topic.send(0, counted(0..40).filter(|value| value.contains("odd"))).await;
        committed(&mapping, 0, 50).await;
        assert_eq!((mapping.status().batches, mapping.status().records), (batches, 15));
        mapping.stop().await;
    });
}

#[test]
fn several_filters_are_alternatives_and_what_is_no_json_passes_none_of_json() {
    run(async {
        let topic = Topic::new(1).await;
        topic.send(0, ["no json".to_owned(), "[]".to_owned(), r#"{"n":"1"}"#.to_owned()]).await;
        topic.send(0, counted(0..10)).await;
        let tombstone = FutureRecord::<[u8], [u8]>::to(&topic.name).key(b"gone".as_slice()).partition(0);
        topic.send_record(tombstone).await;
        let function = Function::new(|_, _| ok());
        let mut mapping = topic.mapping();
        mapping.filters = filters(&[r#"{"value": {"n": [{"numeric": ["<", 2]}]}}"#, r#"{"value": {"n": [9]}}"#]);
        let mapping = start(mapping, Strict, &function).await;
        until("all", || mapping.status().records + mapping.status().filtered == 14).await;
        assert_eq!(function.batches.lock().unwrap().concat(), [(0, 3), (0, 4), (0, 12)]);
        mapping.stop().await;
    });
}

#[test]
fn what_fails_comes_again_without_what_was_filtered() {
    run(async {
        let topic = Topic::new(1).await;
        topic.send(0, counted(0..10)).await;
        let name = topic.name.clone();
        let function = Function::new(move |_, before| match before {
            0 => error(),
            1 => failures(&name, &[(0, 6)]),
            // Not in the batch, for it was filtered: the answer is none.
            2 => failures(&name, &[(0, 7)]),
            _ => ok(),
        });
        let mut mapping = topic.mapping();
        mapping.filters = filters(&[r#"{"value": {"kind": ["even"]}}"#]);
        let mapping = start(mapping, Strict, &function).await;
        committed(&mapping, 0, 10).await;
        let all: Vec<(i64, i64)> = [0, 2, 4, 6, 8].map(|offset| (0, offset)).to_vec();
        let tail = all[3..].to_vec();
        assert_eq!(*function.batches.lock().unwrap(), [all.clone(), all, tail.clone(), tail]);
        assert_eq!(mapping.status().filtered, 5);
        mapping.stop().await;
    });
}

#[test]
fn a_batch_that_fails_is_bisected_until_the_bad_record_stands_alone() {
    run(async {
        let topic = Topic::new(2).await;
        topic.send(0, counted(0..16)).await;
        topic.send(1, counted(0..16)).await;
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
