//! Who may open a socket: `$connect`, the authorizer, throttling and the stage.

use serde_json::json;

use super::*;
use crate::gateway::tests::support::get;
use crate::template::model::{IdentitySource, LambdaAuthorizer, Throttle};

#[tokio::test]
async fn any_status_but_2xx_of_connect_is_a_refusal() {
    for status in [204, 301, 400, 403, 500] {
        let functions = Functions::new(move |_, _| answered(&json!({"statusCode": status})));
        let gateway = start(api(), Limits::default(), &functions);
        if status == 204 {
            open(gateway.address(), "/", &[]).await.unwrap();
        } else {
            assert_eq!(refused(gateway.address(), "/", &[]).await.0, status);
            assert_eq!(route_keys(&functions), ["$connect"], "who was refused does not disconnect");
        }
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_connect_that_fails_or_says_nothing_is_a_bad_gateway() {
    for outcome in [failing(), answered(&json!({})), Outcome::Response("x".into()), Outcome::Throttled("busy".into())] {
        let functions = Functions::new(move |_, _| outcome.clone());
        let gateway = start(api(), Limits::default(), &functions);
        assert_eq!(refused(gateway.address(), "/", &[]).await.0, 502);
        gateway.stop().await;
    }
    let mut slow = api();
    slow.routes[0] = WebSocketRoute { function: "Never".into(), timeout_ms: 50, ..route("$connect", false) };
    let gateway = start(slow, Limits::default(), &echo());
    assert_eq!(refused(gateway.address(), "/", &[]).await, (504, "Endpoint request timed out".to_owned()));
    gateway.stop().await;
}

#[tokio::test]
async fn the_stage_may_stand_in_the_path_and_another_may_not() {
    let gateway = start(api(), Limits::default(), &echo());
    for path in ["/", "/live", "/live/", "/live?a=1"] {
        open(gateway.address(), path, &[]).await.unwrap();
    }
    for path in ["/other", "/live/deep", "/Live"] {
        assert_eq!(refused(gateway.address(), path, &[]).await, (403, "Forbidden".to_owned()), "{path}");
    }
    assert_eq!(get(gateway.address(), "/").await.status, 426);
    gateway.stop().await;
}

#[tokio::test]
async fn connect_chooses_the_protocol_else_the_first_is_spoken() {
    let chosen =
        Functions::new(|_, _| answered(&json!({"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "b"}})));
    for (functions, spoken) in [(chosen, "b"), (echo(), "a")] {
        let gateway = start(api(), Limits::default(), &functions);
        let mut request = format!("ws://{}", gateway.address()).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("a, b"));
        let (_socket, answer) = tokio_tungstenite::connect_async(request).await.unwrap();
        assert_eq!(answer.headers()["sec-websocket-protocol"], spoken);
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_throttled_connect_is_429() {
    let mut limited = api();
    limited.throttling.routes.insert("$connect".into(), Throttle { rate: 0.0, burst: 1 });
    let gateway = start(limited, Limits::default(), &echo());
    open(gateway.address(), "/", &[]).await.unwrap();
    assert_eq!(refused(gateway.address(), "/", &[]).await, (429, "Too Many Requests".to_owned()));
    gateway.stop().await;
}

fn kept() -> WebSocketApi {
    let identity = vec![IdentitySource::Header("headerauth1".into()), IdentitySource::QueryString("token".into())];
    WebSocketApi {
        authorizer: Some(LambdaAuthorizer { function: "Auth".into(), identity, ..LambdaAuthorizer::default() }),
        ..api()
    }
}

/// Whoever has the token "deny", "silent", "throw", "broken", "shape" or another.
fn keeper() -> Arc<Functions> {
    Functions::new(|function, event| {
        if function != "Auth" {
            return answered(&json!({"statusCode": 200, "body": event["body"]}));
        }
        let statement = |effect: &str, resource: &str| {
            json!({"principalId": "me", "context": {"number": 7, "flag": true, "text": "t"}, "policyDocument": {
                "Statement": [{"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}],
            }})
        };
        match event["queryStringParameters"]["token"].as_str().unwrap() {
            "deny" => answered(&statement("Deny", event["methodArn"].as_str().unwrap())),
            "silent" => answered(&statement("Allow", "*/other/*")),
            "throw" => Outcome::FunctionError(r#"{"errorMessage":"Unauthorized"}"#.into()),
            "broken" => failing(),
            "shape" => answered(&json!({"isAuthorized": true})),
            "list" => {
                let mut answer = statement("Allow", "*");
                answer["context"] = json!({"list": [1]});
                answered(&answer)
            }
            _ => answered(&statement("Allow", event["methodArn"].as_str().unwrap())),
        }
    })
}

#[tokio::test]
async fn without_identity_nobody_is_asked_and_it_is_401() {
    let functions = keeper();
    let gateway = start(kept(), Limits::default(), &functions);
    for (path, headers) in [
        ("/", vec![]),
        ("/?token=good", vec![]),
        ("/", vec![("headerauth1", "x")]),
        ("/?token=", vec![("headerauth1", "x")]),
    ] {
        assert_eq!(refused(gateway.address(), path, &headers).await, (401, "Unauthorized".to_owned()));
    }
    assert!(functions.events("Auth").is_empty() && functions.events("F").is_empty());
    gateway.stop().await;
}

#[tokio::test]
async fn the_authorizers_answer_decides() {
    let functions = keeper();
    let gateway = start(kept(), Limits::default(), &functions);
    let denied = "User is not authorized to access this resource";
    for (token, status, words) in [
        ("deny", 403, format!("{denied} with an explicit deny")),
        ("silent", 403, denied.to_owned()),
        ("throw", 401, "Unauthorized".to_owned()),
        ("broken", 500, "Internal server error".to_owned()),
        ("shape", 500, "Internal server error".to_owned()),
        ("list", 500, "Internal server error".to_owned()),
    ] {
        let headers = [("HeaderAuth1", "x")];
        assert_eq!(refused(gateway.address(), &format!("/?token={token}"), &headers).await, (status, words), "{token}");
    }
    assert!(functions.events("F").is_empty(), "nobody reaches $connect");
    gateway.stop().await;
}

#[tokio::test]
async fn every_later_event_carries_what_the_authorizer_said() {
    use futures::SinkExt as _;
    let functions = keeper();
    let gateway = start(kept(), Limits::default(), &functions);
    let mut socket = open(gateway.address(), "/live?token=good", &[("HeaderAuth1", "x")]).await.unwrap();
    socket.send(Message::text(r#"{"action":"echo"}"#)).await.unwrap();
    next(&mut socket).await;
    socket.close(None).await.unwrap();
    eventually("$disconnect", || route_keys(&functions).len() == 3).await;
    assert_eq!(route_keys(&functions), ["$connect", "echo", "$disconnect"]);
    for event in functions.events("F") {
        let authorizer = &event["requestContext"]["authorizer"];
        let texts = ["principalId", "number", "flag", "text"].map(|name| authorizer[name].as_str().unwrap());
        assert_eq!(texts, ["me", "7", "true", "t"]);
        assert!(authorizer["integrationLatency"].is_u64());
    }
    assert_eq!(functions.events("Auth").len(), 1, "asked at $connect alone");
    gateway.stop().await;
}
