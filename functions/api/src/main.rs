//! `api`: the HTTP API.

mod admin;
mod catalogue;
mod context;
mod error;
mod events;
mod health;
mod metrics;
mod recommendations;
mod router;
mod settings;

use lambda_http::Error;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let get = |name: &str| std::env::var(name).ok();
    freshet_telemetry::init(&freshet_telemetry::Options::from_env(get));
    let context = context::Context::from_env(get)?;
    lambda_http::run(router::router(context)).await
}
