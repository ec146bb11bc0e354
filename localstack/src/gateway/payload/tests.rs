use std::net::SocketAddr;

use serde_json::{Value, json};

use super::*;
use crate::gateway::routes::Routes;

fn event(fixture: &str, format: PayloadFormat, authorizer: &Value) -> (Value, Value) {
    let request = axum::http::Request::post("/my/path?parameter1=value1&parameter1=value2&parameter2=value")
        .header("Header1", "value1")
        .header("header2", "value1")
        .header("header2", "value2")
        .header("cookie", "cookie1; cookie2")
        .header("host", "id.execute-api.us-east-1.amazonaws.com")
        .header("user-agent", "agent")
        .body(())
        .unwrap();
    let (parts, ()) = request.into_parts();
    let route =
        HttpRoute { method: "POST".into(), path: "/my/{parameter1}".into(), payload: format, ..HttpRoute::default() };
    let variables = [("stageVariable1", "value1"), ("stageVariable2", "value2")];
    let api = HttpApi {
        logical_id: "api-id".into(),
        stage: "$default".into(),
        routes: vec![route],
        stage_variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..HttpApi::default()
    };
    let matched = Routes::new(&api.routes).find("POST", "/my/path").unwrap();
    let arrival = Arrival::now(SocketAddr::from(([192, 0, 2, 1], 1)));
    let call = Call::new(&api, &matched, &parts, &arrival, 443);
    let ours = of_function(&call, Some(authorizer), &Bytes::from_static(b"Hello from Lambda"));
    (serde_json::from_slice(&ours).unwrap(), serde_json::from_str(fixture).unwrap())
}

fn same_kinds(ours: &Value, theirs: &Value, except: &[&str]) {
    for (name, value) in theirs.as_object().unwrap().iter().filter(|(name, _)| !except.contains(&name.as_str())) {
        assert_eq!(std::mem::discriminant(&ours[name]), std::mem::discriminant(value), "{name}");
    }
}

/// Every field of the guide's example is there, with the same type, and the values that the request fixes.
#[test]
fn format_2_has_the_shape_of_the_developer_guide() {
    let authorizer = json!({"lambda": {"exampleKey1": "exampleValue1"}});
    let (ours, fixture) = event(include_str!("fixtures/payload-2.0.json"), PayloadFormat::V2, &authorizer);
    for field in ["version", "rawPath", "rawQueryString", "cookies", "queryStringParameters", "body", "isBase64Encoded"]
    {
        assert_eq!(ours[field], fixture[field], "{field}");
    }
    assert_eq!(ours["pathParameters"], json!({"parameter1": "path"}));
    assert_eq!(ours["stageVariables"], json!({"stageVariable1": "value1", "stageVariable2": "value2"}));
    assert_eq!((&ours["headers"]["header1"], &ours["headers"]["header2"]), (&json!("value1"), &json!("value1,value2")));
    // Client certificates are not asked for here: API Gateway leaves `authentication` out then.
    same_kinds(&ours["requestContext"], &fixture["requestContext"], &["authentication"]);
    same_kinds(&ours["requestContext"]["http"], &fixture["requestContext"]["http"], &[]);
    assert_eq!(ours["requestContext"]["authorizer"], authorizer);
}

#[test]
fn format_1_has_the_shape_of_the_developer_guide() {
    let (ours, fixture) = event(include_str!("fixtures/payload-1.0.json"), PayloadFormat::V1, &json!({"claims": null}));
    same_kinds(&ours, &fixture, &["pathParameters", "stageVariables"]);
    same_kinds(&ours["requestContext"], &fixture["requestContext"], &[]);
    same_kinds(&ours["requestContext"]["identity"], &fixture["requestContext"]["identity"], &["clientCert"]);
    assert_eq!(ours["multiValueQueryStringParameters"], fixture["multiValueQueryStringParameters"]);
    assert_eq!(ours["resource"], "/my/{parameter1}");
}
