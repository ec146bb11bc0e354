//! The function's answer as the client gets it.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use serde_json::{Value, json};

use super::empty;

/// An answer of the gateway's own.
pub(super) fn message(status: StatusCode, text: &str) -> Response {
    let mut response = empty(status);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.body_mut() = Body::from(json!({ "message": text }).to_string());
    response
}

/// Payload format 2.0: an object with `statusCode`, or any other JSON, which is a body of its own.
pub(super) fn from_function(payload: &[u8]) -> Response {
    let Ok(answer) = serde_json::from_slice::<Value>(payload) else {
        return message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    };
    if answer.get("statusCode").is_none() {
        let mut response = message(StatusCode::OK, "");
        *response.body_mut() = Body::from(payload.to_vec());
        return response;
    }
    shaped(&answer).unwrap_or_else(|| {
        tracing::warn!("a function's answer has no valid statusCode, headers, cookies or body");
        message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
    })
}

fn shaped(answer: &Value) -> Option<Response> {
    let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok())?;
    let mut response = empty(StatusCode::from_u16(status).ok()?);
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let name = HeaderName::try_from(name.as_str()).ok()?;
        // The gateway measures the body itself.
        if name != header::CONTENT_LENGTH {
            response.headers_mut().insert(name, HeaderValue::try_from(text).ok()?);
        }
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, HeaderValue::try_from(cookie.as_str()?).ok()?);
    }
    let body = answer["body"].as_str().unwrap_or_default();
    let encoded = answer["isBase64Encoded"].as_bool().unwrap_or(false);
    let body = if encoded { base64::engine::general_purpose::STANDARD.decode(body).ok()? } else { body.into() };
    let content_type = HeaderValue::from_static("text/plain;charset=utf-8");
    response.headers_mut().entry(header::CONTENT_TYPE).or_insert(content_type);
    *response.body_mut() = Body::from(body);
    Some(response)
}
