//! The bare loop: reads the same topic and writes one item of the same size per event into the same DynamoDB.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use indicatif::ProgressBar;
use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::{Message as _, Offset, TopicPartitionList};
use tokio_util::sync::CancellationToken;

use crate::cloud::USER_EVENTS;

/// Writes in flight: as many as our functions have.
pub(super) const IN_FLIGHT: usize = 16;
/// The table it writes into.
const TABLE: &str = "bench-baseline";
/// How long a record may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client of the DynamoDB at `endpoint`, a plain one on this machine.
pub(super) fn client(endpoint: &str) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "bench"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint);
    Client::from_conf(config.build())
}

/// What the loop did.
pub(super) struct Ran {
    /// Events written.
    pub(super) events: u64,
    /// In this time.
    pub(super) time: Duration,
}

/// Runs the loop over the first `events` of the topic, with items of `item_bytes`.
///
/// # Errors
/// Kafka or DynamoDB fail.
pub(super) async fn run(
    brokers: &str,
    dynamodb: &Client,
    events: u64,
    item_bytes: usize,
    bar: &ProgressBar,
    stop: &CancellationToken,
) -> anyhow::Result<Ran> {
    create_table(dynamodb).await?;
    let consumer = consumer(brokers)?;
    let mut writes = FuturesUnordered::new();
    let (mut read, mut written) = (0, 0);
    // The clock starts at the first record: joining is not what is measured.
    let mut started = None;
    while written < events && !stop.is_cancelled() {
        while read < events && writes.len() < IN_FLIGHT {
            let message = tokio::time::timeout(PATIENCE, consumer.recv()).await;
            let message = message.with_context(|| format!("no record of {USER_EVENTS} for {PATIENCE:?}"))??;
            started.get_or_insert_with(Instant::now);
            read += 1;
            let key = String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned();
            writes.push(write(dynamodb, key, item_bytes));
        }
        match writes.next().await {
            Some(result) => {
                result?;
                written += 1;
                bar.inc(1);
            }
            None => bail!("the bare loop has nothing left to write after {written} events"),
        }
    }
    Ok(Ran { events: written, time: started.map(|at| at.elapsed()).unwrap_or_default() })
}

async fn write(dynamodb: &Client, key: String, item_bytes: usize) -> anyhow::Result<()> {
    let filler = Blob::new(vec![b'x'; item_bytes.saturating_sub(key.len() + "pk".len() + "d".len()).max(1)]);
    let put = dynamodb.put_item().table_name(TABLE).item("pk", AttributeValue::S(key));
    put.item("d", AttributeValue::B(filler)).send().await.context("PutItem of the bare loop")?;
    Ok(())
}

async fn create_table(dynamodb: &Client) -> anyhow::Result<()> {
    let attribute =
        AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S).build()?;
    let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash).build()?;
    let create = dynamodb.create_table().table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
    create.attribute_definitions(attribute).key_schema(key).send().await.context("the table of the bare loop")?;
    Ok(())
}

/// Reads all partitions from their beginning, as a mapping does.
fn consumer(brokers: &str) -> anyhow::Result<StreamConsumer> {
    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "freshet-bench-baseline")
        .set("enable.auto.commit", "false")
        .set("log_level", "0")
        .create()?;
    let partitions = tokio::task::block_in_place(|| consumer.fetch_metadata(Some(USER_EVENTS), PATIENCE))?;
    let mut all = TopicPartitionList::new();
    for partition in partitions.topics().iter().flat_map(rdkafka::metadata::MetadataTopic::partitions) {
        all.add_partition_offset(USER_EVENTS, partition.id(), Offset::Beginning)?;
    }
    consumer.assign(&all)?;
    Ok(consumer)
}
