//! `freshet up`: the cloud on this machine, until Ctrl-C.
//!
//! | module | what |
//! |---|---|
//! | [`state`] | what is kept beside the data: the administrators' token, the topics' generation |
//! | [`found`] | Kafka as it is before the start |
//! | [`sample`] | the sample catalogue |
//! | [`terminal`] | the status line with the logs above it |
//! | [`status`] | what the status line says |

mod found;
pub(crate) mod sample;
mod site;
pub(crate) mod state;
mod status;
mod terminal;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use freshet_localstack::{CloudStatus, KafkaChoice, LocalCloud};
use indicatif::ProgressBar;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::api_client::ApiClient;
use crate::args::{UpArgs, Usage};
use crate::cloud::{self, Setup, WATERMARKED};
use crate::output;
use crate::style::{BOLD, DIM, GOOD, WARN, paint};
use state::State;
use terminal::Terminal;

/// Where everything is kept.
pub(crate) const DATA_DIR: &str = ".freshet";
/// Where the API is, for `freshet monitor`.
pub(crate) const API_FILE: &str = "api.url";
/// What `--reset` removes: our own things and nothing else.
const OURS: [&str; 9] = [
    API_FILE,
    crate::mappings::FILE,
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

/// What is up, for the banner and for machines.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Up {
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<String>,
    api: String,
    socket: String,
    health: String,
    dynamodb: String,
    kafka: String,
    data_dir: PathBuf,
    admin_token_file: PathBuf,
    topic_generation: String,
    imported_products: u64,
    started_in_seconds: f64,
    #[serde(skip)]
    temporary: bool,
}

/// Whom the API lets in.
struct Access {
    /// The administrators' token.
    token: String,
    /// Of websites.
    origins: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// What is missing or wrong, and what mends it.
pub(crate) async fn run(args: UpArgs, json: bool, stop: CancellationToken) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let temporary = if args.memory && args.data_dir.is_none() { Some(tempfile::tempdir()?) } else { None };
    let data_dir = match (&temporary, &args.data_dir) {
        (_, Some(folder)) => folder.clone(),
        (Some(folder), None) => folder.path().to_owned(),
        (None, None) => PathBuf::from(DATA_DIR),
    };
    let state = State::open(&data_dir)?;
    free_or_refuse(&data_dir, args.reset)?;
    let spinner = output::spinner("starting");
    let terminal = Terminal::new(spinner.clone());
    terminal.show_logs(args.verbose);
    let opening = hold_site(&args).await?;
    let origins = opening.as_ref().map_or_else(|| expected_origins(&args), site::Opening::origins);
    let access = Access { token: state.admin_token()?, origins };
    let starting = start(&args, &access, &data_dir, &state, &terminal, &spinner, &stop);
    let Some((cloud, generation)) = starting.await? else {
        spinner.finish_and_clear();
        return Ok(ExitCode::SUCCESS);
    };
    let api = ApiClient::new(&format!("{}/api", cloud.http_url()))?;
    std::fs::write(data_dir.join(API_FILE), api.base())
        .with_context(|| format!("--data-dir: {}", data_dir.display()))?;
    let ready = async {
        sample::until_healthy(&api).await?;
        if args.no_sample { Ok(0) } else { sample::load(&api, &access.token).await }
    };
    let imported = tokio::select! {
        imported = ready => imported,
        () = stop.cancelled() => Ok(0),
    };
    let imported = match imported {
        Ok(imported) => imported,
        Err(error) => {
            spinner.finish_and_clear();
            end(cloud, &terminal).await;
            return Err(error);
        }
    };
    let addresses = site::Addresses { api: api.base().to_owned(), socket: cloud.websocket_url() };
    let site = opening.map(|opening| opening.serve(addresses));
    if !stop.is_cancelled() {
        let up = Up {
            site: site.as_ref().map(site::Site::url),
            api: api.base().to_owned(),
            socket: cloud.websocket_url(),
            health: format!("{}/health", api.base()),
            dynamodb: cloud.dynamodb_endpoint(),
            kafka: cloud.bootstrap_servers(),
            admin_token_file: state.token_file(),
            data_dir: data_dir.clone(),
            topic_generation: generation,
            imported_products: imported,
            started_in_seconds: (started.elapsed().as_secs_f64() * 100.0).round() / 100.0,
            temporary: temporary.is_some(),
        };
        tell(&cloud.status(), &data_dir);
        spinner.suspend(|| output::result(&up, json))?;
        for note in cloud.notes().iter().filter(|_| args.verbose) {
            terminal.print(&paint(DIM, format!("{} (line {}): {}", note.resource, note.line, note.message)));
        }
        watch(&cloud, &data_dir, &spinner, &stop).await;
        crate::mappings::forget(&data_dir);
    }
    spinner.finish_and_clear();
    end(cloud, &terminal).await;
    Ok(ExitCode::SUCCESS)
}

