//! `socket`: WebSocket $connect, subscribe, unsubscribe, ping, $disconnect.

mod handler;

use std::time::{SystemTime, UNIX_EPOCH};

use freshet_store::Store;
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let get = |name: &str| std::env::var(name).ok();
    freshet_telemetry::init(&freshet_telemetry::Options::from_env(get));
    let store = Store::new(freshet_store::Options::from_env(get)?);
    let store = &store;
    lambda_runtime::run(service_fn(|event: LambdaEvent<handler::Request>| async move {
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64);
        Ok::<_, Error>(handler::handle(store, event.payload, now_ms).await)
    }))
    .await
}
