//! Payload format 2.0: what is empty is left out.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::super::request::{Grouped, Joined};
use super::{Body, Call, json, prefix};
use crate::account::ACCOUNT_ID;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfFunction<'a> {
    version: &'static str,
    #[serde(flatten)]
    request: Common<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfAuthorizer<'a> {
    version: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    route_arn: String,
    identity_source: Option<&'a [String]>,
    #[serde(flatten)]
    request: Common<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Common<'a> {
    route_key: &'a str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<Cow<'a, str>>,
    headers: Joined<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query_string_parameters: Option<Joined<'a>>,
    request_context: Context<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    path_parameters: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    stage_variables: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    account_id: &'static str,
    api_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorizer: Option<&'a Value>,
    domain_name: &'a str,
    domain_prefix: &'a str,
    http: Http<'a>,
    request_id: &'a str,
    route_key: &'a str,
    stage: &'a str,
    time: String,
    time_epoch: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: &'static str,
    source_ip: String,
    user_agent: &'a str,
}

pub(super) fn of_function(call: &Call<'_>, authorizer: Option<&Value>, body: Body) -> Bytes {
    let (query, cookies) = (Grouped::of(&call.query), cookies(call));
    let request = request(call, &query, cookies, authorizer);
    json(&OfFunction { version: "2.0", request, body: body.text, is_base64_encoded: body.is_base64 })
}

pub(super) fn of_authorizer(call: &Call<'_>, identity: &[String]) -> Bytes {
    let (query, cookies) = (Grouped::of(&call.query), cookies(call));
    json(&OfAuthorizer {
        version: "2.0",
        kind: "REQUEST",
        route_arn: call.arn(),
        identity_source: Some(identity).filter(|identity| !identity.is_empty()),
        request: request(call, &query, cookies, None),
    })
}

fn request<'a>(
    call: &'a Call<'_>,
    query: &'a Grouped<'_>,
    cookies: Vec<Cow<'a, str>>,
    authorizer: Option<&'a Value>,
) -> Common<'a> {
    let host = call.host();
    Common {
        route_key: &call.route_key,
        raw_path: &call.path,
        raw_query_string: call.parts.uri.query().unwrap_or_default(),
        cookies,
        headers: call.headers.joined().without("cookie"),
        query_string_parameters: (!query.is_empty()).then(|| query.joined()),
        request_context: Context {
            account_id: ACCOUNT_ID,
            api_id: &call.api.logical_id,
            authorizer,
            domain_name: host,
            domain_prefix: prefix(host),
            http: Http {
                method: call.parts.method.as_str(),
                path: &call.path,
                protocol: call.protocol(),
                source_ip: call.arrival.source_ip().to_string(),
                user_agent: call.header("user-agent"),
            },
            request_id: &call.arrival.request_id,
            route_key: &call.route_key,
            stage: &call.api.stage,
            time: call.arrival.time(),
            time_epoch: call.arrival.epoch_ms(),
        },
        path_parameters: &call.matched.parameters,
        stage_variables: &call.api.stage_variables,
    }
}

/// Cookies stand apart from the headers.
fn cookies<'a>(call: &'a Call<'_>) -> Vec<Cow<'a, str>> {
    let lines = call.parts.headers.get_all("cookie").iter().map(super::super::request::text);
    let cookies = lines.flat_map(|line| {
        let cookies = line.split(';').map(|cookie| cookie.trim().to_owned()).filter(|cookie| !cookie.is_empty());
        cookies.map(Cow::Owned).collect::<Vec<_>>()
    });
    cookies.collect()
}
