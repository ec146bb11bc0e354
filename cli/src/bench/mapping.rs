//! Records a second through the event source mapping to a function that does nothing, beside a bare consumer of the same topic;
//! and the memory of the local cloud meanwhile.

use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use freshet_localstack::kafka::{self, Broker, BrokerOptions, TopicSpec, topics};
use indicatif::ProgressBar;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{Offset, TopicPartitionList};
use serde::Serialize;
use tokio::io::AsyncReadExt as _;
use tokio_util::sync::CancellationToken;

use super::memory;
use crate::args::MappingArgs;
use crate::cloud;
use crate::output::{self, thousands};
use crate::style::{BOLD, GOOD, WARN, paint};

const TOPIC: &str = "bench-records";
const GROUP: &str = "bench-mapping";
/// Between two looks at what is committed, and at the memory.
const LOOK: Duration = Duration::from_millis(100);
/// How long anything may take to begin, or to go on.
const PATIENCE: Duration = Duration::from_mins(1);
/// Records a second that are wanted.
const WANTED_RATE: f64 = 50_000.0;
/// Memory that is allowed, in MB.
const ALLOWED_MB: f64 = 200.0;
/// By how much the last quarter of the run may differ from the one before it.
const FLAT: f64 = 0.10;

/// The result.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Result {
    records: u64,
    record_bytes: usize,
    partitions: u32,
    batch_size: u32,
    pollers: u32,
    interrupted: bool,
    /// From the first committed batch on.
    records_per_second: f64,
    /// The bare consumer's.
    consumer_records_per_second: f64,
    ratio: f64,
    /// Of the local cloud's process, by quarter of the run, in MB.
    resident_mb: Vec<f64>,
    peak_mb: Option<f64>,
}

/// Runs the command.
///
/// # Errors
/// What could not be started or measured.
pub(super) async fn run(args: MappingArgs, json: bool, stop: &CancellationToken) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let spinner = output::spinner("starting Kafka");
    let jars = cloud::kafka_jars(&args.binaries)?;
    let line = spinner.clone();
    kafka::install(&jars, move |what| line.set_message(what.to_owned())).await?;
    let port = freshet_localstack::ports::free()?;
    let broker = Broker::start(BrokerOptions { data_dir: folder.path().join("kafka"), jars, port }).await?;
    spinner.finish_and_clear();
    let measured = measure(&args, &broker.bootstrap_servers(), folder.path(), stop).await;
    broker.stop().await;
    match measured? {
        Some(result) => output::result(&result, json),
        None => Ok(()),
    }
}

/// `None`: stopped before anything could be measured.
async fn measure(
    args: &MappingArgs,
    brokers: &str,
    folder: &Path,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Result>> {
    topics::ensure(brokers, &[TopicSpec::new(TOPIC, args.partitions)]).await?;
    tokio::task::block_in_place(|| fill(args, brokers, stop))?;
    if stop.is_cancelled() {
        return Ok(None);
    }
    let bare = consume(args, brokers, stop).await?;
    if stop.is_cancelled() {
        return Ok(None);
    }
    let ours = map(args, brokers, folder, stop).await?;
    Ok(Some(Result {
        records: args.records,
        record_bytes: args.bytes,
        partitions: args.partitions,
        batch_size: args.batch_size,
        pollers: args.pollers,
        interrupted: stop.is_cancelled(),
        records_per_second: ours.records_per_second,
        consumer_records_per_second: bare,
        ratio: ours.records_per_second / bare,
        resident_mb: ours.resident_mb,
        peak_mb: ours.peak_mb,
    }))
}

/// Writes the records, in turn to each partition.
fn fill(args: &MappingArgs, brokers: &str, stop: &CancellationToken) -> anyhow::Result<()> {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("linger.ms", "20")
        .set("queue.buffering.max.messages", "200000")
        .create()?;
    let bar = output::bar(Some(args.records), "preload");
    let text = "0123456789abcdef".repeat(args.bytes / 16 + 1);
    for (number, partition) in (0..args.records).zip((0..args.partitions).cycle()) {
        let value = format!("{number:016}{text}");
        let mut record =
            BaseRecord::<(), str>::to(TOPIC).partition(partition.cast_signed()).payload(&value[..args.bytes]);
        while let Err((error, again)) = producer.send(record) {
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Err(error).context("preloading");
            }
            record = again;
            producer.poll(LOOK);
        }
        if number % 10_000 == 0 {
            bar.set_position(number);
            producer.poll(Duration::ZERO);
            if stop.is_cancelled() {
                break;
            }
        }
    }
    producer.flush(PATIENCE).context("preloading")?;
    bar.finish_and_clear();
    Ok(())
}

