//! `POST /api/events/track` and `/batch`: into Kafka, acknowledged, before the answer.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use freshet_events::{Invalid, MAX_BATCH_EVENTS, TrackRequest, UserEvent, iso8601};
use freshet_stream::Message;
use serde_json::{Value, json};

use crate::context::{Context, now_ms};
use crate::error::{ApiError, bounded, json_body};

/// What a tracked event is answered with.
const TRACKED: &str = "Event tracked successfully";

pub(crate) async fn track(State(context): State<Arc<Context>>, body: Bytes) -> Result<Json<Value>, ApiError> {
    let request = TrackRequest::parse(bounded(&body)?)?;
    let event = event(request, now_ms());
    send(&context, std::slice::from_ref(&event)).await?;
    Ok(Json(json!({"success": true, "message": TRACKED, "eventId": event.event_id})))
}

pub(crate) async fn track_batch(State(context): State<Arc<Context>>, body: Bytes) -> Result<Json<Value>, ApiError> {
    let body = json_body(&body)?;
    let given = body.get("events").and_then(Value::as_array).filter(|events| !events.is_empty());
    let given = given.ok_or_else(|| Invalid::value("events", "an array of 1 to 100 events", body.get("events")))?;
    if given.len() > MAX_BATCH_EVENTS {
        return Err(Invalid::value("events", format!("at most {MAX_BATCH_EVENTS} events"), body.get("events")).into());
    }
    let now = now_ms();
    let read: Vec<Result<UserEvent, Invalid>> =
        given.iter().map(|value| TrackRequest::from_value(value).map(|request| event(request, now))).collect();
    let accepted: Vec<UserEvent> = read.iter().filter_map(|event| event.as_ref().ok().cloned()).collect();
    send(&context, &accepted).await?;
    let results: Vec<Value> = read
        .iter()
        .map(|event| match event {
            Ok(event) => json!({"success": true, "eventId": event.event_id}),
            Err(why) => json!({"success": false, "error": why.to_string(), "field": why.field}),
        })
        .collect();
    Ok(Json(json!({
        "success": true,
        "accepted": accepted.len(),
        "refused": results.len() - accepted.len(),
        "results": results,
    })))
}

fn event(request: TrackRequest, now_ms: i64) -> UserEvent {
    UserEvent {
        event_id: request.event_id.unwrap_or_else(|| uuid::Uuid::now_v7().to_string()),
        user_id: request.user_id,
        event_type: request.event_type,
        product_id: request.product_id,
        timestamp: iso8601(now_ms),
        metadata: request.metadata,
    }
}

async fn send(context: &Context, events: &[UserEvent]) -> Result<(), ApiError> {
    let message = |event: &UserEvent| Message {
        topic: context.user_events.clone(),
        key: event.user_id.clone(),
        value: serde_json::to_vec(event).unwrap_or_default(),
    };
    let messages: Vec<Message> = events.iter().map(message).collect();
    context.producer.send_all(&messages).await.map_err(|error| ApiError::Track {
        cause: error.to_string(),
        event_ids: events.iter().map(|event| event.event_id.clone()).collect(),
    })
}
