//! Templates that are not ours, in other languages, run unchanged: Kafka, HTTP API and WebSocket API.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use freshet_localstack::functions::{LogLine, LogSource};
use freshet_localstack::{KAFKA_PLACEHOLDER, LocalCloud, Options};
use freshet_tests::socket::Socket;
use freshet_tests::world::{PATIENCE, kafka_jars};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde_json::{Value, json};
use tempfile::TempDir;

const CLUSTER: &str = "arn:aws:kafka:us-east-1:000000000000:cluster/foreign/6357e0b2-0e6a-4b86-a0b4-70df934c2e31-5";

/// A running template.
struct Foreign {
    cloud: LocalCloud,
    http: reqwest::Client,
    /// Function and line.
    lines: Arc<Mutex<Vec<(String, String)>>>,
    _folder: TempDir,
}

impl Foreign {
    async fn start(template: &str, parameters: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates").join(template);
        let mut options = Options::new(template, folder.path().to_owned(), folder.path().to_owned(), kafka_jars());
        options.parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        "foreign".clone_into(&mut options.stack_name);
        options.memory = true;
        options.http_port = 0;
        options.websocket_port = 0;
        options.invoke_port = 0;
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        options.log_sink = Some(Arc::new(move |line: &LogLine<'_>| {
            eprintln!("{}: {}", line.function, line.text);
            if line.source == LogSource::Function {
                sink.lock().unwrap().push((line.function.to_owned(), line.text.to_owned()));
            }
        }));
        options.progress = Arc::new(|what| eprintln!("{what}"));
        let _ = rustls::crypto::ring::default_provider().install_default();
        let cloud = LocalCloud::start(options).await.unwrap();
        Self { cloud, http: reqwest::Client::new(), lines, _folder: folder }
    }

    async fn produce(&self, topic: &str, values: &[Value]) {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.cloud.bootstrap_servers());
        let producer: FutureProducer = config.create().unwrap();
        for value in values {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            producer.send(FutureRecord::<(), _>::to(topic).payload(&value), PATIENCE).await.unwrap();
        }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let answer = self.http.get(format!("{}{path}", self.cloud.http_url())).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    fn said(&self, function: &str, text: &str) -> bool {
        self.lines.lock().unwrap().iter().any(|(name, line)| name == function && line.contains(text))
    }

    async fn socket(&self, query: &str) -> anyhow::Result<Socket> {
        let stage = self.cloud.stack().websocket_apis.values().next().unwrap().stage.clone();
        Socket::open(&format!("{}/{stage}{query}", self.cloud.websocket_url())).await
    }

    async fn refused(&self, query: &str, status: u16) {
        let error = self.socket(query).await.err().unwrap().to_string();
        assert!(error.contains(&status.to_string()), "{error}");
    }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_python_template_runs_unchanged() {
    let foreign = Foreign::start("python/template.yaml", &[("ClusterArn", CLUSTER)]).await;
    let order = |kind: &str, cents: u32| json!({"kind": kind, "customer": "Jöhn Doe", "cents": cents});
    foreign.produce("orders", &[order("order", 250), order("chatter", 99), order("order", 50)]).await;
    until("the total", async || foreign.get("/totals/john-doe").await.1.contains(r#""orders": 2"#)).await;
    let (status, body) = foreign.get("/totals/john-doe").await;
    let total: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &total["cents"], &total["orders"]), (200, &json!(300), &json!(2)));
    assert!(total["asked"].as_str().is_some_and(|id| id.len() == 36), "{total}");
    assert_eq!(foreign.get("/totals/nobody").await.0, 404);
    assert!(foreign.said("foreign-Orders", "aws:kafka: took"), "the function's own print");
    assert!(foreign.said("foreign-Orders", CLUSTER));
    foreign.refused("?token=wrong", 401).await;
    let mut socket = foreign.socket("?token=let-me-in").await.unwrap();
    assert_eq!(socket.ask(&json!("hello")).await.unwrap(), json!({"echo": "\"hello\""}));
    assert_eq!(foreign.cloud.stack().tables["Totals"].name, "foreign-orders-testing");
    foreign.cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bootstrap_in_shell_runs_unchanged() {
    let parameters = [("Brokers", KAFKA_PLACEHOLDER), ("Loudness", "2")];
    let foreign = Foreign::start("shell/template.yaml", &parameters).await;
    foreign.produce("guests", &[json!("Ada"), json!("Grace")]).await;
    until("the greetings", async || {
        foreign.said("foreign-Guests", "HELLO Ada") && foreign.said("foreign-Guests", "HELLO Grace")
    })
    .await;
    assert_eq!(foreign.get("/greetings/Edsger").await, (200, "HELLO Edsger".to_owned()));
    assert_eq!(foreign.get("/farewells/Edsger").await.0, 404);
    foreign.refused("", 403).await;
    let mut socket = foreign.socket("?guest=Alan").await.unwrap();
    socket.send("bonjour").await.unwrap();
    assert_eq!(socket.text().await.unwrap(), "HELLO bonjour");
    assert!(foreign.cloud.notes().is_empty(), "{:?}", foreign.cloud.notes());
    foreign.cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_cloudformation_with_node_runs_unchanged() {
    let foreign = Foreign::start("node/template.json", &[("ClusterArn", CLUSTER)]).await;
    let reading = |celsius: i32| json!({"place": "roof", "celsius": celsius});
    foreign.produce("readings", &[reading(-3), reading(21)]).await;
    until("the reading", async || foreign.said("foreign-Readings", "INFO\troof: 21 degC")).await;
    assert!(!foreign.said("foreign-Readings", "-3"), "the filter keeps it away");
    assert_eq!(foreign.get("/squares/12").await, (200, r#"{"square":144}"#.to_owned()));
    assert_eq!(foreign.get("/squares/x").await.0, 500);
    assert!(foreign.said("foreign-Web", "a number was expected"));
    foreign.refused("", 401).await;
    let mut socket = foreign.socket("?token=x").await.unwrap();
    socket.send("hello").await.unwrap();
    assert_eq!(socket.text().await.unwrap(), "HELLO");
    foreign.cloud.stop().await;
}
