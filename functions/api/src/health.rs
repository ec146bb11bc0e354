//! `GET /api/health`: is every part there?

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::context::Context;

/// How long a part may take to answer.
const DEADLINE: Duration = Duration::from_secs(2);

pub(crate) async fn get(State(context): State<Arc<Context>>) -> (StatusCode, Json<Value>) {
    let topics = [context.user_events.clone()];
    let kafka = context.producer.ping(&topics, DEADLINE);
    let dynamodb = tokio::time::timeout(DEADLINE, context.store.catalogue_version());
    let (kafka, dynamodb) = tokio::join!(kafka, dynamodb);
    let dynamodb = match dynamodb {
        Ok(answer) => answer.map(drop).map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", DEADLINE.as_secs())),
    };
    let parts = [("kafka", kafka.map_err(|error| error.to_string())), ("dynamodb", dynamodb)];
    let down: Vec<&str> = parts.iter().filter(|(_, state)| state.is_err()).map(|(name, _)| *name).collect();
    let states: serde_json::Map<String, Value> = parts
        .iter()
        .map(|(name, state)| ((*name).to_owned(), json!(if state.is_ok() { "OK" } else { "DOWN" })))
        .collect();
    for (name, state) in &parts {
        if let Err(error) = state {
            tracing::warn!(part = name, error, "health");
        }
    }
    if down.is_empty() {
        (StatusCode::OK, Json(json!({"status": "OK", "message": "Freshet is running", "parts": states})))
    } else {
        let message = format!("not reachable: {}", down.join(", "));
        (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "DOWN", "message": message, "parts": states})))
    }
}
