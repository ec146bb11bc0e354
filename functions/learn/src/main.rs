//! `learn`: item-signals → item models and popularity.

mod handler;
mod intake;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use freshet_engine::{Config, Engine};
use freshet_store::{CatalogueCache, Store};
use freshet_stream::{Batch, Producer, ProducerOptions};
use lambda_runtime::{Error, LambdaEvent, service_fn};

/// How long the broker may take to acknowledge what a batch sends.
const SEND_DEADLINE: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> Result<(), Error> {
    let get = |name: &str| std::env::var(name).ok();
    freshet_telemetry::init(&freshet_telemetry::Options::from_env(get));
    let context = handler::Context {
        engine: Engine::new(Config::default()),
        store: Store::new(freshet_store::Options::from_env(get)?),
        producer: Producer::new(ProducerOptions::from_env(get, SEND_DEADLINE)?)?,
        catalogue: CatalogueCache::default(),
        metrics_topic: get("TOPIC_METRICS").ok_or("the environment variable TOPIC_METRICS is missing")?,
    };
    let context = &context;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Batch>| async move {
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64);
        handler::handle(context, event.payload, now_ms).await.map_err(Error::from)
    }))
    .await
}
