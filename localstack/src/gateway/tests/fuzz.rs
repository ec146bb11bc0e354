//! No request, no authorizer's answer, no token and no function's answer makes the gateway panic.

use std::collections::BTreeMap;

use axum::http::{HeaderName, HeaderValue, Method, Request, Uri};
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::{api, route};
use crate::fuzz::{config, json_of};
use crate::gateway::authorizer::jwt::Token;
use crate::gateway::authorizer::{keys, lambda};
use crate::gateway::{response, serve};
use crate::template::model::{HttpApi, IdentitySource, JwtAuthorizer, PayloadFormat};

fn shop(stage: &str, payload: PayloadFormat) -> HttpApi {
    let mut routes = vec![
        route("GET /pets/{id}", "F"),
        route("ANY /pets/{proxy+}", "F"),
        route("POST /a/{b}/c/{d+}", "F"),
        route("GET /", "F"),
        route("$default", "F"),
    ];
    routes.iter_mut().for_each(|route| route.payload = payload);
    HttpApi { stage: stage.into(), stage_variables: BTreeMap::from([("v".into(), "1".into())]), ..api(routes) }
}

/// Pieces that meet the reader's branches more often than chance would.
fn path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "/", "pets", "a", "c", "live", "%", "%2", "%2f", "%ff", "%c3%a9", "..", "+", "?", "&", "=", "a=1", "é",
            "#", ";",
        ])
        .prop_map(str::to_owned),
        "[!-~]{0,6}",
        "\\PC{0,4}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| format!("/{}", pieces.concat()))
}

fn headers() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let name = prop_oneof![
        prop::sample::select(vec![
            "cookie",
            "content-type",
            "host",
            "x-forwarded-for",
            "user-agent",
            "origin",
            "access-control-request-method",
            "content-encoding",
        ])
        .prop_map(str::to_owned),
        "[a-z-]{1,8}",
    ];
    prop::collection::vec((name, prop::collection::vec(any::<u8>(), 0..24)), 0..8)
}

/// JSON whose names are those that the readers look for.
fn any_json() -> impl Strategy<Value = Value> {
    json_of(&[
        "statusCode",
        "headers",
        "multiValueHeaders",
        "cookies",
        "body",
        "isBase64Encoded",
        "isAuthorized",
        "context",
        "principalId",
        "policyDocument",
        "Statement",
        "Effect",
        "Allow",
        "Deny",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
        "execute-api:Invoke",
        "arn:*",
        "*",
        "?",
        "",
        "keys",
        "kty",
        "RSA",
        "kid",
        "n",
        "e",
        "use",
        "sig",
        "alg",
        "RS256",
        "iss",
        "aud",
        "exp",
        "nbf",
        "iat",
        "scope",
        "scp",
        "client_id",
        "me",
        "x: y",
        "é",
    ])
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_request_makes_events_that_are_json(
        method in prop::sample::select(vec!["GET", "POST", "OPTIONS", "HEAD", "BREW"]),
        path in path(),
        headers in headers(),
        body in prop::collection::vec(any::<u8>(), 0..64),
        named in any::<bool>(),
        old in any::<bool>(),
    ) {
        let Ok(uri) = path.parse::<Uri>() else { return Ok(()) };
        let mut request = Request::new(());
        *request.method_mut() = method.parse::<Method>().unwrap();
        *request.uri_mut() = uri;
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(&value)) {
                request.headers_mut().append(name, value);
            }
        }
        let (parts, ()) = request.into_parts();
        let api = shop(if named { "live" } else { "$default" }, if old { PayloadFormat::V1 } else { PayloadFormat::V2 });
        let events = serve::events_of(&api, &parts, &Bytes::from(body));
        prop_assert!(named || events.len() == 4, "$default takes everything");
        for event in events.iter().take(3) {
            let event: Value = serde_json::from_slice(event).unwrap();
            prop_assert!(event["requestContext"].is_object() && event["version"].is_string());
        }
    }

    #[test]
    fn no_authorizers_answer_makes_it_panic(answer in any_json(), policy in any_json(), bytes in any::<Vec<u8>>()) {
        let whole = json!({"principalId": "me", "policyDocument": {"Statement": policy}, "context": answer});
        for text in [answer.to_string().into_bytes(), whole.to_string().into_bytes(), bytes] {
            for simple in [false, true] {
                if let Ok(answer) = lambda::read(&text, simple) {
                    let _ = (answer.verdict("arn:aws:execute-api:a:b:c/d/GET/e"), answer.flat());
                }
            }
        }
    }

    #[test]
    fn no_token_and_no_key_set_make_it_panic(
        header in any_json(),
        claims in any_json(),
        signature in any::<Vec<u8>>(),
        text in "\\PC{0,40}",
        set in any_json(),
    ) {
        use base64::Engine as _;
        let encode = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
        let good = json!({"alg": "RS256", "kid": "k"}).to_string();
        let jwt = JwtAuthorizer {
            issuer: "me".into(),
            audience: vec!["me".into()],
            identity: IdentitySource::Header("authorization".into()),
            scopes: Vec::new(),
        };
        let (claims, header) = (encode(claims.to_string().as_bytes()), encode(header.to_string().as_bytes()));
        for token in [
            text.clone(),
            format!("Bearer {text}"),
            format!("{header}.{claims}.{}", encode(&signature)),
            format!("{}.{claims}.{}", encode(good.as_bytes()), encode(&signature)),
        ] {
            if let Ok(token) = Token::read(&token) {
                let _ = token.check(&jwt, 1);
                let _ = token.context(Some(&token.scopes(&["me".to_owned()])));
            }
        }
        let own = json!({"keys": [set, {"kty": "RSA", "kid": "k", "n": encode(&signature), "e": "AQAB"}]});
        for set in [set.to_string(), own.to_string(), text] {
            let Some(found) = keys::read(set.as_bytes()) else { continue };
            let signed = format!("{}.{claims}.{}", encode(good.as_bytes()), encode(&signature));
            if let (Ok(token), Some(key)) = (Token::read(&signed), found.get("k")) {
                prop_assert!(!token.is_signed_by(key), "nobody signed it");
            }
        }
    }

    #[test]
    fn no_functions_answer_makes_it_panic(answer in any_json(), fields in any_json(), bytes in any::<Vec<u8>>()) {
        let with_status = json!({"statusCode": 200, "headers": fields, "multiValueHeaders": fields, "body": answer});
        for text in [answer.to_string().into_bytes(), with_status.to_string().into_bytes(), bytes] {
            for format in [PayloadFormat::V1, PayloadFormat::V2] {
                let _ = response::from_function(format, &text);
            }
        }
    }
}
