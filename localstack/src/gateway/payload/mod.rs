//! The request as functions and Lambda authorizers get it.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

mod v1;
mod v2;

use axum::http::request::Parts;
use base64::Engine as _;
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::request::{self, Arrival, Grouped};
use super::routes::Matched;
use crate::account::ACCOUNT_ID;
use crate::template::model::{HttpApi, HttpRoute, IdentitySource, PayloadFormat};

/// A request with its route, read once for all events that are made of it.
pub(crate) struct Call<'a> {
    pub(crate) api: &'a HttpApi,
    pub(crate) route: &'a HttpRoute,
    pub(crate) route_key: String,
    pub(crate) matched: &'a Matched,
    pub(crate) parts: &'a Parts,
    pub(crate) arrival: &'a Arrival,
    /// Decoded, the stage's name included where the request has it.
    pub(crate) path: String,
    pub(crate) headers: Grouped<'a>,
    pub(crate) query: Vec<(String, String)>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(
        api: &'a HttpApi,
        matched: &'a Matched,
        parts: &'a Parts,
        arrival: &'a Arrival,
        port: u16,
    ) -> Self {
        let route = &api.routes[matched.index];
        Self {
            api,
            route,
            route_key: route.key(),
            matched,
            parts,
            arrival,
            path: request::decode(parts.uri.path()),
            headers: request::headers(parts, arrival, port),
            query: request::query(parts.uri.query().unwrap_or_default()),
        }
    }

    pub(crate) fn header(&self, name: &str) -> &'a str {
        request::header(&self.parts.headers, name)
    }

    /// Where the request was sent to.
    fn host(&self) -> &'a str {
        let host = self.header("host");
        if host.is_empty() { self.parts.uri.authority().map_or("", |authority| authority.as_str()) } else { host }
    }

    fn protocol(&self) -> &'static str {
        match self.parts.version {
            axum::http::Version::HTTP_10 => "HTTP/1.0",
            axum::http::Version::HTTP_2 => "HTTP/2.0",
            _ => "HTTP/1.1",
        }
    }

    /// What a policy must allow.
    pub(crate) fn arn(&self) -> String {
        let path = super::routes::behind_stage(&self.api.stage, &self.path).unwrap_or(&self.path);
        let rest = format!("{}{path}", self.parts.method);
        request::execute_arn(&self.api.logical_id, &self.api.stage, &rest)
    }

    /// What stands at an identity source; `None`: nothing.
    pub(crate) fn identity(&self, source: &IdentitySource) -> Option<String> {
        let found = match source {
            IdentitySource::Header(name) => {
                let values = self.parts.headers.get_all(name.as_str()).iter().map(request::text);
                values.collect::<Vec<_>>().join(",")
            }
            IdentitySource::QueryString(name) => {
                let values = self.query.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
                values.collect::<Vec<_>>().join(",")
            }
            IdentitySource::StageVariable(name) => self.api.stage_variables.get(name).cloned().unwrap_or_default(),
            IdentitySource::Context(name) => self.context(name),
        };
        Some(found).filter(|found| !found.is_empty())
    }

    /// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html>
    fn context(&self, name: &str) -> String {
        match name {
            "accountId" => ACCOUNT_ID.to_owned(),
            "apiId" => self.api.logical_id.clone(),
            "domainName" => self.host().to_owned(),
            "domainPrefix" => prefix(self.host()).to_owned(),
            "httpMethod" => self.parts.method.to_string(),
            "identity.sourceIp" => self.arrival.source_ip().to_string(),
            "identity.userAgent" => self.header("user-agent").to_owned(),
            "path" => self.path.clone(),
            "protocol" => self.protocol().to_owned(),
            "requestId" => self.arrival.request_id.clone(),
            "routeKey" => self.route_key.clone(),
            "stage" => self.api.stage.clone(),
            _ => String::new(),
        }
    }
}

fn prefix(host: &str) -> &str {
    host.split(['.', ':']).next().unwrap_or_default()
}

/// The event of the route's function; `authorizer` is what [`super::authorizer`] passes on.
pub(crate) fn of_function(call: &Call<'_>, authorizer: Option<&Value>, body: &Bytes) -> Bytes {
    let body = Body::new(call.parts, body);
    match call.route.payload {
        PayloadFormat::V1 => v1::of_function(call, authorizer, body),
        PayloadFormat::V2 => v2::of_function(call, authorizer, body),
    }
}

/// The event of an authorizer's function.
pub(crate) fn of_authorizer(call: &Call<'_>, format: PayloadFormat, identity: &[String]) -> Bytes {
    match format {
        PayloadFormat::V1 => v1::of_authorizer(call, identity),
        PayloadFormat::V2 => v2::of_authorizer(call, identity),
    }
}

fn json(event: &impl Serialize) -> Bytes {
    // Maps with text as keys can always be written.
    serde_json::to_vec(event).map(Bytes::from).unwrap_or_default()
}

/// A body as text, or as base64 where its type is not text or it is not UTF-8.
struct Body {
    text: Option<String>,
    is_base64: bool,
}

impl Body {
    fn new(parts: &Parts, bytes: &Bytes) -> Self {
        if bytes.is_empty() {
            return Self { text: None, is_base64: false };
        }
        let text = if is_text(parts) { std::str::from_utf8(bytes).ok() } else { None };
        match text {
            Some(text) => Self { text: Some(text.to_owned()), is_base64: false },
            None => Self { text: Some(base64::engine::general_purpose::STANDARD.encode(bytes)), is_base64: true },
        }
    }
}

/// Types that API Gateway hands over as text; a body without a type is one.
fn is_text(parts: &Parts) -> bool {
    if parts.headers.contains_key("content-encoding") {
        return false;
    }
    let content_type = parts.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("text/plain");
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || ["application/json", "application/javascript", "application/xml", "application/x-www-form-urlencoded"]
            .contains(&kind.as_str())
}

#[cfg(test)]
mod tests;
