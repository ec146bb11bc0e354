//! The sample catalogue, for a shop that has none.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::api_client::ApiClient;

/// The Matrix shop.
const CATALOGUE: &str = include_str!("../../../catalogue/matrix.json");
/// How long the API may take until it is well.
const READY: Duration = Duration::from_secs(30);
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(50);

/// Waits until the API says that all its parts are there.
///
/// # Errors
/// It does not in time; what it said last.
pub(crate) async fn until_healthy(api: &ApiClient) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        let last = match api.get("/health").await {
            Ok(answer) if answer.is_ok() => return Ok(()),
            Ok(answer) => answer.reason(),
            Err(error) => format!("{error:#}"),
        };
        if started.elapsed() > READY {
            bail!("the API is not well after {} s: {last}", READY.as_secs());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Imports the sample into an empty catalogue. Answers how many products were imported.
///
/// # Errors
/// The API refuses.
pub(crate) async fn load(api: &ApiClient, token: &str) -> anyhow::Result<u64> {
    let answer = api.get("/products?limit=1").await?;
    if !answer.is_ok() {
        bail!("GET {}/products: {}", api.base(), answer.reason());
    }
    if answer.body["data"].as_array().is_none_or(|products| !products.is_empty()) {
        return Ok(0);
    }
    let sample: Value = serde_json::from_str(CATALOGUE).context("catalogue/matrix.json")?;
    let answer = api.post("/products/import", &sample, Some(token)).await?;
    if !answer.is_ok() || answer.body["success"] != true {
        bail!("the sample catalogue was refused: {} {}", answer.reason(), answer.body["refused"]);
    }
    Ok(answer.body["imported"].as_u64().unwrap_or(0))
}
