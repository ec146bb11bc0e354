//! A real broker shared by the tests of one binary, and functions that answer as a test wants.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use freshet_localstack::functions::{Invoke, Outcome};
use freshet_localstack::kafka::{self, Broker, BrokerOptions, KAFKA_VERSION, TopicSpec, topics};
use freshet_localstack::mapping::{Mapping, MappingOptions, PartialFailures};
use freshet_localstack::template::model::{KafkaMapping, KafkaSource};
use futures::future::BoxFuture;
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde_json::Value;

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A minute of the cloud's.
const SCALING_INTERVAL: Duration = Duration::from_millis(500);

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| tokio::runtime::Runtime::new().unwrap());
static BROKER: tokio::sync::OnceCell<Broker> = tokio::sync::OnceCell::const_new();
static TOPICS: AtomicU32 = AtomicU32::new(0);

/// Runs a test on the runtime that the shared broker lives on.
pub(crate) fn run(test: impl Future<Output = ()>) {
    RUNTIME.block_on(test);
}

/// The jars, where `make` and `freshet up` keep them as well.
pub(crate) fn jars() -> PathBuf {
    let cache = || {
        let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
        std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from)
    };
    std::env::var_os("FRESHET_KAFKA_JARS")
        .map_or_else(|| cache().join(format!("freshet/kafka-{KAFKA_VERSION}")), PathBuf::from)
}

/// The shared broker.
pub(crate) async fn broker() -> &'static Broker {
    BROKER
        .get_or_init(|| async {
            let folder = Box::leak(Box::new(tempfile::tempdir().unwrap()));
            own_broker(folder.path()).await
        })
        .await
}

/// A broker of a test's own, for what must not happen to the others.
pub(crate) async fn own_broker(folder: &std::path::Path) -> Broker {
    kafka::install(&jars(), |what| eprintln!("{what}")).await.unwrap();
    let port = freshet_localstack::ports::free().unwrap();
    Broker::start(BrokerOptions { data_dir: folder.to_owned(), jars: jars(), port }).await.unwrap()
}

/// A topic of a test's own, with records by partition.
pub(crate) struct Topic {
    pub(crate) name: String,
    producer: FutureProducer,
}

impl Topic {
    pub(crate) async fn new(partitions: u32) -> Self {
        Self::named(&format!("topic{}", TOPICS.fetch_add(1, Ordering::Relaxed)), partitions).await
    }

    pub(crate) async fn named(name: &str, partitions: u32) -> Self {
        Self::on(&broker().await.bootstrap_servers(), TopicSpec::new(name, partitions)).await
    }

    /// One partition that holds the numbers below `count`.
    pub(crate) async fn of(count: usize) -> Self {
        let topic = Self::new(1).await;
        topic.send(0, numbers(0..count)).await;
        topic
    }

    /// One partition, with a topic configuration.
    pub(crate) async fn configured(name: &str, value: &str) -> Self {
        let mut spec = TopicSpec::new(&format!("configured{}", TOPICS.fetch_add(1, Ordering::Relaxed)), 1);
        spec.config.insert(name.to_owned(), value.to_owned());
        Self::on(&broker().await.bootstrap_servers(), spec).await
    }

    /// On a broker of a test's own.
    pub(crate) async fn on(servers: &str, mut spec: TopicSpec) -> Self {
        // Records with times of old must not be cleaned away in the middle of a test.
        spec.config.entry("retention.ms".to_owned()).or_insert_with(|| "-1".to_owned());
        topics::ensure(servers, std::slice::from_ref(&spec)).await.unwrap();
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", servers).set("message.max.bytes", "8000000").set("message.timeout.ms", "60000");
        config.set("enable.idempotence", "true");
        Self { name: spec.name, producer: config.create().unwrap() }
    }

    pub(crate) async fn send(&self, partition: i32, values: impl IntoIterator<Item = String>) {
        let sent: Vec<_> = values
            .into_iter()
            .map(|value| {
                let record = FutureRecord::<(), _>::to(&self.name).partition(partition).payload(&value);
                self.producer.send_result(record).unwrap()
            })
            .collect();
        for delivery in sent {
            delivery.await.unwrap().unwrap();
        }
    }

