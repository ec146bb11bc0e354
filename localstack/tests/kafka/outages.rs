//! Ends of the mapping, of the function's patience and of the broker: nothing is skipped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use freshet_localstack::kafka::TopicSpec;
use freshet_localstack::mapping::PartialFailures::Strict;

use crate::support::{Function, Place, Topic, committed, error, numbers, ok, own_broker, run, start, start_on, until};

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
fn a_clean_stop_waits_for_the_batch_in_flight() {
    run(async {
        let topic = Topic::of(10).await;
        let function = Function::slow(Duration::from_millis(500), |_, _| ok());
        let mapping = start(topic.in_batches_of(10), Strict, &function).await;
        function.delivered(10).await;
        mapping.stop().await;
        let again = Function::new(|_, _| ok());
        let mapping = start(topic.mapping(), Strict, &again).await;
        topic.send(0, numbers(10..11)).await;
        again.delivered(1).await;
        assert_eq!(again.offsets().concat(), [10]);
        mapping.stop().await;
    });
}

#[test]
fn a_function_slower_than_the_groups_session_keeps_its_partitions() {
    run(async {
        let topic = Topic::of(10).await;
        // The session is 6 s: a member that does not report meanwhile would lose them.
        let function = Function::slow(Duration::from_secs(8), |_, _| ok());
        let mapping = start(topic.in_batches_of(10), Strict, &function).await;
        committed(&mapping, 0, 10).await;
        assert_eq!(function.offsets(), [(0..10).collect::<Vec<_>>()], "delivered once");
        mapping.stop().await;
    });
}

#[test]
fn a_broker_that_is_killed_in_mid_stream_costs_nothing() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let broker = own_broker(folder.path()).await;
        let servers = broker.bootstrap_servers();
        let topic = Topic::on(&servers, TopicSpec::new("killed", 2)).await;
        let function = Function::new(|_, _| ok());
        let mapping = start_on(&servers, Some("test"), topic.mapping(), Strict, &function).await;
        topic.send(0, numbers(0..300)).await;
        function.delivered(100).await;
        broker.kill();
        topic.send(1, numbers(0..300)).await;
        topic.send(0, numbers(300..600)).await;
        function.delivered(900).await;
        let deliveries = function.deliveries();
        assert!((0..600).all(|offset| deliveries.contains_key(&(0, offset))));
        mapping.stop().await;
        broker.stop().await;
    });
}

#[test]
fn an_answer_that_comes_while_the_broker_is_away_is_committed_when_it_is_back() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let broker = own_broker(folder.path()).await;
        let servers = broker.bootstrap_servers();
        let topic = Topic::on(&servers, TopicSpec::new("away", 1)).await;
        topic.send(0, numbers(0..10)).await;
        let function = Function::slow(Duration::from_millis(300), |_, _| ok());
        let mapping = start_on(&servers, Some("test"), topic.in_batches_of(10), Strict, &function).await;
        function.delivered(10).await;
        broker.kill();
        committed(&mapping, 0, 10).await;
        // A group that was made anew meanwhile may deliver them again; none is missing.
        assert_eq!(function.deliveries().len(), 10);
        mapping.stop().await;
        broker.stop().await;
    });
}
