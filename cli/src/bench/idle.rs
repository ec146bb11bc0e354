//! A function that does nothing: what a measurement of everything around a function runs.

use anyhow::Context as _;
use axum::http::StatusCode;

/// Takes events from the Runtime API and answers each with an empty object, for ever.
///
/// # Errors
/// There is no Runtime API, or it has ended.
pub(crate) async fn run() -> anyhow::Result<()> {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").context("AWS_LAMBDA_RUNTIME_API names the Runtime API")?;
    let invocation = format!("http://{api}/2018-06-01/runtime/invocation");
    let client = reqwest::Client::builder().no_proxy().build()?;
    loop {
        let event = client.get(format!("{invocation}/next")).send().await?;
        let id = event.headers().get("lambda-runtime-aws-request-id").context("an event without an id")?.clone();
        // Read, as any function does.
        event.bytes().await?;
        let answer = client.post(format!("{invocation}/{}/response", id.to_str()?)).body("{}").send().await?;
        anyhow::ensure!(answer.status() == StatusCode::ACCEPTED, "the answer was refused: {}", answer.status());
    }
}
