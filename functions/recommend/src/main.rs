//! `recommend`: user-events → person, item-signals, recommendations, metrics.

mod context;
mod handler;
mod intake;
mod lists;
mod observe;
mod publish;
mod teach;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use freshet_store::Store;
use freshet_stream::{Batch, Producer, ProducerOptions};
use lambda_runtime::{Error, LambdaEvent, service_fn};

/// How long the broker may take to acknowledge what a batch sends.
const SEND_DEADLINE: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> Result<(), Error> {
    let get = |name: &str| std::env::var(name).ok();
    freshet_telemetry::init(&freshet_telemetry::Options::from_env(get));
    let context = context::Context::new(
        Store::new(freshet_store::Options::from_env(get)?),
        Producer::new(ProducerOptions::from_env(get, SEND_DEADLINE)?)?,
        context::Topics::from_env(get)?,
    );
    let context = &context;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Batch>| async move {
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64);
        Box::pin(handler::handle(context, event.payload, now_ms)).await.map_err(Error::from)
    }))
    .await
}
