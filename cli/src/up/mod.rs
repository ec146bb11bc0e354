//! `freshet up`: the cloud on this machine, until Ctrl-C.
//!
//! | module | what |
//! |---|---|
//! | [`shop`] | our own template: its parameters, sample catalogue and website |
//! | [`stack`] | any other SAM template |
//! | [`state`] | what is kept beside the data: the administrators' token, the topics' generation |
//! | [`compose`] | Kafka and LocalStack in containers |
//! | [`found`] | Kafka as it is before the start |
//! | [`sample`] | the sample catalogue |
//! | [`site`] | the website |
//! | [`terminal`] | the status line with the logs above it |
//! | [`status`] | what the status line says |

mod compose;
mod found;
pub(crate) mod sample;
mod shop;
mod site;
mod stack;
pub(crate) mod state;
mod status;
mod terminal;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use freshet_localstack::functions::FunctionsChoice;
use freshet_localstack::{CloudStatus, KafkaChoice, LocalCloud};
use indicatif::ProgressBar;
use tokio_util::sync::CancellationToken;

use crate::args::{FunctionsBy, UpArgs, Usage};
use crate::cloud::{self, Setup};
use crate::output;
use crate::style::{DIM, WARN, paint};
use state::State;
use terminal::Terminal;

/// Where everything is kept.
pub(crate) const DATA_DIR: &str = ".freshet";
/// Where the API is, for `freshet monitor`.
pub(crate) const API_FILE: &str = "api.url";
/// What `--reset` removes: our own things and nothing else.
const OURS: [&str; 10] = [
    API_FILE,
    crate::mappings::FILE,
    "cargo-lambda",
    "kafka",
    "kafka.port",
    "dynamodb.sqlite",
    "dynamodb.sqlite-wal",
    "dynamodb.sqlite-shm",
    "topics.json",
    "admin-token",
];
/// Between two status lines.
const TICK: Duration = Duration::from_secs(1);
/// How long the end may take.
const STOP: Duration = Duration::from_secs(5);

/// One start of the command: what both kinds of template need.
struct Session<'a> {
    args: &'a UpArgs,
    json: bool,
    data_dir: PathBuf,
    /// The data folder goes with it.
    temporary: bool,
    terminal: Terminal,
    spinner: ProgressBar,
    stop: CancellationToken,
    began: Instant,
}

/// Runs the command.
///
/// # Errors
/// What is missing or wrong, and what mends it.
pub(crate) async fn run(mut args: UpArgs, json: bool, stop: CancellationToken) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let temporary = if args.memory && args.data_dir.is_none() { Some(tempfile::tempdir()?) } else { None };
    let data_dir = match (&temporary, &args.data_dir) {
        (_, Some(folder)) => folder.clone(),
        (Some(folder), None) => folder.path().to_owned(),
        (None, None) => PathBuf::from(DATA_DIR),
    };
    let parameters = cloud::parameters(&args.template)?;
    let state = State::open(&data_dir)?;
    free_or_refuse(&data_dir, args.reset)?;
    let spinner = output::spinner("starting");
    let terminal = Terminal::new(spinner.clone());
    terminal.show_logs(args.verbose);
    if args.compose {
        spinner.set_message("starting Redpanda and LocalStack");
        // What a start that failed has left is removed as well.
        if let Err(error) = compose::start().await {
            let _ = compose::stop().await;
            return Err(error);
        }
        args.kafka = Some(compose::KAFKA.to_owned());
        args.localstack = Some(compose::LOCALSTACK.to_owned());
    }
    let temporary = temporary.is_some();
    let session = Session { args: &args, json, data_dir, temporary, terminal, spinner, stop, began };
    let ran = if cloud::is_shop(&parameters) {
        shop::run(&session, &state).await
    } else {
        stack::run(&session, &parameters).await
    };
    if args.compose {
        compose::stop().await?;
    }
    ran?;
    Ok(ExitCode::SUCCESS)
}

