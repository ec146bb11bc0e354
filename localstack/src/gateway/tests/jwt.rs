//! JWT authorizers with a real issuer on loopback and tokens signed with a real key.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get as on_get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaEncoding, RsaKeyPair};
use serde_json::{Value, json};

use super::support::*;
use crate::clock::now_ms;
use crate::gateway::Gateway;
use crate::template::model::{Authorizer, IdentitySource, JwtAuthorizer, PayloadFormat};

/// A key made for these tests; it opens nothing.
fn key(other: bool) -> RsaKeyPair {
    let bytes: &[u8] =
        if other { include_bytes!("fixtures/other_key.pk8") } else { include_bytes!("fixtures/signing_key.pk8") };
    RsaKeyPair::from_pkcs8(bytes).unwrap()
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn sign(header: &Value, claims: &Value, key: &RsaKeyPair, how: &'static dyn RsaEncoding) -> String {
    let signed = format!("{}.{}", encode(header), encode(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(how, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn token(claims: &Value) -> String {
    sign(&json!({"alg": "RS256", "kid": "k1"}), claims, &key(false), &RSA_PKCS1_SHA256)
}

fn key_set() -> Value {
    let key = key(false);
    let public = key.public();
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let modulus = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(public);
    json!({"keys": [
        {"kty": "EC", "kid": "e1", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "RSA", "kid": "k1", "use": "sig", "alg": "RS256", "n": part(&modulus.n), "e": part(&modulus.e)},
    ]})
}

/// What an issuer answers, and how often it was asked for its keys.
struct Issuer {
    url: String,
    asked: Arc<AtomicUsize>,
}

async fn issuer(discovery: Option<String>, keys: String, delay: Duration) -> Issuer {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let discovery = discovery.unwrap_or_else(|| json!({"issuer": url, "jwks_uri": format!("{url}/keys")}).to_string());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let router = Router::new()
        .route("/.well-known/openid-configuration", on_get(move || async move { discovery }))
        .route(
            "/keys",
            on_get(move || async move {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(delay).await;
                keys
            }),
        )
        .route("/moved", on_get(|| async { axum::response::Redirect::temporary("/keys") }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Issuer { url, asked }
}

async fn good() -> Issuer {
    issuer(None, key_set().to_string(), Duration::ZERO).await
}

async fn with(issuer: &str, functions: &Arc<Functions>) -> Gateway {
    let mut routes = vec![route("GET /", "F"), route("GET /scoped", "F"), route("GET /old", "F")];
    routes[1].scopes = vec!["pets:read".into(), "pets:write".into()];
    routes[2].payload = PayloadFormat::V1;
    routes.iter_mut().for_each(|route| route.authorizer = Some("Jwt".into()));
    let mut api = api(routes);
    let jwt = JwtAuthorizer {
        issuer: issuer.to_owned(),
        audience: vec!["me".into(), "mine".into()],
        identity: IdentitySource::Header("authorization".into()),
        scopes: Vec::new(),
    };
    api.authorizers.insert("Jwt".into(), Authorizer::Jwt(jwt));
    start(api, functions).await
}

fn claims(issuer: &str) -> Value {
    let now = now_ms() / 1_000;
    json!({"iss": issuer, "aud": "me", "sub": "somebody", "exp": now + 60, "iat": now, "nbf": now})
}

async fn ask(at: SocketAddr, path: &str, token: &str) -> Reply {
    send(at, &format!("GET {path}"), &[&format!("authorization: {token}")], b"").await
}

/// Refused with these words in the challenge.
fn refused(reply: &Reply, words: &str) {
    assert_eq!(reply.says(), (401, r#"{"message":"Unauthorized"}"#.to_owned()));
    let wanted = format!("Bearer scope=\"\" error=\"invalid_token\" error_description=\"{words}\"");
    assert_eq!(reply.header("www-authenticate"), Some(wanted.as_str()));
}

#[tokio::test]
async fn a_good_token_is_let_in_and_its_claims_are_texts() {
    let (issuer, functions) = (good().await, content());
    let gateway = with(&issuer.url, &functions).await;
    let mut claims = claims(&issuer.url);
    claims["groups"] = json!(["a", "b"]);
    claims["flag"] = json!(true);
    claims["exp"] = json!(4_102_444_800_i64);
    let token = token(&claims);
    for header in [token.clone(), format!("Bearer {token}"), format!("bearer {token}")] {
        assert_eq!(ask(gateway.address(), "/", &header).await.status, 200);
    }
    assert_eq!(ask(gateway.address(), "/old", &token).await.status, 200);
    let events = functions.events("F");
    let jwt = &events[0]["requestContext"]["authorizer"]["jwt"];
    for (name, text) in [("sub", "somebody"), ("groups", "[a b]"), ("flag", "true"), ("exp", "4102444800")] {
        assert_eq!(jwt["claims"][name], text, "{name}");
    }
    assert!(jwt["scopes"].is_null(), "a route without scopes has none");
    assert_eq!(events[3]["requestContext"]["authorizer"]["claims"]["sub"], "somebody", "format 1.0");
    assert_eq!(issuer.asked.load(Ordering::Relaxed), 1, "keys are fetched once");
    gateway.stop().await;
}

#[tokio::test]
async fn every_rsa_hash_is_good_and_nothing_else() {
    let (issuer, functions) = (good().await, content());
    let gateway = with(&issuer.url, &functions).await;
    let claims = claims(&issuer.url);
    for (name, how) in [("RS384", &RSA_PKCS1_SHA384 as &dyn RsaEncoding), ("RS512", &RSA_PKCS1_SHA512)] {
        let token = sign(&json!({"alg": name, "kid": "k1"}), &claims, &key(false), how);
        assert_eq!(ask(gateway.address(), "/", &token).await.status, 200, "{name}");
    }
    let mixed = sign(&json!({"alg": "RS384", "kid": "k1"}), &claims, &key(false), &RSA_PKCS1_SHA256);
    refused(&ask(gateway.address(), "/", &mixed).await, "the token's signature is invalid");
    for alg in ["none", "HS256", "ES256", "rs256"] {
        let unsigned = format!("{}.{}.", encode(&json!({"alg": alg, "kid": "k1"})), encode(&claims));
        refused(&ask(gateway.address(), "/", &unsigned).await, &format!("signing method {alg} is invalid"));
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_request_without_a_token_is_challenged() {
    let gateway = with("http://127.0.0.1:1", &content()).await;
    let reply = get(gateway.address(), "/").await;
    assert_eq!(reply.says(), (401, r#"{"message":"Unauthorized"}"#.to_owned()));
    assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
    gateway.stop().await;
}

#[tokio::test]
async fn claims_are_checked_one_by_one() {
    let (issuer, functions) = (good().await, content());
    let gateway = with(&issuer.url, &functions).await;
    let now = now_ms() / 1_000;
    let cases = [
        ("iss", json!("https://other"), "the token does not have a valid issuer"),
        ("iss", Value::Null, "the token does not have a valid issuer"),
        ("aud", json!("you"), "the token does not have a valid audience"),
        ("aud", json!(["you", "they"]), "the token does not have a valid audience"),
        ("aud", json!(7), "the token does not have a valid audience"),
        ("exp", json!(now - 5), "the token has expired"),
        ("exp", json!("9999999999"), "the token has expired"),
        ("exp", Value::Null, "the token has expired"),
        ("nbf", json!(now + 60), "the token is not valid yet"),
        ("nbf", json!("soon"), "the token is not valid yet"),
        ("iat", json!(now + 60), "the token is not valid yet"),
    ];
    for (name, value, words) in cases {
        let mut claims = claims(&issuer.url);
        claims[name] = value;
        refused(&ask(gateway.address(), "/", &token(&claims)).await, words);
    }
    assert!(functions.events("F").is_empty());
    let mut several = claims(&issuer.url);
    several["aud"] = json!(["you", "mine"]);
    assert_eq!(ask(gateway.address(), "/", &token(&several)).await.status, 200);
    gateway.stop().await;
}

#[tokio::test]
async fn client_id_counts_only_where_there_is_no_audience() {
    let (issuer, functions) = (good().await, content());
    let gateway = with(&issuer.url, &functions).await;
    let mut claims = claims(&issuer.url);
    claims["client_id"] = json!("me");
    claims["aud"] = json!("you");
    refused(&ask(gateway.address(), "/", &token(&claims)).await, "the token does not have a valid audience");
    claims.as_object_mut().unwrap().remove("aud");
    assert_eq!(ask(gateway.address(), "/", &token(&claims)).await.status, 200);
    gateway.stop().await;
}

#[tokio::test]
async fn one_of_the_routes_scopes_is_enough_and_none_is_forbidden() {
    let (issuer, functions) = (good().await, content());
    let gateway = with(&issuer.url, &functions).await;
    for (name, scopes) in
        [("scope", json!("email pets:read")), ("scp", json!(["pets:read"])), ("scp", json!("pets:read"))]
    {
        let mut claims = claims(&issuer.url);
        claims[name] = scopes;
        assert_eq!(ask(gateway.address(), "/scoped", &token(&claims)).await.status, 200);
    }
    assert_eq!(functions.events("F")[0]["requestContext"]["authorizer"]["jwt"]["scopes"], json!(["pets:read"]));
    for scopes in [json!("email pets:reader"), json!(""), json!(7)] {
        let mut claims = claims(&issuer.url);
        claims["scope"] = scopes;
        let reply = ask(gateway.address(), "/scoped", &token(&claims)).await;
        assert_eq!(reply.says(), (403, r#"{"message":"Forbidden"}"#.to_owned()));
        let challenge = reply.header("www-authenticate").unwrap();
        assert!(
            challenge.starts_with("Bearer scope=\"pets:read pets:write\" error=\"insufficient_scope\""),
            "{challenge}"
        );
    }
    gateway.stop().await;
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let (issuer, functions) = (good().await, content());
    let gateway = with(&issuer.url, &functions).await;
    let at = gateway.address();
    let good = token(&claims(&issuer.url));
    let segments = "token contains an invalid number of segments";
    for (text, words) in [
        ("secret", segments),
        ("a.b", segments),
        ("a.b.c.d", segments),
        ("Bearer", segments),
        ("!.!.!", "token contains illegal base64 data"),
        ("e30.e30.", "token header is not valid JSON"),
        ("Basic dXNlcjpwYXNz", segments),
    ] {
        refused(&ask(at, "/", text).await, words);
    }
    let no_key = format!("{}.{}.AA", encode(&json!({"alg": "RS256"})), encode(&json!({})));
    refused(&ask(at, "/", &no_key).await, "token header does not name a key");
    let no_claims = format!("{}.{}.AA", encode(&json!({"alg": "RS256", "kid": "k1"})), encode(&json!([])));
    refused(&ask(at, "/", &no_claims).await, "token claims are not a JSON object");
    let (head, _) = good.rsplit_once('.').unwrap();
    refused(&ask(at, "/", &format!("{head}.AAAA")).await, "the token's signature is invalid");
    let foreign = sign(&json!({"alg": "RS256", "kid": "k1"}), &claims(&issuer.url), &key(true), &RSA_PKCS1_SHA256);
    refused(&ask(at, "/", &foreign).await, "the token's signature is invalid");
    let unknown = sign(&json!({"alg": "RS256", "kid": "k9"}), &claims(&issuer.url), &key(false), &RSA_PKCS1_SHA256);
    refused(&ask(at, "/", &unknown).await, "the token was signed with a key that the issuer does not have");
    let huge = ask(at, "/", &"a".repeat(20_000)).await;
    assert_eq!(huge.status, 431, "a token is part of the headers' limit");
    gateway.stop().await;
}

#[tokio::test]
async fn unknown_keys_make_nobody_ask_the_issuer_over_and_over() {
    let (issuer, functions) = (good().await, content());
    let gateway = with(&issuer.url, &functions).await;
    for number in 0..20 {
        let header = json!({"alg": "RS256", "kid": format!("made-up-{number}")});
        let token = sign(&header, &claims(&issuer.url), &key(false), &RSA_PKCS1_SHA256);
        assert_eq!(ask(gateway.address(), "/", &token).await.status, 401);
    }
    assert!(issuer.asked.load(Ordering::Relaxed) <= 2, "{}", issuer.asked.load(Ordering::Relaxed));
    gateway.stop().await;
}

#[tokio::test]
async fn an_issuer_that_fails_refuses_everybody_within_its_time() {
    let discovery = "OIDC discovery endpoint communication error";
    let keys = "JWKS communication error";
    let set = key_set().to_string();
    let cases = [
        (Some("not json".to_owned()), set.clone(), Duration::ZERO, discovery),
        (Some(json!({"issuer": "x"}).to_string()), set.clone(), Duration::ZERO, discovery),
        (Some(json!({"jwks_uri": "http://192.0.2.1/keys"}).to_string()), set.clone(), Duration::ZERO, discovery),
        (Some(json!({"jwks_uri": "file:///etc/passwd"}).to_string()), set.clone(), Duration::ZERO, discovery),
        (Some("x".repeat(200_000)), set.clone(), Duration::ZERO, discovery),
        (None, "not json".to_owned(), Duration::ZERO, keys),
        (None, json!({"keys": "none"}).to_string(), Duration::ZERO, keys),
        (None, json!({"keys": ["x".repeat(200_000)]}).to_string(), Duration::ZERO, keys),
        (None, set, Duration::from_mins(1), keys),
    ];
    for (found, set, delay, words) in cases {
        let issuer = issuer(found, set, delay).await;
        let gateway = with(&issuer.url, &content()).await;
        let begin = std::time::Instant::now();
        refused(&ask(gateway.address(), "/", &token(&claims(&issuer.url))).await, words);
        assert!(begin.elapsed() < Duration::from_secs(4), "{words}: {:?}", begin.elapsed());
        gateway.stop().await;
    }
    let gateway = with("http://127.0.0.1:1", &content()).await;
    refused(&ask(gateway.address(), "/", &token(&claims("http://127.0.0.1:1"))).await, discovery);
    gateway.stop().await;
}

#[tokio::test]
async fn malformed_keys_are_passed_over() {
    let set = json!({"keys": [1, {}, {"kty": "RSA", "kid": "k1", "n": "!", "e": "AQAB"}, {"kty": "RSA", "kid": "k1", "n": "AA", "e": ""}]});
    let issuer = issuer(None, set.to_string(), Duration::ZERO).await;
    let gateway = with(&issuer.url, &content()).await;
    refused(&ask(gateway.address(), "/", &token(&claims(&issuer.url))).await, "the token's signature is invalid");
    gateway.stop().await;
}

#[tokio::test]
async fn redirects_of_an_issuer_are_not_followed() {
    let base = good().await;
    let moved = json!({"jwks_uri": format!("{}/moved", base.url)}).to_string();
    let issuer = issuer(Some(moved), String::new(), Duration::ZERO).await;
    let gateway = with(&issuer.url, &content()).await;
    refused(&ask(gateway.address(), "/", &token(&claims(&issuer.url))).await, "JWKS communication error");
    gateway.stop().await;
}
