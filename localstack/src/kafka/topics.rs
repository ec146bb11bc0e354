//! Topics: created where missing, never changed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError as RdKafkaError, RDKafkaErrorCode};

use super::error::KafkaError;

/// How long a broker may take to answer one question.
const ANSWER: Duration = Duration::from_secs(5);
/// How long new topics may take to get their leaders.
const READY: Duration = Duration::from_secs(30);
/// Between two looks, or two tries.
const AGAIN: Duration = Duration::from_millis(20);

/// A topic as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec {
    /// Name.
    pub name: String,
    /// Partitions.
    pub partitions: u32,
    /// Topic configuration, such as `max.message.bytes`.
    pub config: BTreeMap<String, String>,
}

impl TopicSpec {
    /// A topic of the broker's defaults.
    pub fn new(name: &str, partitions: u32) -> Self {
        Self { name: name.to_owned(), partitions, config: BTreeMap::new() }
    }
}

/// Creates the missing ones of `topics` and waits until all have leaders. Returns the names that were created.
///
/// A broker that breaks off is asked again: what it has created meanwhile is there already.
///
/// # Errors
/// No broker answers, or it refuses a topic.
pub async fn ensure(bootstrap_servers: &str, topics: &[TopicSpec]) -> Result<Vec<String>, KafkaError> {
    let failed = |message: String| KafkaError::Client { bootstrap_servers: bootstrap_servers.to_owned(), message };
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", bootstrap_servers)
        .set("reconnect.backoff.ms", "20")
        .set("reconnect.backoff.max.ms", "200")
        .create()
        .map_err(|e| failed(e.to_string()))?;
    let admin = Arc::new(admin);
    let known = leaders(&admin).await.map_err(failed)?;
    let missing: Vec<&TopicSpec> = topics.iter().filter(|topic| !known.contains_key(&topic.name)).collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let until = Instant::now() + READY;
    create(&admin, &missing, until).await.map_err(failed)?;
    while !are_led(&admin, &missing, until).await.map_err(failed)? {
        if Instant::now() > until {
            return Err(failed("new topics have no leader".to_owned()));
        }
        tokio::time::sleep(AGAIN).await;
    }
    Ok(missing.into_iter().map(|topic| topic.name.clone()).collect())
}

async fn create(
    admin: &AdminClient<DefaultClientContext>,
    topics: &[&TopicSpec],
    until: Instant,
) -> Result<(), String> {
    let new: Vec<NewTopic<'_>> = topics.iter().map(|topic| new_topic(topic)).collect();
    let options = AdminOptions::new().operation_timeout(Some(READY)).request_timeout(Some(READY));
    let results = loop {
        match admin.create_topics(&new, &options).await {
            Ok(results) => break results,
            Err(error) if is_passing(&error) && Instant::now() < until => tokio::time::sleep(AGAIN).await,
            Err(error) => return Err(error.to_string()),
        }
    };
    for result in results {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, code)) => return Err(format!("topic {name}: {code}")),
        }
    }
    Ok(())
}

async fn are_led(
    admin: &Arc<AdminClient<DefaultClientContext>>,
    topics: &[&TopicSpec],
    until: Instant,
) -> Result<bool, String> {
    match leaders(admin).await {
        Ok(known) => Ok(topics.iter().all(|topic| known.get(&topic.name).is_some_and(|led| *led))),
        Err(_) if Instant::now() < until => Ok(false),
        Err(error) => Err(error),
    }
}

/// A connection that broke off, not an answer.
fn is_passing(error: &RdKafkaError) -> bool {
    use RDKafkaErrorCode::{AllBrokersDown, BrokerTransportFailure, OperationTimedOut};
    let code = match error {
        RdKafkaError::AdminOp(code) => Some(*code),
        other => other.rdkafka_error_code(),
    };
    matches!(code, Some(AllBrokersDown | BrokerTransportFailure | OperationTimedOut))
}

/// Is there a broker that answers?
///
/// # Errors
/// No, with the reason.
pub async fn ping(bootstrap_servers: &str, timeout: Duration) -> Result<(), KafkaError> {
    let failed = |message: String| KafkaError::Client { bootstrap_servers: bootstrap_servers.to_owned(), message };
    let client: rdkafka::consumer::BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap_servers)
        .set("reconnect.backoff.ms", "20")
        .set("reconnect.backoff.max.ms", "100")
        .set("log_level", "0")
        .create()
        .map_err(|e| failed(e.to_string()))?;
    let asked = tokio::task::spawn_blocking(move || {
        rdkafka::consumer::Consumer::fetch_metadata(&client, None, timeout).map(drop).map_err(|e| e.to_string())
    });
    asked.await.map_err(|e| failed(e.to_string()))?.map_err(failed)
}

/// Topics, and whether every partition has a leader.
async fn leaders(admin: &Arc<AdminClient<DefaultClientContext>>) -> Result<BTreeMap<String, bool>, String> {
    let admin = Arc::clone(admin);
    let asked = tokio::task::spawn_blocking(move || admin.inner().fetch_metadata(None, ANSWER));
    let metadata = asked.await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
    let led =
        |topic: &rdkafka::metadata::MetadataTopic| topic.partitions().iter().all(|partition| partition.leader() >= 0);
    Ok(metadata.topics().iter().map(|topic| (topic.name().to_owned(), led(topic))).collect())
}

fn new_topic(topic: &TopicSpec) -> NewTopic<'_> {
    let new = NewTopic::new(&topic.name, topic.partitions.cast_signed(), TopicReplication::Fixed(1));
    topic.config.iter().fold(new, |new, (name, value)| new.set(name, value))
}
