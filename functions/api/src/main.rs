//! `api`: the HTTP API.

mod admin;
mod catalogue;
mod companions;
mod context;
mod error;
mod events;
mod health;
mod metrics;
mod operations;
mod path;
mod people;
mod recommendations;
mod router;
mod settings;

use lambda_http::Error;
use tower::ServiceBuilder;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let get = |name: &str| std::env::var(name).ok();
    freshet_telemetry::init(&freshet_telemetry::Options::from_env(get));
    let context = context::Context::from_env(get)?;
    // Outside the router, which has chosen a route before its own layers run.
    let service = ServiceBuilder::new().map_request(path::exact).service(router::router(context));
    lambda_http::run(service).await
}
