//! `measure`: metrics → live figures.

mod handler;

use std::time::Duration;

use freshet_store::Store;
use freshet_stream::{Batch, Producer, ProducerOptions};
use lambda_runtime::{Error, LambdaEvent, service_fn};

/// How long the broker may take to acknowledge a dead letter.
const SEND_DEADLINE: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> Result<(), Error> {
    let get = |name: &str| std::env::var(name).ok();
    freshet_telemetry::init(&freshet_telemetry::Options::from_env(get));
    let context = handler::Context {
        store: Store::new(freshet_store::Options::from_env(get)?),
        producer: Producer::new(ProducerOptions::from_env(get, SEND_DEADLINE)?)?,
    };
    let context = &context;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Batch>| async move {
        handler::handle(context, event.payload).await.map_err(Error::from)
    }))
    .await
}