    /// Sends one record with all that a record may have.
    pub(crate) async fn send_record(&self, record: FutureRecord<'_, [u8], [u8]>) {
        self.producer.send(record, PATIENCE).await.unwrap();
    }

    /// A mapping whose batches are full ones, of so many records.
    pub(crate) fn in_batches_of(&self, count: u32) -> KafkaMapping {
        KafkaMapping { batch_size: count, batching_window_ms: 60_000, ..self.mapping() }
    }

    pub(crate) fn mapping(&self) -> KafkaMapping {
        let arn = "arn:aws:kafka:us-east-1:000000000000:cluster/local/1".to_owned();
        KafkaMapping {
            consumer_group: format!("group-{}", self.name),
            batch_size: 10,
            batching_window_ms: 20,
            report_batch_item_failures: true,
            provisioned: true,
            ..KafkaMapping::new("F", &self.name, KafkaSource::Msk { arn })
        }
    }
}

/// Partition and offset.
pub(crate) type Place = (i64, i64);
type Answer = Box<dyn Fn(&[Place], usize) -> Outcome + Send + Sync>;

/// A function that notes every batch and answers by a rule: the batch's places and how many batches came before.
pub(crate) struct Function {
    pub(crate) batches: Mutex<Vec<Vec<Place>>>,
    pub(crate) payloads: Mutex<Vec<Bytes>>,
    /// Partitions that are being worked on now.
    busy: Mutex<Vec<i64>>,
    /// The most partitions at one time.
    pub(crate) most_at_once: AtomicU32,
    /// A partition was in two invocations at one time.
    pub(crate) overlapped: AtomicBool,
    answer: Answer,
    /// How long an invocation takes.
    takes: Duration,
}

impl Function {
    pub(crate) fn new(answer: impl Fn(&[Place], usize) -> Outcome + Send + Sync + 'static) -> Arc<Self> {
        Self::slow(Duration::ZERO, answer)
    }

    pub(crate) fn slow(
        takes: Duration,
        answer: impl Fn(&[Place], usize) -> Outcome + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            batches: Mutex::default(),
            payloads: Mutex::default(),
            busy: Mutex::default(),
            most_at_once: AtomicU32::new(0),
            overlapped: AtomicBool::new(false),
            answer: Box::new(answer),
            takes,
        })
    }

    fn begin(&self, places: &[Place]) {
        let partitions: BTreeSet<i64> = places.iter().map(|place| place.0).collect();
        let mut busy = self.busy.lock().unwrap();
        if partitions.iter().any(|partition| busy.contains(partition)) {
            self.overlapped.store(true, Ordering::Relaxed);
        }
        busy.extend(partitions);
        self.most_at_once.fetch_max(u32::try_from(busy.len()).unwrap(), Ordering::Relaxed);
    }

    fn end(&self, places: &[Place]) {
        self.busy.lock().unwrap().retain(|partition| places.iter().all(|place| place.0 != *partition));
    }

    /// How often each place was delivered.
    pub(crate) fn deliveries(&self) -> BTreeMap<Place, usize> {
        let mut counts = BTreeMap::new();
        for place in self.batches.lock().unwrap().iter().flatten() {
            *counts.entry(*place).or_default() += 1;
        }
        counts
    }

    /// The offsets of each batch.
    pub(crate) fn offsets(&self) -> Vec<Vec<i64>> {
        let batches = self.batches.lock().unwrap();
        batches.iter().map(|batch| batch.iter().map(|place| place.1).collect()).collect()
    }

    /// Did each partition's records come in their order, none of them twice?
    pub(crate) fn is_in_order(&self) -> bool {
        let mut last = BTreeMap::new();
        let batches = self.batches.lock().unwrap();
        batches.iter().flatten().all(|(partition, offset)| last.insert(*partition, *offset).is_none_or(|l| l < *offset))
    }

    /// Waits until every one of `count` records was delivered.
    pub(crate) async fn delivered(&self, count: usize) {
        until("deliveries", || self.deliveries().len() >= count).await;
    }
}

