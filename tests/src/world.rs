//! A whole running system in a temporary folder: real broker, real tables, real function processes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use freshet_localstack::functions::FunctionsChoice;
use freshet_localstack::kafka::{KAFKA_VERSION, TopicSpec};
use freshet_localstack::{KAFKA_PLACEHOLDER, LocalCloud, Options};
use freshet_store::Store;
use freshet_stream::groups::{self, Group};
use freshet_stream::{Producer, ProducerOptions, Security};
use serde_json::Value;
use tempfile::TempDir;

/// The topic generation of every test system.
pub const TOPIC_GENERATION: &str = "test-1";
/// The administrators' token of every test system.
pub const ADMIN_TOKEN: &str = "test-token";
const ADMIN_TOKEN_SHA256: &str = "4c5dc9b7708905f77f5e5d16316b5dfb425e68cb326dcd55a860e90a7707031e";
/// How long anything may take before a test gives up: generous, for a machine with two busy cores.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// What a test wants different from the defaults.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// DynamoDB elsewhere than in the local cloud.
    pub dynamodb_endpoint: Option<String>,
    /// AWS's other services.
    pub services_endpoint: Option<String>,
}

/// A running system in this process.
pub struct World {
    /// The local cloud.
    pub cloud: LocalCloud,
    client: Client,
    /// Dropped last: the data.
    _folder: TempDir,
}

impl std::ops::Deref for World {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// A running system as its users reach it: API, Kafka, DynamoDB.
pub struct Client {
    api: String,
    bootstrap_servers: String,
    topic_generation: String,
    http: reqwest::Client,
    store: Store,
}

impl World {
    /// Starts one on free ports. `FRESHET_TEST_LOG=info` (a tracing filter) shows what it says.
    ///
    /// # Errors
    /// What could not be started.
    pub async fn start(setup: Setup) -> anyhow::Result<Self> {
        if let Ok(filter) = std::env::var("FRESHET_TEST_LOG") {
            let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
        }
        let folder = tempfile::tempdir()?;
        let options = options(folder.path(), &setup)?;
        let cloud = LocalCloud::start(options).await?;
        let client =
            Client::new(&cloud.http_url(), &cloud.bootstrap_servers(), &cloud.dynamodb_endpoint(), TOPIC_GENERATION);
        Ok(Self { cloud, client, _folder: folder })
    }

    /// Waits until every function has read all there is.
    ///
    /// # Errors
    /// A lag that does not end, with the state of everything.
    pub async fn settle(&self) -> anyhow::Result<()> {
        let status = || serde_json::to_string_pretty(&self.cloud.status()).unwrap_or_default();
        self.client.settle().await.with_context(status)
    }
}

impl Client {
    /// A client of the system whose parts are there.
    pub fn new(api: &str, bootstrap_servers: &str, dynamodb_endpoint: &str, topic_generation: &str) -> Self {
        Self {
            api: api.trim_end_matches('/').trim_end_matches("/api").to_owned(),
            bootstrap_servers: bootstrap_servers.to_owned(),
            topic_generation: topic_generation.to_owned(),
            http: http_client(),
            store: store(dynamodb_endpoint),
        }
    }

    /// The generation of the topics.
    pub fn topic_generation(&self) -> &str {
        &self.topic_generation
    }

    /// The brokers.
    pub fn bootstrap_servers(&self) -> String {
        self.bootstrap_servers.clone()
    }

    /// The tables.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// A producer of our own.
    ///
    /// # Errors
    /// The configuration is refused.
    pub fn producer(&self) -> anyhow::Result<Producer> {
        Ok(Producer::new(kafka(&self.bootstrap_servers()))?)
    }

    /// The answer to a GET: status and body.
    ///
    /// # Errors
    /// No answer, or none in JSON.
    pub async fn get(&self, path: &str) -> anyhow::Result<(u16, Value)> {
        answer(self.http.get(self.url(path)).send().await?).await
    }

    /// The answer to a GET as an administrator.
    ///
    /// # Errors
    /// No answer, or none in JSON.
    pub async fn get_as_admin(&self, path: &str) -> anyhow::Result<(u16, Value)> {
        answer(self.http.get(self.url(path)).bearer_auth(ADMIN_TOKEN).send().await?).await
    }

    /// The answer to a DELETE.
    ///
    /// # Errors
    /// No answer, or none in JSON.
    pub async fn delete(&self, path: &str) -> anyhow::Result<(u16, Value)> {
        answer(self.http.delete(self.url(path)).send().await?).await
    }

    /// The answer to a POST as an administrator.
    ///
    /// # Errors
    /// No answer, or none in JSON.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
        answer(self.http.post(self.url(path)).bearer_auth(ADMIN_TOKEN).json(body).send().await?).await
    }

