//! Which route takes a message, and what comes back.

use futures::SinkExt as _;
use serde_json::json;

use super::*;
use crate::template::model::Throttle;

async fn exchange(api: WebSocketApi, functions: &Arc<Functions>, message: &str) -> Value {
    let gateway = start(api, Limits::default(), functions);
    let mut socket = open(gateway.address(), "/", &[]).await.unwrap();
    socket.send(Message::text(message.to_owned())).await.unwrap();
    let answer = next_json(&mut socket).await;
    gateway.stop().await;
    answer
}

#[tokio::test]
async fn connect_may_refuse_and_messages_take_the_route_of_their_action() {
    let functions = echo();
    let gateway = start(api(), Limits::default(), &functions);
    assert_eq!(refused(gateway.address(), "/?refuse=yes", &[]).await.0, 401);
    let mut socket = open(gateway.address(), "/", &[]).await.unwrap();
    // No answer to the first: its route has no response.
    socket.send(Message::text("not json")).await.unwrap();
    socket.send(Message::text(r#"{"action":"echo"}"#)).await.unwrap();
    assert_eq!(next(&mut socket).await, Message::text(r#"{"action":"echo"}"#));
    socket.close(None).await.unwrap();
    eventually("$disconnect", || route_keys(&functions).last().is_some_and(|route| route == "$disconnect")).await;
    assert_eq!(route_keys(&functions), ["$connect", "$connect", "$default", "echo", "$disconnect"]);
    gateway.stop().await;
}

#[tokio::test]
async fn an_action_that_names_a_route_of_the_gateways_own_goes_to_default() {
    let functions = echo();
    let gateway = start(api(), Limits::default(), &functions);
    let mut socket = open(gateway.address(), "/", &[]).await.unwrap();
    for action in ["$connect", "$disconnect", "$default", "unknown"] {
        socket.send(Message::text(json!({"action": action}).to_string())).await.unwrap();
    }
    eventually("all four", || route_keys(&functions).len() == 5).await;
    assert_eq!(&route_keys(&functions)[1..], ["$default"; 4]);
    gateway.stop().await;
}

#[tokio::test]
async fn a_selection_expression_may_lie_deep() {
    let mut deep = api();
    deep.action = vec!["meta".into(), "kind".into()];
    let answer = exchange(deep, &echo(), r#"{"action":"no","meta":{"kind":"echo"}}"#).await;
    assert_eq!(answer["meta"]["kind"], "echo");
}

#[tokio::test]
async fn a_message_that_no_route_takes_is_forbidden() {
    let mut closed = api();
    closed.routes.retain(|route| route.key != "$default");
    let answer = exchange(closed, &echo(), "hello").await;
    assert_eq!(answer["message"], "Forbidden");
    assert!(["connectionId", "requestId"].iter().all(|name| answer[*name].as_str().is_some_and(|id| id.len() == 16)));
}

#[tokio::test]
async fn a_route_that_fails_tells_its_sender() {
    for (outcome, words) in [
        (failing(), "Internal server error"),
        (Outcome::Throttled("busy".into()), "Internal server error"),
        (Outcome::Response("null".into()), "Internal server error"),
        (answered(&json!({"body": "no status"})), "Internal server error"),
    ] {
        let functions = Functions::new(move |_, event| match event["requestContext"]["routeKey"].as_str() {
            Some("$connect") => answered(&json!({"statusCode": 200})),
            _ => outcome.clone(),
        });
        assert_eq!(exchange(api(), &functions, r#"{"action":"echo"}"#).await["message"], words);
    }
    let mut slow = api();
    slow.routes[2] = WebSocketRoute { function: "Never".into(), timeout_ms: 50, ..route("echo", true) };
    assert_eq!(exchange(slow, &echo(), r#"{"action":"echo"}"#).await["message"], "Endpoint request timed out");
}

#[tokio::test]
async fn a_throttled_route_tells_its_sender_and_other_routes_go_on() {
    let mut limited = api();
    limited.throttling.routes.insert("$default".into(), Throttle { rate: 0.0, burst: 0 });
    let functions = echo();
    let gateway = start(limited, Limits::default(), &functions);
    let mut socket = open(gateway.address(), "/", &[]).await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(next_json(&mut socket).await["message"], "Too Many Requests");
    socket.send(Message::text(r#"{"action":"echo"}"#)).await.unwrap();
    assert_eq!(next_json(&mut socket).await["action"], "echo");
    assert_eq!(route_keys(&functions), ["$connect", "echo"]);
    gateway.stop().await;
}

#[tokio::test]
async fn bytes_reach_the_function_as_base64() {
    let functions = echo();
    let gateway = start(api(), Limits::default(), &functions);
    let mut socket = open(gateway.address(), "/", &[]).await.unwrap();
    socket.send(Message::binary(vec![0xff, 0x00])).await.unwrap();
    eventually("the message", || functions.events("F").len() == 2).await;
    let event = functions.events("F").remove(1);
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("/wA="), &json!(true)));
    gateway.stop().await;
}
