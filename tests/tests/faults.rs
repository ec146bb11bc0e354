//! Whatever is killed when: nothing is lost, nothing counts twice.
//!
//! Each fault is tried `FRESHET_FAULT_RUNS` times (default 1), each time with other events.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use freshet_localstack::dynamodb::{Server, Storage};
use freshet_tests::check::{check, nothing_lost_nothing_doubled};
use freshet_tests::shop::{runs, shop};
use freshet_tests::{Setup, World};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

fn signal(pid: u32, signal: Signal) {
    let _ = kill(Pid::from_raw(i32::try_from(pid).unwrap()), signal);
}

/// Shops while `fault` strikes again and again, `runs()` times.
async fn survives(setup: Setup, fault: impl AsyncFn(&World)) {
    let world = World::start(setup).await.unwrap();
    let mut acknowledged = BTreeSet::new();
    for run in 0..runs() {
        let done = AtomicBool::new(false);
        let shopping = async {
            let acknowledged = shop(&world, run).await.unwrap();
            done.store(true, Ordering::Relaxed);
            acknowledged
        };
        let striking = async {
            while !done.load(Ordering::Relaxed) {
                fault(&world).await;
            }
        };
        acknowledged.extend(tokio::join!(shopping, striking).0);
        world.settle().await.unwrap();
        nothing_lost_nothing_doubled(&world, &acknowledged).await.unwrap();
    }
    world.cloud.stop().await;
}

/// Kills every process of a function as soon as it has done something since it was started.
async fn kill_busy(world: &World, function: &str) {
    let batches = || world.cloud.status().mappings.iter().map(|mapping| mapping.batches + mapping.retries).sum::<u64>();
    let before = batches();
    let started = Instant::now();
    while batches() < before + 3 && started.elapsed() < Duration::from_secs(1) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for pid in world.cloud.function_pids(function) {
        signal(pid, Signal::SIGKILL);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recommend_killed_in_mid_batch() {
    survives(Setup::default(), async |world| kill_busy(world, "Recommend").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn learn_killed_in_mid_batch() {
    survives(Setup::default(), async |world| kill_busy(world, "Learn").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn measure_killed_in_mid_batch() {
    survives(Setup::default(), async |world| kill_busy(world, "Measure").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn api_killed_while_it_tracks() {
    survives(Setup::default(), async |world| kill_busy(world, "Api").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_killed_in_mid_stream() {
    survives(Setup::default(), async |world| {
        let pid = world.until("the broker", async || Ok(world.cloud.kafka_pid().filter(|pid| *pid > 0))).await.unwrap();
        signal(pid, Signal::SIGKILL);
        world
            .until("the broker's return", async || Ok(world.cloud.kafka_pid().filter(|now| *now > 0 && *now != pid)))
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
    })
    .await;
}

/// A signal takes its time: are all threads of the process stopped?
fn is_stopped(pid: u32) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    let state = |thread: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().next().map(|state| state == "T")
    };
    threads.flatten().all(|thread| state(thread).unwrap_or(true))
}

#[tokio::test(flavor = "multi_thread")]
async fn with_kafka_away_track_says_so_within_five_seconds() {
    let world = World::start(Setup::default()).await.unwrap();
    let event = json!({"eventId": "kept", "userId": "u", "eventType": "product_view", "productId": "1"});
    world.track(&json!({"userId": "u", "eventType": "product_view", "productId": "0"})).await.unwrap();
    let pid = world.cloud.kafka_pid().unwrap();
    signal(pid, Signal::SIGSTOP);
    world.until("every thread of the broker to stop", async || Ok(is_stopped(pid).then_some(()))).await.unwrap();
    let started = Instant::now();
    let (status, body) = world.post("/api/events/track", &event).await.unwrap();
    let took = started.elapsed();
    let (health, parts) = world.get("/api/health").await.unwrap();
    signal(pid, Signal::SIGCONT);
    assert_eq!((status, &body["success"], &body["error"]), (500, &json!(false), &json!("Failed to track event")));
    assert_eq!(body["eventId"], "kept", "for a retry that is safe");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!((health, &parts["parts"]["kafka"], &parts["parts"]["dynamodb"]), (503, &json!("DOWN"), &json!("OK")));
    // The retry, with the same id, whether the first one got through or not.
    world.until("the retry", async || Ok(world.track(&event).await.ok())).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(check(&world).await.unwrap().events, 2);
    world.cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_dynamodb_away_events_wait_and_are_applied_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dynamodb.sqlite");
    let server = Server::start(Storage::File(&file), 0).unwrap();
    let endpoint = server.endpoint();
    let port: u16 = endpoint.rsplit(':').next().unwrap().parse().unwrap();
    let setup = Setup { dynamodb_endpoint: Some(endpoint), ..Setup::default() };
    let world = Arc::new(World::start(setup).await.unwrap());
    let first = world.track(&json!({"userId": "u", "eventType": "product_view", "productId": "0"})).await.unwrap();
    world.list_after("u", &first).await.unwrap();
    server.stop().await;
    let mut acknowledged = BTreeSet::from([first]);
    acknowledged.extend(shop(&world, 0).await.unwrap());
    let (status, body) = world.get("/api/recommendations/u").await.unwrap();
    assert_eq!((status, &body["success"]), (503, &json!(false)), "{body}");
    let server = Server::start(Storage::File(&file), port).unwrap();
    nothing_lost_nothing_doubled(&world, &acknowledged).await.unwrap();
    Arc::into_inner(world).unwrap().cloud.stop().await;
    server.stop().await;
}
