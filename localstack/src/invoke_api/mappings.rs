//! The event source mappings: `ListEventSourceMappings`, `GetEventSourceMapping`, and of `UpdateEventSourceMapping` whether it is
//! enabled; everything else is the template's.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html>

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Shared;
use super::error::ApiError;
use crate::mapping::{MappingHandle, MappingState};
use crate::template::model::{KafkaSource, StartingPosition};

/// Of the query.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    #[serde(rename = "FunctionName")]
    function_name: Option<String>,
    #[serde(rename = "EventSourceArn")]
    event_source_arn: Option<String>,
}

pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Value>, ApiError> {
    let function = match wanted.function_name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => Some(&shared.find(name, None)?.logical_id),
        None => None,
    };
    let is_wanted = |handle: &&MappingHandle| {
        let settings = handle.settings();
        let arn = match &settings.source {
            KafkaSource::Msk { arn } => Some(arn),
            KafkaSource::SelfManaged { .. } => None,
        };
        function.is_none_or(|function| settings.function == *function)
            && wanted.event_source_arn.as_ref().is_none_or(|wanted| Some(wanted) == arn)
    };
    let told: Vec<Value> = shared.mappings().iter().filter(is_wanted).map(|handle| tell(&shared, handle)).collect();
    Ok(Json(json!({ "EventSourceMappings": told, "NextMarker": null })))
}

pub(crate) async fn one(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    let handle = find(&shared, &name)?;
    Ok(Json(tell(&shared, handle)))
}

pub(crate) async fn update(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let handle = find(&shared, &name)?;
    let wanted: Map<String, Value> = serde_json::from_slice(&body)
        .map_err(|error| ApiError::invalid_content(&format!("a JSON object was expected: {error}")))?;
    if let Some(other) = wanted.keys().find(|field| !matches!(field.as_str(), "Enabled" | "FunctionName")) {
        let message = format!("{other}: here the template says it; Enabled alone can be changed while it runs");
        return Err(ApiError::invalid_parameter(&message));
    }
    match wanted.get("Enabled") {
        None => {}
        Some(Value::Bool(enabled)) => handle.set_enabled(*enabled),
        Some(other) => {
            return Err(ApiError::invalid_parameter(&format!("Enabled: true or false was expected; {other} came")));
        }
    }
    let mut told = tell(&shared, handle);
    // As Lambda answers: what it is on its way to.
    if let Some(enabled) = wanted.get("Enabled").and_then(Value::as_bool) {
        let state = handle.status().state;
        told["State"] = match (enabled, state) {
            (true, MappingState::Disabled | MappingState::Disabling) => json!("Enabling"),
            (false, MappingState::Disabled) => json!("Disabled"),
            (false, _) => json!("Disabling"),
            (true, state) => json!(format!("{state:?}")),
        };
    }
    Ok(Json(told))
}

/// By its UUID, or by the id that the template gives it.
fn find<'a>(shared: &'a Shared, name: &str) -> Result<&'a MappingHandle, ApiError> {
    let found = shared
        .mappings()
        .iter()
        .find(|handle| handle.settings().id == name || handle.uuid().to_string().eq_ignore_ascii_case(name));
    found.ok_or_else(|| ApiError::no_mapping(name))
}

fn tell(shared: &Shared, handle: &MappingHandle) -> Value {
    let (settings, status) = (handle.settings(), handle.status());
    let function = shared.options.functions.iter().find(|function| function.logical_id == settings.function);
    let mut told = json!({
        "UUID": handle.uuid().to_string(),
        "FunctionArn": function.map(|function| shared.arn(&function.name)),
        "Topics": [settings.topic],
        "BatchSize": settings.batch_size,
        "MaximumBatchingWindowInSeconds": settings.batching_window_ms / 1000,
        "BisectBatchOnFunctionError": settings.bisect_on_error,
        "MaximumRetryAttempts": settings.maximum_retry_attempts.map_or(-1, i64::from),
        "MaximumRecordAgeInSeconds": settings.maximum_record_age_s.map_or(-1, i64::from),
        "FunctionResponseTypes": if settings.report_batch_item_failures { vec!["ReportBatchItemFailures"] } else { vec![] },
        "DestinationConfig": { "OnFailure": { "Destination": settings.on_failure } },
        "State": format!("{:?}", status.state),
        "StateTransitionReason": "USER_INITIATED",
        "LastProcessingResult": status.last_processing_result,
    });
    let group = json!({ "ConsumerGroupId": settings.consumer_group });
    match &settings.source {
        KafkaSource::Msk { arn } => {
            told["EventSourceArn"] = json!(arn);
            told["AmazonManagedKafkaEventSourceConfig"] = group;
        }
        KafkaSource::SelfManaged { bootstrap_servers } => {
            let servers: Vec<&str> = bootstrap_servers.split(',').collect();
            told["SelfManagedEventSource"] = json!({ "Endpoints": { "KAFKA_BOOTSTRAP_SERVERS": servers } });
            told["SelfManagedKafkaEventSourceConfig"] = group;
        }
    }
    let (position, at_ms) = match settings.starting_position {
        StartingPosition::Latest => ("LATEST", None),
        StartingPosition::TrimHorizon => ("TRIM_HORIZON", None),
        StartingPosition::AtTimestamp(at_ms) => ("AT_TIMESTAMP", Some(at_ms)),
    };
    told["StartingPosition"] = json!(position);
    if let Some(at_ms) = at_ms {
        told["StartingPositionTimestamp"] = json!(at_ms as f64 / 1_000.0);
    }
    if settings.provisioned {
        told["ProvisionedPollerConfig"] = json!({ "MaximumPollers": settings.maximum_pollers });
    }
    told
}
