//! `freshet bench`: figures, each measured on the running system.
//!
//! | module | what |
//! |---|---|
//! | [`latency`] | event accepted → changed list readable |
//! | [`throughput`] | events/s through Kafka, recommend and DynamoDB, beside a bare loop |
//! | [`push`] | lists to open sockets |
//! | [`distributed`] | hits of the running functions, beside the same engine in one process |
//! | [`growth`] | what an event costs while a shop grows |
//! | [`report`] | what is said of it |
//! | [`baseline`] | the bare loop |
//! | [`figures`] | what the functions say of themselves on the topic `metrics` |
//! | [`invented`] | a stream of events of a public data set's shape |
//! | [`sessions`] | what is played |
//! | [`interleave`] | sessions that go on at the same time |
//! | [`mapping`] | records/s through the event source mapping, beside a bare consumer |
//! | [`idle`] | the function that does nothing |
//! | [`memory`] | memory of processes |
//! | [`gateway`] | what the HTTP gateway costs over a direct invocation |
//! | [`cold_start`] | process start → first request for work; first answer |

mod baseline;
mod cold_start;
mod distributed;
mod figures;
mod gateway;
mod growth;
pub(crate) mod idle;
mod interleave;
mod invented;
mod latency;
mod mapping;
mod memory;
mod push;
mod report;
mod sessions;
mod throughput;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use freshet_localstack::{KafkaChoice, LocalCloud};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::api_client::ApiClient;
use crate::args::{Bench, BenchArgs, Binaries};
use crate::cloud::{self, Setup, Shop};
use crate::output;
use crate::stop::INTERRUPTED;
use crate::style::{WARN, paint};
use crate::up::{sample, state};

/// The administrators' token of a system that lives for one measurement, on loopback.
const TOKEN: &str = "bench";

/// An unoptimised build measures the compiler.
fn warn_if_unoptimised(binaries: &std::path::Path) {
    if binaries.file_name().is_some_and(|name| name == "debug") {
        let text = format!("{} holds an unoptimised build: `make build` makes the one to measure", binaries.display());
        anstream::eprintln!("{}", paint(WARN, text));
    }
}

/// Runs the command.
///
/// # Errors
/// What could not be started or measured.
pub(crate) async fn run(args: BenchArgs, json: bool, stop: CancellationToken) -> anyhow::Result<ExitCode> {
    let done = match args.what {
        Bench::Latency(args) => latency::run(args, json, &stop).await,
        Bench::Throughput(args) => throughput::run(args, json, &stop).await,
        Bench::Push(args) => push::run(args, json, &stop).await,
        Bench::ColdStart(args) => cold_start::run(args, json, &stop).await,
        Bench::Distributed(args) => distributed::run(args, json, &stop).await,
        Bench::Mapping(args) => mapping::run(args, json, &stop).await,
        Bench::Growth(args) => growth::run(&args, json, &stop),
        Bench::Gateway(args) => gateway::run(args, json, &stop).await,
    };
    done.map(|()| if stop.is_cancelled() { ExitCode::from(INTERRUPTED) } else { ExitCode::SUCCESS })
}

/// A system of our own, on free ports, whose data is gone with it.
struct Own {
    cloud: LocalCloud,
    api: ApiClient,
    /// Dropped after the cloud.
    folder: TempDir,
}

/// How an own system differs from the default one.
struct OwnOptions {
    template: PathBuf,
    binaries: Binaries,
    memory: bool,
    dynamodb_endpoint: Option<String>,
    kafka: KafkaChoice,
    partitions: u32,
    parameters: Vec<(String, String)>,
}

impl OwnOptions {
    /// In memory, with a Kafka of its own.
    fn new(template: PathBuf, binaries: Binaries) -> Self {
        Self {
            template,
            binaries,
            memory: true,
            dynamodb_endpoint: None,
            kafka: KafkaChoice::Managed { port: 0 },
            partitions: cloud::PARTITIONS,
            parameters: Vec::new(),
        }
    }
}

impl Own {
    /// Starts it; `None`: stopped meanwhile.
    async fn start(options: OwnOptions, stop: &CancellationToken) -> anyhow::Result<Option<Self>> {
        warn_if_unoptimised(&cloud::binaries(&options.binaries)?);
        let folder = tempfile::tempdir()?;
        let spinner = output::spinner("starting a system to measure");
        let line = spinner.clone();
        let setup = Setup {
            template: options.template,
            binaries: options.binaries,
            data_dir: folder.path().to_owned(),
            memory: options.memory,
            dynamodb_endpoint: options.dynamodb_endpoint,
            services_endpoint: None,
            port: 0,
            websocket_port: 0,
            invoke_port: 0,
            functions: freshet_localstack::functions::FunctionsChoice::Processes,
            kafka: options.kafka,
            partitions: options.partitions,
            parameters: options.parameters,
            shop: Some(Shop {
                origins: Vec::new(),
                topic_generation: "bench".to_owned(),
                admin_token_sha256: state::sha256(TOKEN),
            }),
            // Their own reports count here; what goes wrong shows in what is measured.
            log_sink: Some(Arc::new(|_| {})),
            progress: Arc::new(move |what| line.set_message(what.to_owned())),
        };
        let started = cloud::start(setup, stop).await;
        spinner.finish_and_clear();
        let Some(cloud) = started? else { return Ok(None) };
        let api = ApiClient::new(&format!("{}/api", cloud.http_url()))?;
        Ok(Some(Self { cloud, api, folder }))
    }

    /// Waits until all parts are there, and loads the sample catalogue.
    async fn make_ready(&self) -> anyhow::Result<()> {
        sample::until_healthy(&self.api).await?;
        sample::load(&self.api, TOKEN).await.map(drop)
    }

    async fn stop(self) {
        self.cloud.stop().await;
        drop(self.folder);
    }
}
