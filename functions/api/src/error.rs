//! What the API refuses or fails to do, and how it says so.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use freshet_events::{Invalid, MAX_BODY_BYTES};
use freshet_store::StoreError;
use freshet_telemetry::Event;
use serde_json::json;

/// An answer that is not 200.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// 400: the client can mend it.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// 401 or 403: administrators only.
    #[error("{1}")]
    Forbidden(StatusCode, &'static str),
    /// 404.
    #[error("{0}")]
    NotFound(String),
    /// 405.
    #[error("this path does not take that method")]
    MethodNotAllowed,
    /// 413.
    #[error("body: expected at most {MAX_BODY_BYTES} bytes, got {0}")]
    TooLarge(usize),
    /// 500: the events are not acknowledged; the same eventId makes a retry safe.
    #[error("Failed to track event")]
    Track {
        /// What Kafka said, for the log.
        cause: String,
        /// For a safe retry.
        event_ids: Vec<String>,
    },
    /// 503: the stream can't be read or written at the moment.
    #[error("Kafka is not reachable at the moment")]
    Kafka(String),
    /// 503: state can't be read or written at the moment.
    #[error("the store is not reachable at the moment")]
    Store(#[from] StoreError),
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Forbidden(status, _) => *status,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Track { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Kafka(_) | Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut body = json!({"success": false, "error": self.to_string()});
        match &self {
            Self::Invalid(invalid) => body["field"] = json!(invalid.field),
            Self::Track { cause, event_ids } => {
                Event::Dependency { function: "api", dependency: "Kafka", error: cause }.emit();
                match event_ids.as_slice() {
                    [one] => body["eventId"] = json!(one),
                    many => body["eventIds"] = json!(many),
                }
            }
            Self::Kafka(error) => Event::Dependency { function: "api", dependency: "Kafka", error }.emit(),
            Self::Store(error) => {
                Event::Dependency { function: "api", dependency: "DynamoDB", error: &error.to_string() }.emit();
            }
            _ => {}
        }
        Event::Refused { function: "api", status: status.as_u16(), error: &self.to_string() }.emit();
        (status, Json(body)).into_response()
    }
}

/// The body, if it is not too large.
pub(crate) fn bounded(body: &[u8]) -> Result<&[u8], ApiError> {
    if body.len() > MAX_BODY_BYTES { Err(ApiError::TooLarge(body.len())) } else { Ok(body) }
}

/// The body as JSON.
pub(crate) fn json_body(body: &[u8]) -> Result<serde_json::Value, ApiError> {
    serde_json::from_slice(bounded(body)?).map_err(|error| {
        Invalid::new("body", "JSON", format!("{} bytes that are not JSON ({error})", body.len())).into()
    })
}
