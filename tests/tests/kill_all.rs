//! The whole local cloud, killed with -9 and started again on its data: what was acknowledged is in the state once.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use freshet_tests::Client;
use freshet_tests::check::nothing_lost_nothing_doubled;
use freshet_tests::shop::{runs, shop};
use freshet_tests::world::{PATIENCE, binaries, kafka_jars};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How long it runs between two kills, milliseconds: always another moment.
const LIVES_MS: [u64; 5] = [400, 1_700, 900, 2_600, 1_200];

/// `freshet up` on `folder`, once it says that it is up.
async fn up(folder: &Path, port: u16) -> (Child, Client) {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut child = Command::new(binaries().unwrap().join("freshet"))
        .args(["up", "--json", "--no-sample", "--no-site", "--ws-port", "0", "--port", &port.to_string(), "--template"])
        .arg(workspace.join("template.yaml"))
        .arg("--data-dir")
        .arg(folder)
        .arg("--kafka-jars")
        .arg(kafka_jars())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let said = tokio::spawn(async move {
        let mut text = String::new();
        let _ = stderr.read_to_string(&mut text).await;
        text
    });
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let up = async {
        let mut text = String::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            text.push_str(&line);
            if let Ok(up) = serde_json::from_str::<Value>(&text) {
                return Some(up);
            }
        }
        None
    };
    let Some(up) = tokio::time::timeout(PATIENCE, up).await.unwrap() else {
        panic!("it did not come up: {}", said.await.unwrap());
    };
    let text = |name: &str| up[name].as_str().unwrap().to_owned();
    let client = Client::new(&text("api"), &text("kafka"), &text("dynamodb"), &text("topicGeneration"));
    (child, client)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_local_cloud_killed_and_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let port = freshet_localstack::ports::free().unwrap();
    let (mut child, client) = up(folder.path(), port).await;
    let mut acknowledged = BTreeSet::new();
    for run in 0..runs() {
        let done = AtomicBool::new(false);
        let shopping = async {
            let acknowledged = shop(&client, run).await.unwrap();
            done.store(true, Ordering::Relaxed);
            acknowledged
        };
        let killing = async {
            let mut kills = 0;
            while !done.load(Ordering::Relaxed) || kills == 0 {
                tokio::time::sleep(Duration::from_millis(LIVES_MS[(run + kills) % LIVES_MS.len()])).await;
                child.kill().await.unwrap();
                kills += 1;
                child = up(folder.path(), port).await.0;
            }
            kills
        };
        let (shopped, kills) = tokio::join!(shopping, killing);
        acknowledged.extend(shopped);
        // The last start has its own ports for Kafka and DynamoDB.
        child.kill().await.unwrap();
        let now;
        (child, now) = up(folder.path(), port).await;
        println!("run {run}: {kills} kills");
        nothing_lost_nothing_doubled(&now, &acknowledged).await.unwrap();
    }
    child.kill().await.unwrap();
}
