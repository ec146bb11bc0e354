//! The @connections API, with which `aws-sdk-apigatewaymanagement` works.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html>

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Shared;
use super::registry::{Handle, NotSent};

/// Sends the body to a socket.
pub(crate) async fn post(
    State(shared): State<Arc<Shared>>,
    Path(path): Path<HashMap<String, String>>,
    body: Body,
) -> Response {
    let handle = match find(&shared, &path) {
        Ok(handle) => handle,
        Err(refusal) => return refusal.response(),
    };
    let Ok(message) = to_bytes(body, shared.limits.message_bytes).await else {
        return error(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeException", "Message too long");
    };
    match handle.send(message.to_vec()) {
        Ok(()) => StatusCode::OK.into_response(),
        Err(NotSent::Gone | NotSent::Stalled) => gone(),
    }
}

/// Tells of a socket.
pub(crate) async fn look(State(shared): State<Arc<Shared>>, Path(path): Path<HashMap<String, String>>) -> Response {
    let handle = match find(&shared, &path) {
        Ok(handle) => handle,
        Err(refusal) => return refusal.response(),
    };
    axum::Json(json!({
        "connectedAt": iso8601(handle.connected_at_ms),
        "lastActiveAt": iso8601(handle.last_active_ms()),
        "identity": {"sourceIp": handle.peer.client.ip().to_string(), "userAgent": handle.peer.user_agent},
    }))
    .into_response()
}

/// Closes a socket.
pub(crate) async fn delete(State(shared): State<Arc<Shared>>, Path(path): Path<HashMap<String, String>>) -> Response {
    let handle = match find(&shared, &path) {
        Ok(handle) => handle,
        Err(refusal) => return refusal.response(),
    };
    handle.closing.cancel();
    StatusCode::NO_CONTENT.into_response()
}

/// Why nothing can be done with a connection.
enum Refusal {
    /// It has gone, never was, or is still at `$connect`.
    Gone,
    /// The path names another stage.
    OtherStage,
    /// What came is no connection id.
    NoId(String),
}

impl Refusal {
    fn response(&self) -> Response {
        match self {
            Self::Gone => gone(),
            Self::OtherStage => error(StatusCode::FORBIDDEN, "ForbiddenException", "Forbidden"),
            Self::NoId(id) => {
                error(StatusCode::BAD_REQUEST, "BadRequestException", &format!("Invalid connectionId: {id}"))
            }
        }
    }
}

/// The open socket of that id.
fn find(shared: &Shared, path: &HashMap<String, String>) -> Result<Handle, Refusal> {
    if path.get("stage").is_some_and(|stage| *stage != shared.api.stage) {
        return Err(Refusal::OtherStage);
    }
    let id = path.get("id").map(String::as_str).unwrap_or_default();
    if !is_an_id(id) {
        return Err(Refusal::NoId(id.chars().take(64).collect()));
    }
    shared.registry.get(id).filter(|handle| !handle.closing.is_cancelled()).ok_or(Refusal::Gone)
}

/// Of the form that connection ids have, in either alphabet of base64.
fn is_an_id(id: &str) -> bool {
    let body = id.trim_end_matches('=');
    id.len() == 16 && body.len() >= 14 && body.chars().all(|c| c.is_ascii_alphanumeric() || "+/-_".contains(c))
}

fn gone() -> Response {
    error(StatusCode::GONE, "GoneException", "The connection is gone")
}

fn error(status: StatusCode, kind: &'static str, message: &str) -> Response {
    let mut response = (status, axum::Json(json!({"message": message}))).into_response();
    response.headers_mut().insert(HeaderName::from_static("x-amzn-errortype"), HeaderValue::from_static(kind));
    response
}

fn iso8601(ms: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000);
    at.ok().and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default()
}
