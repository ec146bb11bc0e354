//! What there is to invoke: the functions of the template, in the shape of Lambda's own answers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use super::error::ApiError;
use super::invocations::Qualified;
use super::{LATEST, Shared};
use crate::template::model::Function;

/// Functions of one page, as Lambda's.
const PAGE: usize = 50;

/// Of the query.
#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    #[serde(rename = "Marker")]
    marker: Option<String>,
    #[serde(rename = "MaxItems")]
    max_items: Option<usize>,
}

pub(crate) async fn list(State(shared): State<Arc<Shared>>, Query(page): Query<Page>) -> Result<Json<Value>, ApiError> {
    let from: usize = match page.marker.as_deref().filter(|marker| !marker.is_empty()) {
        Some(marker) => marker.parse().map_err(|_| ApiError::invalid_parameter("Marker: not one of ours"))?,
        None => 0,
    };
    let size = page.max_items.unwrap_or(PAGE).clamp(1, PAGE);
    let functions: Vec<Value> =
        shared.options.functions.iter().skip(from).take(size).map(|f| tell(&shared, f)).collect();
    let next = from.saturating_add(functions.len());
    let more = (next < shared.options.functions.len()).then(|| next.to_string());
    Ok(Json(json!({ "Functions": functions, "NextMarker": more })))
}

pub(crate) async fn function(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    Query(query): Query<Qualified>,
) -> Result<Json<Value>, ApiError> {
    let function = shared.find(&name, query.qualifier.as_deref())?;
    let mut told = json!({ "Configuration": tell(&shared, function), "Tags": {} });
    if let Some(reserved) = function.reserved_concurrency {
        told["Concurrency"] = json!({ "ReservedConcurrentExecutions": reserved });
    }
    Ok(Json(told))
}

pub(crate) async fn configuration(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    Query(query): Query<Qualified>,
) -> Result<Json<Value>, ApiError> {
    let function = shared.find(&name, query.qualifier.as_deref())?;
    Ok(Json(tell(&shared, function)))
}

pub(crate) async fn concurrency(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let function = shared.find(&name, None)?;
    let reserved = function.reserved_concurrency;
    Ok(Json(reserved.map_or_else(|| json!({}), |reserved| json!({ "ReservedConcurrentExecutions": reserved }))))
}

fn tell(shared: &Shared, function: &Function) -> Value {
    json!({
        "FunctionName": function.name,
        "FunctionArn": shared.arn(&function.name),
        "Handler": function.handler,
        "Timeout": function.timeout_s,
        "MemorySize": function.memory_mb,
        "Version": LATEST,
        "LastModified": shared.started,
        "Environment": { "Variables": function.environment },
        "PackageType": "Zip",
        "State": "Active",
        "LastUpdateStatus": "Successful",
    })
}

/// As Lambda writes times: 2026-11-25T16:00:00.000+0000.
pub(crate) fn now() -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]+0000");
    OffsetDateTime::now_utc().format(format).unwrap_or_default()
}
