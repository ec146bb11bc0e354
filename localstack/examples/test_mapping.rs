//! A mapping for the tests, in a process that can be killed: `test_mapping BROKERS TOPIC JOURNAL`.
//!
//! Each batch is noted in the journal twice, as `begin PARTITION:OFFSET …` when it is delivered and as `done …` when it is answered.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use freshet_localstack::functions::{Invoke, Outcome};
use freshet_localstack::mapping::{Mapping, MappingOptions};
use freshet_localstack::template::model::{KafkaMapping, KafkaSource};
use futures::future::BoxFuture;
use serde_json::Value;

/// How long a batch takes.
const TAKES: Duration = Duration::from_millis(15);

struct Journal(Mutex<std::fs::File>);

impl Journal {
    /// In one write: a process that is killed leaves whole lines.
    fn note(&self, what: &str, places: &str) {
        if let Ok(mut file) = self.0.lock() {
            let _ = file.write_all(format!("{what} {places}\n").as_bytes());
        }
    }
}

impl Invoke for Journal {
    fn invoke<'a>(&'a self, _: &'a str, payload: Bytes) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let event: Value = serde_json::from_slice(&payload).unwrap_or_default();
            let lists = event["records"].as_object().into_iter().flat_map(|records| records.values());
            let records = lists.flat_map(|records| records.as_array().into_iter().flatten());
            let places: Vec<String> = records.map(|it| format!("{}:{}", it["partition"], it["offset"])).collect();
            let places = places.join(" ");
            self.note("begin", &places);
            tokio::time::sleep(TAKES).await;
            self.note("done", &places);
            Outcome::Response(Bytes::from_static(b"{}"))
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [brokers, topic, journal] = &arguments[..] else { return Err("BROKERS TOPIC JOURNAL were expected".into()) };
    let mapping = KafkaMapping {
        consumer_group: format!("group-{topic}"),
        batch_size: 25,
        batching_window_ms: 0,
        provisioned: true,
        maximum_pollers: 2,
        ..KafkaMapping::new("F", topic, KafkaSource::SelfManaged { bootstrap_servers: brokers.clone() })
    };
    let journal = std::fs::File::options().create(true).append(true).open(journal)?;
    let options = MappingOptions { instance: Some("killed".to_owned()), ..MappingOptions::new(brokers) };
    let _running = Mapping::start(mapping, options, Arc::new(Journal(Mutex::new(journal)))).await?;
    // Until it is killed.
    std::future::pending::<()>().await;
    Ok(())
}
