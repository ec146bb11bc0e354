//! Payload format 1.0, as REST APIs have it: what is empty is null.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use super::super::request::{Grouped, Last, Lists};
use super::{Body, Call, prefix};
use crate::account::ACCOUNT_ID;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfFunction<'a> {
    version: &'static str,
    #[serde(flatten)]
    request: Common<'a>,
    multi_value_headers: Lists<'a>,
    multi_value_query_string_parameters: Option<Lists<'a>>,
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfAuthorizer<'a> {
    version: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    method_arn: String,
    identity_source: String,
    authorization_token: String,
    #[serde(flatten)]
    request: Common<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Common<'a> {
    resource: &'a str,
    path: &'a str,
    http_method: &'a str,
    headers: Last<'a>,
    query_string_parameters: Option<Last<'a>>,
    request_context: Value,
    path_parameters: Option<&'a BTreeMap<String, String>>,
    stage_variables: Option<&'a BTreeMap<String, String>>,
}

pub(super) fn of_function(call: &Call<'_>, authorizer: Option<&Value>, body: Body) -> Bytes {
    let query = Grouped::of(&call.query);
    super::json(&OfFunction {
        version: "1.0",
        request: request(call, &query, authorizer),
        multi_value_headers: call.headers.lists(),
        multi_value_query_string_parameters: (!query.is_empty()).then(|| query.lists()),
        body: body.text,
        is_base64_encoded: body.is_base64,
    })
}

pub(super) fn of_authorizer(call: &Call<'_>, identity: &[String]) -> Bytes {
    let query = Grouped::of(&call.query);
    let identity = identity.join(",");
    super::json(&OfAuthorizer {
        version: "1.0",
        kind: "REQUEST",
        method_arn: call.arn(),
        identity_source: identity.clone(),
        authorization_token: identity,
        request: request(call, &query, None),
    })
}

fn request<'a>(call: &'a Call<'_>, query: &'a Grouped<'_>, authorizer: Option<&Value>) -> Common<'a> {
    Common {
        resource: resource(call),
        path: &call.path,
        http_method: call.parts.method.as_str(),
        headers: call.headers.last(),
        query_string_parameters: (!query.is_empty()).then(|| query.last()),
        request_context: context(call, authorizer),
        path_parameters: Some(&call.matched.parameters).filter(|parameters| !parameters.is_empty()),
        stage_variables: Some(&call.api.stage_variables).filter(|variables| !variables.is_empty()),
    }
}

/// The route's path, as the template has it.
fn resource<'a>(call: &'a Call<'_>) -> &'a str {
    &call.route.path
}

fn context(call: &Call<'_>, authorizer: Option<&Value>) -> Value {
    let host = call.host();
    json!({
        "accountId": ACCOUNT_ID,
        "apiId": call.api.logical_id,
        "authorizer": authorizer.cloned().unwrap_or_else(|| json!({"claims": null, "scopes": null})),
        "domainName": host,
        "domainPrefix": prefix(host),
        "extendedRequestId": call.arrival.request_id,
        "httpMethod": call.parts.method.as_str(),
        "identity": {
            "accessKey": null,
            "accountId": null,
            "caller": null,
            "cognitoAuthenticationProvider": null,
            "cognitoAuthenticationType": null,
            "cognitoIdentityId": null,
            "cognitoIdentityPoolId": null,
            "principalOrgId": null,
            "sourceIp": call.arrival.source_ip().to_string(),
            "user": null,
            "userAgent": call.header("user-agent"),
            "userArn": null,
        },
        "path": call.path,
        "protocol": call.protocol(),
        "requestId": call.arrival.request_id,
        "requestTime": call.arrival.time(),
        "requestTimeEpoch": call.arrival.epoch_ms(),
        "resourceId": null,
        "resourcePath": resource(call),
        "stage": call.api.stage,
    })
}
