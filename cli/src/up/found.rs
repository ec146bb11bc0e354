//! Kafka as it is before the start: are the topics there that the watermarks in DynamoDB speak of?

use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use freshet_localstack::KafkaChoice;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use super::state::Found;
use crate::cloud::WATERMARKED;

/// How long a broker may take to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// Looks, without changing anything.
///
/// # Errors
/// A Kafka that should be running does not answer.
pub(crate) async fn look(kafka: &KafkaChoice, data_dir: &Path) -> anyhow::Result<Found> {
    match kafka {
        KafkaChoice::Managed { .. } => Ok(on_disk(&data_dir.join("kafka").join("log"))),
        KafkaChoice::External(brokers) => {
            let brokers = brokers.clone();
            tokio::task::spawn_blocking(move || ask(&brokers)).await?
        }
    }
}

/// A Kafka that does not run: its log has a folder for each partition.
fn on_disk(log: &Path) -> Found {
    let properties = std::fs::read_to_string(log.join("meta.properties")).unwrap_or_default();
    let cluster = properties.lines().find_map(|line| line.strip_prefix("cluster.id=")).map(str::to_owned);
    let topics_exist = WATERMARKED.iter().all(|topic| log.join(format!("{topic}-0")).is_dir());
    Found { kafka: "managed".to_owned(), cluster, topics_exist }
}

fn ask(brokers: &str) -> anyhow::Result<Found> {
    let client: BaseConsumer = ClientConfig::new().set("bootstrap.servers", brokers).set("log_level", "0").create()?;
    let metadata = client.fetch_metadata(None, ANSWER);
    let metadata = metadata.map_err(|error| anyhow!("--kafka: no Kafka answers at {brokers}: {error}"))?;
    let exists = |name: &&str| metadata.topics().iter().any(|topic| topic.name() == *name);
    Ok(Found {
        kafka: brokers.to_owned(),
        cluster: client.client().fetch_cluster_id(ANSWER),
        topics_exist: WATERMARKED.iter().all(exists),
    })
}