/// Records a second of a consumer that only counts them.
async fn consume(args: &MappingArgs, brokers: &str, stop: &CancellationToken) -> anyhow::Result<f64> {
    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "bench-consumer")
        .set("enable.auto.commit", "false")
        .create()?;
    let mut all = TopicPartitionList::new();
    for partition in 0..args.partitions {
        all.add_partition_offset(TOPIC, partition.cast_signed(), Offset::Beginning)?;
    }
    consumer.assign(&all)?;
    let bar = output::bar(Some(args.records), "bare consumer");
    let mut began = None;
    for count in 0..args.records {
        let record = tokio::time::timeout(PATIENCE, consumer.recv()).await.context("no record came for a minute")?;
        record?;
        began.get_or_insert_with(Instant::now);
        if count % 10_000 == 0 {
            bar.set_position(count);
            if stop.is_cancelled() {
                break;
            }
        }
    }
    bar.finish_and_clear();
    let seconds = began.map_or(0.0, |began| began.elapsed().as_secs_f64());
    Ok(args.records as f64 / seconds.max(f64::EPSILON))
}

struct Ours {
    records_per_second: f64,
    resident_mb: Vec<f64>,
    peak_mb: Option<f64>,
}

/// Runs a local cloud, in a process of its own, until it has committed everything.
async fn map(args: &MappingArgs, brokers: &str, folder: &Path, stop: &CancellationToken) -> anyhow::Result<Ours> {
    let template = write(args, folder)?;
    let mut up = tokio::process::Command::new(std::env::current_exe()?)
        .args(["up", "--json", "--memory", "--port", "0", "--kafka", brokers, "--template"])
        .arg(template)
        .arg("--data-dir")
        .arg(folder.join("data"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let pid = up.id().context("the local cloud has ended")?;
    let bar = output::bar(Some(args.records), "mapping");
    let followed = tokio::select! {
        followed = follow(args, brokers, pid, &bar, stop) => followed,
        ended = up.wait() => Err(ended?).map_err(|status: std::process::ExitStatus| anyhow::anyhow!("the local cloud ended: {status}")),
    };
    bar.finish_and_clear();
    let peak_mb = memory::peak("local cloud", pid).resident_kb.map(|kb| kb as f64 / 1024.0);
    // What it had to say is not of interest; its end is.
    let mut said = Vec::new();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.cast_signed()), nix::sys::signal::Signal::SIGINT)?;
    if let Some(mut stdout) = up.stdout.take() {
        stdout.read_to_end(&mut said).await?;
    }
    up.wait().await?;
    let (records_per_second, resident_mb) = followed?;
    Ok(Ours { records_per_second, resident_mb, peak_mb })
}

/// The template, and the function that does nothing.
fn write(args: &MappingArgs, folder: &Path) -> anyhow::Result<std::path::PathBuf> {
    let function = folder.join("function");
    std::fs::create_dir(&function)?;
    let bootstrap = function.join("bootstrap");
    let program = std::env::current_exe()?;
    std::fs::write(&bootstrap, format!("#!/bin/sh\nexec '{}' idle-function\n", program.display()))?;
    std::fs::set_permissions(&bootstrap, std::fs::Permissions::from_mode(0o755))?;
    let template = folder.join("template.yaml");
    let MappingArgs { batch_size, pollers, .. } = args;
    std::fs::write(
        &template,
        format!(
            "Resources:\n  Idle:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: function\n      \
             Runtime: provided.al2023\n      Handler: bootstrap\n      Events:\n        Records:\n          Type: MSK\n          \
             Properties:\n            Stream: arn:aws:kafka:us-east-1:000000000000:cluster/bench/1\n            \
             Topics: [{TOPIC}]\n            ConsumerGroupId: {GROUP}\n            BatchSize: {batch_size}\n            \
             StartingPosition: TRIM_HORIZON\n            ProvisionedPollerConfig: {{MaximumPollers: {pollers}}}\n"
        ),
    )?;
    Ok(template)
}

