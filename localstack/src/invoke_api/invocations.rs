//! `Invoke`.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;

use super::error::ApiError;
use super::{LATEST, Shared};
use crate::functions::invocation::new_request_id;
use crate::functions::{Call, Completed, MAX_PAYLOAD_BYTES, Outcome};

/// The most an event of an asynchronous invocation may hold: 1 MB.
const MAX_EVENT_BYTES: usize = 1024 * 1024;
/// A body that is too large is still read up to here: a client that is cut off in the middle would not read the answer.
const MAX_READ_BYTES: usize = 4 * MAX_PAYLOAD_BYTES;
/// `X-Amz-Client-Context` in base64.
const MAX_CONTEXT_BYTES: usize = 3583;

/// Of the query.
#[derive(Debug, Deserialize)]
pub(crate) struct Qualified {
    #[serde(rename = "Qualifier")]
    pub(crate) qualifier: Option<String>,
}

enum InvocationType {
    RequestResponse,
    Event,
    DryRun,
}

pub(crate) async fn invoke(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    Query(query): Query<Qualified>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    // The body first: what is refused is refused to a client that has sent all of it.
    let body = to_bytes(body, MAX_READ_BYTES).await.map_err(|_| ApiError::too_large(MAX_PAYLOAD_BYTES))?;
    let function = shared.find(&name, query.qualifier.as_deref())?;
    let kind = invocation_type(&headers)?;
    let tail = wants_tail(&headers)?;
    let payload = event(&kind, body)?;
    let call = Call { payload, request_id: Some(new_request_id()), client_context: client_context(&headers)? };
    match kind {
        InvocationType::DryRun => Ok(answer(StatusCode::NO_CONTENT, call.request_id.as_deref(), Body::empty())),
        InvocationType::Event => {
            // Only synchronous invocations carry a context on.
            let call = Call { client_context: None, ..call };
            let request_id = call.request_id.clone();
            shared.events.accept(&function.logical_id, call).map_err(|full| ApiError::queue_full(&full))?;
            Ok(answer(StatusCode::ACCEPTED, request_id.as_deref(), Body::empty()))
        }
        InvocationType::RequestResponse => {
            let completed = shared.invoke.call(&function.logical_id, call).await;
            respond(completed, tail, function.reserved_concurrency.is_some())
        }
    }
}

fn respond(completed: Completed, tail: bool, reserved: bool) -> Result<Response, ApiError> {
    let (payload, failed) = match completed.outcome {
        Outcome::Response(payload) => (payload, false),
        Outcome::FunctionError(error) => (error, true),
        Outcome::Throttled(reason) => {
            tracing::debug!(reason, "an invocation is throttled");
            return Err(ApiError::throttled(reserved));
        }
    };
    let mut response = answer(StatusCode::OK, Some(&completed.request_id), Body::from(payload));
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("x-amz-executed-version", HeaderValue::from_static(LATEST));
    if failed {
        headers.insert("x-amz-function-error", HeaderValue::from_static("Unhandled"));
    }
    if tail && let Ok(log) = HeaderValue::try_from(STANDARD.encode(&completed.log_tail)) {
        headers.insert("x-amz-log-result", log);
    }
    Ok(response)
}

fn answer(status: StatusCode, request_id: Option<&str>, body: Body) -> Response {
    let mut response = (status, body).into_response();
    if let Some(id) = request_id.and_then(|id| HeaderValue::from_str(id).ok()) {
        response.headers_mut().insert(HeaderName::from_static("x-amzn-requestid"), id);
    }
    response
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("(not ASCII)"))
}

fn invocation_type(headers: &HeaderMap) -> Result<InvocationType, ApiError> {
    match header(headers, "x-amz-invocation-type") {
        None | Some("RequestResponse") => Ok(InvocationType::RequestResponse),
        Some("Event") => Ok(InvocationType::Event),
        Some("DryRun") => Ok(InvocationType::DryRun),
        Some(other) => Err(not_of("invocationType", other, "[Event, RequestResponse, DryRun]")),
    }
}

fn wants_tail(headers: &HeaderMap) -> Result<bool, ApiError> {
    match header(headers, "x-amz-log-type") {
        None | Some("None") => Ok(false),
        Some("Tail") => Ok(true),
        Some(other) => Err(not_of("logType", other, "[None, Tail]")),
    }
}

fn not_of(field: &str, value: &str, set: &str) -> ApiError {
    let value: String = value.chars().take(100).collect();
    ApiError::validation(&format!(
        "1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: Member must satisfy enum \
         value set: {set}"
    ))
}

/// The event: JSON within bounds. None at all is an empty object.
fn event(kind: &InvocationType, body: Bytes) -> Result<Bytes, ApiError> {
    let most = if matches!(kind, InvocationType::Event) { MAX_EVENT_BYTES } else { MAX_PAYLOAD_BYTES };
    if body.len() > most {
        return Err(ApiError::too_large(most));
    }
    if body.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(&body) {
        Ok(_) => Ok(body),
        Err(error) => Err(ApiError::invalid_content(&format!("Could not parse request body into json: {error}"))),
    }
}

/// The client's context as the function gets it: JSON, on one line.
fn client_context(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(encoded) = header(headers, "x-amz-client-context").filter(|encoded| !encoded.is_empty()) else {
        return Ok(None);
    };
    if encoded.len() > MAX_CONTEXT_BYTES {
        let message =
            format!("Client context must be at most {MAX_CONTEXT_BYTES} bytes in base64; {} came", encoded.len());
        return Err(ApiError::invalid_parameter(&message));
    }
    let decoded = STANDARD.decode(encoded).ok();
    let context = decoded.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    match context.filter(serde_json::Value::is_object) {
        Some(context) => Ok(Some(context.to_string())),
        None => Err(ApiError::invalid_content("Client context must be a valid Base64-encoded JSON object.")),
    }
}
