//! The broker's process: its data outlives every end of it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{jars, run, until};
use freshet_localstack::kafka::{self, Broker, BrokerOptions, TopicSpec, topics};

async fn options(folder: &std::path::Path) -> BrokerOptions {
    kafka::install(&jars(), |what| eprintln!("{what}")).await.unwrap();
    BrokerOptions { data_dir: folder.to_owned(), jars: jars(), port: freshet_localstack::ports::free().unwrap() }
}

#[test]
fn a_broker_that_is_stopped_or_killed_keeps_its_topics() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path()).await;
        let wanted = [TopicSpec::new("one", 2), TopicSpec::new("two", 1)];
        let broker = Broker::start(options.clone()).await.unwrap();
        let servers = broker.bootstrap_servers();
        assert_eq!(topics::ensure(&servers, &wanted).await.unwrap(), ["one", "two"]);
        let before = broker.pid();
        broker.kill();
        until("the broker's return", || broker.restarts() == 1).await;
        assert_ne!(broker.pid(), before);
        assert!(topics::ensure(&servers, &wanted).await.unwrap().is_empty());
        let stopping = Instant::now();
        broker.stop().await;
        assert!(stopping.elapsed() < Duration::from_secs(5), "{:?}", stopping.elapsed());
        assert!(topics::ping(&servers, Duration::from_millis(200)).await.is_err());
        let broker = Broker::start(options).await.unwrap();
        assert!(topics::ensure(&servers, &wanted).await.unwrap().is_empty());
        broker.stop().await;
    });
}

#[test]
fn a_broker_that_outlived_its_owner_is_ended_first() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        // A process that looks like one: its command line names the class and the folder's properties.
        let properties = folder.path().join("server.properties");
        let mut orphan = Command::new("sh")
            .args(["-c", "read line", "kafka.Kafka"])
            .arg(&properties)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        std::fs::write(folder.path().join("kafka.pid"), orphan.id().to_string()).unwrap();
        let broker = Broker::start(options(folder.path()).await).await.unwrap();
        assert!(orphan.try_wait().unwrap().is_some());
        broker.stop().await;
    });
}

#[test]
fn a_broker_is_stopped_at_once_while_it_is_coming_back() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let broker = Broker::start(options(folder.path()).await).await.unwrap();
        let servers = broker.bootstrap_servers();
        broker.kill();
        until("the end", || broker.pid() == 0).await;
        let stopping = Instant::now();
        broker.stop().await;
        assert!(stopping.elapsed() < Duration::from_secs(1), "{:?}", stopping.elapsed());
        assert!(topics::ping(&servers, Duration::from_millis(200)).await.is_err());
    });
}

#[test]
fn a_folder_that_kafka_can_not_use_is_refused_by_name() {
    run(async {
        let folder = tempfile::tempdir().unwrap().path().join("a,b");
        let error = Broker::start(options(&folder).await).await.err().unwrap().to_string();
        assert!(error.contains("a,b") && error.contains("comma"), "{error}");
    });
}