/// The cloud, and the generation of its topics; `None`: stopped meanwhile.
async fn start(
    args: &UpArgs,
    access: &Access,
    data_dir: &Path,
    state: &State,
    terminal: &Terminal,
    spinner: &ProgressBar,
    stop: &CancellationToken,
) -> anyhow::Result<Option<(LocalCloud, String)>> {
    let kafka = args.kafka.clone().map_or(KafkaChoice::Managed { port: args.kafka_port }, KafkaChoice::External);
    let found = found::look(&kafka, data_dir).await?;
    let mut generation = state.topic_generation(&found)?;
    loop {
        let (log, verbose) = (terminal.clone(), args.verbose);
        let (says, line) = (terminal.clone(), spinner.clone());
        let setup = Setup {
            template: args.template.clone(),
            binaries: args.binaries.clone(),
            data_dir: data_dir.to_owned(),
            memory: args.memory,
            dynamodb_endpoint: given_dynamodb(),
            port: args.port,
            websocket_port: args.websocket_port(),
            origins: access.origins.clone(),
            kafka: kafka.clone(),
            partitions: cloud::PARTITIONS,
            parameters: args.parameters.clone(),
            topic_generation: generation.clone(),
            admin_token_sha256: state::sha256(&access.token),
            log_sink: Some(Arc::new(move |function, text| log.function_line(function, text, verbose))),
            progress: Arc::new(move |what| {
                line.set_message(what.to_owned());
                if line.is_hidden() {
                    says.print(what);
                }
            }),
        };
        let Some(cloud) = cloud::start(setup, stop).await? else { return Ok(None) };
        let anew = cloud.created_topics().iter().any(|topic| WATERMARKED.contains(&topic.as_str()));
        if !(anew && found.topics_exist) {
            return Ok(Some((cloud, generation)));
        }
        // They were there a moment ago and had to be made: another generation, or old watermarks would swallow new events.
        cloud.stop().await;
        generation = state.topic_generation(&state::Found { topics_exist: false, ..found.clone() })?;
    }
}

/// Holds the website's port, where there is a website.
async fn hold_site(args: &UpArgs) -> anyhow::Result<Option<site::Opening>> {
    let folder = if args.no_site { None } else { site::folder(args.site.as_deref(), &args.template) };
    match folder {
        Some(folder) => site::Opening::listen(&folder, args.website_port()).await.map(Some),
        None => Ok(None),
    }
}

/// Where a website of somebody else's would be: `npm run dev` takes the port that ours would have.
fn expected_origins(args: &UpArgs) -> Vec<String> {
    match args.website_port() {
        0 => Vec::new(),
        port => site::origins(port),
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
        tell(&status, data_dir);
    }
}

/// Tells `freshet mappings`.
fn tell(status: &CloudStatus, data_dir: &Path) {
    if let Err(error) = crate::mappings::write(data_dir, &status.mappings) {
        tracing::warn!(%error, "the mappings' state can't be told to others");
    }
}

async fn end(cloud: LocalCloud, terminal: &Terminal) {
    let started = Instant::now();
    if tokio::time::timeout(STOP, cloud.stop()).await.is_ok() {
        terminal.print(&paint(DIM, format!("stopped in {:.1} s", started.elapsed().as_secs_f64())));
    } else {
        // Dropping it has killed what was left.
        terminal.print(&paint(WARN, format!("killed what had not stopped after {} s", STOP.as_secs())));
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

impl std::fmt::Display for Up {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = format!("started in {:.1} s", self.started_in_seconds);
        writeln!(f, "\n{} {}", paint(GOOD, "Freshet is up"), paint(DIM, seconds))?;
        if let Some(site) = &self.site {
            writeln!(f, "  {}    {}", paint(BOLD, "shop"), site)?;
        }
        writeln!(f, "  {}     {}", paint(BOLD, "API"), self.api)?;
        writeln!(f, "  {}  {}", paint(BOLD, "socket"), self.socket)?;
        writeln!(f, "  {}  {}", paint(BOLD, "health"), self.health)?;
        writeln!(f, "  {}   {} · DynamoDB {}", paint(BOLD, "Kafka"), self.kafka, self.dynamodb)?;
        let gone = if self.temporary { " (gone at the end)" } else { "" };
        writeln!(f, "  {}    {}{gone}", paint(BOLD, "data"), self.data_dir.display())?;
        writeln!(f, "  {}   {} (for writes to the catalogue)", paint(BOLD, "token"), self.admin_token_file.display())?;
        if self.imported_products > 0 {
            writeln!(f, "  {}  {} products", paint(BOLD, "sample"), self.imported_products)?;
        }
        writeln!(f, "\n  curl {}/products", self.api)?;
        writeln!(
            f,
            "  curl {}/events/track -H 'content-type: application/json' \\\n       \
             -d '{{\"userId\":\"me\",\"eventType\":\"product_view\",\"productId\":\"1\"}}'",
            self.api
        )?;
        writeln!(f, "  curl {}/recommendations/me", self.api)?;
        writeln!(f, "  freshet simulate --api {}", self.api)?;
        if self.data_dir == Path::new(DATA_DIR) {
            writeln!(f, "  freshet monitor")?;
        } else {
            writeln!(f, "  freshet monitor --data-dir {}", self.data_dir.display())?;
        }
        write!(f, "\nCtrl-C stops")
    }
}
