//! CORS by the API's configuration.

use super::support::*;
use crate::gateway::Gateway;
use crate::template::model::{Authorizer, Cors, HttpApi, IdentitySource, LambdaAuthorizer};
use serde_json::json;

const PREFLIGHT: [&str; 2] = ["origin: https://shop.example", "access-control-request-method: PUT"];

fn cors(origins: &[&str], credentials: bool) -> Cors {
    Cors {
        allow_origins: origins.iter().map(|&origin| origin.to_owned()).collect(),
        allow_methods: vec!["GET".into(), "PUT".into()],
        allow_headers: vec!["x-token".into()],
        expose_headers: vec!["x-total".into()],
        allow_credentials: credentials,
        max_age_s: Some(600),
    }
}

async fn with(cors: Cors) -> Gateway {
    let functions = Functions::new(|_, _| {
        answered(
            &json!({"statusCode": 200, "headers": {"access-control-allow-origin": "https://of.the.function", "x-own": "1"}}),
        )
    });
    start(HttpApi { cors: Some(cors), ..api(vec![route("GET /pets", "F")]) }, &functions).await
}

#[tokio::test]
async fn a_preflight_is_answered_though_no_route_takes_it() {
    let gateway = with(cors(&["https://shop.example"], true)).await;
    let reply = send(gateway.address(), "OPTIONS /nowhere", &PREFLIGHT, b"").await;
    assert_eq!((reply.status, reply.text()), (204, ""));
    for (name, value) in [
        ("access-control-allow-origin", "https://shop.example"),
        ("access-control-allow-methods", "GET,PUT"),
        ("access-control-allow-headers", "x-token"),
        ("access-control-allow-credentials", "true"),
        ("access-control-max-age", "600"),
    ] {
        assert_eq!(reply.all(name), [value], "{name}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn the_functions_own_cors_headers_are_replaced() {
    let gateway = with(cors(&["https://shop.example"], true)).await;
    let reply = send(gateway.address(), "GET /pets", &["origin: https://shop.example"], b"").await;
    assert_eq!(reply.all("access-control-allow-origin"), ["https://shop.example"]);
    assert_eq!((reply.all("access-control-expose-headers"), reply.all("x-own")), (vec!["x-total"], vec!["1"]));
    gateway.stop().await;
}

#[tokio::test]
async fn a_page_of_another_origin_is_told_nothing() {
    let gateway = with(cors(&["https://shop.example"], true)).await;
    for request in ["GET /pets", "OPTIONS /pets"] {
        let headers = ["origin: https://evil.example", "access-control-request-method: GET"];
        let reply = send(gateway.address(), request, &headers, b"").await;
        assert!(!reply.head.to_lowercase().contains("access-control"), "{}", reply.head);
    }
    assert!(get(gateway.address(), "/pets").await.all("access-control-allow-origin").is_empty(), "no origin, no CORS");
    gateway.stop().await;
}

#[tokio::test]
async fn a_star_stands_for_every_origin_and_a_scheme_with_it_for_its_own() {
    for (known, origin, allowed) in [
        ("*", "https://a.example", Some("*")),
        ("https://*", "https://a.example", Some("https://a.example")),
        ("https://*", "http://a.example", None),
        ("http://*", "http://localhost:5173", Some("http://localhost:5173")),
        ("https://a.example", "https://a.example.evil", None),
    ] {
        let gateway = with(cors(&[known], false)).await;
        let reply = send(gateway.address(), "GET /pets", &[&format!("origin: {origin}")], b"").await;
        assert_eq!(reply.header("access-control-allow-origin"), allowed, "{known} {origin}");
        assert_eq!(reply.header("access-control-allow-credentials"), None);
        gateway.stop().await;
    }
}

#[tokio::test]
async fn options_without_a_preflights_header_is_a_request_like_any_other() {
    let gateway = with(cors(&["*"], false)).await;
    assert_eq!(send(gateway.address(), "OPTIONS /pets", &["origin: https://a"], b"").await.status, 404);
    gateway.stop().await;
    let functions = content();
    let gateway = start(api(vec![route("OPTIONS /pets", "Options")]), &functions).await;
    let reply = send(gateway.address(), "OPTIONS /pets", &PREFLIGHT, b"").await;
    assert_eq!(reply.says(), (200, "Options".to_owned()), "without CORS a preflight is the function's");
    gateway.stop().await;
}

/// As the developer guide warns: a `$default` route with an authorizer catches preflights, a route of their own frees them.
#[tokio::test]
async fn an_authorizer_of_default_stands_before_preflights_unless_they_have_a_route() {
    let functions = content();
    let lambda = LambdaAuthorizer {
        function: "Auth".into(),
        identity: vec![IdentitySource::Header("authorization".into())],
        ..LambdaAuthorizer::default()
    };
    let mut default = route("$default", "F");
    default.authorizer = Some("Keeper".into());
    for (routes, status) in [(vec![default.clone()], 401), (vec![default, route("OPTIONS /{proxy+}", "F")], 204)] {
        let mut api = HttpApi { cors: Some(cors(&["*"], false)), ..api(routes) };
        api.authorizers.insert("Keeper".into(), Authorizer::Lambda(lambda.clone()));
        let gateway = start(api, &functions).await;
        assert_eq!(send(gateway.address(), "OPTIONS /pets", &PREFLIGHT, b"").await.status, status);
        gateway.stop().await;
    }
}
