//! `freshet monitor` on a running system: through a real terminal, and through pipes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::process::Stdio;

use common::{FRESHET, System, Terminal};
use freshet_stream::Message;
use freshet_tests::world::{PATIENCE, kafka};
use nix::sys::signal::Signal;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

fn view(user: &str, product: &str) -> Value {
    json!({"userId": user, "eventType": "product_view", "productId": product})
}

/// The line of `user`, complete.
fn line<'a>(screen: &'a str, user: &str) -> Option<&'a str> {
    let start = format!("user {user} ");
    screen.lines().find(|line| line.contains(&start) && line.contains(" recommendation") && line.contains(" ms"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_shows_in_a_terminal_and_the_terminal_is_given_back() {
    let system = System::start().await;
    let mut terminal = Terminal::run(&["monitor", "--data-dir", system.data_dir(), "--utc"], (120, 40), &[]);
    terminal.shows("● live").await;
    terminal.shows("freshet-recommend").await;

    system.client.track(&view("neo", "1")).await.unwrap();
    // Nobody said the product's name but the catalogue.
    terminal
        .until("the line of neo", |screen| {
            line(screen, "neo").is_some_and(|line| line.contains(r#"product_view user neo "Smart AI Assistant" → "#))
        })
        .await;
    system.client.track(&view("trinity", "2")).await.unwrap();
    terminal.until("the line of trinity", |screen| line(screen, "trinity").is_some()).await;
    terminal.shows("2 events in all").await;
    terminal.shows("hybrid").await;

    // A filter shows one person, Escape everybody.
    terminal.press("/neo\r");
    terminal.until("neo alone", |screen| line(screen, "neo").is_some() && line(screen, "trinity").is_none()).await;
    terminal.press("\u{1b}");
    terminal.until("everybody", |screen| line(screen, "trinity").is_some()).await;

    // A pause holds the lines, not the stream.
    terminal.press("p");
    terminal.shows("paused · 0 new").await;
    system.client.track(&view("cypher", "3")).await.unwrap();
    terminal.until("what waits", |screen| screen.contains("paused · 1 new") && !screen.contains("cypher")).await;
    terminal.press("p");
    terminal.until("the line of cypher", |screen| line(screen, "cypher").is_some()).await;

    // Hostile names are text.
    let mut hostile = view("mouse", "evil");
    hostile["metadata"] = json!({"name": format!("\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}Lamp{}", "x".repeat(10_240))});
    system.client.track(&hostile).await.unwrap();
    terminal
        .until("a harmless line", |screen| {
            line(screen, "mouse").is_some_and(|line| line.contains("\"[2J]0;ownedLampx"))
        })
        .await;
    assert!(!terminal.raw().contains("\u{1b}[2J]") && !terminal.raw().contains('\u{202e}'));
    assert!(terminal.text().contains("freshet monitor") && terminal.text().contains("Precision"));

    // What can't be processed is seen, with its reason.
    let message = Message { topic: "user-events".into(), key: "k".into(), value: b"{\"userId\":7}".to_vec() };
    system.client.producer().unwrap().send_all(&[message]).await.unwrap();
    terminal
        .until("the dead letter", |screen| screen.contains("dead letter user-events[") && screen.contains("timestamp"))
        .await;

    terminal.press("?");
    terminal.shows("filter by user: neo, or shopper-*").await;
    terminal.press("x");
    terminal.until("the help is gone", |screen| !screen.contains("filter by user: neo")).await;
    for (columns, rows) in [(80, 24), (45, 12), (20, 5), (1, 1), (120, 40)] {
        terminal.resize(columns, rows);
        if rows > 5 {
            terminal.until("a screen of that size", |screen| screen.contains("user mouse") || columns < 72).await;
        }
    }
    terminal.until("the panes again", |screen| screen.contains("Strategies") && screen.contains("q quit")).await;
    terminal.press("q");
    assert_eq!(terminal.ended().await, 0);
    terminal.is_restored().await;

    // The same by a signal, small and without colours.
    let terminal = Terminal::run(
        &["monitor", "--data-dir", system.data_dir(), "--from", "beginning"],
        (80, 24),
        &[("NO_COLOR", "1")],
    );
    terminal.until("what was before", |screen| screen.contains("user cypher") && screen.contains("● live")).await;
    let raw = terminal.raw();
    let colours = raw.split("\u{1b}[").skip(1).filter_map(|sequence| sequence.split_once('m')).filter(|(codes, _)| {
        codes.split(';').any(|code| matches!(code.parse(), Ok(30..=38 | 40..=48 | 90..=97 | 100..=107)))
    });
    assert_eq!(colours.count(), 0, "{raw:?}");
    terminal.signal(Signal::SIGTERM);
    let mut terminal = terminal;
    assert_eq!(terminal.ended().await, 0);
    terminal.is_restored().await;

    // Nobody was joined, nothing was committed.
    let groups: BaseConsumer = ClientConfig::new().set("bootstrap.servers", &system.kafka).create().unwrap();
    let groups = groups.fetch_group_list(None, PATIENCE).unwrap();
    assert!(groups.groups().iter().all(|group| group.name() != "freshet-monitor"));
}

/// The monitor through pipes, once it watches.
async fn piped(system: &System, args: &[&str]) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = Command::new(FRESHET)
        .args(["monitor", "--figures", "1", "--data-dir", system.data_dir()])
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let watching = async { while !said.next_line().await.unwrap().expect("it ended").contains("watching") {} };
    tokio::time::timeout(PATIENCE, watching).await.unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

/// The first line that `is` takes.
async fn next(lines: &mut Lines<BufReader<ChildStdout>>, what: &str, is: impl Fn(&str) -> bool) -> String {
    let found = async {
        loop {
            let line = lines.next_line().await.unwrap().unwrap_or_else(|| panic!("it ended before {what}"));
            if is(&line) {
                return line;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn pipes_get_lines_or_objects_and_the_figures_are_the_apis() {
    let system = System::start().await;
    let (mut plain, mut lines) = piped(&system, &["--user", "neo"]).await;
    let (mut machine, mut objects) = piped(&system, &["--json"]).await;
    system.client.track(&view("trinity", "2")).await.unwrap();
    let id = system.client.track(&view("neo", "1")).await.unwrap();
    let id_of_click = {
        let click = json!({"userId": "neo", "eventType": "recommendation_click", "productId": "8",
            "metadata": {"algorithm": "hybrid"}});
        system.client.list_after("neo", &id).await.unwrap();
        system.client.track(&click).await.unwrap()
    };

    let line = next(&mut lines, "a line", |line| !line.contains("events/s")).await;
    let after_time = line.split_once("] ").unwrap().1;
    assert!(after_time.starts_with("product_view user neo ") && after_time.contains(" recommendations in "), "{line}");
    assert!(!line.contains('\u{1b}'), "{line}");
    next(&mut lines, "the figures", |line| line.contains("events/s · mean ")).await;

    let object = next(&mut objects, "the click", |line| line.contains(&id_of_click)).await;
    let object: Value = serde_json::from_str(&object).unwrap();
    assert_eq!((&object["kind"], &object["outcome"]), (&json!("event"), &json!("list")));
    assert!(object["recommendations"].as_u64().unwrap() > 0 && object["processingMs"].as_f64().unwrap() > 0.0);

    let message = Message { topic: "user-events".into(), key: "k".into(), value: b"not JSON".to_vec() };
    system.client.producer().unwrap().send_all(&[message]).await.unwrap();
    let dead = next(&mut objects, "the dead letter", |line| line.contains("\"deadLetter\"")).await;
    let dead: Value = serde_json::from_str(&dead).unwrap();
    assert!(dead["reason"].as_str().unwrap().contains("not JSON"), "{dead}");

    // Counted by the same code from the same topic: what the monitor says is what the API says.
    system.client.settle().await.unwrap();
    let figures = next(&mut objects, "the last figures", |line| {
        line.contains("\"figures\"") && line.contains("\"totalEvents\":3") && line.contains("\"deadLetters\":1")
    })
    .await;
    let figures: Value = serde_json::from_str(&figures).unwrap();
    let (_, live) = system.client.get("/api/recommendations/metrics/live").await.unwrap();
    for name in ["precision", "recentPrecision", "totalEvents", "deadLetters", "strategies"] {
        assert_eq!(figures[name], live["data"][name], "{name}: {figures} {live}");
    }
    assert!(figures["precision"].is_number());

    // Who no longer reads ends it, and so does a signal.
    drop(lines);
    system.client.track(&view("neo", "3")).await.unwrap();
    assert!(tokio::time::timeout(PATIENCE, plain.wait()).await.unwrap().unwrap().success());
    let id = i32::try_from(machine.id().unwrap()).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), Signal::SIGINT).unwrap();
    assert!(tokio::time::timeout(PATIENCE, machine.wait()).await.unwrap().unwrap().success());

    // Kafka as anybody reaches it, and the way to it said where there is none.
    let (brokers, none) = (system.kafka.clone(), "127.0.0.1:1");
    assert_eq!(kafka(&brokers).bootstrap_servers, brokers);
    for (args, code, says) in [
        (&["monitor", "--kafka", none][..], 1, "no Kafka answers at 127.0.0.1:1"),
        (&["monitor", "--data-dir", "nowhere"][..], 2, "--kafka"),
        (&["monitor", "--kafka", &brokers, "--from", "yesterday"][..], 2, "5m"),
    ] {
        let output = Command::new(FRESHET).args(args).output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(says), "{said}");
    }
}
