//! `push`: recommendations → WebSocket.

mod handler;
mod sockets;

use std::time::{SystemTime, UNIX_EPOCH};

use freshet_store::Store;
use freshet_stream::Batch;
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let get = |name: &str| std::env::var(name).ok();
    freshet_telemetry::init(&freshet_telemetry::Options::from_env(get));
    let context = handler::Context {
        store: Store::new(freshet_store::Options::from_env(get)?),
        sockets: sockets::Sockets::from_env(get)?,
    };
    let context = &context;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Batch>| async move {
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64);
        handler::handle(context, event.payload, now_ms).await.map_err(Error::from)
    }))
    .await
}
