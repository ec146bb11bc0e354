//! Refusals in Lambda's shape: status, `x-amzn-ErrorType`, and a body whose `Type` says whose fault it was.

use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::events::Full;

/// What a request gets that is not served.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    /// The exception that SDKs raise.
    kind: &'static str,
    body: Value,
}

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, message: &str) -> Self {
        // Some of Lambda's exceptions have `message`, some `Message`; clients take both.
        let field = if kind == "ResourceNotFoundException" { "Message" } else { "message" };
        Self { status, kind, body: json!({ "Type": "User", field: message }) }
    }

    pub(crate) fn no_function(arn: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", &format!("Function not found: {arn}"))
    }

    pub(crate) fn no_mapping(name: &str) -> Self {
        let name: String = name.chars().take(300).collect();
        let message = format!("The resource you requested does not exist: event source mapping {name}");
        Self::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", &message)
    }

    pub(crate) fn bad_name(name: &str) -> Self {
        let name: String = name.chars().take(300).collect();
        let message = format!(
            "1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: a function's name, \
             account:function:name or an ARN is expected, with :qualifier where wanted"
        );
        Self::validation(&message)
    }

    pub(crate) fn two_qualifiers(inside: &str, beside: &str) -> Self {
        let message = format!(
            "The derived qualifier from the function name does not match the specified qualifier: {inside}, {beside}"
        );
        Self::invalid_parameter(&message)
    }

    pub(crate) fn validation(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ValidationException", message)
    }

    pub(crate) fn invalid_parameter(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidParameterValueException", message)
    }

    pub(crate) fn invalid_content(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidRequestContentException", message)
    }

    pub(crate) fn too_large(most: usize) -> Self {
        let message = format!("Request must be smaller than {most} bytes for the InvokeFunction operation");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", &message)
    }

    /// `reserved`: by the function's own reservation, not by all that there is.
    pub(crate) fn throttled(reserved: bool) -> Self {
        let reason = if reserved {
            "ReservedFunctionConcurrentInvocationLimitExceeded"
        } else {
            "ConcurrentInvocationLimitExceeded"
        };
        Self::too_many(reason, "Rate Exceeded.")
    }

    pub(crate) fn queue_full(full: &Full) -> Self {
        Self::too_many("ConcurrentInvocationLimitExceeded", &full.to_string())
    }

    fn too_many(reason: &str, message: &str) -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            kind: "TooManyRequestsException",
            body: json!({ "Reason": reason, "Type": "User", "message": message }),
        }
    }

    pub(crate) fn unknown_operation(method: &Method, path: &str) -> Self {
        let path: String = path.chars().take(300).collect();
        let message = format!("{method} {path} is no operation of Lambda's that the local cloud offers");
        Self::new(StatusCode::NOT_FOUND, "UnknownOperationException", &message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(self.body)).into_response();
        let headers = response.headers_mut();
        headers.insert(HeaderName::from_static("x-amzn-errortype"), HeaderValue::from_static(self.kind));
        if let Ok(id) = HeaderValue::try_from(crate::functions::invocation::new_request_id()) {
            headers.insert(HeaderName::from_static("x-amzn-requestid"), id);
        }
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(axum::http::header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
