//! A whole running system in a temporary folder: real broker, real tables, real function processes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use freshet_localstack::{LocalCloud, Options};
use freshet_store::Store;
use freshet_stream::groups::{self, Group};
use freshet_stream::{Producer, ProducerOptions, Security};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The topic generation of every test system.
pub const TOPIC_GENERATION: &str = "test-1";
/// The administrators' token of every test system.
pub const ADMIN_TOKEN: &str = "test-token";
/// How long anything may take before a test gives up: generous, for a machine with two busy cores.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What a test wants different from the defaults.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// DynamoDB elsewhere than in the local cloud.
    pub dynamodb_endpoint: Option<String>,
    /// DynamoDB on disk, in this world's folder.
    pub on_disk: bool,
}

/// A running system.
pub struct World {
    /// The local cloud.
    pub cloud: LocalCloud,
    http: reqwest::Client,
    store: Store,
    /// Dropped last: the data.
    _folder: TempDir,
}

impl World {
    /// Starts one on free ports.
    ///
    /// # Errors
    /// What could not be started.
    pub async fn start(setup: Setup) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let options = options(folder.path().to_owned(), &setup)?;
        let cloud = LocalCloud::start(options).await?;
        let store = store(&cloud.dynamodb_endpoint());
        Ok(Self { cloud, http: reqwest::Client::new(), store, _folder: folder })
    }

    /// The brokers.
    pub fn bootstrap_servers(&self) -> String {
        self.cloud.bootstrap_servers()
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
        format!("{}{path}", self.cloud.http_url().trim_end_matches('/').trim_end_matches("/api"))
    }
}

/// Kafka as a client sees it.
pub fn kafka(bootstrap_servers: &str) -> ProducerOptions {
    ProducerOptions {
        bootstrap_servers: bootstrap_servers.to_owned(),
        security: Security::Plaintext,
        deadline: Duration::from_secs(60),
    }
}

/// The tables at `endpoint`.
pub fn store(endpoint: &str) -> Store {
    let table = |name: &str| format!("freshet-{name}");
    Store::new(freshet_store::Options {
        tables: freshet_store::Tables {
            people: table("people"),
            items: table("items"),
            catalogue: table("catalogue"),
            board: table("board"),
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
