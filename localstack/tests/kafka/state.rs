//! Enabled and disabled, and what is shown of a mapping.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html>.

use std::time::Duration;

use freshet_localstack::mapping::MappingState;
use freshet_localstack::mapping::PartialFailures::Strict;

use crate::support::{Function, Topic, committed, error, numbers, ok, run, start, until};

#[test]
fn a_mapping_that_the_template_disables_reads_nothing_until_it_is_enabled() {
    run(async {
        let mut mapping = Topic::of(5).await.mapping();
        mapping.enabled = false;
        let function = Function::new(|_, _| ok());
        let mapping = start(mapping, Strict, &function).await;
        until("its state", || mapping.status().state == MappingState::Disabled).await;
        let other = start(Topic::of(30).await.mapping(), Strict, &Function::new(|_, _| ok())).await;
        committed(&other, 0, 30).await;
        other.stop().await;
        assert!(function.batches.lock().unwrap().is_empty());
        mapping.set_enabled(true);
        committed(&mapping, 0, 5).await;
        assert_eq!(mapping.status().state, MappingState::Enabled);
        mapping.stop().await;
    });
}

#[test]
fn disabling_ends_with_the_batch_in_flight_answered_and_committed() {
    run(async {
        let topic = Topic::of(100).await;
        let function = Function::slow(Duration::from_millis(50), |_, _| ok());
        let mapping = start(topic.mapping(), Strict, &function).await;
        function.delivered(10).await;
        mapping.set_enabled(false);
        until("its state", || mapping.status().state == MappingState::Disabled).await;
        let delivered = i64::try_from(function.deliveries().len()).unwrap();
        assert!(delivered < 100, "it was switched off in time");
        assert_eq!(mapping.status().partitions[&0].committed, Some(delivered));
        mapping.stop().await;
    });
}

#[test]
fn enabled_again_it_goes_on_where_it_stopped() {
    run(async {
        let topic = Topic::of(50).await;
        let function = Function::slow(Duration::from_millis(20), |_, _| ok());
        let mapping = start(topic.mapping(), Strict, &function).await;
        for _ in 0..3 {
            until("more", || mapping.status().records > 0).await;
            mapping.set_enabled(false);
            until("its state", || mapping.status().state == MappingState::Disabled).await;
            mapping.set_enabled(true);
        }
        committed(&mapping, 0, 50).await;
        assert_eq!(function.offsets().concat(), (0..50).collect::<Vec<_>>(), "each once, in order");
        mapping.stop().await;
    });
}

#[test]
fn what_comes_while_it_is_disabled_is_delivered_afterwards() {
    run(async {
        let topic = Topic::of(5).await;
        let function = Function::new(|_, _| ok());
        let mapping = start(topic.mapping(), Strict, &function).await;
        committed(&mapping, 0, 5).await;
        mapping.set_enabled(false);
        until("its state", || mapping.status().state == MappingState::Disabled).await;
        topic.send(0, numbers(5..10)).await;
        mapping.set_enabled(true);
        committed(&mapping, 0, 10).await;
        assert_eq!(function.deliveries().len(), 10);
        mapping.stop().await;
    });
}

#[test]
fn the_lag_is_what_waits_and_falls_to_nothing() {
    run(async {
        let topic = Topic::of(500).await;
        let function = Function::slow(Duration::from_millis(60), |_, _| ok());
        let mapping = start(topic.mapping(), Strict, &function).await;
        until("the lag", || (1..=500).contains(&mapping.status().lag)).await;
        function.delivered(500).await;
        until("its end", || mapping.status().lag == 0).await;
        assert_eq!(mapping.status().partitions[&0].end, 500);
        mapping.stop().await;
    });
}

#[test]
fn the_last_result_tells_a_problem_and_its_end() {
    run(async {
        let function = Function::new(|_, before| if before < 3 { error() } else { ok() });
        let mapping = start(Topic::of(1).await.mapping(), Strict, &function).await;
        until("the problem", || mapping.status().last_processing_result.starts_with("PROBLEM: the function failed"))
            .await;
        until("its end", || mapping.status().last_processing_result == "OK").await;
        mapping.stop().await;
    });
}

#[test]
fn records_batches_and_retries_are_counted() {
    run(async {
        let function = Function::new(|_, before| if before == 1 { error() } else { ok() });
        let mapping = start(Topic::of(30).await.in_batches_of(10), Strict, &function).await;
        committed(&mapping, 0, 30).await;
        let status = mapping.status();
        assert_eq!((status.batches, status.records, status.retries), (3, 40, 1), "ten of them twice");
        mapping.stop().await;
    });
}
