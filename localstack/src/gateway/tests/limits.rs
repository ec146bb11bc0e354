//! API Gateway's quotas, and the throttling of a template.

use std::collections::BTreeMap;
use std::time::Duration;

use super::support::*;
use crate::functions::MAX_PAYLOAD_BYTES;
use crate::template::model::{Throttle, Throttling};

const TOO_LARGE: (u16, &str) = (413, r#"{"message":"Request Entity Too Large"}"#);

fn says(reply: &Reply, wanted: (u16, &str)) {
    assert_eq!((reply.status, reply.text()), wanted);
}

#[tokio::test]
async fn ten_megabytes_are_the_most_and_an_invocations_six_too() {
    let functions = content();
    let gateway = start(api(vec![route("POST /", "F")]), &functions).await;
    says(&send(gateway.address(), "POST /", &[], &vec![b'x'; 10 * 1024 * 1024 + 1]).await, TOO_LARGE);
    says(&send(gateway.address(), "POST /", &[], &vec![b'x'; MAX_PAYLOAD_BYTES]).await, TOO_LARGE);
    assert!(functions.events("F").is_empty());
    says(&send(gateway.address(), "POST /", &[], &vec![b'x'; 5 * 1024 * 1024]).await, (200, "F"));
    gateway.stop().await;
}

#[tokio::test]
async fn request_line_and_header_values_share_their_limit() {
    let gateway = start(api(vec![route("$default", "F")]), &content()).await;
    let at = gateway.address();
    let too_many = (431, r#"{"message":"Request Header Fields Too Large"}"#);
    says(&send(at, "GET /", &[&format!("x-long: {}", "a".repeat(9_000))], b"").await, (200, "F"));
    says(&send(at, "GET /", &[&format!("x-long: {}", "a".repeat(10_300))], b"").await, too_many);
    says(&get(at, &format!("/{}", "a".repeat(10_300))).await, too_many);
    let (half, other) = (format!("x-long: {}", "a".repeat(5_200)), format!("/{}", "b".repeat(5_200)));
    says(&send(at, &format!("GET {other}"), &[&half], b"").await, too_many);
    gateway.stop().await;
}

#[tokio::test]
async fn a_route_has_its_burst_and_then_too_many_requests() {
    let mut api = api(vec![route("GET /a", "F"), route("GET /b", "F"), route("GET /none", "F")]);
    api.throttling = Throttling {
        default: Some(Throttle { rate: 0.0, burst: 2 }),
        routes: BTreeMap::from([("GET /none".to_owned(), Throttle { rate: 0.0, burst: 0 })]),
    };
    let gateway = start(api, &content()).await;
    let at = gateway.address();
    for path in ["/a", "/b"] {
        says(&get(at, path).await, (200, "F"));
        says(&get(at, path).await, (200, "F"));
        says(&get(at, path).await, (429, r#"{"message":"Too Many Requests"}"#));
    }
    assert_eq!(get(at, "/none").await.status, 429, "a route's own settings win");
    gateway.stop().await;
}

#[tokio::test]
async fn a_bucket_fills_again_at_its_rate() {
    let mut api = api(vec![route("GET /", "F")]);
    api.throttling.default = Some(Throttle { rate: 20.0, burst: 1 });
    let gateway = start(api, &content()).await;
    let begin = std::time::Instant::now();
    let mut taken = 0;
    while taken < 5 {
        taken += u32::from(get(gateway.address(), "/").await.status == 200);
        assert!(begin.elapsed() < Duration::from_secs(20));
    }
    assert!(begin.elapsed() >= Duration::from_millis(195), "{:?}", begin.elapsed());
    gateway.stop().await;
}

#[tokio::test]
async fn stop_waits_for_no_function_that_hangs() {
    let gateway = start(api(vec![route("$default", "Never")]), &content()).await;
    let at = gateway.address();
    let hanging = tokio::spawn(async move { raw(at, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await });
    while !hanging.is_finished() && tokio::net::TcpStream::connect(at).await.is_err() {}
    let begin = std::time::Instant::now();
    gateway.stop().await;
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
}
