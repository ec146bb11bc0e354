//! Of `freshet bench`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Binaries;
use super::values::{name_value, rate, seconds};

/// Of `freshet bench`.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "Example:\n  freshet bench latency")]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    pub(crate) what: Bench,
}

/// What to measure.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// From an event accepted to the changed list readable, one event at a time.
    #[command(after_help = "Example:\n  freshet bench latency --events 300 --json")]
    Latency(LatencyArgs),
    /// Events a second through Kafka, recommend and DynamoDB, beside a bare loop with one write per event.
    #[command(after_help = "Example:\n  freshet bench throughput --from sessions.csv.gz --events 200000")]
    Throughput(ThroughputArgs),
    /// Lists to open sockets: from the event's request to the shopper's message.
    #[command(after_help = "Example:\n  freshet bench push --sockets 1000 --rate 200")]
    Push(PushArgs),
    /// From a function's process start to its first request for work, and its first answer.
    #[command(name = "cold-start", after_help = "Example:\n  freshet bench cold-start --runs 20")]
    ColdStart(ColdStartArgs),
    /// How often the running functions foretell what comes next, beside the same engine in one process on the same events.
    #[command(after_help = "Example:\n  freshet bench distributed --from sessions.csv.gz --partitions 8 --rate 500")]
    Distributed(DistributedArgs),
    /// What an event costs while a shop grows: the engine, its documents as bytes, invented sessions.
    #[command(after_help = "Example:\n  freshet bench growth --events 10000000 --items 1000000")]
    Growth(GrowthArgs),
    /// Records a second through the event source mapping to a function that does nothing, beside a bare consumer; memory.
    #[command(after_help = "Example:\n  freshet bench mapping --records 1000000")]
    Mapping(MappingArgs),
    /// What the HTTP gateway costs: requests over open connections, beside direct invocations of the same function.
    #[command(after_help = "Example:\n  freshet bench gateway --connections 64 --json")]
    Gateway(GatewayArgs),
}

/// Of `freshet bench gateway`.
#[derive(Debug, Clone, Args)]
pub(crate) struct GatewayArgs {
    /// Open connections, and callers of the function.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) connections: u32,
    /// Processes of the function.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) concurrency: u32,
    /// Requests a second where latency is measured; well under what the function can do.
    #[arg(long, default_value_t = 1_000.0, value_name = "PER_SECOND", value_parser = rate, allow_negative_numbers = true)]
    pub(crate) rate: f64,
    /// How long each of the four measurements takes.
    #[arg(long, default_value_t = 5.0, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) seconds: f64,
}

/// Of `freshet bench latency`.
#[derive(Debug, Clone, Args)]
pub(crate) struct LatencyArgs {
    /// Events to measure.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) events: u32,
    /// Measure a system that runs, instead of one started for it in memory.
    #[arg(long, value_name = "URL")]
    pub(crate) api: Option<String>,
    /// The template of the system that is started.
    #[arg(long, default_value = "template.yaml", value_name = "FILE")]
    pub(crate) template: PathBuf,
    #[command(flatten)]
    pub(crate) binaries: Binaries,
}

/// What is played.
#[derive(Debug, Clone, Args)]
pub(crate) struct SessionsArgs {
    /// Sessions to play, as `freshet simulate --from` reads them; invented ones of a similar shape if not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// Sessions that go on at the same time; 1 keeps the order of the file, where data sets list whole sessions.
    #[arg(long, default_value_t = 1_000, value_name = "SESSIONS", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) interleave: u32,
}

/// Of `freshet bench throughput`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ThroughputArgs {
    /// Events to measure.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(100..=50_000_000))]
    pub(crate) events: u64,
    #[command(flatten)]
    pub(crate) sessions: SessionsArgs,
    /// Events of the bare loop.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(100..))]
    pub(crate) baseline_events: u64,
    /// Keep DynamoDB on disk instead of in memory.
    #[arg(long)]
    pub(crate) disk: bool,
    /// Set a parameter of the template.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = name_value)]
    pub(crate) parameters: Vec<(String, String)>,
    /// The template to run.
    #[arg(long, default_value = "template.yaml", value_name = "FILE")]
    pub(crate) template: PathBuf,
    #[command(flatten)]
    pub(crate) binaries: Binaries,
}

/// Of `freshet bench push`.
#[derive(Debug, Clone, Args)]
pub(crate) struct PushArgs {
    /// Open sockets, each of another shopper.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) sockets: u32,
    /// Events, and so lists, a second.
    #[arg(long, default_value_t = 200.0, value_name = "PER_SECOND", value_parser = rate, allow_negative_numbers = true)]
    pub(crate) rate: f64,
    /// How long.
    #[arg(long, default_value_t = 15.0, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) seconds: f64,
    /// The template of the system that is started.
    #[arg(long, default_value = "template.yaml", value_name = "FILE")]
    pub(crate) template: PathBuf,
    #[command(flatten)]
    pub(crate) binaries: Binaries,
}

/// Of `freshet bench cold-start`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ColdStartArgs {
    /// Starts of each function.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) runs: u32,
    /// The template that names the functions.
    #[arg(long, default_value = "template.yaml", value_name = "FILE")]
    pub(crate) template: PathBuf,
    #[command(flatten)]
    pub(crate) binaries: Binaries,
}

/// Of `freshet bench distributed`.
#[derive(Debug, Clone, Args)]
pub(crate) struct DistributedArgs {
    /// Events to send.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(100..=50_000_000))]
    pub(crate) events: u64,
    #[command(flatten)]
    pub(crate) sessions: SessionsArgs,
    /// Events a second.
    #[arg(long, default_value_t = 500.0, value_name = "PER_SECOND", value_parser = rate, allow_negative_numbers = true)]
    pub(crate) rate: f64,
    /// Partitions of the topics.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=128))]
    pub(crate) partitions: u32,
    /// The template to run.
    #[arg(long, default_value = "template.yaml", value_name = "FILE")]
    pub(crate) template: PathBuf,
    #[command(flatten)]
    pub(crate) binaries: Binaries,
}

/// Of `freshet bench growth`.
#[derive(Debug, Clone, Args)]
pub(crate) struct GrowthArgs {
    /// Events to learn.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=1_000_000_000))]
    pub(crate) events: u64,
    /// Products of the shop.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..=100_000_000))]
    pub(crate) items: u32,
    /// One event in so many gets a list.
    #[arg(long, default_value_t = 10, value_name = "EVENTS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) list_every: u64,
}

/// Of `freshet bench mapping`.
#[derive(Debug, Clone, Args)]
pub(crate) struct MappingArgs {
    /// Records to deliver.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=1_000_000_000))]
    pub(crate) records: u64,
    /// Bytes of each.
    #[arg(long, default_value_t = 200, value_parser = bytes)]
    pub(crate) bytes: usize,
    /// Partitions of the topic.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) partitions: u32,
    /// Records of a batch.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) batch_size: u32,
    /// Batches at one time.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) pollers: u32,
    #[command(flatten)]
    pub(crate) binaries: Binaries,
}

/// Bytes of a record: 16 to a million.
fn bytes(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|bytes| (16..=1_000_000).contains(bytes))
        .ok_or_else(|| "16 to 1000000 was expected".to_owned())
}
