//! Which records a mapping's filters let through.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/kafka-filtering.html>.

use freshet_localstack::mapping::PartialFailures::Strict;
use freshet_localstack::pattern::Filter;
use rdkafka::producer::FutureRecord;

use crate::support::{Function, Topic, committed, error, failures, ok, run, start, until};

/// `{"n": 3, "kind": "odd"}`
fn counted(range: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    range.map(|n| format!(r#"{{"n":{n},"kind":"{}"}}"#, if n % 2 == 0 { "even" } else { "odd" }))
}
fn filters(patterns: &[&str]) -> Vec<Filter> {
    patterns.iter().map(|pattern| Filter::parse(pattern).unwrap()).collect()
}

/// The places of the `values` that `pattern` lets through.
async fn admitted(pattern: &str, values: &[&[u8]]) -> Vec<i64> {
    let topic = Topic::new(1).await;
    for value in values {
        topic.send_record(FutureRecord::to(&topic.name).partition(0).payload(*value)).await;
    }
    let function = Function::new(|_, _| ok());
    let mut mapping = topic.mapping();
    mapping.filters = filters(&[pattern]);
    let mapping = start(mapping, Strict, &function).await;
    committed(&mapping, 0, i64::try_from(values.len()).unwrap()).await;
    mapping.stop().await;
    function.offsets().concat()
}

macro_rules! patterns {
    ($($name:ident: $pattern:expr, [$($value:expr),*] => [$($place:expr),*];)*) => {
        $(
            #[test]
            fn $name() {
                run(async {
                    let expected: Vec<i64> = vec![$($place),*];
                    assert_eq!(admitted($pattern, &[$($value.as_slice()),*]).await, expected);
                });
            }
        )*
    };
}

patterns! {
    a_value_is_matched_exactly: r#"{"value":{"a":["x",null,7]}}"#,
        [br#"{"a":"x"}"#, br#"{"a":"X"}"#, br#"{"a":null}"#, br#"{"a":7.0}"#, br#"{"a":"7"}"#, br#"{"b":1}"#] => [0, 2, 3];
    all_fields_of_a_pattern_must_fit: r#"{"value":{"a":[1],"b":{"c":[2]}}}"#,
        [br#"{"a":1,"b":{"c":2}}"#, br#"{"a":1,"b":{"c":3}}"#, br#"{"a":1}"#] => [0];
    or_takes_any_of_its_branches: r#"{"value":{"$or":[{"a":[1]},{"b":[2]}]}}"#,
        [br#"{"a":1}"#, br#"{"b":2}"#, br#"{"a":2,"b":1}"#] => [0, 1];
    numbers_are_compared: r#"{"value":{"price":[{"numeric":[">",10,"<=",20]}]}}"#,
        [br#"{"price":10}"#, br#"{"price":10.5}"#, br#"{"price":20}"#, br#"{"price":"15"}"#] => [1, 2];
    a_prefix_and_a_suffix_are_looked_for: r#"{"value":{"sku":[{"prefix":"a-"},{"suffix":"-z"}]}}"#,
        [br#"{"sku":"a-1"}"#, br#"{"sku":"1-z"}"#, br#"{"sku":"b-1"}"#] => [0, 1];
    a_field_that_must_not_exist_is_missed: r#"{"value":{"bot":[{"exists":false}]}}"#,
        [br#"{"user":1}"#, br#"{"bot":true}"#] => [0];
    anything_but_takes_the_rest: r#"{"value":{"kind":[{"anything-but":["view","click"]}]}}"#,
        [br#"{"kind":"view"}"#, br#"{"kind":"buy"}"#, br#"{"other":1}"#] => [1];
    a_field_with_several_values_fits_with_one_of_them: r#"{"value":{"tags":["red"]}}"#,
        [br#"{"tags":["blue","red"]}"#, br#"{"tags":["blue"]}"#] => [0];
    plain_text_is_matched_by_a_pattern_of_text: r#"{"value":["hello",{"prefix":"good"}]}"#,
        [b"hello", b"goodbye", b"bye", br#"{"a":1}"#] => [0, 1];
    json_does_not_pass_a_pattern_of_text: r#"{"value":["x"]}"#, [br#"{"x":1}"#, b"x"] => [1];
    text_does_not_pass_a_pattern_of_json: r#"{"value":{"a":[1]}}"#, [b"a", br#"{"a":1}"#] => [1];
    bytes_that_are_no_text_pass_no_pattern: r#"{"value":[{"anything-but":"x"}]}"#, [b"\xff\xfe", b"y"] => [1];
    metadata_is_matched_beside_the_value: r#"{"topic":[{"prefix":"topic"}],"offset":[{"numeric":[">",0]}],"value":["x"]}"#,
        [b"x", b"y", b"x"] => [2];
    a_pattern_of_another_topic_lets_nothing_pass: r#"{"topic":["elsewhere"]}"#, [b"x"] => [];
    a_pattern_without_a_value_lets_all_pass: "{}", [b"text", br#"{"a":1}"#] => [0, 1];
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
        let mut mapping = topic.in_batches_of(10);
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
fn what_was_filtered_is_committed_only_with_the_batch_around_it() {
    run(async {
        let topic = Topic::new(1).await;
        topic.send(0, counted(0..10)).await;
        let function = Function::new(|_, before| if before < 2 { error() } else { ok() });
        let mut mapping = topic.mapping();
        mapping.filters = filters(&[r#"{"value":{"kind":["even"]}}"#]);
        let mapping = start(mapping, Strict, &function).await;
        until("the second attempt", || function.batches.lock().unwrap().len() == 2).await;
        assert_eq!(mapping.status().partitions.get(&0).and_then(|partition| partition.committed), None);
        committed(&mapping, 0, 10).await;
        mapping.stop().await;
    });
}
