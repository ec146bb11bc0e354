//! `freshet simulate` on a running system: by hand in a real terminal, by hand through pipes, and as a crowd.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::process::Stdio;

use common::{FRESHET, System, Terminal};
use freshet_tests::world::PATIENCE;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// The output of a run with `input`.
async fn run(system: &System, args: &[&str], input: &str) -> (i32, String) {
    let mut child = Command::new(FRESHET)
        .args(["simulate", "--api", &system.api])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).await.unwrap();
    drop(stdin);
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shopper_by_hand_and_a_crowd() {
    let system = System::start().await;
    let mut terminal = Terminal::run(&["simulate", "--interactive", "--api", &system.api], (110, 80), &[]);
    terminal.shows("User [1]:").await;
    terminal.press("neo\r");
    terminal.shows("Event [product_view]:").await;
    terminal.press("7\r");
    terminal.shows("no kind of event is \"7\"").await;
    terminal.press("1\r");
    terminal.shows("Product:").await;
    terminal.press("smart\r");
    terminal.shows("Which of them?").await;
    terminal.press("1\r");
    terminal.shows("acknowledged").await;
    terminal.shows("Recommended for neo").await;
    // The last user is offered again, and a place in the list is a product.
    terminal.shows("User [neo]:").await;
    terminal.press("\rclick\r#1\r");
    terminal.until("the click's list", |screen| screen.matches("Recommended for neo").count() == 2).await;
    terminal.press("q\r");
    assert_eq!(terminal.ended().await, 0);
    terminal.shows("sent         2").await;
    terminal.is_restored().await;
    let (_, list) = system.client.get("/api/recommendations/neo").await.unwrap();
    assert!(list["metadata"]["causedBy"].as_str().unwrap().ends_with("-1"), "{list}");

    // Through pipes, an unknown product insisted on, and the end of the input.
    let input = "trinity view neural net\n\n4\nred pill\nred pill\n";
    let (code, text) = run(&system, &["--interactive"], input).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("The shop has no \"red pill\"") && text.contains("sent         2"), "{text}");
    let (code, text) = run(&system, &["--interactive", "--json"], input).await;
    let objects: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, objects.len()), (0, 3), "{text}");
    assert!(objects[0]["recommendations"].as_array().is_some_and(|list| !list.is_empty()), "{text}");
    assert_eq!((&objects[1]["eventType"], &objects[2]["sent"]), (&"purchase".into(), &2.into()));

    // Everybody comes, and how well they are known is told by quarter.
    let (code, text) = run(&system, &["--users", "150", "--events", "600", "--seed", "4", "--json"], "").await;
    let summary: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &summary["acknowledged"]), (0, &600.into()), "{text}");
    let mut exposures = summary["exposures"].as_u64().unwrap();
    assert!(exposures > 0, "{text}");
    assert_eq!(summary["hitRate"].as_array().map(Vec::len), Some(4), "{text}");
    let args = ["--profile", "black-friday", "--users", "300", "--interval", "0.5", "--json"];
    let (code, text) = run(&system, &args, "").await;
    let summary: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &summary["sent"]), (0, &900.into()), "{text}");
    assert!(summary["busiestSecond"].as_u64().unwrap() > 0, "{text}");
    exposures += summary["exposures"].as_u64().unwrap();
    system.client.settle().await.unwrap();
    let (_, live) = system.client.get("/api/recommendations/metrics/live").await.unwrap();
    assert_eq!(live["data"]["totalEvents"], 2 + 2 + 2 + 600 + 900 + exposures, "{live}");
}
