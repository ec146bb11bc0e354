//! Our project on the local cloud: what the generic crate does not know of us, and of the one who types.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow};

use freshet_localstack::functions::{FunctionsChoice, FunctionsError, LogSink};
use freshet_localstack::kafka::{KAFKA_VERSION, TopicSpec};
use freshet_localstack::runtimes::RuntimeError;
use freshet_localstack::template::Parameter;
use freshet_localstack::{CloudError, EndpointError, KAFKA_PLACEHOLDER, KafkaChoice, LocalCloud, Options};
use tokio_util::sync::CancellationToken;

use crate::args::{Binaries, Usage};

/// What people do.
pub(crate) const USER_EVENTS: &str = "user-events";
/// What items learn of it.
pub(crate) const ITEM_SIGNALS: &str = "item-signals";
/// What functions did.
pub(crate) const METRICS: &str = "metrics";
/// Watermarks hang on the offsets of these.
pub(crate) const WATERMARKED: [&str; 3] = [USER_EVENTS, ITEM_SIGNALS, METRICS];
/// Partitions of what is read by functions under load.
pub(crate) const PARTITIONS: u32 = 4;
/// The largest record of a dead-letter topic, in bytes: a refused record in base64, and why.
const MAX_DEAD_BYTES: &str = "8388608";
/// Stands for the MSK cluster, which has an ARN only in the cloud.
const CLUSTER_ARN: &str = "arn:aws:kafka:us-east-1:000000000000:cluster/local/00000000-0000-0000-0000-000000000000-1";

/// What to run.
pub(crate) struct Setup {
    /// The template.
    pub(crate) template: PathBuf,
    /// Where programs are.
    pub(crate) binaries: Binaries,
    /// Everything that is kept.
    pub(crate) data_dir: PathBuf,
    /// DynamoDB in memory.
    pub(crate) memory: bool,
    /// DynamoDB elsewhere.
    pub(crate) dynamodb_endpoint: Option<String>,
    /// AWS's other services.
    pub(crate) services_endpoint: Option<String>,
    /// Port of the API; 0: any free one.
    pub(crate) port: u16,
    /// Port of the WebSocket API; 0: any free one.
    pub(crate) websocket_port: u16,
    /// Port of the Invoke API; 0: any free one.
    pub(crate) invoke_port: u16,
    /// How the functions are run.
    pub(crate) functions: FunctionsChoice,
    /// Kafka.
    pub(crate) kafka: KafkaChoice,
    /// Partitions of the topics that are shared by key, or that a mapping reads and nobody has made.
    pub(crate) partitions: u32,
    /// The user's own parameters; they win.
    pub(crate) parameters: Vec<(String, String)>,
    /// For our own template; `None`: somebody else's.
    pub(crate) shop: Option<Shop>,
    /// Takes the functions' output.
    pub(crate) log_sink: Option<LogSink>,
    /// Is told what takes its time.
    pub(crate) progress: Arc<dyn Fn(&str) + Send + Sync>,
}

/// What our own template wants to know.
pub(crate) struct Shop {
    /// Websites that may call the API; none: as the template says.
    pub(crate) origins: Vec<String>,
    /// Generation of the topics.
    pub(crate) topic_generation: String,
    /// Hex SHA-256 of the administrators' token.
    pub(crate) admin_token_sha256: String,
}

/// The parameters that a template declares.
///
/// # Errors
/// There is no such template, or it is none.
pub(crate) fn parameters(template: &Path) -> anyhow::Result<Vec<Parameter>> {
    if !template.is_file() {
        let text = format!(
            "no template at {}: run this in the project's folder, or name one with --template",
            template.display()
        );
        return Err(Usage(text).into());
    }
    Ok(freshet_localstack::template::parameters(template)?)
}

impl Shop {
    fn parameters(&self) -> BTreeMap<String, String> {
        let origins = (!self.origins.is_empty()).then(|| ("AllowedOrigins", self.origins.join(",")));
        [
            ("MskClusterArn", CLUSTER_ARN.to_owned()),
            ("KafkaBootstrapServers", KAFKA_PLACEHOLDER.to_owned()),
            ("KafkaSecurity", "PLAINTEXT".to_owned()),
            ("TopicGeneration", self.topic_generation.clone()),
            ("AdminTokenSha256", self.admin_token_sha256.clone()),
        ]
        .into_iter()
        .chain(origins)
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }
}

/// Is it our own?
pub(crate) fn is_shop(parameters: &[Parameter]) -> bool {
    ["TopicGeneration", "AdminTokenSha256"].iter().all(|ours| parameters.iter().any(|it| it.name == *ours))
}

/// Values for what somebody else's template declares without a default and nobody has `given`: a deployment would ask for them.
pub(crate) fn stand_ins(declared: &[Parameter], given: &[(String, String)]) -> Vec<(String, String)> {
    let is_open = |it: &&Parameter| it.default.is_none() && given.iter().all(|(name, _)| *name != it.name);
    declared.iter().filter(is_open).map(|it| (it.name.clone(), stand_in(it))).collect()
}

