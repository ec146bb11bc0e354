//! `freshet replay` on a running system: the same events for both, from any time to any other, and nothing written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use common::{FRESHET, System};
use freshet_stream::Message;
use freshet_stream::groups::{self, Group};
use freshet_tests::world::{PATIENCE, kafka};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use serde_json::Value;
use tokio::process::Command;

/// Exit code, stdout, stderr.
async fn freshet(args: &[&str]) -> (i32, String, String) {
    let run = Command::new(FRESHET).args(args).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(PATIENCE, run).await.unwrap().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Events and exposures that a crowd sends.
async fn simulate(system: &System, events: &str, seed: &str) -> (u64, u64) {
    let args = ["simulate", "--api", &system.api, "--users", "40", "--events", events, "--seed", seed, "--json"];
    let (code, said, errors) = freshet(&args).await;
    assert_eq!(code, 0, "{errors}");
    let summary: Value = serde_json::from_str(&said).unwrap();
    (summary["acknowledged"].as_u64().unwrap(), summary["exposures"].as_u64().unwrap())
}

/// Where every topic ends, which groups there are, and what each has committed.
fn state(system: &System) -> Vec<String> {
    let consumer: BaseConsumer = ClientConfig::new().set("bootstrap.servers", &system.kafka).create().unwrap();
    let metadata = consumer.fetch_metadata(None, PATIENCE).unwrap();
    let mut state = Vec::new();
    for topic in metadata.topics().iter().filter(|topic| !topic.name().starts_with("__")) {
        for partition in topic.partitions() {
            let (_, end) = consumer.fetch_watermarks(topic.name(), partition.id(), PATIENCE).unwrap();
            state.push(format!("{}[{}] ends at {end}", topic.name(), partition.id()));
        }
    }
    for group in consumer.fetch_group_list(None, PATIENCE).unwrap().groups() {
        let asked = Group { group: group.name().to_owned(), topic: "user-events".to_owned() };
        let read = groups::read(&kafka(&system.kafka), &asked, PATIENCE).unwrap();
        let committed: Vec<_> = read.partitions.iter().map(|partition| partition.committed).collect();
        state.push(format!("{}: {committed:?}", group.name()));
    }
    state.sort();
    state
}

struct Replay {
    data_dir: String,
    config: PathBuf,
}

impl Replay {
    async fn run(&self, args: &[&str]) -> Value {
        let config = self.config.to_str().unwrap();
        let fixed = ["replay", "--data-dir", &self.data_dir, "--config", config, "--json"];
        let (code, said, errors) = freshet(&[&fixed[..], args].concat()).await;
        assert_eq!(code, 0, "{errors}");
        serde_json::from_str(said.lines().last().unwrap()).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_is_judged_on_what_happened_and_nothing_is_written() {
    let system = System::start().await;
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("candidate.toml");
    std::fs::write(&config, "# The live settings\n").unwrap();
    let replay = Replay { data_dir: system.data_dir().to_owned(), config: config.clone() };
    let name = config.to_str().unwrap();

    let (code, _, errors) =
        freshet(&["replay", "--data-dir", system.data_dir(), "--from", "1h", "--config", name]).await;
    assert!(code == 1 && errors.contains("expected a range with events, got none in user-events at "), "{errors}");

    let first = simulate(&system, "300", "1").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let between = freshet_events::iso8601(
        i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()).unwrap(),
    );
    let second = simulate(&system, "200", "2").await;
    let message = Message { topic: "user-events".into(), key: "k".into(), value: b"not JSON".to_vec() };
    system.client.producer().unwrap().send_all(&[message]).await.unwrap();
    system.client.settle().await.unwrap();
    let before = state(&system);

    // Both see every event there is, whatever way it is said; and with the same settings they are the same.
    let whole = replay.run(&["--from", "beginning"]).await;
    assert_eq!((&whole["events"], &whole["people"]), (&Value::from(first.0 + second.0), &Value::from(80)), "{whole}");
    assert_eq!(whole["left_out"]["exposures"], first.1 + second.1, "{whole}");
    assert_eq!((&whole["left_out"]["unreadable"], &whole["left_out"]["doubles"]), (&1.into(), &0.into()));
    assert_eq!(whole["live"]["predictions"], first.0 + second.0 - 80, "{whole}");
    for name in ["hr20", "mrr20", "first5000", "quarters", "coverage20", "filled", "predictions", "bytes"] {
        assert_eq!(whole["live"][name], whole["candidate"][name], "{name}: {whole}");
    }
    assert_eq!((&whole["difference"]["hr20"], &whole["changed"]), (&0.0.into(), &serde_json::json!({})));
    assert!(whole["live"]["hr20"].as_f64().unwrap() > 0.2, "shoppers who have tastes: {whole}");
    let hour = replay.run(&["--from", "1h"]).await;
    assert_eq!((&hour["events"], &hour["live"]["hr20"]), (&whole["events"], &whole["live"]["hr20"]));
    // The catalogue is the local API's: without it and without metadata, content would know nothing.
    let content = replay.run(&["--from", "1h", "--strategy", "content_based", "--new-only"]).await;
    assert!(content["live"]["hr20"].as_f64().unwrap() > 0.05, "{content}");
    assert!(whole["products"].as_u64().unwrap() >= 44, "{whole}");

    // A part is a part.
    assert_eq!(replay.run(&["--from", "beginning", "--until", &between]).await["events"], first.0);
    let later = replay.run(&["--from", &between]).await;
    assert_eq!((&later["events"], &later["left_out"]["exposures"]), (&second.0.into(), &second.1.into()));

    // Other settings, other figures, and both beside each other.
    std::fs::write(&config, "neighbours = 1\ncontext_items = 1\n").unwrap();
    let changed = replay.run(&["--from", "beginning"]).await;
    assert_eq!(changed["changed"]["neighbours"]["candidate"], 1, "{changed}");
    let difference = changed["candidate"]["mrr20"].as_f64().unwrap() - changed["live"]["mrr20"].as_f64().unwrap();
    assert!((changed["difference"]["mrr20"].as_f64().unwrap() - difference).abs() < 1e-9, "{changed}");
    assert_eq!(changed["live"]["mrr20"], whole["live"]["mrr20"]);
    let args = ["replay", "--kafka", &system.kafka, "--from", "beginning", "--config", name];
    let (code, said, errors) = freshet(&args).await;
    assert!(code == 0 && errors.contains("500 events of 80 people"), "{errors}");
    assert!(said.contains("neighbours: 64 → 1\n") && said.contains("HR@20"), "{said}");
    assert!(said.lines().any(|line| line.split_whitespace().eq(["live", "candidate", "difference"])), "{said}");

    assert_eq!(state(&system), before);

    for (args, code, says) in [
        (&["--kafka", "127.0.0.1:1", "--from", "1h"][..], 1, "no Kafka answers at 127.0.0.1:1"),
        (&["--kafka", &system.kafka, "--from", "yesterday"], 2, "30s, 5m, 2h or 1d ago, 2026-11-25T08:00:00Z"),
        (&["--kafka", &system.kafka, "--from", "2999-01-01T00:00:00Z"], 1, "since 2999-01-01T00:00:00.000Z"),
        (
            &["--kafka", &system.kafka, "--from", "1h", "--until", "2h"],
            2,
            "--until: expected a time after that of --from",
        ),
        (&["--data-dir", "/nowhere", "--from", "1h"], 2, "--kafka"),
    ] {
        let (got, said, errors) = freshet(&[&["replay", "--config", name][..], args].concat()).await;
        assert_eq!(got, code, "{errors}");
        assert!(errors.contains(says) && said.is_empty(), "{errors}");
    }
}
