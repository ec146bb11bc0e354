//! Events a second through Kafka, recommend and DynamoDB; then, with the functions gone, the bare loop over the same topic.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use freshet_localstack::KafkaChoice;
use freshet_localstack::dynamodb::{Server, Storage};
use freshet_localstack::kafka::{self, Broker, BrokerOptions, topics};
use freshet_stream::groups::{self, Group};
use freshet_stream::{ProducerOptions, Security};
use tokio_util::sync::CancellationToken;

use super::figures::Figures;
use super::report::{Baseline, Throughput};
use super::{Own, OwnOptions, baseline, memory, sessions};
use crate::args::ThroughputArgs;
use crate::cloud::{self, METRICS};
use crate::output;
use crate::simulate::summary::Tally;
use crate::simulate::{Pace, Planned, event_id, kafka as preload};

/// Between two questions how far the functions are.
const LOOK: Duration = Duration::from_millis(500);
/// Without any progress for so long, it is given up.
const STUCK: Duration = Duration::from_mins(2);
/// How long Kafka may take to say how far a group is.
const ANSWER: Duration = Duration::from_secs(5);
/// People whose documents are weighed.
const SAMPLE: i32 = 1_000;
/// Bytes of an item where nobody can be weighed.
const TYPICAL_BYTES: usize = 700;

/// What is there besides the functions: it outlives them, so that the bare loop meets the same.
struct Ground {
    kafka: Broker,
    dynamodb: Server,
    /// Dropped last.
    _folder: tempfile::TempDir,
}

/// Runs the command.
///
/// # Errors
/// What could not be started, read or measured.
pub(super) async fn run(args: ThroughputArgs, json: bool, stop: &CancellationToken) -> anyhow::Result<()> {
    // Mistakes in the arguments show before anything is started.
    let events = events(&args)?;
    let Some(ground) = Ground::start(&args, stop).await? else { return Ok(()) };
    let result = measure(&args, events, &ground, stop).await;
    ground.stop().await;
    match result? {
        Some(result) => output::result(&result, json),
        None => Ok(()),
    }
}

type Events = Box<dyn Iterator<Item = anyhow::Result<Planned>> + Send>;

fn events(args: &ThroughputArgs) -> anyhow::Result<Events> {
    let seed = rand::random();
    let visits = sessions::visits(&args.sessions, args.events)?.zip(0_u64..);
    Ok(Box::new(visits.map(move |(visit, index)| Ok(visit?.planned(event_id(seed, index))))))
}

