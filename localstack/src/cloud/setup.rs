//! What a start is made of: the lock, the port that is kept, the template, Kafka, the functions.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::account;
use crate::endpoint::Endpoint;
use crate::error::CloudError;
use crate::functions::{
    CargoLambda, Functions, FunctionsChoice, FunctionsError, Supervisor, SupervisorOptions, WatchOptions,
};
use crate::kafka::{self, Broker, BrokerOptions, TopicSpec, topics};
use crate::options::{DYNAMODB_PLACEHOLDER, KAFKA_PLACEHOLDER, KafkaChoice, Options};
use crate::ports;
use crate::runtimes::{self, RuntimeError};
use crate::template::model::{Function, Stack};
use crate::template::{self, Settings};

/// How a Kafka of somebody else's may take to answer.
const EXTERNAL_KAFKA: Duration = Duration::from_secs(10);

pub(super) fn lock(data_dir: &Path) -> Result<std::fs::File, CloudError> {
    let io = |source| CloudError::Io { what: format!("{}", data_dir.display()), source };
    std::fs::create_dir_all(data_dir).map_err(io)?;
    crate::lock::take(data_dir).map_err(io)?.ok_or_else(|| CloudError::AlreadyRunning(data_dir.to_owned()))
}

/// The port asked for; else the one of the last start, if it is still free; else any. Kept, so that clients find it again.
pub(super) fn kept_port(data_dir: &Path, wanted: u16) -> Result<u16, CloudError> {
    let file = data_dir.join("kafka.port");
    let last = std::fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let found = match (wanted, last) {
        (0, 0) => ports::free(),
        (0, last) => ports::is_free(last).or_else(|_| ports::free()),
        (wanted, _) => ports::is_free(wanted),
    };
    let port = found.map_err(|source| CloudError::Port { port: wanted, source })?;
    std::fs::write(&file, port.to_string())
        .map_err(|source| CloudError::Io { what: format!("{}", file.display()), source })?;
    Ok(port)
}

pub(super) fn read(options: &Options, bootstrap_servers: &str, dynamodb_endpoint: &str) -> Result<Stack, CloudError> {
    let fill = |value: &String| {
        value.replace(KAFKA_PLACEHOLDER, bootstrap_servers).replace(DYNAMODB_PLACEHOLDER, dynamodb_endpoint)
    };
    let settings = Settings {
        parameters: options.parameters.iter().map(|(name, value)| (name.clone(), fill(value))).collect(),
        stack_name: options.stack_name.clone(),
        sqs_endpoint: options.services_endpoint.clone(),
        ..Settings::default()
    };
    Ok(template::read(&options.template, &settings)?)
}

/// The topics asked for; in a Kafka of ours also those that the mappings read from and give up to.
pub(super) fn wanted_topics(options: &Options, stack: &Stack) -> Vec<TopicSpec> {
    let mut wanted = options.topics.clone();
    let KafkaChoice::Managed { .. } = options.kafka else { return wanted };
    for mapping in &stack.mappings {
        let dead = mapping.on_failure.as_deref().and_then(|to| to.strip_prefix("kafka://"));
        for topic in std::iter::once(&*mapping.topic).chain(dead) {
            if wanted.iter().all(|known| known.name != topic) {
                wanted.push(TopicSpec::new(topic, options.partitions));
            }
        }
    }
    wanted
}

/// The functions that can run, ready to be started; the others leave the stack with a note.
pub(super) async fn prepare(options: &Options, stack: &mut Stack) -> Result<Vec<Function>, RuntimeError> {
    let around = runtimes::Surroundings {
        cache: &options.runtimes,
        // cargo-lambda builds its own.
        binaries: (options.functions == FunctionsChoice::Processes).then_some(&*options.binaries),
        progress: &*options.progress,
    };
    runtimes::prepare(stack, around).await
}

pub(super) async fn start_kafka(options: &Options, port: u16) -> Result<Option<Broker>, CloudError> {
    match &options.kafka {
        KafkaChoice::External(servers) => {
            topics::ping(servers, EXTERNAL_KAFKA).await?;
            Ok(None)
        }
        KafkaChoice::Managed { .. } => {
            kafka::install(&options.kafka_jars, |what| (options.progress)(what)).await?;
            let data_dir = options.data_dir.join("kafka");
            Ok(Some(Broker::start(BrokerOptions { data_dir, jars: options.kafka_jars.clone(), port }).await?))
        }
    }
}

pub(super) fn supervisor_options(
    options: &Options,
    functions: Vec<Function>,
    dynamodb_endpoint: &str,
    services: Option<&Endpoint>,
    connections: Option<SocketAddr>,
    invokes: Option<SocketAddr>,
) -> SupervisorOptions {
    let mut environment = BTreeMap::from([
        ("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), dynamodb_endpoint.to_owned()),
        ("AWS_ENDPOINT_URL_DYNAMODB_STREAMS".to_owned(), dynamodb_endpoint.to_owned()),
        ("AWS_ACCESS_KEY_ID".to_owned(), "local".to_owned()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), "local".to_owned()),
    ]);
    environment.extend(services.map(Endpoint::environment).unwrap_or_default());
    // The SDKs' own variables for the @connections API and for Lambda.
    environment
        .extend(connections.map(|at| ("AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI".to_owned(), format!("http://{at}"))));
    environment.extend(invokes.map(|at| ("AWS_ENDPOINT_URL_LAMBDA".to_owned(), format!("http://{at}"))));
    environment.extend(options.function_environment.clone());
    SupervisorOptions {
        functions,
        binaries: options.binaries.clone(),
        environment,
        log_sink: options.log_sink.clone(),
        ..SupervisorOptions::default()
    }
}

pub(super) async fn run_functions(
    options: &Options,
    stack: &Stack,
    supervisor: SupervisorOptions,
) -> Result<Functions, FunctionsError> {
    let FunctionsChoice::CargoLambda { program } = &options.functions else {
        return Ok(Functions::Processes(Supervisor::start(supervisor)?));
    };
    let mut concurrency: BTreeMap<String, u32> = BTreeMap::new();
    for mapping in &stack.mappings {
        *concurrency.entry(mapping.function.clone()).or_default() += mapping.maximum_pollers;
    }
    // Beside its mappings, gateways and others call a function.
    concurrency.values_mut().for_each(|pollers| *pollers = pollers.saturating_add(1).max(4));
    let watch = WatchOptions {
        program: program.clone(),
        workspace: options.template.parent().unwrap_or(Path::new(".")).to_owned(),
        folder: options.data_dir.join("cargo-lambda"),
        concurrency,
        progress: Arc::clone(&options.progress),
    };
    Ok(Functions::CargoLambda(CargoLambda::start(supervisor, watch).await?))
}

pub(super) fn function_arn(function: &Function) -> String {
    account::function_arn(account::REGION, account::ACCOUNT_ID, &function.name)
}

/// Tells one data folder from another.
pub(super) fn fingerprint(data_dir: &Path) -> u64 {
    use std::hash::{Hash as _, Hasher as _};
    let mut hasher = std::hash::DefaultHasher::new();
    std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned()).hash(&mut hasher);
    hasher.finish()
}
