//! Requests that mean no good: the gateway answers or closes, and goes on.

use serde_json::json;

use super::support::*;

#[tokio::test]
async fn garbage_is_a_bad_request_and_others_are_served_on() {
    let gateway = start(api(vec![route("$default", "F")]), &content()).await;
    let at = gateway.address();
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(),
        b"\r\n\r\nhello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET / HTTP/1.1\r\nx\x00y: 1\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 7\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
    ] {
        let status = raw(at, bytes).await.map(|reply| reply.status);
        assert!(status.is_none_or(|status| status < 500), "{}: {status:?}", bytes.escape_ascii());
    }
    assert_eq!(get(at, "/").await.status, 200);
    gateway.stop().await;
}

#[tokio::test]
async fn a_path_that_climbs_is_a_path_like_any_other() {
    let functions = content();
    let gateway = start(api(vec![route("GET /files/{name}", "Files"), route("GET /admin", "Admin")]), &functions).await;
    for path in ["/files/..%2fadmin", "/files/%2e%2e%2fadmin", "/files/%252e%252e"] {
        assert_eq!(get(gateway.address(), path).await.says(), (200, "Files".to_owned()), "{path}");
    }
    let names: Vec<_> = functions.events("Files").iter().map(|event| event["pathParameters"]["name"].clone()).collect();
    assert_eq!(
        names,
        [json!("../admin"), json!("../admin"), json!("%2e%2e")],
        "decoded once, for the function to judge"
    );
    for path in ["/files/../admin", "/files/%2e%2e/admin", "/./admin", "//admin", "/admin/.."] {
        assert_eq!(get(gateway.address(), path).await.status, 404, "{path}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn what_is_not_utf_8_becomes_replacement_characters() {
    let functions = content();
    let gateway = start(api(vec![route("GET /{name}", "F")]), &functions).await;
    let request = b"GET /%ff?q=%c3%28&%fe=1 HTTP/1.1\r\nhost: x\r\nx-bytes: \xff\xfe\r\ncookie: \xff=1\r\nconnection: close\r\n\r\n";
    assert_eq!(raw(gateway.address(), request).await.unwrap().status, 200);
    let event = functions.events("F").remove(0);
    assert_eq!((&event["rawPath"], &event["pathParameters"]["name"]), (&json!("/\u{fffd}"), &json!("\u{fffd}")));
    assert_eq!(event["queryStringParameters"], json!({"q": "\u{fffd}(", "\u{fffd}": "1"}));
    assert_eq!(
        (&event["headers"]["x-bytes"], &event["cookies"][0]),
        (&json!("\u{fffd}\u{fffd}"), &json!("\u{fffd}=1"))
    );
    gateway.stop().await;
}

#[tokio::test]
async fn a_target_that_is_an_address_of_its_own_is_routed_by_its_path() {
    let gateway = start(api(vec![route("GET /pets", "F")]), &content()).await;
    let absolute = b"GET http://elsewhere.example/pets HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    assert_eq!(raw(gateway.address(), absolute).await.unwrap().status, 200);
    let star = b"OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    assert_eq!(raw(gateway.address(), star).await.unwrap().status, 404);
    let tunnel = b"CONNECT elsewhere.example:443 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    assert_eq!(raw(gateway.address(), tunnel).await.map(|reply| reply.status), Some(404));
    gateway.stop().await;
}
