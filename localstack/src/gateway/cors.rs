//! CORS by the API's configuration: the gateway answers preflights itself and replaces what the function says.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use super::answer::empty;
use crate::template::model::Cors;

const HEADERS: [HeaderName; 6] = [
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_MAX_AGE,
];

pub(super) fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS && parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

pub(super) fn origin(parts: &Parts) -> Option<&str> {
    parts.headers.get(header::ORIGIN).and_then(|value| value.to_str().ok())
}

pub(super) fn preflight(cors: &Cors, origin: Option<&str>) -> Response {
    let mut response = empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    decorate(cors, origin, headers);
    if headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        set(headers, header::ACCESS_CONTROL_ALLOW_METHODS, &cors.allow_methods.join(","));
        set(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &cors.allow_headers.join(","));
        if let Some(seconds) = cors.max_age_s {
            set(headers, header::ACCESS_CONTROL_MAX_AGE, &seconds.to_string());
        }
    }
    response
}

/// Sets what a page of `origin` may read; a page of another origin gets nothing.
pub(super) fn decorate(cors: &Cors, origin: Option<&str>, headers: &mut HeaderMap) {
    for name in HEADERS {
        headers.remove(name);
    }
    let any = cors.allow_origins.iter().any(|known| known == "*");
    let known = origin.filter(|origin| cors.allow_origins.iter().any(|known| covers(known, origin)));
    // With credentials a page must be named.
    let allowed = known.map(|origin| if any && !cors.allow_credentials { "*" } else { origin });
    let Some(allowed) = allowed else { return };
    set(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if cors.allow_credentials {
        set(headers, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    set(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, &cors.expose_headers.join(","));
}

/// `*` is any origin, `https://*` and `http://*` are any of that scheme.
fn covers(known: &str, origin: &str) -> bool {
    match known {
        "*" => true,
        "https://*" | "http://*" => origin.starts_with(known.trim_end_matches('*')),
        exact => exact == origin,
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value)
        && !value.is_empty()
    {
        headers.insert(name, value);
    }
}
