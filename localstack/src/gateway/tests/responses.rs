//! What a client gets of what a function answers.

use serde_json::json;

use super::support::*;
use crate::functions::Outcome;

async fn reply(outcome: Outcome) -> Reply {
    let functions = Functions::new(move |_, _| outcome.clone());
    let gateway = start(api(vec![route("$default", "F")]), &functions).await;
    let reply = get(gateway.address(), "/").await;
    gateway.stop().await;
    reply
}

const INTERNAL: (u16, &str) = (500, r#"{"message":"Internal Server Error"}"#);

#[tokio::test]
async fn status_headers_cookies_and_body_arrive() {
    let answer = json!({
        "statusCode": 201, "headers": {"x-a": "1"}, "cookies": ["a=1", "b=2; Secure"], "body": "hi",
    });
    let reply = reply(answered(&answer)).await;
    assert_eq!((reply.status, reply.text()), (201, "hi"));
    assert_eq!((reply.all("set-cookie"), reply.all("x-a")), (vec!["a=1", "b=2; Secure"], vec!["1"]));
    assert_eq!(reply.all("content-length"), ["2"]);
    assert_eq!(reply.header("apigw-requestid").map(str::len), Some(16));
}

#[tokio::test]
async fn an_answer_without_a_status_code_is_a_json_body() {
    let reply = reply(answered(&json!({"pets": []}))).await;
    assert_eq!(
        (reply.status, reply.text(), reply.header("content-type")),
        (200, r#"{"pets":[]}"#, Some("application/json"))
    );
}

#[tokio::test]
async fn bytes_come_out_of_base64() {
    let answer =
        json!({"statusCode": 200, "isBase64Encoded": true, "body": "/wD+", "headers": {"content-type": "image/x"}});
    assert_eq!(reply(answered(&answer)).await.body, [0xff, 0, 0xfe]);
}

#[tokio::test]
async fn what_is_no_response_is_an_internal_server_error() {
    for outcome in [
        Outcome::Response("not json".into()),
        answered(&json!({"statusCode": 42})),
        answered(&json!({"statusCode": 200, "body": {"not": "text"}})),
        answered(&json!({"statusCode": 200, "headers": {"bad name": "x"}})),
    ] {
        let (status, text) = reply(outcome.clone()).await.says();
        assert_eq!((status, text.as_str()), INTERNAL, "{outcome:?}");
    }
}

#[tokio::test]
async fn a_failing_function_is_an_internal_server_error_and_a_busy_one_is_unavailable() {
    let failed = Outcome::FunctionError(r#"{"errorType":"X","errorMessage":"secret"}"#.into());
    let (status, text) = reply(failed).await.says();
    assert_eq!((status, text.as_str()), INTERNAL, "its words are the log's");
    let reply = reply(Outcome::Throttled("busy".into())).await;
    assert_eq!(reply.says(), (503, r#"{"message":"Service Unavailable"}"#.to_owned()));
}

#[tokio::test]
async fn a_function_that_takes_too_long_is_unavailable() {
    let mut slow = route("$default", "Never");
    slow.timeout_ms = 50;
    let gateway = start(api(vec![slow]), &content()).await;
    let reply = get(gateway.address(), "/").await;
    assert_eq!(reply.says(), (503, r#"{"message":"Service Unavailable"}"#.to_owned()));
    gateway.stop().await;
}
