//! What a function gets of a request that came over a socket.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::support::*;
use crate::template::model::{HttpApi, PayloadFormat};

/// The event that one request makes.
async fn event(api: HttpApi, request: &str, headers: &[&str], body: &[u8]) -> Value {
    let functions = content();
    let gateway = start(api, &functions).await;
    let reply = send(gateway.address(), request, headers, body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    gateway.stop().await;
    functions.events("F").remove(0)
}

#[tokio::test]
async fn cookies_stand_apart_and_other_headers_are_joined() {
    let headers = ["Cookie: a=1; b=2", "cookie: c=3", "X-One: 1", "x-one: 2", "User-Agent: agent", "Host: my.host:1"];
    let event = event(api(vec![route("$default", "F")]), "GET /", &headers, b"").await;
    assert_eq!(event["cookies"], json!(["a=1", "b=2", "c=3"]));
    assert_eq!((&event["headers"]["x-one"], event["headers"].get("cookie")), (&json!("1,2"), None));
    assert_eq!(event["requestContext"]["domainName"], "my.host:1");
    assert_eq!(event["requestContext"]["domainPrefix"], "my");
    assert_eq!(event["requestContext"]["http"]["userAgent"], "agent");
    assert_eq!((&event["routeKey"], event.get("body")), (&json!("$default"), None));
}

#[tokio::test]
async fn the_gateway_adds_what_it_knows_of_the_way() {
    let headers = ["x-forwarded-for: 192.0.2.1", "x-amzn-trace-id: Root=1-2-3"];
    let event = event(api(vec![route("$default", "F")]), "GET /", &headers, b"").await;
    assert_eq!(event["headers"]["x-forwarded-for"], "192.0.2.1, 127.0.0.1");
    assert_eq!(
        (&event["headers"]["x-forwarded-proto"], &event["headers"]["x-amzn-trace-id"]),
        (&json!("http"), &json!("Root=1-2-3"))
    );
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "127.0.0.1");
    assert!(event["requestContext"].get("authorizer").is_none());
}

#[tokio::test]
async fn a_query_with_a_name_twice_is_joined_and_its_raw_form_kept() {
    let event = event(api(vec![route("GET /s", "F")]), "GET /s?a=1&b=x%20y&a=2&c", &[], b"").await;
    assert_eq!(event["rawQueryString"], "a=1&b=x%20y&a=2&c");
    assert_eq!(event["queryStringParameters"], json!({"a": "1,2", "b": "x y", "c": ""}));
}

#[tokio::test]
async fn text_is_a_body_as_it_is_and_everything_else_is_base64() {
    for (content_type, body, text, encoded) in [
        (Some("application/json"), b"{\"a\":1}".as_slice(), "{\"a\":1}", false),
        (Some("application/problem+json; charset=utf-8"), b"{}", "{}", false),
        (Some("application/x-www-form-urlencoded"), b"a=1", "a=1", false),
        (None, b"hello", "hello", false),
        (Some("image/png"), b"hi", "aGk=", true),
        (Some("multipart/form-data; boundary=x"), b"hi", "aGk=", true),
        (Some("text/plain"), b"\xff\xfe", "//4=", true),
    ] {
        let header = content_type.map(|kind| format!("content-type: {kind}"));
        let headers: Vec<&str> = header.as_deref().into_iter().collect();
        let event = event(api(vec![route("POST /", "F")]), "POST /", &headers, body).await;
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(text), &json!(encoded)), "{content_type:?}");
    }
    let compressed = ["content-type: text/plain", "content-encoding: gzip"];
    let event = event(api(vec![route("POST /", "F")]), "POST /", &compressed, b"hi").await;
    assert_eq!(event["isBase64Encoded"], true);
}

#[tokio::test]
async fn a_named_stage_stands_in_the_path_and_others_are_not_found() {
    let mut named = api(vec![route("GET /pets/{id}", "F")]);
    named.stage = "Prod".into();
    named.stage_variables = BTreeMap::from([("colour".to_owned(), "blue".to_owned())]);
    let event = event(named.clone(), "GET /Prod/pets/a%2Fb", &[], b"").await;
    assert_eq!(
        (&event["rawPath"], &event["requestContext"]["http"]["path"]),
        (&json!("/Prod/pets/a/b"), &json!("/Prod/pets/a/b"))
    );
    assert_eq!((&event["pathParameters"]["id"], &event["requestContext"]["stage"]), (&json!("a/b"), &json!("Prod")));
    assert_eq!((&event["routeKey"], &event["stageVariables"]), (&json!("GET /pets/{id}"), &json!({"colour": "blue"})));
    let gateway = start(named, &content()).await;
    assert!(gateway.url().ends_with("/Prod"));
    for path in ["/pets/1", "/prod/pets/1", "/"] {
        assert_eq!(get(gateway.address(), path).await.says(), (404, r#"{"message":"Not Found"}"#.to_owned()), "{path}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn format_1_has_lists_beside_single_values_and_nulls() {
    let mut old = route("POST /pets/{id}", "F");
    old.payload = PayloadFormat::V1;
    let headers = ["X-One: 1", "x-one: 2", "cookie: a=1"];
    let seen = event(api(vec![old.clone()]), "POST /pets/7?a=1&a=2", &headers, b"hi").await;
    assert_eq!(
        (&seen["version"], &seen["resource"], &seen["path"]),
        (&json!("1.0"), &json!("/pets/{id}"), &json!("/pets/7"))
    );
    assert_eq!((&seen["headers"]["x-one"], &seen["multiValueHeaders"]["x-one"]), (&json!("2"), &json!(["1", "2"])));
    assert_eq!(
        (&seen["queryStringParameters"]["a"], &seen["multiValueQueryStringParameters"]["a"]),
        (&json!("2"), &json!(["1", "2"]))
    );
    assert_eq!(
        (&seen["pathParameters"], &seen["stageVariables"], &seen["body"]),
        (&json!({"id": "7"}), &Value::Null, &json!("hi"))
    );
    assert_eq!(seen["requestContext"]["authorizer"], json!({"claims": null, "scopes": null}));
    assert_eq!(seen["headers"]["cookie"], "a=1");
    old.path = "/pets".into();
    let seen = event(api(vec![old]), "POST /pets", &[], b"").await;
    for name in ["body", "queryStringParameters", "multiValueQueryStringParameters", "pathParameters"] {
        assert!(seen[name].is_null(), "{name}");
    }
}

#[tokio::test]
async fn head_reaches_any_and_brings_no_body_back() {
    let gateway = start(api(vec![route("ANY /pets", "F"), route("GET /only", "F")]), &content()).await;
    let reply = send(gateway.address(), "HEAD /pets", &[], b"").await;
    assert_eq!((reply.status, reply.body.len()), (200, 0));
    assert_eq!(send(gateway.address(), "HEAD /only", &[], b"").await.status, 404);
    gateway.stop().await;
}
