//! One request, from its arrival to its answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use super::answer::{internal_server_error, message, words};
use super::authorizer::Authorizers;
use super::payload::{self, Call};
use super::request::Arrival;
use super::routes::{self, Matched, Routes};
use super::throttle::Bucket;
use super::{cors, response};
use crate::functions::{Invoke, MAX_PAYLOAD_BYTES, Outcome};
use crate::template::model::{HttpApi, HttpRoute};

/// API Gateway's payload limit.
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;
/// The most that request line and header values may hold together.
const MAX_HEADER_BYTES: usize = 10_240;
/// How long a body may take to arrive.
const BODY: Duration = Duration::from_secs(30);

/// An API with what it needs for every request.
pub(super) struct Served {
    api: HttpApi,
    port: u16,
    routes: Routes,
    /// By the route's place.
    buckets: Vec<Option<Bucket>>,
    authorizers: Authorizers,
    invoke: Arc<dyn Invoke>,
}

impl Served {
    pub(super) fn new(api: HttpApi, port: u16, invoke: Arc<dyn Invoke>) -> Self {
        let buckets = api.routes.iter().map(|route| api.throttling.of(&route.key()).map(Bucket::new)).collect();
        Self { routes: Routes::new(&api.routes), buckets, authorizers: Authorizers::new(&api), port, invoke, api }
    }

    /// The route that takes a request.
    fn find(&self, method: &str, parts: &Parts) -> Option<Matched> {
        let Some(path) = routes::behind_stage(&self.api.stage, parts.uri.path()) else {
            let (stage, api) = (&self.api.stage, &self.api.logical_id);
            tracing::debug!(api, path = parts.uri.path(), "not found: every path of this API begins with /{stage}");
            return None;
        };
        self.routes.find(method, path)
    }
}

pub(super) async fn serve(
    State(served): State<Arc<Served>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let arrival = Arrival::now(client);
    let (parts, body) = request.into_parts();
    let mut response = answer(&served, &arrival, &parts, body).await.unwrap_or_else(|refusal| refusal);
    let headers = response.headers_mut();
    // A preflight's own answer is whole already.
    if let Some(cors) = &served.api.cors
        && !cors::is_preflight(&parts)
    {
        cors::decorate(cors, cors::origin(&parts), headers);
    }
    if let Ok(id) = HeaderValue::try_from(&arrival.request_id) {
        headers.insert(HeaderName::from_static("apigw-requestid"), id);
    }
    response
}

/// The answer; what the gateway refuses with is an error.
async fn answer(served: &Served, arrival: &Arrival, parts: &Parts, body: Body) -> Result<Response, Response> {
    if header_bytes(parts) > MAX_HEADER_BYTES {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Err(message(status, "Request Header Fields Too Large"));
    }
    let found = served.find(parts.method.as_str(), parts);
    if let Some(cors) = &served.api.cors
        && cors::is_preflight(parts)
    {
        // Only an authorizer of the route for OPTIONS stands before the gateway's own answer.
        if let Some(matched) = &found {
            let call = Call::new(&served.api, matched, parts, arrival, served.port);
            served.authorizers.decide(&call, served.invoke.as_ref()).await?;
        }
        return Ok(cors::preflight(cors, cors::origin(parts)));
    }
    let matched = found.ok_or_else(|| message(StatusCode::NOT_FOUND, "Not Found"))?;
    if !served.buckets[matched.index].as_ref().is_none_or(Bucket::take) {
        return Err(message(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests"));
    }
    let call = Call::new(&served.api, &matched, parts, arrival, served.port);
    let authorizer = served.authorizers.decide(&call, served.invoke.as_ref()).await?;
    let too_large = || message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    let body = tokio::time::timeout(BODY, to_bytes(body, MAX_BODY_BYTES)).await;
    let body = body.map_err(|_| message(StatusCode::REQUEST_TIMEOUT, "Request Timeout"))?.map_err(|_| too_large())?;
    let event = payload::of_function(&call, authorizer.as_ref(), &body);
    // What API Gateway takes may still be more than a synchronous invocation does.
    if event.len() > MAX_PAYLOAD_BYTES {
        return Err(too_large());
    }
    invoke(served, call.route, event).await
}

async fn invoke(served: &Served, route: &HttpRoute, event: bytes::Bytes) -> Result<Response, Response> {
    let function = route.function.as_str();
    let unavailable = || message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");
    let invocation = served.invoke.invoke(function, event);
    match tokio::time::timeout(Duration::from_millis(route.timeout_ms), invocation).await {
        Ok(Outcome::Response(answer)) => response::from_function(route.payload, &answer).map_err(|error| {
            tracing::warn!(function, error, "a function's answer is no response");
            internal_server_error()
        }),
        Ok(Outcome::FunctionError(error)) => {
            tracing::warn!(function, error = words(&error), "a request failed");
            Err(internal_server_error())
        }
        Ok(Outcome::Throttled(reason)) => {
            tracing::warn!(function, reason, "a request was throttled");
            Err(unavailable())
        }
        Err(_) => {
            tracing::warn!(function, timeout_ms = route.timeout_ms, "a request took too long");
            Err(unavailable())
        }
    }
}

/// Request line and header values.
fn header_bytes(parts: &Parts) -> usize {
    let uri = parts.uri.path_and_query().map_or(0, |path| path.as_str().len());
    let line = parts.method.as_str().len() + uri + " HTTP/1.1".len() + 1;
    line + parts.headers.values().map(HeaderValue::len).sum::<usize>()
}

/// What the fuzz drives: everything that is made of a request before a function sees it.
#[cfg(test)]
pub(super) fn events_of(api: &HttpApi, parts: &Parts, body: &bytes::Bytes) -> Vec<bytes::Bytes> {
    use crate::template::model::PayloadFormat;
    let arrival = Arrival::now(SocketAddr::from(([127, 0, 0, 1], 1)));
    let _ = (header_bytes(parts), cors::is_preflight(parts));
    let Some(path) = routes::behind_stage(&api.stage, parts.uri.path()) else { return Vec::new() };
    let Some(matched) = Routes::new(&api.routes).find(parts.method.as_str(), path) else { return Vec::new() };
    let call = Call::new(api, &matched, parts, &arrival, 80);
    let authorizer = |format| payload::of_authorizer(&call, format, &[]);
    vec![
        payload::of_function(&call, None, body),
        authorizer(PayloadFormat::V1),
        authorizer(PayloadFormat::V2),
        call.arn().into(),
    ]
}