fn stand_in(parameter: &Parameter) -> String {
    let (name, kind) = (parameter.name.to_ascii_lowercase(), parameter.kind.as_str());
    let names = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if let Some(first) = parameter.allowed_values.first() {
        return first.clone();
    }
    match kind {
        "Number" | "List<Number>" => parameter.minimum.clone().unwrap_or_else(|| "1".to_owned()),
        _ if names(&["bootstrap", "broker"]) => KAFKA_PLACEHOLDER.to_owned(),
        _ if names(&["arn"]) && names(&["msk", "kafka", "cluster", "stream"]) => CLUSTER_ARN.to_owned(),
        _ => "local".to_owned(),
    }
}

/// The topics of CONTRACT.md, for one broker.
pub(crate) fn topics(partitions: u32) -> Vec<TopicSpec> {
    let wide = [USER_EVENTS, ITEM_SIGNALS, "recommendations"].map(|name| TopicSpec::new(name, partitions));
    let dead = ["user-events-dead", "item-signals-dead", "metrics-dead"].map(|name| TopicSpec {
        name: name.to_owned(),
        partitions: 1,
        config: BTreeMap::from([("max.message.bytes".to_owned(), MAX_DEAD_BYTES.to_owned())]),
    });
    wide.into_iter().chain([TopicSpec::new(METRICS, 1)]).chain(dead).collect()
}

/// Starts it, or gives up at `stop` (`None`).
///
/// # Errors
/// What is missing and how to mend it; [`Usage`] where another one runs on the same data.
pub(crate) async fn start(setup: Setup, stop: &CancellationToken) -> anyhow::Result<Option<LocalCloud>> {
    let binaries = binaries(&setup.binaries)?;
    let mut options = Options::new(setup.template, setup.data_dir, binaries, kafka_jars(&setup.binaries)?);
    options.memory = setup.memory;
    options.dynamodb_endpoint = setup.dynamodb_endpoint;
    options.services_endpoint = setup.services_endpoint;
    options.http_port = setup.port;
    options.websocket_port = setup.websocket_port;
    options.invoke_port = setup.invoke_port;
    options.functions = setup.functions;
    options.kafka = setup.kafka;
    options.partitions = setup.partitions;
    options.log_sink = setup.log_sink;
    options.progress = setup.progress;
    if let Some(shop) = setup.shop {
        options.topics = topics(setup.partitions);
        options.parameters = shop.parameters();
        // CloudWatch's metric lines would only fill the terminal.
        options.function_environment = BTreeMap::from([("METRICS_EMF".to_owned(), "off".to_owned())]);
    }
    options.parameters.extend(setup.parameters);
    tokio::select! {
        started = LocalCloud::start(options) => started.map(Some).map_err(explain),
        () = stop.cancelled() => Ok(None),
    }
}

fn explain(error: CloudError) -> anyhow::Error {
    match error {
        CloudError::AlreadyRunning(_) => Usage(error.to_string()).into(),
        CloudError::Port { port, .. } if port != 0 => {
            Usage(format!("{error}; is another `freshet up` running? --port 0 takes any free one")).into()
        }
        CloudError::Endpoint(EndpointError::Address(_)) => Usage(format!("--localstack: {error}")).into(),
        CloudError::Functions(FunctionsError::NoProgram { .. })
        | CloudError::Runtimes(RuntimeError::Unbuilt { .. }) => {
            Usage(format!("{error}; `make build` builds them all, --binaries names another folder")).into()
        }
        CloudError::Functions(FunctionsError::NoCargoLambda { .. } | FunctionsError::NoWorkspace(_)) => {
            Usage(format!("--functions cargo-lambda: {error}")).into()
        }
        other => other.into(),
    }
}

/// The folder of the functions' binaries: the one that this program is in.
pub(crate) fn binaries(args: &Binaries) -> anyhow::Result<PathBuf> {
    if let Some(folder) = &args.binaries {
        return Ok(folder.clone());
    }
    let program = std::env::current_exe().context("where is this program? --binaries names the functions' folder")?;
    Ok(program.parent().unwrap_or(Path::new(".")).to_owned())
}

/// The folder of Kafka's jars, shared by all clones.
pub(crate) fn kafka_jars(args: &Binaries) -> anyhow::Result<PathBuf> {
    if let Some(folder) = &args.kafka_jars {
        return Ok(folder.clone());
    }
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
    let cache =
        cache.ok_or_else(|| anyhow!("neither XDG_CACHE_HOME nor HOME is set: name a folder with --kafka-jars"))?;
    Ok(cache.join("freshet").join(format!("kafka-{KAFKA_VERSION}")))
}
