//! A good client that shops whatever happens: every event is sent, with the same id, until it is acknowledged.

use std::collections::BTreeSet;

use serde_json::json;

use crate::data;
use crate::world::Client;

/// Events of one run.
const EVENTS: usize = 1_500;
/// Events of one request.
const BATCH: usize = 25;

/// How often a fault is tried: `FRESHET_FAULT_RUNS` (default 1).
pub fn runs() -> usize {
    std::env::var("FRESHET_FAULT_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Sends the events of the run numbered `run` through the API in batches. Returns their ids, all acknowledged.
///
/// # Errors
/// An event that is not acknowledged in time.
pub async fn shop(client: &Client, run: usize) -> anyhow::Result<BTreeSet<String>> {
    let (steps, _) = data::sessions(EVENTS * (run + 1))?;
    let mut acknowledged = BTreeSet::new();
    for (n, batch) in steps[EVENTS * run..].chunks(BATCH).enumerate() {
        let ids: Vec<String> = (0..batch.len()).map(|at| format!("run{run}-{n}-{at}")).collect();
        let events: Vec<_> = batch.iter().zip(&ids).map(|(step, id)| data::view(step, id)).collect();
        client
            .until("an acknowledgement", async || {
                let (status, body) = client.post("/api/events/track/batch", &json!({"events": events})).await?;
                Ok((status == 200 && body["accepted"] == json!(events.len())).then_some(()))
            })
            .await?;
        acknowledged.extend(ids);
    }
    Ok(acknowledged)
}