async fn measure(
    args: &ThroughputArgs,
    events: Events,
    ground: &Ground,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Throughput>> {
    let brokers = ground.kafka.bootstrap_servers();
    let bar = output::bar(Some(args.events), "preload");
    let mut tally = Tally::new()?;
    let started = Instant::now();
    preload::send(&brokers, None, events, Pace::Free, &mut tally, &bar, stop).await?;
    bar.finish_and_clear();
    let (loaded, preload_seconds) = (tally.acknowledged(), started.elapsed().as_secs_f64());
    ensure!(loaded > 0, "there are no events");
    if stop.is_cancelled() {
        return Ok(None);
    }

    let options = OwnOptions {
        dynamodb_endpoint: Some(ground.dynamodb.endpoint()),
        kafka: KafkaChoice::External(brokers.clone()),
        parameters: args.parameters.clone(),
        memory: !args.disk,
        ..OwnOptions::new(args.template.clone(), args.binaries.clone())
    };
    let Some(own) = Own::start(options, stop).await? else { return Ok(None) };
    let dynamodb = baseline::client(&ground.dynamodb.endpoint());
    let functions = follow(&own, &brokers, loaded, stop).await;
    let status = own.cloud.status();
    let mut peaks = vec![memory::peak("local cloud (with DynamoDB)", std::process::id())];
    peaks.push(memory::peak("kafka (java)", ground.kafka.pid()));
    for function in &status.functions {
        peaks.extend(function.pids.iter().map(|pid| memory::peak(&function.logical_id.to_lowercase(), *pid)));
    }
    let people = own.cloud.stack().tables.get("People").map(|table| table.name.clone());
    let item_bytes = match people {
        Some(table) => mean_item_bytes(&dynamodb, &table).await?,
        None => None,
    };
    own.stop().await;
    let functions = functions?;

    let mut result = Throughput {
        source: sessions::source(&args.sessions),
        storage: if args.disk { "disk" } else { "memory" },
        interleaved_sessions: args.sessions.interleave,
        interrupted: stop.is_cancelled(),
        events: loaded,
        preload_seconds,
        functions: functions.functions,
        retries: status.mappings.iter().map(|mapping| mapping.retries).sum(),
        restarts: status.functions.iter().map(|function| function.restarts).sum(),
        peaks,
        baseline: None,
        ratio: None,
        items_weighed: item_bytes.is_some(),
    };
    if !result.interrupted {
        let item_bytes = item_bytes.unwrap_or(TYPICAL_BYTES);
        let bar = output::bar(Some(args.baseline_events.min(loaded)), "bare loop");
        let ran = baseline::run(&brokers, &dynamodb, args.baseline_events.min(loaded), item_bytes, &bar, stop).await?;
        bar.finish_and_clear();
        result.interrupted = stop.is_cancelled();
        let baseline = Baseline::new(ran.events, ran.time.as_secs_f64(), item_bytes);
        result.ratio = result.events_per_second().map(|ours| ours / baseline.events_per_second);
        result.baseline = Some(baseline);
    }
    Ok(Some(result))
}

/// Waits until every mapping has read all there is, in the order of the stream, and sums what the functions report.
pub(super) async fn follow(own: &Own, brokers: &str, events: u64, stop: &CancellationToken) -> anyhow::Result<Figures> {
    let bar = output::bar(Some(events), "functions");
    let mut figures = Figures::new(brokers)?;
    let mut groups: Vec<Group> = own.cloud.status().mappings.into_iter().filter_map(group).collect();
    // What a mapping has read may still fill the topic of the next: figures come last.
    groups.sort_by_key(|group| (group.topic == METRICS, group.topic != cloud::USER_EVENTS));
    let mut open = groups.into_iter().peekable();
    let (mut progress, mut at) = ((0, 0), Instant::now());
    while let Some(group) = open.peek().cloned() {
        if stop.is_cancelled() {
            break;
        }
        let look = tokio::task::block_in_place(|| figures.take(LOOK));
        look?;
        bar.set_position(figures.records("recommend").min(events));
        let lag = lag(brokers, &group).await?;
        bar.set_message(format!("{} {lag} behind", group.group));
        if lag == 0 {
            open.next();
        }
        let now = (figures.functions.values().map(|function| function.records).sum::<u64>(), lag);
        if now != progress {
            (progress, at) = (now, Instant::now());
        } else if at.elapsed() > STUCK {
            let status = serde_json::to_string(&own.cloud.status())?;
            bail!("{} stays {lag} records behind for {} s: {status}", group.group, STUCK.as_secs());
        }
    }
    tokio::task::block_in_place(|| figures.take(LOOK))?;
    bar.finish_and_clear();
    Ok(figures)
}

fn group(mapping: freshet_localstack::mapping::MappingStatus) -> Option<Group> {
    let enabled = mapping.state != freshet_localstack::mapping::MappingState::Disabled;
    enabled.then_some(Group { group: mapping.consumer_group, topic: mapping.topic })
}

async fn lag(brokers: &str, group: &Group) -> anyhow::Result<i64> {
    let options =
        ProducerOptions { bootstrap_servers: brokers.to_owned(), security: Security::Plaintext, deadline: ANSWER };
    let group = group.clone();
    let state = tokio::task::spawn_blocking(move || groups::read(&options, &group, ANSWER)).await?;
    Ok(state.context("how far the functions are")?.lag)
}

/// Bytes of a person's item on average, as DynamoDB counts them; `None`: there are none.
async fn mean_item_bytes(dynamodb: &Client, table: &str) -> anyhow::Result<Option<usize>> {
    let page = dynamodb.scan().table_name(table).limit(SAMPLE).send().await.context("weighing the people's items")?;
    let sizes: Vec<usize> = page.items().iter().map(|item| item.iter().map(size).sum()).collect();
    Ok((!sizes.is_empty()).then(|| sizes.iter().sum::<usize>() / sizes.len()))
}

fn size((name, value): (&String, &AttributeValue)) -> usize {
    name.len()
        + match value {
            AttributeValue::S(text) => text.len(),
            AttributeValue::B(blob) => blob.as_ref().len(),
            // Two digits a byte, and one for sign and exponent.
            AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
            _ => 1,
        }
}

impl Ground {
    async fn start(args: &ThroughputArgs, stop: &CancellationToken) -> anyhow::Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let jars = cloud::kafka_jars(&args.binaries)?;
        let spinner = output::spinner("starting Kafka");
        let start = async {
            let line = spinner.clone();
            kafka::install(&jars, move |what| line.set_message(what.to_owned())).await?;
            let port = freshet_localstack::ports::free()?;
            let broker =
                Broker::start(BrokerOptions { data_dir: folder.path().join("kafka"), jars: jars.clone(), port });
            let broker = broker.await?;
            topics::ensure(&broker.bootstrap_servers(), &cloud::topics(cloud::PARTITIONS)).await?;
            anyhow::Ok(broker)
        };
        let kafka = tokio::select! {
            kafka = start => kafka?,
            () = stop.cancelled() => return Ok(None),
        };
        spinner.finish_and_clear();
        let file = folder.path().join("dynamodb.sqlite");
        let dynamodb = Server::start(if args.disk { Storage::File(&file) } else { Storage::Memory }, 0)?;
        Ok(Some(Self { kafka, dynamodb, _folder: folder }))
    }

    async fn stop(self) {
        tokio::join!(self.kafka.stop(), self.dynamodb.stop());
    }
}
