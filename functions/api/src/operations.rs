//! `/api/operations`: what the stream did lately, and its dead letters. What people did is shown to administrators only.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use freshet_events::{DeadLetter, Invalid, RecommendationsRecord, dead_topic};
use freshet_stream::tail::{record_at, tail};
use freshet_stream::{Message, Record, StreamError};
use serde_json::{Value, json};

use crate::admin;
use crate::catalogue::number;
use crate::context::{Context, now_ms};
use crate::error::{ApiError, json_body};

/// Records that a look brings where the client names no number, and at the most.
const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 200;
/// How long Kafka may take.
const DEADLINE: Duration = Duration::from_secs(3);

/// The last events whose lists were made, newest first.
pub(crate) async fn events(
    State(context): State<Arc<Context>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Json<Value>, ApiError> {
    let limit = number(&query, "limit", DEFAULT_LIMIT, 1..=MAX_LIMIT)?;
    let is_admin = admin::check(&context, &headers).is_ok();
    let topics = vec![context.recommendations.clone()];
    let records = context.last_lists.get(now_ms(), |_| last(&context, topics)).await?;
    let shown = |record: &Record| {
        let list: RecommendationsRecord = serde_json::from_slice(record.value.as_deref()?).ok()?;
        Some(json!({
            "userId": is_admin.then_some(list.user_id),
            "eventType": list.event_type,
            "productId": list.product_id,
            "timestamp": list.generated_at,
            "count": list.recommendations.len(),
            "processingMs": list.processing_ms,
            "algorithm": list.algorithm,
        }))
    };
    let data: Vec<Value> = records.iter().filter_map(shown).take(limit).collect();
    Ok(Json(json!({"success": true, "data": data})))
}

/// The dead letters that nobody has settled yet, newest first.
pub(crate) async fn dead_letters(
    State(context): State<Arc<Context>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Json<Value>, ApiError> {
    let limit = number(&query, "limit", DEFAULT_LIMIT, 1..=MAX_LIMIT)?;
    let is_admin = admin::check(&context, &headers).is_ok();
    let topics = dead_topics(&context);
    let records = context.last_dead.get(now_ms(), |_| last(&context, topics)).await?;
    let settled = context.store.settled_dead_letters().await?;
    let shown = |record: &Record| {
        let letter: DeadLetter = serde_json::from_slice(record.value.as_deref()?).ok()?;
        Some(json!({
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "timestamp": record.timestamp,
            "reason": letter.reason,
            "field": letter.field,
            "function": letter.function,
            "source": {"topic": letter.topic, "partition": letter.partition, "offset": letter.offset},
            "valueBytes": letter.value_bytes,
            "value": letter.value.filter(|_| is_admin),
        }))
    };
    let open = records.iter().filter(|record| !settled.contains_key(&place(record)));
    let data: Vec<Value> = open.filter_map(shown).take(limit).collect();
    Ok(Json(json!({"success": true, "data": data})))
}

/// Sends a dead letter's record to its topic again.
pub(crate) async fn replay(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    admin::check(&context, &headers)?;
    let record = named(&context, &body).await?;
    let letter: Option<DeadLetter> = record.value.as_deref().and_then(|value| serde_json::from_slice(value).ok());
    let letter = letter.ok_or_else(|| ApiError::NotFound("offset: this record is no dead letter".to_owned()))?;
    let value = original(&letter)
        .ok_or_else(|| Invalid::new("offset", "a dead letter whose record had a value", "one of a tombstone"))?;
    let key = String::from_utf8_lossy(record.key.as_deref().unwrap_or_default()).into_owned();
    let message = Message { topic: letter.topic, key, value };
    context
        .producer
        .send_all(std::slice::from_ref(&message))
        .await
        .map_err(|error| ApiError::Kafka(error.to_string()))?;
    settle(&context, &record, "replayed").await
}

/// Puts a dead letter aside.
pub(crate) async fn drop_letter(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    admin::check(&context, &headers)?;
    let record = named(&context, &body).await?;
    settle(&context, &record, "dropped").await
}

async fn settle(context: &Context, record: &Record, what: &str) -> Result<Json<Value>, ApiError> {
    context.store.settle_dead_letter(&place(record), what).await?;
    Ok(Json(json!({"success": true, "message": what})))
}

/// Names a record.
fn place(record: &Record) -> String {
    format!("{}/{}/{}", record.topic, record.partition, record.offset)
}

fn dead_topics(context: &Context) -> Vec<String> {
    // Lists that can't be pushed are no records of people: they have no dead letters.
    let sources = context.groups.iter().map(|group| &group.topic).filter(|topic| **topic != context.recommendations);
    sources.map(|topic| dead_topic(topic)).collect()
}

/// The original value; `None`: there was none.
fn original(letter: &DeadLetter) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let decoded = |text: &String| base64::engine::general_purpose::STANDARD.decode(text).ok();
    letter
        .value
        .as_ref()
        .map(|text| text.clone().into_bytes())
        .or_else(|| letter.value_base64.as_ref().and_then(decoded))
}

/// The dead letter that a body names by topic, partition and offset.
async fn named(context: &Context, body: &[u8]) -> Result<Record, ApiError> {
    let body = json_body(body)?;
    let topics = dead_topics(context);
    let topic = body.get("topic").and_then(Value::as_str).filter(|topic| topics.iter().any(|known| known == topic));
    let topic =
        topic.ok_or_else(|| Invalid::value("topic", format!("one of {}", topics.join(", ")), body.get("topic")))?;
    let whole = |name: &str| {
        body.get(name).and_then(Value::as_u64).ok_or_else(|| Invalid::value(name, "a whole number", body.get(name)))
    };
    let (partition, offset) = (whole("partition")?, whole("offset")?);
    let (kafka, topic_name) = (context.kafka.clone(), topic.to_owned());
    let read = move || match u32::try_from(partition) {
        Ok(partition) => record_at(&kafka, &topic_name, partition, offset, DEADLINE),
        Err(_) => Ok(None),
    };
    let record = blocking(read).await.map_err(|error| ApiError::Kafka(error.to_string()))?;
    record.ok_or_else(|| ApiError::NotFound(format!("offset: no record {partition}/{offset} in {topic}")))
}

async fn last(context: &Context, topics: Vec<String>) -> Result<Arc<Vec<Record>>, ApiError> {
    let kafka = context.kafka.clone();
    let records = blocking(move || tail(&kafka, &topics, MAX_LIMIT, DEADLINE)).await;
    records.map(Arc::new).map_err(|error| ApiError::Kafka(error.to_string()))
}

async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, StreamError> + Send + 'static,
) -> Result<T, StreamError> {
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|error| Err(StreamError::Unreachable(error.to_string())))
}