impl Invoke for Function {
    fn invoke<'a>(&'a self, _: &'a str, payload: Bytes) -> BoxFuture<'a, Outcome> {
        let event: Value = serde_json::from_slice(&payload).unwrap();
        let records = event["records"].as_object().unwrap().values().flat_map(|records| records.as_array().unwrap());
        let places: Vec<Place> =
            records.map(|record| (record["partition"].as_i64().unwrap(), record["offset"].as_i64().unwrap())).collect();
        let before = {
            let mut batches = self.batches.lock().unwrap();
            batches.push(places.clone());
            batches.len() - 1
        };
        self.payloads.lock().unwrap().push(payload);
        self.begin(&places);
        let outcome = (self.answer)(&places, before);
        Box::pin(async move {
            tokio::time::sleep(self.takes).await;
            self.end(&places);
            outcome
        })
    }
}

/// `0`, `1`, …
pub(crate) fn numbers(range: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    range.map(|n| n.to_string())
}

/// The first event that a function gets of a mapping.
pub(crate) async fn first_event(mapping: KafkaMapping) -> Value {
    let function = Function::new(|_, _| ok());
    let mapping = start(mapping, PartialFailures::Strict, &function).await;
    until("an event", || !function.payloads.lock().unwrap().is_empty()).await;
    mapping.stop().await;
    let payloads = function.payloads.lock().unwrap();
    serde_json::from_slice(&payloads[0]).unwrap()
}

/// All records of an event.
pub(crate) fn records(event: &Value) -> Vec<Value> {
    let lists = event["records"].as_object().unwrap().values();
    lists.flat_map(|records| records.as_array().unwrap()).cloned().collect()
}

pub(crate) fn ok() -> Outcome {
    Outcome::Response(Bytes::from_static(br#"{"batchItemFailures":[]}"#))
}

pub(crate) fn error() -> Outcome {
    Outcome::FunctionError(Bytes::from_static(br#"{"errorType":"X","errorMessage":"no"}"#))
}

/// The answer that names failed records.
pub(crate) fn failures(topic: &str, failed: &[Place]) -> Outcome {
    let item = |(partition, offset): &Place| serde_json::json!({"itemIdentifier": {"partition": format!("{topic}-{partition}"), "offset": offset}});
    let items: Vec<Value> = failed.iter().map(item).collect();
    Outcome::Response(Bytes::from(serde_json::json!({ "batchItemFailures": items }).to_string()))
}

pub(crate) async fn start(mapping: KafkaMapping, reading: PartialFailures, function: &Arc<Function>) -> Mapping {
    start_as(Some("test"), mapping, reading, function).await
}

/// Starts a mapping as one of several members of its group: a named one, whose place is kept a while, or a nameless one.
pub(crate) async fn start_as(
    instance: Option<&str>,
    mapping: KafkaMapping,
    reading: PartialFailures,
    function: &Arc<Function>,
) -> Mapping {
    start_on(&broker().await.bootstrap_servers(), instance, mapping, reading, function).await
}

/// Starts a mapping on a broker of a test's own.
pub(crate) async fn start_on(
    servers: &str,
    instance: Option<&str>,
    mapping: KafkaMapping,
    reading: PartialFailures,
    function: &Arc<Function>,
) -> Mapping {
    let options = MappingOptions {
        partial_failures: reading,
        instance: instance.map(str::to_owned),
        scaling_interval: SCALING_INTERVAL,
        ..MappingOptions::new(servers)
    };
    Mapping::start(mapping, options, Arc::clone(function) as Arc<dyn Invoke>).await.unwrap()
}

/// Waits until all records before `to` are committed.
pub(crate) async fn committed(mapping: &Mapping, partition: i32, to: i64) {
    let committed = || mapping.status().partitions.get(&partition).and_then(|status| status.committed);
    until("the commit", || committed() == Some(to)).await;
}

/// Milliseconds since the epoch.
pub(crate) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
