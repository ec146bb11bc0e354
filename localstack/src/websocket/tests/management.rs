//! The @connections API over plain HTTP; `tests/connections.rs` has it with the AWS SDK.

use serde_json::json;

use super::*;
use crate::gateway::tests::support::send;

#[tokio::test]
async fn the_connections_api_sends_looks_closes_and_knows_who_has_gone() {
    let functions = echo();
    let gateway = start(api(), Limits::default(), &functions);
    let at = gateway.address();
    let mut socket = open(at, "/", &[("user-agent", "tests")]).await.unwrap();
    eventually("the socket", || gateway.connections() == 1).await;
    let path = connection(&functions, 0);
    assert_eq!(send(at, &format!("POST {path}"), &[], b"hello").await.status, 200);
    assert_eq!(next(&mut socket).await, Message::text("hello"));
    let seen = send(at, &format!("GET {path}"), &[], b"").await;
    assert_eq!((seen.status, &seen.json()["identity"]), (200, &json!({"sourceIp": "127.0.0.1", "userAgent": "tests"})));
    assert_eq!(send(at, &format!("DELETE {path}"), &[], b"").await.status, 204);
    assert!(matches!(next(&mut socket).await, Message::Close(_)));
    for method in ["POST", "GET", "DELETE"] {
        let gone = send(at, &format!("{method} {path}"), &[], b"").await;
        assert_eq!((gone.status, gone.header("x-amzn-errortype")), (410, Some("GoneException")), "{method}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_message_over_128_kb_is_too_large_and_one_of_128_kb_arrives() {
    let functions = echo();
    let gateway = start(api(), Limits::default(), &functions);
    let mut socket = open(gateway.address(), "/", &[]).await.unwrap();
    eventually("the socket", || gateway.connections() == 1).await;
    let path = connection(&functions, 0);
    let refused = send(gateway.address(), &format!("POST {path}"), &[], &vec![b'x'; 128 * 1_024 + 1]).await;
    assert_eq!((refused.status, refused.header("x-amzn-errortype")), (413, Some("PayloadTooLargeException")));
    assert_eq!(send(gateway.address(), &format!("POST {path}"), &[], &vec![b'x'; 128 * 1_024]).await.status, 200);
    assert_eq!(next(&mut socket).await.len(), 128 * 1_024);
    gateway.stop().await;
}

#[tokio::test]
async fn an_id_that_is_none_is_a_bad_request_and_another_stage_is_forbidden() {
    let functions = echo();
    let gateway = start(api(), Limits::default(), &functions);
    let _socket = open(gateway.address(), "/", &[]).await.unwrap();
    eventually("the socket", || gateway.connections() == 1).await;
    for (path, status) in [
        ("/live/@connections/nobody".to_owned(), 400),
        ("/@connections/%ff%fe".to_owned(), 400),
        (format!("/live/@connections/{}", "x".repeat(5_000)), 400),
        ("/live/@connections/L0SM9cOFvHcCIhw=".to_owned(), 410),
        (connection(&functions, 0).replace("/live/", "/other/"), 403),
        (connection(&functions, 0).replace("/live/", "/"), 200),
    ] {
        assert_eq!(send(gateway.address(), &format!("POST {path}"), &[], b"x").await.status, status, "{path}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_socket_that_never_reads_is_cut_off_and_others_go_on() {
    use futures::SinkExt as _;
    let functions = echo();
    let gateway = start(api(), Limits::default(), &functions);
    let at = gateway.address();
    let _deaf = open(at, "/", &[]).await.unwrap();
    eventually("the socket", || gateway.connections() == 1).await;
    let deaf = connection(&functions, 0);
    let mut other = open(at, "/", &[]).await.unwrap();
    let message = vec![b'x'; 100 * 1_024];
    let mut sent = 0;
    while send(at, &format!("POST {deaf}"), &[], &message).await.status == 200 {
        sent += 1;
        assert!(sent < 1_000, "what nobody reads must not pile up");
    }
    other.send(Message::text(r#"{"action":"echo"}"#)).await.unwrap();
    assert!(matches!(next(&mut other).await, Message::Text(_)));
    eventually("the deaf one's end", || gateway.connections() == 1).await;
    gateway.stop().await;
}