impl Session<'_> {
    /// What to run; the rest is for the kind of template.
    fn setup(&self) -> Setup {
        let args = self.args;
        let (log, verbose) = (self.terminal.clone(), args.verbose);
        let (says, line) = (self.terminal.clone(), self.spinner.clone());
        Setup {
            template: args.template.clone(),
            binaries: args.binaries.clone(),
            data_dir: self.data_dir.clone(),
            memory: args.memory,
            dynamodb_endpoint: given_dynamodb(),
            services_endpoint: args.localstack.clone().filter(|url| !url.is_empty()),
            port: args.port,
            websocket_port: args.websocket_port(),
            invoke_port: args.invoke_port(),
            functions: match args.functions {
                FunctionsBy::Processes => FunctionsChoice::Processes,
                FunctionsBy::CargoLambda => FunctionsChoice::CargoLambda { program: PathBuf::from("cargo-lambda") },
            },
            kafka: self.kafka(),
            partitions: cloud::PARTITIONS,
            parameters: args.parameters.clone(),
            shop: None,
            log_sink: Some(Arc::new(move |line| log.function_line(line, verbose))),
            progress: Arc::new(move |what| {
                line.set_message(what.to_owned());
                if line.is_hidden() {
                    says.print(what);
                }
            }),
        }
    }

    fn kafka(&self) -> KafkaChoice {
        self.args.kafka.clone().map_or(KafkaChoice::Managed { port: self.args.kafka_port }, KafkaChoice::External)
    }

    /// Seconds since the start, to two digits.
    fn seconds(&self) -> f64 {
        (self.began.elapsed().as_secs_f64() * 100.0).round() / 100.0
    }

    /// Says what is up, then shows its status until somebody stops it.
    async fn serve<T: serde::Serialize + std::fmt::Display>(&self, cloud: &LocalCloud, up: &T) -> anyhow::Result<()> {
        tell(cloud, &cloud.status(), &self.data_dir);
        self.spinner.suspend(|| output::result(up, self.json))?;
        watch(cloud, &self.data_dir, &self.spinner, &self.stop).await;
        crate::mappings::forget(&self.data_dir);
        Ok(())
    }

    /// Stops everything.
    async fn end(&self, cloud: LocalCloud) {
        self.spinner.finish_and_clear();
        let started = Instant::now();
        if tokio::time::timeout(STOP, cloud.stop()).await.is_ok() {
            self.terminal.print(&paint(DIM, format!("stopped in {:.1} s", started.elapsed().as_secs_f64())));
        } else {
            // Dropping it has killed what was left.
            self.terminal.print(&paint(WARN, format!("killed what had not stopped after {} s", STOP.as_secs())));
        }
    }
}

/// Shows the status until somebody stops it.
async fn watch(cloud: &LocalCloud, data_dir: &Path, spinner: &ProgressBar, stop: &CancellationToken) {
    let mut line = status::StatusLine::default();
    let mut status = cloud.status();
    while !stop.is_cancelled() {
        spinner.set_message(line.text(&status, Instant::now()));
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            () = stop.cancelled() => {}
        }
        status = cloud.status();
        tell(cloud, &status, data_dir);
    }
}

/// Tells `freshet mappings`.
fn tell(cloud: &LocalCloud, status: &CloudStatus, data_dir: &Path) {
    if let Err(error) = crate::mappings::write(data_dir, &cloud.invoke_url(), &status.mappings) {
        tracing::warn!(%error, "the mappings' state can't be told to others");
    }
}

/// DynamoDB elsewhere, as AWS's own tools are told.
fn given_dynamodb() -> Option<String> {
    std::env::var("AWS_ENDPOINT_URL_DYNAMODB").ok().filter(|endpoint| !endpoint.is_empty())
}

/// Refuses a folder that another one runs on; with `reset`, empties it of what is ours.
fn free_or_refuse(data_dir: &Path, reset: bool) -> anyhow::Result<()> {
    let context = || format!("--data-dir: {}", data_dir.display());
    // Held until the folder is as it should be.
    let Some(_lock) = freshet_localstack::lock::take(data_dir).with_context(context)? else {
        let text = format!(
            "a `freshet up` is running on {} already: stop it first, or choose another --data-dir",
            data_dir.display()
        );
        return Err(Usage(text).into());
    };
    // What a killed one has told is not true of this one.
    crate::mappings::forget(data_dir);
    if reset {
        for path in OURS.map(|name| data_dir.join(name)) {
            let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            match removed {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("--reset: {}", path.display()));
                }
                _ => {}
            }
        }
    }
    Ok(())
}
