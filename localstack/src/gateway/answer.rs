//! Answers of the gateways' own, in API Gateway's words.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// `{"message": …}`.
pub(crate) fn message(status: StatusCode, text: &str) -> Response {
    let mut response = empty(status);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.body_mut() = Body::from(json!({ "message": text }).to_string());
    response
}

/// What a client gets for whatever went wrong behind the gateway.
pub(crate) fn internal_server_error() -> Response {
    message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

/// A function's own words on what went wrong, short enough for a log.
pub(crate) fn words(error: &[u8]) -> String {
    String::from_utf8_lossy(error).chars().take(300).collect()
}