    /// The answer to a PUT as an administrator.
    ///
    /// # Errors
    /// No answer, or none in JSON.
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
        answer(self.http.put(self.url(path)).bearer_auth(ADMIN_TOKEN).json(body).send().await?).await
    }

    /// Tracks an event that must be accepted.
    ///
    /// # Errors
    /// It was not.
    pub async fn track(&self, event: &Value) -> anyhow::Result<String> {
        let (status, body) = self.post("/api/events/track", event).await?;
        let id = body["eventId"].as_str().filter(|_| status == 200);
        id.map(str::to_owned).with_context(|| format!("track answered {status} {body}"))
    }

    /// The list of `user`, once it was caused by `event_id`.
    ///
    /// # Errors
    /// It never was.
    pub async fn list_after(&self, user: &str, event_id: &str) -> anyhow::Result<Value> {
        self.until(&format!("a list of {user} caused by {event_id}"), async || {
            let (_, body) = self.get(&format!("/api/recommendations/{user}")).await?;
            Ok((body["metadata"]["causedBy"] == event_id).then_some(body))
        })
        .await
    }

    /// Waits until every function has read all there is.
    ///
    /// # Errors
    /// A lag that does not end.
    pub async fn settle(&self) -> anyhow::Result<()> {
        // In the order of the stream: what recommend has read is in the topics of the other two.
        for (group, topic) in
            [("freshet-recommend", "user-events"), ("freshet-learn", "item-signals"), ("freshet-measure", "metrics")]
        {
            let (kafka, group) =
                (kafka(&self.bootstrap_servers()), Group { group: group.to_owned(), topic: topic.to_owned() });
            self.until(&format!("no lag of {}", group.group), async || {
                let (kafka, group) = (kafka.clone(), group.clone());
                let read = move || groups::read(&kafka, &group, Duration::from_secs(5));
                let state = tokio::task::spawn_blocking(read).await?;
                Ok(state.ok().filter(|state| state.lag == 0).map(drop))
            })
            .await?;
        }
        Ok(())
    }

    /// Asks again and again until `probe` finds something; its own errors count as not yet.
    ///
    /// # Errors
    /// It found nothing in time.
    pub async fn until<T>(
        &self,
        what: &str,
        mut probe: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        let started = Instant::now();
        loop {
            let last = match probe().await {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => String::new(),
                Err(error) => format!(" ({error:#})"),
            };
            if started.elapsed() > PATIENCE {
                bail!("waited {} s in vain for {what}{last}", PATIENCE.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.api)
    }
}

fn options(folder: &Path, setup: &Setup) -> anyhow::Result<Options> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut options = Options::new(workspace.join("template.yaml"), folder.to_owned(), binaries()?, kafka_jars());
    let parameters = [
        ("MskClusterArn", "arn:aws:kafka:us-east-1:000000000000:cluster/local/1"),
        ("KafkaBootstrapServers", KAFKA_PLACEHOLDER),
        ("KafkaSecurity", "PLAINTEXT"),
        ("TopicGeneration", TOPIC_GENERATION),
        ("AdminTokenSha256", ADMIN_TOKEN_SHA256),
    ];
    options.parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    options.memory = true;
    options.http_port = 0;
    options.websocket_port = 0;
    options.invoke_port = 0;
    options.functions = functions()?;
    options.dynamodb_endpoint.clone_from(&setup.dynamodb_endpoint);
    options.services_endpoint.clone_from(&setup.services_endpoint);
    options.function_environment = BTreeMap::from([("METRICS_EMF".to_owned(), "off".to_owned())]);
    let large = BTreeMap::from([("max.message.bytes".to_owned(), "8388608".to_owned())]);
    options.topics = vec![
        TopicSpec { config: large.clone(), ..TopicSpec::new("user-events", 4) },
        TopicSpec::new("item-signals", 4),
        TopicSpec::new("recommendations", 4),
        TopicSpec::new("metrics", 1),
    ];
    for source in ["user-events", "item-signals", "metrics"] {
        options
            .topics
            .push(TopicSpec { config: large.clone(), ..TopicSpec::new(&freshet_events::dead_topic(source), 1) });
    }
    Ok(options)
}

/// How the functions are run: `FRESHET_FUNCTIONS=cargo-lambda` for the other way than the usual one.
fn functions() -> anyhow::Result<FunctionsChoice> {
    match std::env::var("FRESHET_FUNCTIONS").as_deref() {
        Err(_) | Ok("" | "processes") => Ok(FunctionsChoice::Processes),
        Ok("cargo-lambda") => Ok(FunctionsChoice::CargoLambda { program: PathBuf::from("cargo-lambda") }),
        Ok(other) => bail!("FRESHET_FUNCTIONS: processes or cargo-lambda was expected; \"{other}\" came"),
    }
}

/// The functions' binaries, which cargo puts beside the folder of the tests.
///
/// # Errors
/// They are not built.
pub fn binaries() -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.parent().and_then(Path::parent).context("no target folder")?.to_owned();
    anyhow::ensure!(folder.join("recommend").exists(), "build the functions first: cargo build --workspace --bins");
    Ok(folder)
}

/// The broker's jars, where `make` and `freshet up` keep them as well.
pub fn kafka_jars() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from);
    std::env::var_os("FRESHET_KAFKA_JARS")
        .map_or_else(|| cache.join(format!("freshet/kafka-{KAFKA_VERSION}")), PathBuf::from)
}

/// reqwest is built without a crypto provider of its own, and asks for one even where it speaks plain HTTP.
pub fn http_client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// Kafka as a client sees it.
pub fn kafka(bootstrap_servers: &str) -> ProducerOptions {
    ProducerOptions {
        bootstrap_servers: bootstrap_servers.to_owned(),
        security: Security::Plaintext,
        deadline: Duration::from_mins(1),
    }
}

/// The tables at `endpoint`.
pub fn store(endpoint: &str) -> Store {
    let table = |name: &str| format!("freshet-{name}");
    Store::new(freshet_store::Options {
        tables: freshet_store::Tables {
            people: table("People"),
            items: table("Items"),
            catalogue: table("Catalogue"),
            board: table("Board"),
            connections: table("Connections"),
        },
        generation: "g1".to_owned(),
        region: "us-east-1".to_owned(),
        endpoint: Some(endpoint.to_owned()),
        access_key_id: "local".to_owned(),
        secret_access_key: "local".to_owned(),
        session_token: None,
    })
}

async fn answer(response: reqwest::Response) -> anyhow::Result<(u16, Value)> {
    let status = response.status().as_u16();
    let bytes = response.bytes().await?;
    let body = serde_json::from_slice(&bytes).with_context(|| String::from_utf8_lossy(&bytes).into_owned())?;
    Ok((status, body))
}