/// Watches what is committed, and the memory: records a second, and MB by quarter.
async fn follow(
    args: &MappingArgs,
    brokers: &str,
    pid: u32,
    bar: &ProgressBar,
    stop: &CancellationToken,
) -> anyhow::Result<(f64, Vec<f64>)> {
    let group: BaseConsumer = ClientConfig::new().set("bootstrap.servers", brokers).set("group.id", GROUP).create()?;
    let (mut samples, mut first, mut last) = (Vec::new(), None, (0, Instant::now()));
    while last.0 < args.records && !stop.is_cancelled() {
        tokio::time::sleep(LOOK).await;
        let committed = tokio::task::block_in_place(|| committed(&group, args.partitions))?;
        let now = Instant::now();
        bar.set_position(committed);
        if committed > last.0 {
            first.get_or_insert((committed, now));
            last = (committed, now);
        } else if now - last.1 > PATIENCE {
            bail!("after {committed} records nothing was committed for {} s", PATIENCE.as_secs());
        }
        if let (Some(_), Some(mb)) = (first, memory::resident_mb(pid)) {
            samples.push(mb);
        }
    }
    let (before, began) = first.context("nothing was committed")?;
    let rate = (last.0 - before) as f64 / (last.1 - began).as_secs_f64().max(f64::EPSILON);
    let quarters = samples.chunks(samples.len().div_ceil(4).max(1));
    Ok((rate, quarters.map(|quarter| quarter.iter().sum::<f64>() / quarter.len() as f64).collect()))
}

fn committed(group: &BaseConsumer, partitions: u32) -> std::result::Result<u64, KafkaError> {
    let mut asked = TopicPartitionList::new();
    for partition in 0..partitions {
        asked.add_partition(TOPIC, partition.cast_signed());
    }
    let committed = group.committed_offsets(asked, PATIENCE)?;
    Ok(committed.elements().iter().filter_map(|it| u64::try_from(it.offset().to_raw()?).ok()).sum())
}

impl Result {
    /// The memory of the last quarter by that of the one before.
    fn growth(&self) -> Option<f64> {
        match *self.resident_mb {
            [.., before, last] => Some(last / before),
            _ => None,
        }
    }
}

impl fmt::Display for Result {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records, record_bytes, partitions, batch_size, pollers, .. } = self;
        let head = format!("{} records of {record_bytes} bytes, {partitions} partitions", thousands(*records));
        writeln!(f, "{} · batches of {batch_size}, {pollers} at a time", paint(BOLD, head))?;
        let style = |good: bool| if good { GOOD } else { WARN };
        let rate = format!("{} records/s", thousands(self.records_per_second as u64));
        writeln!(f, "  mapping        {}", paint(style(self.records_per_second >= WANTED_RATE), rate))?;
        let bare = thousands(self.consumer_records_per_second as u64);
        writeln!(f, "  bare consumer  {bare} records/s: the mapping has {:.2} of it", self.ratio)?;
        let quarters: Vec<String> = self.resident_mb.iter().map(|mb| format!("{mb:.0}")).collect();
        let flat = self.growth().is_some_and(|growth| (growth - 1.0).abs() <= FLAT);
        let memory = format!("{} MB by quarter", quarters.join(", "));
        write!(f, "  local cloud    {}", paint(style(flat), memory))?;
        if let Some(peak) = self.peak_mb {
            write!(f, ", {} at the most", paint(style(peak <= ALLOWED_MB), format!("{peak:.0} MB")))?;
        }
        if self.interrupted {
            write!(f, "\n  {}", paint(WARN, "interrupted"))?;
        }
        Ok(())
    }
}
